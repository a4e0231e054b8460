; What only JavaScript's own grammar has.
(field_definition property: (_) @name value: (arrow_function body: (_) @body)) @method
(field_definition property: (_) @name) @variable

; names
(formal_parameters (identifier) @local)
(formal_parameters (assignment_pattern left: (identifier) @local))
