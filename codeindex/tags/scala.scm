; What Scala defines and imports.
(class_definition name: (_) @name body: (_)? @body) @class
(object_definition name: (_) @name body: (_)? @body) @class
(trait_definition name: (_) @name body: (_)? @body) @interface
(enum_definition name: (_) @name body: (_)? @body) @enum
(simple_enum_case name: (_) @name) @constant
(full_enum_case name: (_) @name) @constant
(function_definition name: (_) @name body: (_)? @body) @function
(function_declaration name: (_) @name) @function
(val_definition pattern: (identifier) @name) @variable
(var_definition pattern: (identifier) @name) @variable
(val_declaration name: (identifier) @name) @variable
(given_definition name: (_) @name) @variable
(type_definition name: (_) @name) @type
(lambda_expression) @opaque
(import_declaration) @import

; names
[(identifier) (type_identifier)] @use
(call_expression function: (identifier) @call)
(call_expression function: (field_expression field: (identifier) @call.member))
(call_expression function: (generic_function function: (identifier) @call))
(call_expression function: (generic_function function: (field_expression field: (identifier) @call.member)))
(field_expression field: (identifier) @member)
(instance_expression (type_identifier) @call)
(instance_expression (generic_type type: (type_identifier) @call))
(parameter name: (identifier) @local)
(class_parameter name: (identifier) @local)
(binding name: (identifier) @local)
(type_parameters name: (identifier) @local)
(package_clause name: (_) @skip.all)
[(comment) (block_comment)] @comment
