; What Python defines and imports. Constants are told from variables by their capitals.
(class_definition name: (identifier) @name
  body: (block . (comment)* . (expression_statement (string) @doc))?) @class
(function_definition name: (identifier) @name
  body: (block . (comment)* . (expression_statement (string) @doc))?) @function
(assignment left: (identifier) @name) @variable
(assignment left: (pattern_list (identifier) @name)) @variable
(type_alias_statement left: (type (identifier) @name)) @type
(lambda) @opaque

(import_statement name: (dotted_name) @module) @import
(import_statement name: (aliased_import name: (dotted_name) @module)) @import
(import_from_statement module_name: (_) @module
  name: [(dotted_name) @item (aliased_import name: (dotted_name) @item)]) @import
(import_from_statement module_name: (_) @module (wildcard_import) @item) @import

; names
(identifier) @use
(call function: (identifier) @call)
(call function: (attribute attribute: (identifier) @call.member))
(attribute attribute: (identifier) @member)
(parameters (identifier) @local)
(parameters [(typed_parameter . (identifier) @local)
  (default_parameter name: (identifier) @local) (typed_default_parameter name: (identifier) @local)
  (list_splat_pattern (identifier) @local) (dictionary_splat_pattern (identifier) @local)
  (typed_parameter . (list_splat_pattern (identifier) @local))
  (typed_parameter . (dictionary_splat_pattern (identifier) @local))])
(lambda_parameters (identifier) @local)
(for_statement left: (identifier) @local)
(for_statement left: (pattern_list (identifier) @local))
(for_in_clause left: (identifier) @local)
(for_in_clause left: (pattern_list (identifier) @local))
(for_in_clause left: (tuple_pattern (identifier) @local))
(for_statement left: (tuple_pattern (identifier) @local))
(as_pattern alias: (as_pattern_target (identifier) @local))
(named_expression name: (identifier) @local)
(keyword_argument name: (identifier) @skip)
(comment) @comment
(decorator) @attribute
