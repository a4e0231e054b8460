; What JavaScript defines and imports; TypeScript has more, in a file of its own.
(class_declaration name: (_) @name body: (_) @body) @class
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @class
(function_declaration name: (identifier) @name body: (_) @body) @function
(generator_function_declaration name: (identifier) @name body: (_) @body) @function
(variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @function
(assignment_expression left: [(identifier) @name (member_expression object: (_) @of property: (_) @name)]
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
(pair key: (property_identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method
(method_definition name: (_) @name body: (_) @body) @method
((variable_declarator name: (identifier) @name value: (call_expression function: (identifier) @_f))
  (#among? @_f "require")) @ignored
(variable_declarator name: (identifier) @name) @variable
[(arrow_function) (function_expression)] @opaque

(import_statement source: (string (string_fragment) @module)) @import
(import_statement (import_clause (identifier) @item) source: (string (string_fragment) @module)) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @item)))
  source: (string (string_fragment) @module)) @import
(import_statement (import_clause (namespace_import) @item) source: (string (string_fragment) @module)) @import
(export_statement source: (string (string_fragment) @module)) @import
(export_statement (export_clause (export_specifier name: (_) @item))
  source: (string (string_fragment) @module)) @import
(variable_declarator name: (object_pattern
    [(shorthand_property_identifier_pattern) @item (pair_pattern key: (_) @item)])
  value: (call_expression function: (identifier) @_f arguments: (arguments (string (string_fragment) @module)))
  (#among? @_f "require")) @import
((call_expression function: [(identifier) (import)] @_f
  arguments: (arguments . (string (string_fragment) @module)))
  (#among? @_f "require" "import")) @import

; names
[(identifier) (shorthand_property_identifier)] @use
(property_identifier) @member
(call_expression function: (identifier) @call)
(call_expression function: (member_expression property: (property_identifier) @call.member))
(new_expression constructor: (identifier) @call)
(new_expression constructor: (member_expression property: (property_identifier) @call.member))
(pair key: (property_identifier) @skip)
(arrow_function parameter: (identifier) @local)
(array_pattern (identifier) @local)
(shorthand_property_identifier_pattern) @local
(pair_pattern value: (identifier) @local)
(rest_pattern (identifier) @local)
(for_in_statement left: (identifier) @local)
(catch_clause parameter: (identifier) @local)
(comment) @comment
(decorator) @attribute
