; What Lua defines and requires. A table's name is its functions' scope.
(function_declaration name: (identifier) @name body: (_)? @body) @function
(function_declaration name: (dot_index_expression table: (_) @of field: (_) @name) body: (_)? @body) @function
(function_declaration name: (method_index_expression table: (_) @of method: (_) @name) body: (_)? @body) @method
(assignment_statement (variable_list . name: (identifier) @name)
  (expression_list . value: (function_definition body: (_)? @body))) @function
(assignment_statement (variable_list . name: (dot_index_expression table: (_) @of field: (_) @name))
  (expression_list . value: (function_definition body: (_)? @body))) @function
(field name: (identifier) @name value: (function_definition body: (_)? @body)) @function
((variable_declaration (assignment_statement (variable_list . name: (identifier) @name)
  (expression_list . value: (function_call name: (identifier) @_f)))) (#among? @_f "require")) @ignored
(variable_declaration (assignment_statement (variable_list name: (identifier) @name))) @variable
(chunk (assignment_statement
  (variable_list name: (dot_index_expression table: (_) @of field: (_) @name))) @variable)
(function_definition) @opaque
((function_call name: (identifier) @_f arguments: (arguments (string content: (_) @module)))
  (#among? @_f "require")) @import

; names
(identifier) @use
(dot_index_expression field: (identifier) @member)
(function_call name: (identifier) @call)
(function_call name: (dot_index_expression field: (identifier) @call.member))
(function_call name: (method_index_expression method: (identifier) @call.member))
(parameters name: (identifier) @local)
(for_generic_clause (variable_list name: (identifier) @local))
(for_numeric_clause name: (identifier) @local)
(field name: (identifier) @skip)
(comment) @comment
