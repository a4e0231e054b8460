; What C defines and includes; C++ has more, in a file of its own.
(function_definition declarator: (function_declarator declarator: (_) @name) body: (_) @body) @function
(function_definition declarator: (pointer_declarator
  declarator: (function_declarator declarator: (_) @name)) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (pointer_declarator
  declarator: (function_declarator declarator: (_) @name))) body: (_) @body) @function
(declaration declarator: (function_declarator declarator: (_) @name)) @function
(declaration declarator: (pointer_declarator
  declarator: (function_declarator declarator: (identifier) @name))) @function
(type_definition declarator: [(type_identifier) @name (pointer_declarator declarator: (type_identifier) @name)
  (array_declarator declarator: (type_identifier) @name)]) @type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator
  (pointer_declarator declarator: (type_identifier) @name)))) @type
(struct_specifier name: (_) @name body: (_) @body) @type
(union_specifier name: (_) @name body: (_) @body) @type
(enum_specifier name: (_) @name body: (_) @body) @enum
(enumerator name: (_) @name) @constant
(preproc_def name: (_) @name) @macro
(preproc_function_def name: (_) @name) @macro
(declaration declarator: [(identifier) @name (init_declarator declarator: (identifier) @name)
  (array_declarator declarator: (identifier) @name) (pointer_declarator declarator: (identifier) @name)]) @variable
(declaration declarator: (init_declarator declarator: [(pointer_declarator declarator: (identifier) @name)
  (array_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))])) @variable
(preproc_include path: (_) @module) @import

; names
[(identifier) (type_identifier)] @use
(field_identifier) @member
(call_expression function: (identifier) @call)
(call_expression function: (field_expression field: (field_identifier) @call.member))
(parameter_declaration declarator: (identifier) @local)
(parameter_declaration declarator: (pointer_declarator declarator: (identifier) @local))
(parameter_declaration declarator: (pointer_declarator declarator: (pointer_declarator
  declarator: (identifier) @local)))
(parameter_declaration declarator: (array_declarator declarator: (identifier) @local))
(preproc_params (identifier) @skip)
(field_declaration declarator: (field_identifier) @skip)
(field_declaration declarator: (pointer_declarator declarator: (field_identifier) @skip))
(field_declaration declarator: (array_declarator declarator: (field_identifier) @skip))
(comment) @comment
