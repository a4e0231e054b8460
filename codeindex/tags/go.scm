; What Go defines and imports. A method's receiver is its scope.
(function_declaration name: (identifier) @name body: (_)? @body) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: (_) @of))
  name: (field_identifier) @name body: (_)? @body) @method
(type_spec name: (type_identifier) @name type: (struct_type (field_declaration_list) @body)) @type
(type_spec name: (type_identifier) @name type: (interface_type)) @interface
(type_spec name: (type_identifier) @name) @type
(type_alias name: (type_identifier) @name) @type
(method_elem name: (field_identifier) @name) @method
(const_spec name: (identifier) @name) @constant
(var_spec name: (identifier) @name) @variable
(func_literal) @opaque
(import_spec path: (_) @module) @import

; names
[(identifier) (type_identifier)] @use
(field_identifier) @member
(call_expression function: (identifier) @call)
(call_expression function: (selector_expression field: (field_identifier) @call.member))
(call_expression function: (parenthesized_expression (identifier) @call))
(composite_literal type: (type_identifier) @call)
(composite_literal type: (qualified_type name: (type_identifier) @call))
(parameter_declaration name: (identifier) @local)
(variadic_parameter_declaration name: (identifier) @local)
(type_parameter_declaration name: (identifier) @local)
(short_var_declaration left: (expression_list (identifier) @local))
(range_clause left: (expression_list (identifier) @local))
(keyed_element key: (literal_element (identifier) @skip))
(field_declaration name: (field_identifier) @skip)
(comment) @comment
