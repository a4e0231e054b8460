"""Pure: which language a file is in, by its name or its first line; names as editors know them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BY_LANGUAGE = {
    "asm": "asm s",
    "bat": "bat cmd",
    "bazel": "bzl bazel star",
    "c": "c h",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "coffeescript": "coffee",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp ixx cppm",
    "csharp": "cs csx",
    "css": "css",
    "cuda-cpp": "cu cuh",
    "d": "d di",
    "dart": "dart",
    "diff": "diff patch",
    "dockerfile": "dockerfile containerfile",
    "elixir": "ex exs",
    "elm": "elm",
    "erlang": "erl hrl",
    "fortran": "f f77 f90 f95 f03 f08 for",
    "fsharp": "fs fsi fsx",
    "glsl": "glsl vert frag geom comp",
    "go": "go",
    "go.mod": "mod work",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "haskell": "hs lhs",
    "hcl": "hcl nomad",
    "html": "html htm xhtml",
    "ini": "ini cfg conf properties editorconfig",
    "java": "java",
    "javascript": "js mjs cjs es6",
    "javascriptreact": "jsx",
    "jinja": "jinja j2 jinja2",
    "json": "json webmanifest",
    "jsonc": "jsonc json5",
    "julia": "jl",
    "kotlin": "kt kts",
    "latex": "tex sty cls bib",
    "less": "less",
    "lisp": "lisp lsp cl el scm ss rkt",
    "lua": "lua",
    "makefile": "mk mak make",
    "markdown": "md markdown mdx mkd",
    "meson": "meson",
    "nim": "nim nims",
    "nix": "nix",
    "objective-c": "m",
    "objective-cpp": "mm",
    "ocaml": "ml mli",
    "pascal": "pas pp",
    "perl": "pl pm t",
    "php": "php phtml",
    "powershell": "ps1 psm1 psd1",
    "prisma": "prisma",
    "proto": "proto",
    "python": "py pyi pyw pyx pxd",
    "r": "r rmd",
    "restructuredtext": "rst",
    "ruby": "rb rake gemspec ru",
    "rust": "rs",
    "sass": "sass",
    "scala": "scala sc sbt",
    "scss": "scss",
    "shellscript": "sh bash zsh fish ksh bats",
    "solidity": "sol",
    "sql": "sql",
    "svelte": "svelte",
    "swift": "swift",
    "tcl": "tcl",
    "terraform": "tf",
    "text": "txt text adoc org",
    "thrift": "thrift",
    "toml": "toml",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "typst": "typ",
    "vb": "vb bas",
    "verilog": "v sv svh vh",
    "vhdl": "vhd vhdl",
    "viml": "vim",
    "vue": "vue",
    "wgsl": "wgsl",
    "xml": "xml xsd xsl xslt xaml csproj fsproj vbproj props targets plist",
    "yaml": "yaml yml",
    "zig": "zig zon",
}
BY_EXTENSION: Mapping[str, str] = {it: name for name, all_ in _BY_LANGUAGE.items() for it in all_.split()}
BY_NAME: Mapping[str, str] = {
    ".bash_profile": "shellscript",
    ".bashrc": "shellscript",
    ".clang-format": "yaml",
    ".clang-tidy": "yaml",
    ".editorconfig": "ini",
    **dict.fromkeys((f".env.{it}" for it in ("example", "sample", "template", "dist", "defaults")), "dotenv"),
    ".gitignore": "ignore",
    ".hearthignore": "ignore",
    ".profile": "shellscript",
    ".vimrc": "viml",
    ".zshrc": "shellscript",
    "brewfile": "ruby",
    "build": "bazel",
    "cmakelists.txt": "cmake",
    "containerfile": "dockerfile",
    "dockerfile": "dockerfile",
    "gemfile": "ruby",
    "gnumakefile": "makefile",
    "jenkinsfile": "groovy",
    "justfile": "makefile",
    "makefile": "makefile",
    "meson.build": "meson",
    "meson_options.txt": "meson",
    "podfile": "ruby",
    "rakefile": "ruby",
    "vagrantfile": "ruby",
    "workspace": "bazel",
}
PROSE = frozenset(
    {"adoc", "changes", "changelog", "copying", "license", "notice", "readme", "authors", "todo"}
)
SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*)?([A-Za-z]+)")
BY_PROGRAM: Mapping[str, str] = {
    "bash": "shellscript",
    "dash": "shellscript",
    "deno": "typescript",
    "fish": "shellscript",
    "ksh": "shellscript",
    "lua": "lua",
    "make": "makefile",
    "node": "javascript",
    "nodejs": "javascript",
    "perl": "perl",
    "php": "php",
    "pwsh": "powershell",
    "pypy": "python",
    "python": "python",
    "ruby": "ruby",
    "sh": "shellscript",
    "tclsh": "tcl",
    "zsh": "shellscript",
}


def language_of(name: str) -> str:
    """The language of a file with this name (no folders); empty if the name does not say."""
    lower = name.lower()
    return BY_NAME.get(lower) or BY_EXTENSION.get(extension(lower), "")


def extension(name: str) -> str:
    """What stands behind the last dot, in lower case; nothing for `.bashrc` and `Makefile`."""
    stem, dot, end = name.rpartition(".")
    return end.lower() if dot and stem else ""


def may_be_a_script(name: str) -> bool:
    """Whether only the first line can say what this file is: no extension, and no name of a known kind."""
    return not extension(name) and not name.startswith(".") and name.lower() not in PROSE


def language_of_script(first_line: str) -> str:
    """The language of a script, by the program that its first line names; empty if it names none we know."""
    match = SHEBANG.match(first_line)
    return BY_PROGRAM.get(match[1].lower(), "") if match else ""
