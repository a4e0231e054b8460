; What C# defines and uses.
(class_declaration name: (_) @name body: (_)? @body) @class
(record_declaration name: (_) @name body: (_)? @body) @class
(struct_declaration name: (_) @name body: (_)? @body) @type
(interface_declaration name: (_) @name body: (_)? @body) @interface
(enum_declaration name: (_) @name body: (_)? @body) @enum
(enum_member_declaration name: (_) @name) @constant
(delegate_declaration name: (_) @name) @type
(namespace_declaration name: (_) @name body: (_) @body) @module
(file_scoped_namespace_declaration name: (_) @name) @module
(method_declaration name: (_) @name body: (_)? @body) @method
(constructor_declaration name: (_) @name body: (_)? @body) @method
(local_function_statement name: (_) @name body: (_)? @body) @function
(property_declaration name: (_) @name accessors: (_)? @body) @variable
(field_declaration (modifier) @_m (variable_declaration (variable_declarator name: (_) @name))
  (#among? @_m "const")) @constant
(field_declaration (variable_declaration (variable_declarator name: (_) @name))) @variable
(event_field_declaration (variable_declaration (variable_declarator name: (_) @name))) @variable
[(lambda_expression) (anonymous_method_expression)] @opaque
(using_directive [(identifier) (qualified_name)] @module .) @import

; names
(identifier) @use
(invocation_expression function: (identifier) @call)
(invocation_expression function: (generic_name (identifier) @call))
(invocation_expression function: (member_access_expression name: (identifier) @call.member))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @call.member)))
(member_access_expression name: (identifier) @member)
(conditional_access_expression (member_binding_expression name: (identifier) @call.member))
(object_creation_expression type: (identifier) @call)
(object_creation_expression type: (generic_name (identifier) @call))
(attribute name: (identifier) @call)
(parameter name: (identifier) @local)
(local_declaration_statement (variable_declaration (variable_declarator name: (identifier) @local)))
(foreach_statement left: (identifier) @local)
(catch_declaration name: (identifier) @local)
(type_parameter name: (identifier) @local)
(namespace_declaration name: (_) @skip.all)
(file_scoped_namespace_declaration name: (_) @skip.all)
(comment) @comment
