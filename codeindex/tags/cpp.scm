; What C++ has beyond C.
(class_specifier name: (_) @name body: (_) @body) @class
(namespace_definition name: (_) @name body: (_) @body) @module
(alias_declaration name: (_) @name) @type
(concept_definition name: (_) @name) @interface
(function_definition declarator: (reference_declarator
  (function_declarator declarator: (_) @name)) body: (_) @body) @function
(field_declaration declarator: (function_declarator declarator: (field_identifier) @name)) @function
(field_declaration declarator: (function_declarator declarator: (operator_name) @name)) @function
(field_declaration declarator: (pointer_declarator
  declarator: (function_declarator declarator: (field_identifier) @name))) @function
(field_declaration declarator: (reference_declarator
  (function_declarator declarator: [(field_identifier) (operator_name)] @name))) @function
(class_specifier body: (field_declaration_list
  (field_declaration declarator: (field_identifier) @name) @variable))
(lambda_expression) @opaque
(using_declaration [(identifier) (qualified_identifier)] @module) @import

; names
(namespace_identifier) @use
(call_expression function: (qualified_identifier name: (identifier) @call.member))
(call_expression function: (qualified_identifier name: (qualified_identifier name: (identifier) @call.member)))
(call_expression function: (qualified_identifier name: (template_function name: (identifier) @call.member)))
(call_expression function: (template_function name: (identifier) @call))
(new_expression type: (type_identifier) @call)
(parameter_declaration declarator: (reference_declarator (identifier) @local))
(optional_parameter_declaration declarator: (identifier) @local)
(for_range_loop declarator: (identifier) @local)
(for_range_loop declarator: (reference_declarator (identifier) @local))
(function_declarator declarator: (qualified_identifier) @skip.all)
(destructor_name) @skip.all
(namespace_definition name: (_) @skip.all)
(template_declaration "template" @attribute)
(type_parameter_declaration (type_identifier) @local)
