; What Kotlin defines and imports.
(class_declaration "interface" name: (_) @name (class_body)? @body) @interface
(class_declaration (modifiers (class_modifier "enum")) name: (_) @name (enum_class_body)? @body) @enum
(class_declaration name: (_) @name (class_body)? @body) @class
(object_declaration name: (_) @name (class_body)? @body) @class
(companion_object (class_body)) @scope
(enum_entry (identifier) @name) @constant
(function_declaration name: (_) @name (function_body)? @body) @function
(property_declaration (modifiers (property_modifier "const"))
  (variable_declaration (identifier) @name)) @constant
(property_declaration (variable_declaration (identifier) @name)) @variable
(type_alias type: (identifier) @name) @type
[(lambda_literal) (anonymous_function)] @opaque
(import (qualified_identifier) @module "*"? @item) @import

; names
(identifier) @use
(call_expression . (identifier) @call)
(call_expression . (navigation_expression (identifier) @call.member .))
(navigation_expression (identifier) @member .)
(constructor_invocation (user_type (identifier) @call))
(parameter . (identifier) @local)
(class_parameter (identifier) @local)
(lambda_parameters (variable_declaration (identifier) @local))
(for_statement (variable_declaration (identifier) @local))
(type_parameter (identifier) @local)
(value_argument (identifier) @skip . "=")
(package_header) @skip.all
[(line_comment) (block_comment)] @comment
