"""What imports mean: every language's own rule, as data."""

from __future__ import annotations

import pytest

from codeindex.graph_dependencies import by_folder, cycles, dependencies_of
from codeindex.graph_imports import imported
from codeindex.graph_manifests import packages
from codeindex.graph_modules import modules
from codeindex.graph_receivers import bases, called_at, receivers, renamed

MANIFESTS = {
    "go.mod": "module example.com/shop\n",
    "tools/go.mod": "module example.com/tools // a module of its own\n",
    "web/package.json": '{"name": "@shop/web", "main": "dist/main.js"}',
    "web/tsconfig.json": '{"compilerOptions": {"paths": {"~/*": ["./src/*"]},},} // with commas',
    "crates/core/Cargo.toml": '[package]\nname = "shop-core"\n',
    "composer.json": '{"autoload": {"psr-4": {"App\\\\": "app/"}}}',
}
FILES = """
src/pkg/__init__.py src/pkg/types.py src/pkg/sub/__init__.py src/pkg/sub/deep.py tests/test_pkg.py types.py
main.go store/open.go store/open_test.go store/sql/sql.go tools/main.go tools/gen/gen.go
web/src/index.ts web/src/util.ts web/src/ui/index.tsx web/src/page.vue web/src/old.js
crates/core/src/lib.rs crates/core/src/store/mod.rs crates/core/src/store/disk.rs crates/core/src/util.rs
crates/app/src/main.rs
java/com/shop/Store.java java/com/shop/util/Lines.kt java/com/shop/util/Words.java
include/shop/store.h src/store.c src/vendor/util.hpp src/vendor/util.cpp
lib/shop/cart.rb lib/shop/item.rb app/Models/User.php app/helpers.php cs/Shop/Data/Row.cs
lua/shop/init.lua lua/shop/view.lua styles/main.scss styles/_base.scss bin/run.sh bin/lib.sh
"""
KNOWN = modules(FILES.split(), [one for path, text in MANIFESTS.items() for one in packages(path, text)])
CASES = [
    ("python", "src/pkg/sub/deep.py", "..types", ("A",), "src/pkg/types.py"),
    ("python", "src/pkg/sub/deep.py", "..", ("types",), "src/pkg/types.py src/pkg/__init__.py"),
    ("python", "src/pkg/sub/deep.py", "pkg.types", (), "src/pkg/types.py"),
    ("python", "tests/test_pkg.py", "pkg.sub", ("deep",), "src/pkg/sub/deep.py src/pkg/sub/__init__.py"),
    ("python", "src/pkg/sub/deep.py", "types", (), "types.py"),
    ("python", "src/pkg/sub/deep.py", "os.path", (), ""),
    ("python", "tests/test_pkg.py", "deep", (), ""),
    ("typescript", "web/src/index.ts", "./util.js", (), "web/src/util.ts"),
    ("typescript", "web/src/index.ts", "./ui", (), "web/src/ui/index.tsx"),
    ("typescript", "web/src/index.ts", "~/page.vue", (), "web/src/page.vue"),
    ("javascript", "web/src/old.js", "@shop/web", (), "web/src/index.ts"),
    ("javascript", "web/src/old.js", "@shop/web/util", (), "web/src/util.ts"),
    ("javascript", "web/src/old.js", "react", (), ""),
    ("go", "main.go", '"example.com/shop/store"', (), "store/open.go"),
    ("go", "main.go", "example.com/shop/store/sql", (), "store/sql/sql.go"),
    ("go", "tools/main.go", "example.com/tools/gen", (), "tools/gen/gen.go"),
    ("go", "main.go", "store", (), ""),
    ("rust", "crates/core/src/lib.rs", "store", (), "crates/core/src/store/mod.rs"),
    ("rust", "crates/core/src/store/disk.rs", "crate::util", ("trim",), "crates/core/src/util.rs"),
    ("rust", "crates/core/src/store/disk.rs", "super::super::util", (), "crates/core/src/util.rs"),
    ("rust", "crates/app/src/main.rs", "shop_core::store::disk", ("D",), "crates/core/src/store/disk.rs"),
    ("rust", "crates/app/src/main.rs", "std::store", (), ""),
    ("java", "java/com/shop/Store.java", "com.shop.util.Words", (), "java/com/shop/util/Words.java"),
    ("java", "java/com/shop/Store.java", "com.shop.util.Lines.trim", (), "java/com/shop/util/Lines.kt"),
    (
        *("kotlin", "java/com/shop/Store.java", "com.shop.util", ("*",)),
        "java/com/shop/util/Lines.kt java/com/shop/util/Words.java",
    ),
    ("java", "java/com/shop/Store.java", "java.util.List", (), ""),
    ("c", "src/store.c", "<shop/store.h>", (), "include/shop/store.h"),
    ("cpp", "src/main.cpp", "vendor/util.hpp", (), "src/vendor/util.hpp src/vendor/util.cpp"),
    ("c", "src/main.c", "shop/store.h", (), "include/shop/store.h src/store.c"),
    ("c", "src/store.c", "stdio.h", (), ""),
    ("ruby", "lib/shop/cart.rb", "item", (), "lib/shop/item.rb"),
    ("ruby", "bin/x.rb", "shop/cart", (), "lib/shop/cart.rb"),
    ("ruby", "lib/shop/cart.rb", "json", (), ""),
    ("php", "app/x.php", "App\\Models\\User", (), "app/Models/User.php"),
    ("php", "app/x.php", "helpers.php", (), "app/helpers.php"),
    ("csharp", "cs/Shop/Main.cs", "Company.Shop.Data", (), "cs/Shop/Data/Row.cs"),
    ("lua", "lua/shop/init.lua", "shop.view", (), "lua/shop/view.lua"),
    ("lua", "lua/shop/view.lua", "shop", (), "lua/shop/init.lua"),
    ("scss", "styles/main.scss", "base", (), "styles/_base.scss"),
    ("shellscript", "bin/run.sh", "./lib.sh", (), "bin/lib.sh"),
    ("haskell", "x.hs", "types", (), ""),
]


@pytest.mark.parametrize(("language", "path", "module", "names", "expected"), CASES)
def test_modules(language: str, path: str, module: str, names: tuple[str, ...], expected: str) -> None:
    """A module is the files that the language's own rule says; what is somebody else's is none."""
    found = imported(KNOWN, path, language, module, names)
    assert [*(it for _, it in found.named), *found.files] == expected.split()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"name": 3, "main": []}', "[package\n", "module"])
@pytest.mark.parametrize("path", sorted({it.rpartition("/")[2] for it in MANIFESTS}))
def test_broken_manifests_say_nothing(path: str, text: str) -> None:
    """Half-written manifests are as if they were not there."""
    assert packages(path, text) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = load(y)", {""}),
        ("json.load(load(y))", {"json", ""}),
        ("self.store.load()", {"self.store"}),
        ("thing().load()", {"?"}),
        ("rows[0].load()", {"?"}),
        ("super().load()", {"super"}),
        ("$this->load()", {"this"}),
        ("Store::load()", {"Store"}),
        ("maybe?.load()", {"maybe"}),
        ("found:load()", {"found"}),
        ("    .load()", {"?"}),
        ("def load(self): return other.load()", {"other"}),
        ("keep(load=load, loaded=1)", {""}),
        ("unload()", set()),
    ],
)
def test_receivers(line: str, expected: set[str]) -> None:
    """What stands before a name, as each language writes it."""
    assert receivers(line, "load", is_call=True) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import numpy as np", {"np": "numpy"}),
        ("from a import (b as c,\n  d as e)\nx as y", {"c": "b", "e": "d"}),
        ("import * as ns from './x'", {"ns": "*"}),
        ("import main, { a as b } from './x'", {"main": "*", "b": "a"}),
        ("const fs = require('fs')", {"fs": "*"}),
        ('\tkept "example.com/store"', {"kept": "*"}),
        ("import os", {}),
    ],
)
def test_renamed(line: str, expected: dict[str, str]) -> None:
    """What a file calls what it imports."""
    assert renamed(line.split("\n")) == expected


def test_where_a_name_is_called() -> None:
    """Not in comments, texts and definitions, and not in what is apart."""
    text = (
        'def f():\n    g()\n    # g()\n    "g()"\n    """\n    g()\n    """\n    def g(): g()\n    return g()'
    )
    assert called_at(text.split("\n"), 1, 99, "g", [(8, 8)]) == [2, 9]


@pytest.mark.parametrize(
    "head", ["class A(B, C)", "class A extends B implements C", "class A : B, C", "class A < B::C"]
)
def test_bases(head: str) -> None:
    """What a class inherits from is among the words behind its name."""
    assert {"B", "C"} <= bases(head, "A")


def test_circles() -> None:
    """Groups in which each file leads to each other one; what only leads into them is not in them."""
    assert cycles({"a": "b", "b": "ca", "c": "a", "d": "a", "e": "f", "f": "e", "g": "g"}) == (
        ("a", "b", "c"),
        ("e", "f"),
    )
    long = {str(it): [str(it + 1)] for it in range(5_000)} | {"5000": ["0"]}
    assert [len(it) for it in cycles(long)] == [5_001]


def test_folders_depend_on_folders() -> None:
    """What files of a folder import is what the folder imports; itself it does not."""
    files = dependencies_of({"a/x.py": ["a/y.py", "b/z.py"], "b/z.py": ["main.py"]}, {"a/x.py": ["os"]})
    folders = by_folder(files)
    assert folders.own == {"a": ("b",), "b": (".",)}
    assert folders.others == {"a": ("os",)}
