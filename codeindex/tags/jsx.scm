; Elements of JSX: using one calls its component.

; names
(jsx_opening_element name: (member_expression property: (property_identifier) @call.member))
(jsx_self_closing_element name: (member_expression property: (property_identifier) @call.member))
(jsx_opening_element name: (identifier) @call)
((jsx_opening_element name: (identifier) @skip) (#small? @skip))
((jsx_self_closing_element name: (identifier) @skip) (#small? @skip))
((jsx_closing_element name: (identifier) @skip) (#small? @skip))
(jsx_self_closing_element name: (identifier) @call)
(jsx_attribute (property_identifier) @skip)
