; A page's headings, and what it loads. Elements that others can point to have a name.
(element (start_tag (attribute (attribute_name) @_id (quoted_attribute_value (attribute_value) @name)))
  (#among? @_id "id")) @section
((element (start_tag (tag_name) @_tag) . (text) @name) (#among? @_tag "h1" "h2" "h3" "h4" "h5" "h6")) @section
(script_element (start_tag (attribute (attribute_name) @_src
  (quoted_attribute_value (attribute_value) @module))) (#among? @_src "src")) @import
((start_tag (tag_name) @_tag (attribute (attribute_name) @_href
  (quoted_attribute_value (attribute_value) @module)))
  (#among? @_tag "link") (#among? @_href "href")) @import

; names
(comment) @comment
