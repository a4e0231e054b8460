; The keys of the two outer levels.
(document (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @section)))
(document (block_node (block_mapping (block_mapping_pair
  value: (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @section))))))

; names
(comment) @comment
