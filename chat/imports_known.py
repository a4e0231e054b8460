"""Pure: where well-known names of the standard libraries are from, and which name a diagnostic misses."""

from __future__ import annotations

import re

_PYTHON = {
    "abc": "ABC abstractmethod",
    "argparse": "ArgumentParser Namespace",
    "collections": ("ChainMap Counter OrderedDict defaultdict deque namedtuple"),
    "collections.abc": (
        "AsyncGenerator AsyncIterable AsyncIterator Awaitable Callable Collection Coroutine Generator"
        " Hashable Iterable Iterator Mapping MutableMapping MutableSequence Sequence Sized"
    ),
    "contextlib": ("AsyncExitStack ExitStack asynccontextmanager contextmanager nullcontext suppress"),
    "copy": "deepcopy",
    "dataclasses": "asdict dataclass field replace",
    "datetime": "date datetime timedelta timezone",
    "decimal": "Decimal",
    "enum": "Enum Flag IntEnum IntFlag StrEnum auto",
    "fractions": "Fraction",
    "functools": ("cache cached_property lru_cache partial reduce singledispatch total_ordering wraps"),
    "hashlib": "sha256",
    "io": "BytesIO StringIO",
    "itertools": (
        "chain combinations count cycle groupby islice pairwise permutations product repeat takewhile"
        " zip_longest"
    ),
    "operator": "attrgetter itemgetter",
    "pathlib": "Path PurePath PurePosixPath",
    "tempfile": "NamedTemporaryFile TemporaryDirectory",
    "textwrap": "dedent indent",
    "threading": "Event Lock Thread",
    "types": ("MappingProxyType ModuleType SimpleNamespace TracebackType"),
    "typing": (
        "Annotated Any ClassVar Final Generic Literal NamedTuple NewType Optional ParamSpec Protocol"
        " Self TYPE_CHECKING TypeAlias TypeVar TypedDict Union assert_never cast overload"
    ),
    "unittest.mock": "AsyncMock MagicMock Mock patch",
    "urllib.parse": "quote unquote urlencode urljoin urlparse",
    "uuid": "UUID uuid4",
    "zoneinfo": "ZoneInfo",
}
_GO = (
    "archive/tar archive/zip bufio bytes cmp compress/gzip context crypto/md5 crypto/rand"
    " crypto/sha256 crypto/tls database/sql embed encoding/base64 encoding/binary encoding/csv"
    " encoding/hex encoding/json encoding/xml errors expvar flag fmt go/ast go/parser go/token"
    " hash/fnv html io io/fs iter log log/slog maps math math/big math/bits mime net net/http"
    " net/http/httptest net/netip net/url os os/exec os/signal path path/filepath reflect regexp"
    " runtime slices sort strconv strings sync sync/atomic syscall testing text/tabwriter"
    " text/template time unicode unicode/utf8 unsafe"
)
_RUST = {
    "std::collections": "BTreeMap BTreeSet BinaryHeap HashMap HashSet VecDeque",
    "std::sync": "Arc Mutex OnceLock RwLock",
    "std::rc": "Rc",
    "std::cell": "Cell RefCell",
    "std::path": "Path PathBuf",
    "std::fs": "File OpenOptions",
    "std::io": "BufRead BufReader BufWriter Read Seek Write",
    "std::time": "Duration Instant SystemTime",
    "std::fmt": "Debug Display",
    "std::str": "FromStr",
    "std::borrow": "Cow",
    "std::ops": "Deref DerefMut Range",
    "std::error": "Error",
    "std::net": "IpAddr SocketAddr TcpListener TcpStream",
    "std::process": "Command ExitCode",
    "std": "env fs io mem process thread",
    "std::sync::atomic": "AtomicBool AtomicU64 AtomicUsize Ordering",
}
_JAVA = {
    "java.util": (
        "ArrayList Arrays Collection Collections Comparator Deque HashMap HashSet Iterator"
        " LinkedHashMap LinkedList List Map Objects Optional Queue Random Set TreeMap UUID"
    ),
    "java.io": ("File IOException InputStream OutputStream Serializable UncheckedIOException"),
    "java.nio.file": "Files Path Paths",
    "java.time": "Duration Instant LocalDate LocalDateTime ZonedDateTime",
    "java.math": "BigDecimal BigInteger",
    "java.util.stream": "Collectors IntStream Stream",
    "java.util.function": "BiFunction Consumer Function Predicate Supplier",
    "java.util.concurrent": ("CompletableFuture ConcurrentHashMap ExecutorService Executors TimeUnit"),
    "java.nio.charset": "StandardCharsets",
}
_CPP = {
    "<vector>": "vector",
    "<string>": "string",
    "<map>": "map",
    "<memory>": "shared_ptr unique_ptr make_unique",
    "<iostream>": "cout cerr cin endl",
    "<algorithm>": "sort find_if",
    "<unordered_map>": "unordered_map",
    "<stdint.h>": "uint8_t uint16_t uint32_t uint64_t int32_t int64_t",
    "<stdbool.h>": "bool true false",
    "<stdio.h>": "printf fprintf fopen FILE",
    "<stdlib.h>": "malloc free calloc exit",
    "<string.h>": "strlen memcpy strcmp",
}


def _by_name(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for module, names in table.items():
        for it in names.split():
            found[it] = (*found.get(it, ()), module)
    return found


_TABLES = {
    "python": _by_name(_PYTHON),
    "rust": _by_name(_RUST),
    "java": _by_name(_JAVA),
    "c": _by_name({it: names for it, names in _CPP.items() if it.endswith(".h>")}),
    "cpp": _by_name(_CPP),
}
_GO_PACKAGES: dict[str, tuple[str, ...]] = {}
for _path in _GO.split():
    _last = _path.rpartition("/")[2]
    _GO_PACKAGES[_last] = (*_GO_PACKAGES.get(_last, ()), _path)


def modules_of(name: str, language: str) -> tuple[str, ...]:
    """The standard modules that have a name; of Go the packages that are called so."""
    return _GO_PACKAGES.get(name, ()) if language == "go" else _TABLES.get(language, {}).get(name, ())


_Q = r"[`'\"‘’“”]"
_MESSAGES = tuple(
    re.compile(it)
    for it in (
        rf"[Uu]ndefined name {_Q}(\w+){_Q}",  # ruff, pyflakes
        rf"[Nn]ame {_Q}(\w+){_Q} is not defined",  # mypy, Python itself
        rf"{_Q}(\w+){_Q} is not defined",  # pyright, eslint
        rf"[Cc]annot find (?:name|namespace) {_Q}([\w$]+){_Q}",  # tsc
        r"undefined: (\w+)",  # go
        rf"cannot find (?:\w+ ){{1,3}}{_Q}(\w+)!?{_Q} in this scope",  # rustc
        rf"use of (?:undeclared|unresolved) (?:\w+ ){{1,5}}{_Q}(\w+){_Q}",
        r"cannot find symbol(?s:.*?)symbol:\s*(?:class|variable|interface)\s+(\w+)",  # javac
        r"(?:^|\s)(\w+) cannot be resolved(?: to a (?:type|variable))?",  # Eclipse's
        rf"[Uu]nresolved reference:?\s*{_Q}?(\w+)",  # Kotlin
        rf"(?:type or namespace name|name) {_Q}(\w+)(?:<>)?{_Q} (?:could not be found|does not exist)",  # C#
        rf"Undefined (?:type|class|function) {_Q}(?:[\w\\]*\\)?(\w+){_Q}",  # PHP
        rf"(?:use of undeclared identifier|unknown type name) {_Q}(\w+){_Q}",  # clang
        rf"{_Q}(\w+){_Q} was not declared in this scope|{_Q}(\w+){_Q} undeclared",  # gcc
    )
)


def missing_name(message: str) -> str:
    """The name that a diagnostic says is not there; empty if it says something else."""
    for it in _MESSAGES:
        if found := it.search(message):
            return next(filter(None, found.groups()), "")
    return ""
