; What Rust defines and imports. An implementation lends its type as a scope.
(function_item name: (_) @name body: (_) @body) @function
(function_signature_item name: (_) @name) @function
(struct_item name: (_) @name body: (_)? @body) @type
(union_item name: (_) @name body: (_) @body) @type
(enum_item name: (_) @name body: (_) @body) @enum
(trait_item name: (_) @name body: (_) @body) @interface
(type_item name: (_) @name) @type
(associated_type name: (_) @name) @type
(const_item name: (_) @name) @constant
(static_item name: (_) @name) @constant
(macro_definition name: (_) @name) @macro
(mod_item name: (_) @name body: (_) @body) @module
(impl_item type: [(type_identifier) @name (generic_type type: (_) @name) (scoped_type_identifier name: (_) @name)
  (reference_type type: (_) @name) (primitive_type) @name]) @scope
(let_declaration pattern: (identifier) @name) @variable
(use_declaration argument: (_) @tree) @import
(extern_crate_declaration name: (_) @module) @import
(mod_item name: (_) @module !body) @import

; names
[(identifier) (type_identifier)] @use
(field_identifier) @member
(call_expression function: (identifier) @call)
(call_expression function: (field_expression field: (field_identifier) @call.member))
(call_expression function: (scoped_identifier name: (identifier) @call.member))
(call_expression function: (generic_function function: (identifier) @call))
(call_expression function: (generic_function function: (scoped_identifier name: (identifier) @call.member)))
(call_expression function: (generic_function function: (field_expression field: (field_identifier) @call.member)))
(macro_invocation macro: (identifier) @call.member)
(struct_expression name: (type_identifier) @call)
(parameter pattern: (identifier) @local)
(closure_parameters (identifier) @local)
(closure_parameters (parameter pattern: (identifier) @local))
(let_declaration pattern: (tuple_pattern (identifier) @local))
(tuple_struct_pattern type: (_) (identifier) @local)
(for_expression pattern: (identifier) @local)
(type_parameter name: (type_identifier) @local)
(field_declaration name: (field_identifier) @skip)
(field_initializer field: (field_identifier) @skip)
[(line_comment) (block_comment)] @comment
(attribute_item) @attribute
