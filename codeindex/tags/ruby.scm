; What Ruby defines and requires.
(class name: (_) @name body: (_)? @body) @class
(module name: (_) @name body: (_)? @body) @module
(singleton_class body: (_) @body) @scope
(method name: (_) @name body: (_)? @body) @function
(singleton_method name: (_) @name body: (_)? @body) @function
(assignment left: (constant) @name) @constant
(alias name: (_) @name) @function
((call method: (identifier) @_f arguments: (argument_list (simple_symbol) @name))
  (#among? @_f "attr_reader" "attr_accessor" "attr_writer")) @method
((call method: (identifier) @_f arguments: (argument_list . (simple_symbol) @name))
  (#among? @_f "define_method" "alias_method" "scope")) @method
((call method: (identifier) @_f arguments: (argument_list . (string (string_content) @module)))
  (#among? @_f "require" "require_relative" "load" "autoload")) @import
[(do_block) (block)] @opaque

; names
[(identifier) (constant)] @use
(call method: (_) @call.member)
(method_parameters (identifier) @local)
(method_parameters [(optional_parameter name: (_) @local) (keyword_parameter name: (_) @local)
  (splat_parameter name: (_) @local) (hash_splat_parameter name: (_) @local) (block_parameter name: (_) @local)])
(block_parameters (identifier) @local)
(assignment left: (identifier) @local)
(left_assignment_list (identifier) @local)
(exception_variable (identifier) @local)
(class name: (scope_resolution) @skip.all)
(module name: (scope_resolution) @skip.all)
(comment) @comment
