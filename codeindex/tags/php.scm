; What PHP defines and uses.
(class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(trait_declaration name: (_) @name body: (_) @body) @interface
(enum_declaration name: (_) @name body: (_) @body) @enum
(enum_case name: (_) @name) @constant
(method_declaration name: (_) @name body: (_)? @body) @method
(function_definition name: (_) @name body: (_) @body) @function
(const_element . (name) @name) @constant
(property_element name: (variable_name (name) @name)) @variable
((function_call_expression function: (name) @_f arguments: (arguments . (argument (string (string_content) @name))))
  (#among? @_f "define")) @constant
[(anonymous_function) (arrow_function)] @opaque
(namespace_use_declaration (namespace_use_clause [(qualified_name) (name)] @module)) @import
(namespace_use_declaration (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause . (_) @item))) @import
([(require_once_expression (string (string_content) @module)) (require_expression (string (string_content) @module))
  (include_expression (string (string_content) @module)) (include_once_expression (string (string_content) @module))]
  ) @import

; names
(function_call_expression function: (name) @call)
(function_call_expression function: (qualified_name (name) @call))
(member_call_expression name: (name) @call.member)
(nullsafe_member_call_expression name: (name) @call.member)
(scoped_call_expression name: (name) @call.member)
(scoped_call_expression scope: (name) @use)
(object_creation_expression (name) @call)
(object_creation_expression (qualified_name (name) @call))
(member_access_expression name: (name) @member)
(class_constant_access_expression (name) @use)
(named_type (name) @use)
(base_clause (name) @use)
(class_interface_clause (name) @use)
(use_declaration (name) @use)
(attribute (name) @call)
(argument (name) @use)
(binary_expression (name) @use)
(return_statement (name) @use)
(comment) @comment
