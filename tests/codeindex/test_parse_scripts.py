"""What is read from the languages that are run as they are written."""

from __future__ import annotations

from inline_snapshot import snapshot

from tests.codeindex.parse import check


def test_python() -> None:
    """Decorators, docstrings, nested functions, constants, relative imports."""
    check(
        "python",
        snapshot("""\
7-7 constant LIMIT @7:0
    LIMIT: int = 10
8-8 variable tax @8:0
    tax = 0.2
10-12 variable size @12:0
    size = LIMIT * 2
    -- How much fits. Measured in apples.
15-39 class Basket @17:6
    class Basket(Holder, containers.Sized)
    -- Apples, and what else was bought.
23-23 variable Basket.owner @23:4
    owner: str = ""
25-29 method Basket.total @26:8
    def total(self) -> float
    -- The sum of all prices.
31-39 method Basket.add @31:14
    async def add(self, item: Item) -> None
35-36 function Basket.add.check @35:12
    def check(thing)
43-43 variable fallback @43:4
    fallback = open_basket()
45-46 function open_basket @46:4
    def open_basket()
    -- Opens it.
3 import os.path
4 import collections: abc, deque
5 import .prices: *
LIMIT uses int
size uses LIMIT
the file uses frozen dataclass() os path exists()
Basket uses Holder containers Sized property
owner uses str
total uses float sum() price items round() tax
add uses Item check() store save()
check uses ok
fallback uses open_basket()
open_basket uses Basket()
"""),
    )


def test_javascript() -> None:
    """Classes, functions in variables, methods of objects, both ways to import."""
    check(
        "javascript",
        snapshot("""\
7-24 class Basket @13:13
    export class Basket extends Holder
    -- Holds apples.
14-14 variable Basket.#secret @14:2
    #secret = 1
15-15 variable Basket.limit @15:9
    static limit = 10
17-21 method Basket.add @18:8
    async add(item, { price = 1 })
    -- Adds one.
23-23 method Basket.size @23:6
    get size()
26-27 constant LIMIT @27:13
    export const LIMIT = 10
    -- How much.
26-27 variable rest @27:25
    rest = 2
    -- How much.
29-32 function open @29:13
    export const open = async (name)
30-30 function open.load @30:8
    const load = function inner(x)
34-34 function each @34:10
    function* each(list)
36-36 function main @36:24
    export default function main()
38-38 function helper @38:15
    module.exports.helper = function (a)
40-43 variable table @40:6
    const table = { start() { return open('a'); }, stop: () => join('b'), }
41-41 method table.start @41:2
    start()
42-42 method table.stop @42:2
    stop: ()
45-45 method Basket.drop @45:17
    Basket.prototype.drop = function ()
1 import node:fs: fs
2 import ./files.js: read, write
3 import all: *
4 import path
5 import path: join
Basket uses Holder
add uses price() fetch() then() total
size uses items length
load uses inner read()
open uses load()
main uses each() Basket()
helper uses module exports
start uses open()
stop uses join()
drop uses Basket prototype
"""),
    )


def test_javascriptreact() -> None:
    """A component is used like a function that is called."""
    check(
        "javascriptreact",
        snapshot("""\
3-7 function List @4:16
    export function List({ items })
    -- A list of apples.
1 import react: React
List uses useState() map() Row() id pick()
"""),
    )


def test_typescript() -> None:
    """Interfaces, aliases, enums, namespaces, abstract classes, decorators."""
    check(
        "typescript",
        snapshot("""\
5-9 interface Holder @6:17
    export interface Holder<T> extends Sized
    -- What can hold things.
7-7 variable Holder.size @7:11
    readonly size: number
8-8 method Holder.add @8:2
    add(item: T): void
11-11 type Price @11:12
    export type Price = number | Money
13-13 enum Color @13:12
    export enum Color
13-13 constant Color.Green @13:29
    export enum Color { Red = 1, Green }
13-13 constant Color.Green.Red @13:20
    Red = 1
15-27 module Shop @15:10
    namespace Shop
16-26 class Shop.Basket @16:24
    export abstract class Basket<T> implements Holder<T>
17-17 variable Shop.Basket.items @17:12
    private items: T[] = []
19-19 method Shop.Basket.constructor @19:4
    constructor(private readonly owner: Person)
21-23 method Shop.Basket.total @23:4
    total(): Price
    -- The sum.
25-25 method Shop.Basket.empty @25:13
    abstract empty(): boolean
29-29 function outside @29:17
    declare function outside(name: string): void
31-31 function parse @31:13
    export const parse = <T>(text: string): T
32-32 variable counter @32:4
    let counter: number = 0
1 import ./item: Item
2 import fs
3 import ./helper: helper
Holder uses Sized
Price uses Money
Basket uses Holder memo()
constructor uses Person
total uses Price items reduce() add
parse uses JSON parse()
"""),
    )


def test_typescriptreact() -> None:
    """A component with its type."""
    check(
        "typescriptreact",
        snapshot("""\
3-3 type Props @3:5
    type Props = { name: string }
5-9 function Hello @6:13
    export const Hello: React.FC<Props> = ({ name })
    -- Says hello.
1 import react: useState
Hello uses React FC Props useState() Greeting() format()
"""),
    )


def test_ruby() -> None:
    """Modules, class methods, attributes, requires."""
    check(
        "ruby",
        snapshot("""\
4-29 module Shop @5:7
    module Shop
    -- Things of a shop.
6-6 constant Shop.LIMIT @6:2
    LIMIT = 10
8-28 class Shop.Basket @9:8
    class Basket < Holder
    -- Holds apples.
11-11 method Shop.Basket.items @11:17
    attr_reader :items, :owner
11-11 method Shop.Basket.owner @11:25
    attr_reader :items, :owner
13-15 method Shop.Basket.initialize @13:8
    def initialize(owner)
17-21 method Shop.Basket.total @18:8
    def total(tax: 0)
    -- The sum.
23-23 method Shop.Basket.open @23:13
    def self.open(name)
26-26 method Shop.Basket.empty? @26:10
    def empty?
31-33 class Shop.Stand @31:12
    class Shop::Stand
32-32 method Shop.Stand.old @32:16
    alias_method :old, :new
1 import json
2 import ../item
Basket uses Holder include() Enumerable
owner uses attr_reader()
total uses items sum() price() round()
open uses new()
empty? uses items none?()
old uses alias_method()
"""),
    )


def test_php() -> None:
    """Classes with attributes, traits, constants, grouped uses."""
    check(
        "php",
        snapshot("""\
9-9 constant LIMIT @9:6
    const LIMIT = 10
10-10 constant OTHER @10:8
    define('OTHER', 2)
12-32 class Basket @18:15
    abstract class Basket extends Holder implements Sized
    -- Holds apples.
21-21 constant Basket.MAX @21:17
    public const MAX = 5
22-22 variable Basket.items @22:19
    private array $items = []
24-25 method Basket.__construct @25:20
    public function __construct(private string $owner)
    -- Makes one.
27-31 method Basket.total @27:20
    public function total(float $tax): float
34-34 interface Sized @34:10
    interface Sized
34-34 method Sized.size @34:34
    public function size(): int
35-35 interface Counts @35:6
    trait Counts
35-35 method Counts.count @35:24
    function count()
36-36 enum Color @36:5
    enum Color: string
36-36 constant Color.Red @36:26
    case Red = 'r'
36-36 constant Color.A @36:43
    A = self::Red
38-38 function open @38:9
    function open(string $name): Basket
4 import Shop\\Item
5 import Shop\\Prices: Tax, Sum
6 import Shop\\round
7 import helper.php
OTHER uses define()
Basket uses Entity() Holder Sized Counts
__construct uses __construct()
total uses sum() items Total of() round() LIMIT
count uses count() items
A uses Red
open uses Basket()
"""),
    )


def test_shellscript() -> None:
    """Functions, variables, sourced files."""
    check(
        "shellscript",
        snapshot("""\
6-7 constant TARGET @7:9
    readonly TARGET=/tmp/out
    -- Where things go.
8-8 constant LEVEL @8:7
    export LEVEL=2
9-9 variable count @9:0
    count=0
11-20 function build @14:0
    build()
    -- Builds all.
22-24 function clean @22:9
    function clean
3 import ./lib.sh
4 import $HOME/.profile
the file uses set() build() clean()
build uses compile() grep() test() TARGET
clean uses rm() TARGET
"""),
    )


def test_lua() -> None:
    """Functions of tables and methods."""
    check(
        "lua",
        snapshot("""\
2-2 variable M @2:6
    local M = {}
4-4 variable M.limit @4:2
    M.limit = 10
5-5 variable count @5:6
    local count = 0
7-12 function M.open @9:11
    function M.open(name)
    -- Holds apples. Many.
14-16 method M.add @14:11
    function M:add(item)
18-18 function helper @18:15
    local function helper(x)
20-20 function M.close @20:2
    M.close = function(a)
22-22 function global @22:9
    function global() end
1 import json
limit uses M
open uses M new() size()
add uses M table insert() items
helper uses count
close uses M helper()
the file uses M
"""),
    )
