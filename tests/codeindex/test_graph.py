"""The symbol graph on small projects: who calls what across files, and how sure that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeindex import graph
from codeindex.graph import callees, callers, definitions
from codeindex.graph_values import Confidence
from codeindex.graph_view import Edge, qualified, view
from codeindex.types import ImportRow
from tests.codeindex.graph_project import index

PYTHON = """
=== pkg/__init__.py
from pkg.store import open_store
=== pkg/store.py
from pkg.base import Base

def open_store(path):
    return Store(path)

class Store(Base):
    def read(self):
        return self.check()

    def load(self):
        return load()

def load():
    return 1
=== pkg/base.py
class Base:
    def check(self):
        return True
=== app.py
import json
import pkg.store as kept
from pkg import open_store

def main():
    store = open_store("x")
    json.load(store)
    kept.load()
    store.read()
    thing().read()
=== other/store.py
def open_store(path):
    return path
=== other/use.py
from . import store

def go():
    store.open_store("y")
    open_store("not imported")
"""
TYPESCRIPT = """
=== package.json
{"name": "shop", "main": "dist/index.js"}
=== tsconfig.json
{"compilerOptions": {"baseUrl": ".", "paths": {"@lib/*": ["src/lib/*"]}}}  // as people write it
=== src/index.ts
export { total } from "./lib/money.js";
=== src/lib/money.ts
export function total(items: number[]) { return round(items[0]); }
export const round = (value: number) => Math.round(value);
export class Cart {
  sum() { return this.each(); }
  each() { return total([]); }
}
=== src/page.tsx
import * as money from "@lib/money";
import { total as sum, Cart } from "shop";
import { Cart as Wagon } from "./lib/money";
export function Page() {
  money.total([1]);
  const cart = new Wagon();
  cart.sum();
  round(3);
}
=== old/page.js
const { round } = require("../src/lib/money");
function show() { return round(1); }
"""
GO = """
=== go.mod
module example.com/shop

go 1.22
=== main.go
package main

import (
	"fmt"
	kept "example.com/shop/store"
)

func main() {
	s := kept.Open("x")
	s.Read()
	fmt.Println(helper())
}
=== helper.go
package main

func helper() string { return "x" }
=== store/store.go
package store

type Store struct{}

func Open(path string) *Store { return &Store{} }

func (s *Store) Read() string { return s.line() }
=== store/line.go
package store

func (s *Store) line() string { return trim("x") }

func trim(text string) string { return text }
=== other/open.go
package other

func Open() {}
"""
RUST = """
=== Cargo.toml
[package]
name = "my-shop"
=== src/lib.rs
pub mod store;
pub mod util;
pub use store::Store;
=== src/store.rs
use crate::util::trim;
use super::util;
pub struct Store;
impl Store {
    pub fn open() -> Self { Self::check(); trim("x"); util::trim("y"); Store }
    fn check() {}
    pub fn read(&self) { self.line() }
    fn line(&self) {}
}
=== src/util.rs
pub fn trim(text: &str) -> &str { text }
=== src/bin/run.rs
use my_shop::Store;
fn main() {
    let store = Store::open();
    store.read();
    trim("not imported");
}
"""
JAVA = """
=== src/main/java/com/shop/store/Store.java
package com.shop.store;
public class Store {
    public static Store open() { return new Store(); }
    public void read() { line(); Lines.trim(); }
    private void line() {}
}
=== src/main/java/com/shop/store/Lines.java
package com.shop.store;
class Lines { static void trim() {} }
=== src/main/java/com/shop/App.java
package com.shop;
import com.shop.store.Store;
class App {
    void run() { Store store = Store.open(); store.read(); }
}
=== src/main/java/com/shop/Other.java
package com.shop;
class Other {
    void read() {}
    void go(Object thing) { thing.read(); }
}
"""
C = """
=== include/store.h
#include "util.h"
int store_open(const char *path);
#define LIMIT(x) (x)
=== src/store.c
#include "store.h"
int store_open(const char *path) { return trim(path) + LIMIT(1); }
static int line(void) { return 0; }
=== include/util.h
int trim(const char *text);
=== src/util.c
#include <util.h>
int trim(const char *text) { return 0; }
=== src/main.c
#include <stdio.h>
#include "store.h"
int main(void) { printf("x"); line(); return store_open("x") + trim("y"); }
"""
SOURCES = "src/main/java/com/shop/"
PROJECTS = {"python": PYTHON, "typescript": TYPESCRIPT, "go": GO, "rust": RUST, "java": JAVA, "c": C}


def shown(edge: Edge) -> str:
    """An edge as one line: where, who, whom, how sure."""
    caller = qualified(edge.caller) if edge.caller else "-"
    where = edge.target.path
    doubt = f" 1/{edge.among}" if 1 < edge.among else ""
    return f"{edge.path} {caller} -> {where} {qualified(edge.target.row)}: {edge.confidence}{doubt}"


def who(folder: Path, project: str, name: str, path: str | None = None) -> list[str]:
    """The callers of a name; what all paths of the project begin with is left away."""
    with index(folder, project) as reader:
        return [shown(it).replace(SOURCES, "") for it in callers(reader, name, path=path).edges]


def test_python_through_packages(tmp_path: Path) -> None:
    """A name that a package passes on leads to where it is defined; one not imported leads nowhere."""
    assert who(tmp_path, PYTHON, "open_store") == [
        "app.py main -> pkg/store.py open_store: certain",
        "other/use.py go -> other/store.py open_store: certain",
    ]


def test_python_modules_are_told_apart(tmp_path: Path) -> None:
    """`json.load` is not ours, `kept.load` is, and a bare name in a method is never the method."""
    assert who(tmp_path, PYTHON, "load") == [
        "app.py main -> pkg/store.py load: certain",
        "pkg/store.py Store.load -> pkg/store.py load: certain",
    ]


def test_python_methods(tmp_path: Path) -> None:
    """A variable that is called like the class is likely one; of an expression only the name is known."""
    assert who(tmp_path, PYTHON, "read") == [
        "app.py main -> pkg/store.py Store.read: likely",
        "app.py main -> pkg/store.py Store.read: by name only",
    ]
    assert who(tmp_path, PYTHON, "check") == ["pkg/store.py Store.read -> pkg/base.py Base.check: likely"]


def test_typescript(tmp_path: Path) -> None:
    """Aliases of a `tsconfig.json`, the package's own name, `.js` that is `.ts`, `require`."""
    assert who(tmp_path, TYPESCRIPT, "total") == [
        "src/lib/money.ts Cart.each -> src/lib/money.ts total: certain",
        "src/page.tsx Page -> src/lib/money.ts total: certain",
    ]
    assert who(tmp_path, TYPESCRIPT, "round") == [
        "old/page.js show -> src/lib/money.ts round: certain",
        "src/lib/money.ts total -> src/lib/money.ts round: certain",
    ]
    assert who(tmp_path, TYPESCRIPT, "sum") == ["src/page.tsx Page -> src/lib/money.ts Cart.sum: likely"]
    assert who(tmp_path, TYPESCRIPT, "each") == [
        "src/lib/money.ts Cart.sum -> src/lib/money.ts Cart.each: certain"
    ]


def test_go(tmp_path: Path) -> None:
    """A package is a folder, by the path that `go.mod` gives it; its files see each other."""
    assert who(tmp_path, GO, "Open") == ["main.go main -> store/store.go Open: certain"]
    assert who(tmp_path, GO, "helper") == ["main.go main -> helper.go helper: certain"]
    assert who(tmp_path, GO, "trim") == ["store/line.go Store.line -> store/line.go trim: certain"]
    assert who(tmp_path, GO, "line") == [
        "store/store.go Store.Read -> store/line.go Store.line: by name only"
    ]


def test_rust(tmp_path: Path) -> None:
    """`crate`, `super`, `Self`, another crate of the workspace, and what it passes on."""
    assert who(tmp_path, RUST, "trim") == [
        "src/store.rs Store.open -> src/util.rs trim: certain",
    ]
    assert who(tmp_path, RUST, "open") == ["src/bin/run.rs main -> src/store.rs Store.open: certain"]
    assert who(tmp_path, RUST, "check") == ["src/store.rs Store.open -> src/store.rs Store.check: certain"]
    assert who(tmp_path, RUST, "read") == ["src/bin/run.rs main -> src/store.rs Store.read: likely"]


def test_java(tmp_path: Path) -> None:
    """Classes by their packages, methods of the same class without a receiver."""
    assert who(tmp_path, JAVA, "open") == ["App.java App.run -> store/Store.java Store.open: certain"]
    assert who(tmp_path, JAVA, "line") == [
        "store/Store.java Store.read -> store/Store.java Store.line: certain"
    ]
    assert who(tmp_path, JAVA, "trim") == [
        "store/Store.java Store.read -> store/Lines.java Lines.trim: certain"
    ]
    assert who(tmp_path, JAVA, "read") == [
        "App.java App.run -> store/Store.java Store.read: likely",
        "Other.java Other.go -> Other.java Other.read: by name only",
    ]


def test_c(tmp_path: Path) -> None:
    """Includes of includes; a declaration and its definition are one thing."""
    assert who(tmp_path, C, "store_open") == [
        "src/main.c main -> include/store.h store_open: certain",
        "src/main.c main -> src/store.c store_open: certain",
    ]
    assert who(tmp_path, C, "trim", "src/util.c") == [
        "src/main.c main -> src/util.c trim: certain",
        "src/store.c store_open -> src/util.c trim: certain",
    ]
    assert who(tmp_path, C, "LIMIT") == ["src/store.c store_open -> include/store.h LIMIT: certain"]


@pytest.mark.parametrize("language", sorted(PROJECTS))
def test_callers_and_callees_are_inverse(language: str, tmp_path: Path) -> None:
    """Every edge is found from both of its ends, as the very same value."""
    with index(tmp_path, PROJECTS[language]) as reader:
        rows = [it for file in reader.files() for it in reader.outline(file.path)]
        names = sorted({it.name for it in rows})
        back = {edge for it in names for edge in callers(reader, it, calls_only=False, limit=9999).edges}
        forth = {edge for it in names for edge in callees(reader, it, calls_only=False, limit=9999).edges}
    assert forth
    assert {it for it in back if it.caller} == forth


def test_one_of_several_definitions(tmp_path: Path) -> None:
    """A place says which one is meant; without, it is all of them."""
    with index(tmp_path, PYTHON) as reader:
        both = callers(reader, "load").definitions
        assert [(it.path, it.row.scope) for it in both] == [("pkg/store.py", "Store"), ("pkg/store.py", "")]
        method = both[0].row.line
        assert callers(reader, "load", path="pkg/store.py", line=method).edges == ()
        assert len(callers(reader, "load", path="pkg/store.py", line=99).edges) == 2
        assert callers(reader, "load", path="app.py").definitions == ()
        assert callers(reader, "nothing_of_this_name").edges == ()


def test_no_more_than_the_limit(tmp_path: Path) -> None:
    """The surest come first, and what is left out is counted."""
    with index(tmp_path, PYTHON) as reader:
        answer = callers(reader, "read", limit=1)
    assert [(it.confidence, it.line) for it in answer.edges] == [(Confidence.LIKELY, 9)]
    assert answer.more == 1


def test_as_likely_as_another(tmp_path: Path) -> None:
    """Two that are as near are both shown, and neither of them is certain."""
    twice = "=== a.py\nfrom b import *\nfrom c import *\ndef f():\n    g()\n"
    twice += "=== b.py\ndef g(): pass\n=== c.py\ndef g(): pass\n"
    with index(tmp_path, twice) as reader:
        edges = callers(reader, "g").edges
    assert [(it.target.path, it.confidence, it.among) for it in edges] == [
        ("b.py", Confidence.LIKELY, 2),
        ("c.py", Confidence.LIKELY, 2),
    ]


def test_uses_that_are_no_calls(tmp_path: Path) -> None:
    """Inheriting and passing on are uses; they are told only when asked for."""
    with index(tmp_path, PYTHON) as reader:
        assert callers(reader, "Base").edges == ()
        uses = callers(reader, "Base", calls_only=False).edges
    assert ("pkg/store.py", 6, False) in {(it.path, it.line, it.is_call) for it in uses}


def test_the_same_text_in_two_files(tmp_path: Path) -> None:
    """A copy's calls go to the copy's own definitions."""
    copies = "=== a/x.py\ndef f(): pass\nf()\n=== b/x.py\ndef f(): pass\nf()\n"
    with index(tmp_path, copies) as reader:
        edges = callers(reader, "f").edges
    assert [(it.path, it.target.path) for it in edges] == [("a/x.py", "a/x.py"), ("b/x.py", "b/x.py")]


def test_definitions_for_a_file(tmp_path: Path) -> None:
    """What the names that a file imports mean, where they are defined; for a new text by its own imports."""
    with index(tmp_path, PYTHON) as reader:
        found = definitions(reader, ["open_store", "json", "main"], path="app.py")
        assert [(it.definition.path, it.definition.row.name) for it in found] == [
            ("pkg/store.py", "open_store")
        ]
        assert graph.source(reader, found[0].definition) == "def open_store(path):\n    return Store(path)"
        typed = [ImportRow(path="new.py", module="pkg.base", names=("Base",), line=1)]
        fresh = definitions(reader, ["Base", "open_store"], path="new.py", imports=typed)
        assert [it.definition.path for it in fresh] == ["pkg/base.py"]


def test_a_view_is_kept_as_long_as_nothing_changes(tmp_path: Path) -> None:
    """The next question does not read the list of files again."""
    with index(tmp_path, PYTHON) as reader:
        first = view(reader)
        assert view(reader, first) is first
        assert callers(reader, "load", seen=first) == callers(reader, "load")


SHOPS = "".join(
    f"=== shop{it}/base.py\ndef setup():\n    return {it}\n"
    f"=== shop{it}/use.py\nfrom shop{it}.base import setup\n\ndef go{it}():\n    return setup()\n"
    for it in range(30)
)


def test_of_a_name_that_is_everywhere_the_nearest_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says how much of how much it is about, and what it does say is right."""
    with index(tmp_path, SHOPS) as reader:
        everything = callers(reader, "setup", limit=1_000)
        assert (len(everything.edges), everything.partly) == (30, "")
        monkeypatch.setattr(graph, "MANY", 5)
        monkeypatch.setattr("codeindex.graph_view.MANY", 5)
        monkeypatch.setattr(graph, "PATIENCE", 20_000)
        found = callers(reader, "setup", limit=8)
        assert "the first 8 of 30 definitions" in found.partly
        assert "of 30 files that use it" in found.partly
        assert found.edges
        assert set(map(graph._key, found.edges)) <= set(map(graph._key, everything.edges))
        one = callers(reader, "setup", path="shop7/base.py", limit=8)
        assert [(it.path, it.confidence) for it in one.edges] == [("shop7/use.py", Confidence.CERTAIN)]
        assert "definitions" not in one.partly
        assert "the first 8 of 30 definitions" in callees(reader, "setup", limit=8).partly
        assert callers(reader, "setup", limit=10_000).partly == ""
