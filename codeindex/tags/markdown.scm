; Headings, with all that is below them.
(section . (atx_heading heading_content: (inline) @name)) @section
(section . (setext_heading heading_content: (paragraph) @name)) @section

; names
(html_block) @comment
