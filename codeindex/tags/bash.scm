; What a shell script defines and sources.
(function_definition name: (word) @name body: (_) @body) @function
(variable_assignment name: (variable_name) @name) @variable
((command name: (command_name) @_f . argument: (_) @module) (#among? @_f "source" ".")) @import

; names
(command name: (command_name (word) @call))
(simple_expansion (variable_name) @use)
(expansion (variable_name) @use)
(comment) @comment
