; What TypeScript has beyond JavaScript.
(abstract_class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(type_alias_declaration name: (_) @name) @type
(enum_declaration name: (_) @name body: (_) @body) @enum
(enum_assignment name: (_) @name) @constant
(enum_body name: (property_identifier) @name) @constant
(internal_module name: (_) @name body: (_) @body) @module
(module name: (_) @name body: (_) @body) @module
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
(public_field_definition name: (_) @name value: (arrow_function body: (_) @body)) @method
(public_field_definition name: (_) @name) @variable
(interface_body (property_signature name: (_) @name) @variable)
(import_require_clause source: (string (string_fragment) @module)) @import

; names
(type_identifier) @use
(property_signature name: (property_identifier) @skip)
(type_parameter name: (type_identifier) @local)
(required_parameter pattern: (identifier) @local)
(optional_parameter pattern: (identifier) @local)
