; A style sheet's rules, by their selectors.
(rule_set (selectors) @name (block) @body) @section
(keyframes_statement (keyframes_name) @name) @section
(media_statement (block) @body) @opaque
(import_statement [(string_value (string_content) @module)
  (call_expression (arguments (string_value (string_content) @module)))]) @import

; names
(comment) @comment
