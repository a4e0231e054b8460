"""What is read from the languages that are compiled."""

from __future__ import annotations

from inline_snapshot import snapshot

from tests.codeindex.parse import check


def test_go() -> None:
    """A method's scope is its receiver; grouped declarations are single symbols."""
    check(
        "go",
        snapshot("""\
12-13 constant Limit @13:6
    const Limit = 10
    -- Limit is how much fits.
16-16 constant Red @16:1
    Red = iota
17-17 constant Green @17:1
    Green
20-20 variable apples @20:4
    var apples, pears = 1, 2
20-20 variable pears @20:12
    var apples, pears = 1, 2
22-29 type Basket @25:5
    type Basket struct
    -- Basket holds apples.
31-33 interface Holder @31:5
    type Holder interface
32-32 method Holder.Add @32:1
    Add(item Item) error
35-35 type Price @35:5
    type Price = float64
36-36 type Stack @36:5
    type Stack[T any] []T
38-46 method Basket.Add @39:17
    func (b *Basket) Add(item Item) error
    -- Add puts one in.
48-48 method Stack.Push @48:18
    func (s Stack[T]) Push(v T)
50-52 function Open @50:5
    func Open[T any](name string) (*Basket, error)
5 import fmt
6 import strings
7 import math
10 import os
Basket uses Holder string Item
Add uses Item error
Price uses float64
Stack uses any
Add uses Basket Item error price() Limit fmt Errorf() items append()
Push uses Stack T
Open uses any string Basket() error str ToUpper()
"""),
    )


def test_rust() -> None:
    """A method's scope is the type of its implementation; a group of uses is written out."""
    check(
        "rust",
        snapshot("""\
8-9 constant LIMIT @9:10
    pub const LIMIT: usize = 10
    -- How much fits.
10-10 constant COUNT @10:11
    static mut COUNT: u32 = 0
12-19 type Basket @16:11
    pub struct Basket<T>
    -- Holds apples.
21-22 enum Color @22:9
    pub enum Color
24-29 interface Holder @24:10
    pub trait Holder
25-25 constant Holder.MAX @25:10
    const MAX: usize
26-26 type Holder.Item @26:9
    type Item
27-27 method Holder.add @27:7
    fn add(&mut self, item: Self::Item) -> Result<(), Error>
28-28 method Holder.size @28:7
    fn size(&self) -> usize
32-37 method Basket.add @33:7
    fn add(&mut self, item: T) -> Result<(), Error>
    -- Puts one in.
41-41 method Basket.open @41:11
    pub fn open(name: &str) -> Self
44-44 type Price @44:9
    pub type Price = f64
45-45 type Both @45:6
    union Both
47-51 macro basket @49:13
    macro_rules! basket { () => { Basket::open("x") }; }
    -- Makes one.
53-57 module tests @53:4
    mod tests
55-56 function tests.opens @56:7
    fn opens()
2 import std::collections: HashMap
2 import std::collections::hash_map: Entry
3 import crate::prices: *
4 import super::item
5 import serde
6 import inner
54 import super: *
the file uses derive Debug Clone repr Holder macro_export
Basket uses String Vec
Color uses Red Green
add uses Item Result Error
add uses T Result Error price() items push() Ok()
open uses Basket() to_string() Vec new()
basket uses Basket open
tests uses test
opens uses assert_eq() Basket open size
"""),
    )


def test_java() -> None:
    """Annotations stay out of heads; constants, constructors, inner types."""
    check(
        "java",
        snapshot("""\
7-27 class Basket @11:13
    public class Basket<T> extends Holder implements Sized
    -- Holds apples.
12-12 constant Basket.LIMIT @12:28
    public static final int LIMIT = 10
13-13 variable Basket.items @13:20
    private List<T> items = new ArrayList<>()
15-16 method Basket.Basket @16:11
    public Basket(String owner)
    -- Makes one.
18-22 method Basket.size @19:15
    public int size() throws Empty
24-24 interface Basket.Pricer @24:14
    interface Pricer
24-24 method Basket.Pricer.price @24:30
    double price(Item item)
26-26 enum Basket.Color @26:9
    enum Color
26-26 constant Basket.Color.RED @26:17
    RED
26-26 constant Basket.Color.GREEN @26:22
    GREEN
26-26 method Basket.Color.label @26:36
    String label()
29-29 class Point @29:7
    record Point(int x, int y)
31-31 interface Fresh @31:11
    @interface Fresh
31-31 method Fresh.days @31:23
    int days() default 1
3 import java.util.List
4 import java.util: *
5 import java.lang.Math.max
Basket uses Entity() Holder Sized
items uses List ArrayList()
Basket uses String
size uses Override() Empty items size() max() LIMIT
price uses Item
label uses String name()
"""),
    )


def test_c() -> None:
    """Structs, type definitions, macros, prototypes, pointers returned."""
    check(
        "c",
        snapshot("""\
4-4 macro LIMIT @4:8
    #define LIMIT 10
5-5 macro SQUARE @5:8
    #define SQUARE(x) ((x) * (x))
7-12 type basket @9:7
    struct basket
    -- Holds apples. Many.
14-14 type point @14:29
    typedef struct { int x, y; } point
15-15 type pricer @15:14
    typedef int (*pricer)(struct item *)
16-16 enum color @16:5
    enum color
16-16 constant color.RED @16:13
    RED
16-16 constant color.GREEN @16:18
    GREEN = 2
17-17 type both @17:6
    union both
19-19 variable count @19:11
    static int count = 0
20-20 variable names @20:12
    const char *names[] = { "a", "b" }
21-21 function outside @21:11
    extern int outside(int a)
23-29 function add @24:12
    static int *add(struct basket *b, int n)
    -- Adds one.
31-31 function main @31:4
    int main(void)
1 import stdio.h
2 import basket.h
basket uses item
pricer uses item
add uses basket price() size SQUARE() printf() LIMIT
main uses add()
"""),
    )


def test_cpp() -> None:
    """A function outside of its class has the class as its scope."""
    check(
        "cpp",
        snapshot("""\
3-3 type Price @3:6
    using Price = double
5-34 module shop.fruit @5:16
    namespace shop::fruit
7-18 class shop.fruit.Basket @9:6
    class Basket : public Holder<T>
    -- Holds apples.
11-11 method shop.fruit.Basket.Basket @11:13
    explicit Basket(int size)
12-12 method shop.fruit.Basket.~Basket @12:4
    ~Basket()
13-13 method shop.fruit.Basket.size @13:16
    virtual int size() const override
14-14 method shop.fruit.Basket.operator== @14:9
    bool operator==(const Basket& other) const
16-16 variable shop.fruit.Basket.items_ @16:19
    std::vector<T> items_
17-17 constant shop.fruit.Basket.LIMIT @17:25
    static constexpr int LIMIT = 10
20-20 enum shop.fruit.Color @20:11
    enum class Color
20-20 constant shop.fruit.Color.Red @20:19
    Red
20-20 constant shop.fruit.Color.Green @20:24
    Green
21-21 variable shop.fruit.x @21:10
    concept_t x
23-26 method shop.fruit.Basket.size @23:12
    int Basket::size() const
28-28 method shop.fruit.Shop.find @28:12
    Item* Shop::find(const std::string& name)
30-30 method shop.fruit.Shop.Inner.first @30:19
    Item& Shop::Inner::first()
32-32 function shop.fruit.twice @32:21
    T twice(T a)
36-36 type Point @36:7
    struct Point
1 import vector
2 import std
Basket uses Holder
~Basket uses clear()
size uses items_ size()
operator== uses Basket
items_ uses std vector
x uses concept_t
size uses compute() LIMIT std max() helper twice()
find uses Item() std string
first uses Item items front()
"""),
    )


def test_csharp() -> None:
    """Namespaces, properties, records, delegates."""
    check(
        "csharp",
        snapshot("""\
5-33 module Shop.Fruit @5:15
    namespace Shop.Fruit
7-26 class Shop.Fruit.Basket @9:17
    public class Basket<T> : Holder, ISized
    -- Holds apples.
11-11 constant Shop.Fruit.Basket.Limit @11:25
    public const int Limit = 10
12-12 variable Shop.Fruit.Basket.items @12:24
    private List<T> items = new()
13-13 variable Shop.Fruit.Basket.Size @13:19
    public int Size
15-15 method Shop.Fruit.Basket.Basket @15:15
    public Basket(string owner)
17-23 method Shop.Fruit.Basket.Add @18:31
    public async Task<int> Add(T item)
    -- Adds one.
25-25 variable Shop.Fruit.Basket.Changed @25:27
    event EventHandler Changed
28-28 interface Shop.Fruit.ISized @28:21
    public interface ISized
28-28 variable Shop.Fruit.ISized.Size @28:34
    int Size
28-28 method Shop.Fruit.ISized.Clear @28:53
    void Clear()
29-29 enum Shop.Fruit.Color @29:16
    public enum Color
29-29 constant Shop.Fruit.Color.Red @29:24
    Red
29-29 constant Shop.Fruit.Color.Green @29:29
    Green
30-30 type Shop.Fruit.Point @30:18
    public struct Point
30-30 variable Shop.Fruit.Point.X @30:37
    public int X
31-31 class Shop.Fruit.Person @31:18
    public record Person(string Name)
32-32 type Shop.Fruit.Handler @32:25
    public delegate void Handler(object sender)
1 import System
2 import System.Collections.Generic
3 import Newtonsoft.Json
Basket uses Serializable() Holder ISized
items uses List
Basket uses Owner
Add uses Task Price() items Add() Save()
Changed uses EventHandler
"""),
    )


def test_kotlin() -> None:
    """Companions, extension functions, objects."""
    check(
        "kotlin",
        snapshot("""\
7-7 constant LIMIT @7:10
    const val LIMIT = 10
8-8 variable count @8:12
    private var count: Int = 0
10-25 class Basket @12:11
    data class Basket<T>(val owner: String) : Holder(), Sized
    -- Holds apples.
13-13 variable Basket.items @13:8
    val items = mutableListOf<T>()
15-20 method Basket.add @16:17
    override fun add(item: T): Int
    -- Adds one.
23-23 method Basket.open @23:12
    fun open(name: String)
27-29 interface Sized @27:10
    interface Sized
28-28 method Sized.size @28:8
    fun size(): Int
30-32 class Shop @30:7
    object Shop
31-31 variable Shop.name @31:8
    val name = "x"
33-33 enum Color @33:11
    enum class Color
33-33 constant Color.RED @33:19
    RED
33-33 constant Color.GREEN @33:24
    GREEN
34-34 type Price @34:10
    typealias Price = Double
35-35 function shout @35:11
    fun String.shout(): String
36-36 function main @36:4
    fun main()
3 import kotlin.math.max
4 import shop.prices: *
5 import shop.Item
count uses Int
Basket uses Serializable String Holder() Sized
items uses mutableListOf()
add uses Int price() items add() max() LIMIT
open uses String Basket Int
size uses Int
Price uses Double
shout uses String uppercase()
main uses Shop name shout()
"""),
    )


def test_scala() -> None:
    """Traits, objects, enums, renamed imports."""
    check(
        "scala",
        snapshot("""\
7-19 class Basket @9:6
    class Basket[T](val owner: String) extends Holder with Sized
    -- Holds apples.
10-10 variable Basket.items @10:14
    private val items = mutable.Buffer[T]()
11-11 variable Basket.count @11:6
    var count: Int = 0
13-18 method Basket.add @14:6
    def add(item: T): Int
    -- Adds one.
21-24 class Basket @21:7
    object Basket
22-22 variable Basket.Limit @22:6
    val Limit = 10
23-23 method Basket.open @23:6
    def open(name: String): Basket[Int]
26-26 interface Sized @26:6
    trait Sized
26-26 method Sized.size @26:18
    def size: Int
27-27 class Point @27:11
    case class Point(x: Int, y: Int)
28-28 enum Color @28:5
    enum Color
28-28 constant Color.Red @28:18
    Red
28-28 constant Color.Green @28:23
    Green
29-29 type Price @29:5
    type Price = Double
3 import scala.collection.mutable
4 import shop.prices: Tax, Sum
5 import shop.items: *
Basket uses main String Holder Sized
items uses mutable Buffer()
count uses Int
add uses Int price() items append() math max() Basket Limit
open uses String Basket() Int
size uses Int
Point uses Int
Price uses Double
"""),
    )


def test_swift() -> None:
    """Protocols, extensions, initializers."""
    check(
        "swift",
        snapshot("""\
4-4 variable limit @4:4
    let limit = 10
6-22 class Basket @10:13
    public class Basket<T>: Holder, Sized
    -- Holds apples.
11-11 variable Basket.items @11:16
    private var items: [T] = []
12-12 variable Basket.max @12:15
    static let max = 5
14-14 method Basket.init @14:4
    init(owner: String)
16-21 method Basket.add @17:9
    func add(_ item: T, to other: Int) throws -> Int
    -- Adds one.
24-25 interface Sized @24:9
    protocol Sized
24-24 variable Sized.size @24:21
    var size: Int { get }
25-25 method Sized.clear @25:9
    func clear()
26-26 type Point @26:7
    struct Point
26-26 variable Point.x @26:19
    var x: Int
27-28 enum Color @27:5
    enum Color
27-27 constant Color.red @27:18
    case red, green
27-27 constant Color.green @27:23
    case red, green
28-28 method Color.label @28:9
    func label() -> String
29-29 method Basket.encode @29:33
    func encode()
30-30 type Price @30:10
    typealias Price = Double
31-31 function open @31:5
    func open(name: String) -> Basket<Int>
1 import Foundation
2 import Shop.Item
Basket uses Holder Sized
init uses String owner
add uses Int price() items append()
size uses Int
x uses Int
label uses String describe()
the file uses Codable
encode uses write()
Price uses Double
open uses String Basket() Int
"""),
    )
