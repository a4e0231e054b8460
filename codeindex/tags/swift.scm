; What Swift defines and imports.
(class_declaration declaration_kind: "struct" name: (_) @name body: (_) @body) @type
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @enum
(class_declaration declaration_kind: "extension" name: (user_type . (type_identifier) @name) body: (_)) @scope
(class_declaration declaration_kind: ["class" "actor"] name: (_) @name body: (_) @body) @class
(protocol_declaration name: (_) @name body: (_) @body) @interface
(function_declaration name: (simple_identifier) @name body: (_)? @body) @function
(protocol_function_declaration name: (simple_identifier) @name) @function
(init_declaration "init" @name body: (_)? @body) @method
(property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @variable
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @variable
(enum_entry name: (simple_identifier) @name) @constant
(typealias_declaration name: (type_identifier) @name) @type
(lambda_literal) @opaque
(import_declaration (identifier) @module) @import

; names
[(simple_identifier) (type_identifier)] @use
(navigation_suffix suffix: (simple_identifier) @member)
(call_expression . (simple_identifier) @call)
(call_expression . (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @call.member)))
(parameter name: (simple_identifier) @local)
(parameter external_name: (simple_identifier) @skip)
(value_argument_label (simple_identifier) @skip)
(lambda_parameter name: (simple_identifier) @local)
(for_statement item: (pattern bound_identifier: (simple_identifier) @local))
(type_parameter (type_identifier) @local)
(attribute) @skip.all
[(comment) (multiline_comment)] @comment
