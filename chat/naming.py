"""Pure: what a name says of itself, in words that are true whatever the code does."""

from __future__ import annotations

from codeindex.identifiers import split

GAP = "..."
"""What is left for whoever knows: it reads as a gap, and a linter takes it for a sentence."""

_VERBS_SAID = (
    "accept acquire add advance aggregate allocate allow analyze append apply archive assemble assert"
    " assign attach authenticate authorize begin bind block build cache calculate call cancel capture"
    " change check choose clamp clean clear click clone close collapse collect combine commit compare"
    " compile complete compress compute configure confirm connect consume convert copy count crawl create"
    " cut deactivate debounce decide declare decode decompress decrypt delete deliver deploy describe"
    " deserialize destroy detach detect determine disable discard disconnect dispatch display divide"
    " download draw drop dump emit enable encode encrypt ensure enqueue escape estimate evaluate execute"
    " expand explain export extend extract fetch fill filter find finish fit fix flatten flip flush fold"
    " follow force forget format forward free freeze generate get group guess handle hash hide highlight"
    " ignore implement import include increment index infer init initialize inject insert inspect install"
    " invalidate invert invoke issue iterate join keep kill launch leave list listen load locate lock log"
    " login logout lookup make map mark match measure merge migrate mock modify monitor mount move mute"
    " multiply normalize notify observe offer open order pack pad paint parse pass patch pause perform"
    " persist pick ping place play poll pop populate post predict prepare prepend print process produce"
    " promote provide prune publish pull push put query quote raise rank read rebuild receive record"
    " recover redact redirect reduce refresh register reject release reload remove rename render repair"
    " repeat replace reply report request require reserve reset resize resolve restart restore resume"
    " retrieve retry return revert revoke rotate round run sample sanitize save scale scan schedule score"
    " scroll search seek select send serialize serve set setup share shift show shuffle shut sign simplify"
    " skip sleep slice slugify solve sort spawn split start stop store stream strip submit subscribe"
    " subtract suggest sum summarize suspend swap switch sync tag take tell test throttle toggle tokenize"
    " track train transform translate traverse trim truncate try undo uninstall unlock unmount unpack"
    " unregister unsubscribe update upgrade upload upsert use validate verify visit wait wake walk watch"
    " wrap write yield zip"
)
_VERBS = frozenset(_VERBS_SAID.split())
_WHETHER = {"is": "it is", "has": "it has", "can": "it can", "should": "it should", "are": "they are",
            "was": "it was", "will": "it will", "does": "it does", "must": "it must", "needs": "it needs",
            "contains": "it contains", "supports": "it supports", "allows": "it allows"}  # fmt: skip
_WRITTEN = {
    "api": "API", "ast": "AST", "cli": "CLI", "cpu": "CPU", "css": "CSS", "csv": "CSV", "db": "database",
    "dir": "directory", "dns": "DNS", "env": "environment", "gpu": "GPU", "html": "HTML", "http": "HTTP",
    "https": "HTTPS", "id": "ID", "ids": "IDs", "io": "I/O", "ip": "IP", "json": "JSON", "jwt": "JWT",
    "lsp": "LSP", "msg": "message", "pdf": "PDF", "sql": "SQL", "ssh": "SSH", "tcp": "TCP", "tls": "TLS",
    "ui": "UI", "uri": "URI", "url": "URL", "urls": "URLs", "utf": "UTF", "uuid": "UUID", "xml": "XML",
    "yaml": "YAML",
}  # fmt: skip
_NO_ARTICLE_SAID = (
    "all any each every no one many more most some a an the by for from in into of on onto over to up"
    " with without within as at and or if not down out off until before after"
)
_NO_ARTICLE = frozenset(_NO_ARTICLE_SAID.split())
_GETTERS = frozenset({"get", "return", "retrieve", "obtain"})
_NOUNS_TOO_SAID = (
    "access address cache count display document draft estimate filter format hash index key list log map"
    " match order place position print process query rank record report request result return sample"
    " schedule score search sort split start store sum test total type update use value view zip"
)
_NOUNS_TOO = frozenset(_NOUNS_TOO_SAID.split())


def words(name: str) -> tuple[str, ...]:
    """The words of a name, as they are written in a sentence."""
    return tuple(_WRITTEN.get(it, it) for it in split(name.strip("_")))


def phrase(name: str) -> str:
    """The words of a name in a row: `userName` is user name."""
    return " ".join(words(name))


def third_person(verb: str) -> str:
    """`parse` is parses, `push` is pushes, `copy` is copies."""
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        return f"{verb}zes" if verb == "quiz" else f"{verb}es"
    if verb.endswith("y") and verb[-2:-1] not in tuple("aeiou"):
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def function_says(name: str, *, gives: bool, third: bool) -> str:
    """A sentence without its full stop for what a function does; the gap if its name does not say it."""
    found, plain = words(name), split(name.strip("_"))
    if not found:
        return GAP
    verb, rest = plain[0], found[1:]
    if not rest:
        return GAP
    if verb in _WHETHER:
        return f"{_said('return', third)} whether {_WHETHER[verb]} {' '.join(rest)}" if gives else GAP
    if verb in _GETTERS:
        return f"{_said('return' if gives else 'get', third)} {_object(rest)}"
    if verb in _CALLED and (gives or verb == "on"):
        word, before = _CALLED[verb]
        return f"{_said(word, third)} {before}{_object(rest, article=not before)}"
    if verb in _VERBS:
        return f"{_said(verb, third)} {_object(rest)}"
    return f"{_said('return', third)} {_object(found)}" if gives and _is_noun(plain) else GAP


_CALLED = {"to": ("convert", "to "), "from": ("create", "from "), "on": ("handle", "")}
"""What a function does whose name begins with a preposition."""


def _said(verb: str, third: bool) -> str:
    return (third_person(verb) if third else verb).capitalize()


def _is_noun(plain: tuple[str, ...]) -> bool:
    """Whether a name is that of a thing, as far as one can tell: several words, and none does something."""
    return (
        1 < len(plain)
        and plain[0] not in _WHETHER
        and not set(plain) & (_NO_ARTICLE | (_VERBS - _NOUNS_TOO))
        and not plain[-1].endswith("ed")
    )


def thing_says(name: str) -> str:
    """A noun phrase for a class or a property: `UserAccount` is "A user account"."""
    found = words(name)
    if not found or found[-1].endswith(("error", "exception")) or found[0] in _VERBS - _NOUNS_TOO:
        return GAP
    said = " ".join(found)
    vowels = "AEFHILMNORSX" if found[0].isupper() else "aeio"  # as letters are spelled, and as words sound
    article = "An" if said[0] in vowels else "A"
    return (
        said[0].upper() + said[1:] if said.endswith("s") and not said.endswith("ss") else f"{article} {said}"
    )


def property_says(name: str) -> str:
    """A noun phrase for a property: `user_name` is "The user name"."""
    found = words(name)
    plain = split(name.strip("_"))
    if plain and plain[0] in _WHETHER and 1 < len(plain):
        return f"Whether {_WHETHER[plain[0]]} {' '.join(found[1:])}"
    return f"The {' '.join(found)}" if found else GAP


def _object(found: tuple[str, ...], *, article: bool = True) -> str:
    said = " ".join(found)
    return said if not article or found[0] in _NO_ARTICLE else f"the {said}"


def sentence(said: str) -> str:
    """With its full stop, unless it is the gap."""
    return said if said == GAP else f"{said}."


def snake(text: str, *, longest: int = 60) -> str:
    """Words as a name of Python or Rust."""
    found = [it for it in split(text) if it]
    while found and longest < len("_".join(found)):
        found.pop()
    return "_".join(found)


def camel(text: str, *, longest: int = 60) -> str:
    """Words as a name of Java."""
    first, *others = snake(text, longest=longest).split("_")
    return first + "".join(it.capitalize() for it in others)
