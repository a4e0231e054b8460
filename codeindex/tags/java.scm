; What Java defines and imports.
(class_declaration name: (_) @name body: (_) @body) @class
(record_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(annotation_type_declaration name: (_) @name body: (_) @body) @interface
(enum_declaration name: (_) @name body: (_) @body) @enum
(method_declaration name: (_) @name body: (_)? @body) @method
(constructor_declaration name: (_) @name body: (_) @body) @method
(compact_constructor_declaration name: (_) @name body: (_) @body) @method
(annotation_type_element_declaration name: (_) @name) @method
(enum_constant name: (_) @name) @constant
(field_declaration declarator: (variable_declarator name: (_) @name)) @variable
(constant_declaration declarator: (variable_declarator name: (_) @name)) @constant
(lambda_expression) @opaque
(import_declaration (scoped_identifier) @module (asterisk)? @item) @import
(import_declaration . (identifier) @module) @import

; names
[(identifier) (type_identifier)] @use
(method_invocation name: (identifier) @call.member)
(field_access field: (identifier) @member)
(object_creation_expression type: (type_identifier) @call)
(object_creation_expression type: (generic_type . (type_identifier) @call))
(method_reference (identifier) @call.member .)
[(marker_annotation name: (identifier) @call) (annotation name: (identifier) @call)]
(formal_parameter name: (identifier) @local)
(lambda_expression parameters: (identifier) @local)
(inferred_parameters (identifier) @local)
(local_variable_declaration declarator: (variable_declarator name: (identifier) @local))
(enhanced_for_statement name: (identifier) @local)
(catch_formal_parameter name: (identifier) @local)
(resource name: (identifier) @local)
(type_parameter (type_identifier) @local)
(element_value_pair key: (identifier) @skip)
(package_declaration) @skip.all
[(line_comment) (block_comment)] @comment
