"""The import that an unknown name needs: what proves it, and that it stands in the right place."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import imports_python
from chat.edits import apply
from chat.edits_lines import edits, split
from chat.edits_types import Refusal, Source
from chat.imports import Fix, fixes, missing_name
from chat.imports_types import Layout, Wanted
from chat.types import Problem
from codeindex.languages import language_of
from codeindex.syntax import faults
from tests.chat.code_in_memory import InMemory

MESSAGES = [
    ("F821 Undefined name `np`", "np"),
    ('"Basket" is not defined', "Basket"),
    ('Name "Path" is not defined', "Path"),
    ("Cannot find name 'total'. Did you mean 'Total'?", "total"),
    ("'total' is not defined.", "total"),
    ("undefined: fmt", "fmt"),
    ("cannot find function `total` in this scope", "total"),
    ("cannot find type `HashMap` in this scope", "HashMap"),
    ("failed to resolve: use of undeclared type `HashMap`", "HashMap"),
    ("failed to resolve: use of unresolved module or unlinked crate `fs`", "fs"),
    ("cannot find symbol\n  symbol:   class List\n  location: class A", "List"),
    ("List cannot be resolved to a type", "List"),
    ("Unresolved reference 'Cart'.", "Cart"),
    ("The type or namespace name 'Cart' could not be found", "Cart"),
    ("use of undeclared identifier 'total'", "total"),
    ("Line too long (120 > 100)", ""),
    ("Import `x` is unused", ""),
]


@pytest.mark.parametrize(("message", "name"), MESSAGES)
def test_which_name_a_message_misses(message: str, name: str) -> None:
    """The checkers of each language say it in their own way; other messages name nothing."""
    assert missing_name(message) == name


async def proposed(files: Mapping[str, str], path: str, name: str) -> tuple[Fix, ...] | Refusal:
    """The fixes for an unknown name in a file; each parses as well as the file did."""
    problem = Problem(path=path, first_line=1, last_line=1, message=f"undefined name '{name}'")
    code = InMemory(files, versions={path: 2})
    found = await fixes(problem, code)
    if isinstance(found, Refusal):
        return found
    for it in found:
        text = apply(files[path], it.edits)
        language = language_of(path.rpartition("/")[2])
        assert faults(text, language) == faults(files[path], language), text
        assert all(one.version == 2 and one.says for one in it.edits)
    return found


async def first(files: Mapping[str, str], path: str, name: str) -> str:
    """The file with the likeliest import in it."""
    found = await proposed(files, path, name)
    assert not isinstance(found, Refusal), found
    return apply(files[path], found[0].edits)


async def test_as_others_have_it() -> None:
    """What other files call it is the best proof, the most usual first; then a standard module."""
    files = {
        "shop/a.py": '"""Prices."""\n\nimport os\nfrom typing import Any\n\nfrom shop.b import one\n\n'
        "print(np, one)\n",
        "shop/b.py": "import numpy as np\n\n\ndef one():\n    return np.pi\n",
        "shop/c.py": "import numpy as np\n",
        "shop/d.py": "import numpypy as np\n",
    }
    found = await proposed(files, "shop/a.py", "np")
    assert not isinstance(found, Refusal)
    assert [it.says for it in found] == ["import numpy as np", "import numpypy as np"]
    assert found[0].why == "as in `shop/b.py` and 1 more"
    assert apply(files["shop/a.py"], found[0].edits) == (
        '"""Prices."""\n\nimport os\nfrom typing import Any\n\nimport numpy as np\n\n'
        "from shop.b import one\n\nprint(np, one)\n"
    )


async def test_where_it_is_defined() -> None:
    """A definition of the project is imported by its module's name; two of them are two choices."""
    files = {
        "src/shop/__init__.py": "",
        "src/shop/cart/__init__.py": "",
        "src/shop/cart/model.py": "class Cart:\n    def total(self):\n        return 1\n",
        "src/shop/old.py": "class Cart:\n    pass\n",
        "src/shop/a.py": "from shop.cart.model import Item\n\nprint(Cart)\n",
    }
    found = await proposed(files, "src/shop/a.py", "Cart")
    assert not isinstance(found, Refusal)
    assert {it.says for it in found} == {"from shop.cart.model import Cart", "from shop.old import Cart"}
    texts = {it.says: apply(files["src/shop/a.py"], it.edits) for it in found}
    assert (
        texts["from shop.cart.model import Cart"] == "from shop.cart.model import Cart, Item\n\nprint(Cart)\n"
    )
    assert texts["from shop.old import Cart"] == (
        "from shop.cart.model import Item\nfrom shop.old import Cart\n\nprint(Cart)\n"
    )
    assert isinstance(await proposed(files, "src/shop/a.py", "total"), Refusal)


async def test_the_standard_library_of_python() -> None:
    """Modules and well-known names, behind the docstring of a file without imports."""
    text = '#!/usr/bin/env python\n"""What it is."""\ndef f():\n    return Path(json.dumps(1))\n'
    assert await first({"a.py": text}, "a.py", "json") == (
        '#!/usr/bin/env python\n"""What it is."""\n\nimport json\n\ndef f():\n'
        "    return Path(json.dumps(1))\n"
    )
    new = await first({"a.py": "from __future__ import annotations\n\nx: Path\n"}, "a.py", "Path")
    assert new.startswith("from __future__ import annotations\n\nfrom pathlib import Path\n\nx: Path")
    found = await proposed({"a.py": "x = Event\n"}, "a.py", "nowhere_at_all")
    assert isinstance(found, Refusal)


async def test_typescript() -> None:
    """A path that leads from the one file to the other, in the manner of the file; or into the braces."""
    files = {
        "src/lib/total.ts": "export function total() { return 1; }\nexport default class Cart {}\n"
        "function hidden() {}\n",
        "src/app/main.ts": "import { a } from './a'\n\nconsole.log(total, Cart)\n",
        "src/app/near.ts": "import { z } from '../lib/total'\n\ntotal()\n",
    }
    assert await first(files, "src/app/main.ts", "total") == (
        "import { a } from './a'\nimport { total } from '../lib/total'\n\nconsole.log(total, Cart)\n"
    )
    assert "import Cart from '../lib/total'\n" in await first(files, "src/app/main.ts", "Cart")
    assert "import { total, z } from '../lib/total'\n" in await first(files, "src/app/near.ts", "total")
    assert isinstance(await proposed(files, "src/app/main.ts", "hidden"), Refusal)


async def test_commonjs() -> None:
    """A file of `require` gets another `require`."""
    files = {
        "lib/total.js": "function total() {}\nmodule.exports = { total };\n",
        "main.js": "'use strict';\nconst fs = require('fs');\n\ntotal(fs);\n",
    }
    assert await first(files, "main.js", "total") == (
        "'use strict';\nconst fs = require('fs');\nconst { total } = require('./lib/total');\n\ntotal(fs);\n"
    )


async def test_go() -> None:
    """Packages of the standard library and of the module, in the right group."""
    files = {
        "go.mod": "module example.com/shop\n",
        "cart/cart.go": "package cart\n\nfunc New() int { return 1 }\n",
        "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\n'
        "func main() { fmt.Println(os.Args, http.Get, cart.New()) }\n",
        "one.go": 'package main\n\nimport "os"\n\nfunc one() { os.Exit(http.StatusOK) }\n',
        "none.go": "package main\n\nfunc two() { fmt.Println() }\n",
    }
    assert '\t"fmt"\n\t"net/http"\n\t"os"\n)' in await first(files, "main.go", "http")
    assert '\t"os"\n\n\t"example.com/shop/cart"\n)' in await first(files, "main.go", "cart")
    assert 'import (\n\t"net/http"\n\t"os"\n)\n' in await first(files, "one.go", "http")
    assert (await first(files, "none.go", "fmt")).startswith('package main\n\nimport "fmt"\n\nfunc')


async def test_rust() -> None:
    """The standard library's names, and the crate's own public ones."""
    files = {
        "src/cart/item.rs": "pub struct Item;\nstruct Hidden;\n",
        "src/main.rs": "//! What it is.\n\nuse std::fs;\n\nfn main() { let _: HashMap<Item, Hidden>; }\n",
        "src/none.rs": "//! What it is.\n\n/// One.\nfn one() -> HashMap<i32, i32> { todo!() }\n",
    }
    assert "use std::collections::HashMap;\nuse std::fs;\n" in await first(files, "src/main.rs", "HashMap")
    assert "use crate::cart::item::Item;\nuse std::fs;\n" in await first(files, "src/main.rs", "Item")
    assert isinstance(await proposed(files, "src/main.rs", "Hidden"), Refusal)
    assert (await first(files, "src/none.rs", "HashMap")).startswith(
        "//! What it is.\n\nuse std::collections::HashMap;\n\n/// One.\n"
    )


async def test_java_and_others() -> None:
    """Packages, namespaces, headers."""
    files = {
        "src/main/java/shop/Main.java": "package shop;\n\nimport java.util.Map;\n\n"
        "class Main { List a; Cart b; Near c; }\n",
        "src/main/java/shop/Near.java": "package shop;\n\npublic class Near {}\n",
        "src/main/java/cart/Cart.java": "package cart;\n\npublic class Cart {}\n",
        "src/Main.php": "<?php\n\nnamespace App;\n\nuse App\\Zoo\\Ant;\n\nclass Main { public Cart $c; }\n",
        "src/Cart.php": "<?php\nnamespace App\\Model;\n\nclass Cart {}\n",
        "src/cart.h": "#pragma once\nint cart_total(int a);\nstruct cart { int a; };\n",
        "src/main.c": '#include <stdio.h>\n#include "zoo.h"\n\nint main(void) { struct cart c; return 0; }\n',
    }
    path = "src/main/java/shop/Main.java"
    assert "import java.util.List;\nimport java.util.Map;\n" in await first(files, path, "List")
    assert "import cart.Cart;\nimport java.util.Map;\n" in await first(files, path, "Cart")
    assert isinstance(await proposed(files, path, "Near"), Refusal)
    assert "use App\\Model\\Cart;\nuse App\\Zoo\\Ant;\n" in await first(files, "src/Main.php", "Cart")
    assert '#include "cart.h"\n#include "zoo.h"\n' in await first(files, "src/main.c", "cart")


MODULES = st.sampled_from(["os", "sys", "re", "numpy", "attrs", "shop.a", "shop.b", "zoo", ".near", "..far"])
ONE = st.one_of(
    MODULES.filter(lambda it: not it.startswith(".")).map(lambda it: f"import {it}"),
    st.tuples(MODULES, st.lists(st.sampled_from(["a", "B", "C_D", "e"]), min_size=1, unique=True)).map(
        lambda it: f"from {it[0]} import {', '.join(it[1])}"
    ),
)
HEADS = st.sampled_from(["", '"""Doc."""\n', "# a comment\n\n", '#!/bin/python\n"""Doc.\n\nMore.\n"""\n\n'])


@given(
    head=HEADS,
    have=st.lists(ONE, max_size=6),
    module=MODULES,
    name=st.sampled_from(["new", "Other", "A_B"]),
    rest=st.sampled_from(["", "\n\ndef f():\n    pass\n", "x = 1\n"]),
)
def test_an_import_of_python_in_any_file(
    head: str, have: list[str], module: str, name: str, rest: str
) -> None:
    """It is there afterwards, once, at the top, behind the docstring; nothing else changes; and not twice."""
    text = head + "".join(f"{it}\n" for it in have) + rest
    layout = Layout(own=frozenset({"shop"}))
    wanted = Wanted(module=module, name=name)

    def added(text: str) -> str:
        source = Source(path="a.py", text=text, version=1, language="python")
        lines = split(text)
        return apply(text, edits(source, lines, imports_python.add(text, lines.texts, wanted, layout)))

    new = added(text)
    tree, old = ast.parse(new), ast.parse(text)
    assert ast.get_docstring(tree) == ast.get_docstring(old)
    assert bound(tree) == sorted([*bound(old), f"{module}:{name}"])
    assert [ast.dump(it) for it in others(tree)] == [ast.dump(it) for it in others(old)]
    assert added(new) == new


def bound(tree: ast.Module) -> list[str]:
    """What the imports of a file bring in."""
    found = []
    for it in tree.body:
        if isinstance(it, ast.ImportFrom):
            found += [f"{'.' * it.level}{it.module or ''}:{one.name}" for one in it.names]
        elif isinstance(it, ast.Import):
            found += [one.name for one in it.names]
    return sorted(found)


def others(tree: ast.Module) -> list[ast.stmt]:
    """The statements that import nothing."""
    return [it for it in tree.body if not isinstance(it, ast.Import | ast.ImportFrom)]
