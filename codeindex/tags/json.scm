; The keys of the two outer levels.
(document (object (pair key: (string (string_content) @name)) @section))
(document (object (pair value: (object (pair key: (string (string_content) @name)) @section))))

; names
(comment) @comment
