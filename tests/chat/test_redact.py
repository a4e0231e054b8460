"""Redaction: what is taken out, what is left byte for byte, and that all of it comes back."""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from chat.redact import Redacted, Restoring, Secret, kinds, redact, restore
from chat.redact_letters import surprise
from chat.redact_values import PLACEHOLDER, is_random
from tests.chat.test_redact_planted import ALNUM, HEX, KINDS, UPPER32, URLSAFE, planted, take

ROOT = Path(__file__).resolve().parent.parent.parent
DRAW = random.Random(7)
AWS = "AKIA" + take(DRAW, UPPER32, 16)
OTHER_AWS = "AKIA" + take(DRAW, UPPER32, 16)
GITHUB = "ghp_" + take(DRAW, ALNUM, 36)
HIDDEN = take(DRAW, ALNUM, 10) + "!7" + take(DRAW, ALNUM, 4)

PIECES = st.sampled_from(
    [
        "[secret: aws key]", "[secret: password 2]", "[secret: ", "]", "[", AWS, GITHUB, HIDDEN, '"', "'",
        "\n", " ",
        "password", "api_key", "=", ": ", "://user:", "@host/", "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----", take(DRAW, ALNUM, 64), "Basic ", "Authorization: ", ";",
        "Server=db;Pwd=",
        "kind: Secret", "data:\n  a: ", "\\n", "é", "\0", "$6$", "export ", "KEY", "(", ")", "{", "}", "<",
        ">",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join)


def test_what_it_looks_like() -> None:
    """The code around a secret stays readable, and the same secret has the same name."""
    text = (
        f'client = Client("{AWS}", retries=3)\n'
        f'other = Client("{OTHER_AWS}")\n'
        f"again = '{AWS}'\n"
        f'db = connect("postgres://app:{HIDDEN}@db.example.com/main")\n'
        f"print('{HIDDEN}')\n"
    )
    assert redact(text).text == snapshot("""\
client = Client("[secret: aws key]", retries=3)
other = Client("[secret: aws key 2]")
again = '[secret: aws key]'
db = connect("postgres://app:[secret: password]@db.example.com/main")
print('[secret: password]')
""")


def test_it_is_stable_within_a_conversation() -> None:
    """The second message calls a secret what the first one did, and knows it where nothing else shows it."""
    first = redact(f'password = "{HIDDEN}"')
    second = redact(f"It says that {HIDDEN} is wrong; {AWS} too.", first.found)
    third = redact(f"{OTHER_AWS} {AWS}", second.found)
    assert [first.text, second.text, third.text] == snapshot(
        [
            'password = "[secret: password]"',
            "It says that [secret: password] is wrong; [secret: aws key] too.",
            "[secret: aws key 2] [secret: aws key]",
        ]
    )
    assert kinds(third.found) == ("password", "aws key", "aws key")
    assert restore(third.text, third.found) == f"{OTHER_AWS} {AWS}"


def test_a_text_that_shows_placeholders_of_its_own() -> None:
    """Code about redaction is not mixed up with what is redacted."""
    text = f'shown = "[secret: aws key]"\nkey = "{AWS}"\n'
    redacted = redact(text)
    assert "[secret: aws key 2]" in redacted.text
    assert restore(redacted.text, redacted.found) == text


def test_values_show_nowhere_by_accident() -> None:
    """Not when a value is printed or logged."""
    redacted = redact(f'key = "{AWS}"')
    assert AWS not in repr(redacted) + str(redacted.found)


def test_an_edit_holds_the_users_own_value_again() -> None:
    """Also in pieces of any length, and what only looks like a placeholder is shown at once."""
    redacted = redact(f'KEY = "{AWS}"\nlist[0] = [secret]\n')
    answer = redacted.text.replace("KEY", "AWS_KEY") + "[secret: unknown thing] [secret: never closed"
    expected = f'AWS_KEY = "{AWS}"\nlist[0] = [secret]\n[secret: unknown thing] [secret: never closed'
    assert restore(answer, redacted.found) == expected
    for size in range(1, 40):
        stream = Restoring(redacted.found)
        pieces = [stream.feed(answer[it : it + size]) for it in range(0, len(answer), size)]
        assert "".join([*pieces, stream.end()]) == expected
        assert not any(piece.endswith("[secret: aws") for piece in pieces)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_redaction_is_exact(text: str) -> None:
    """All comes back; a second pass changes nothing; a placeholder is all that was added."""
    redacted = redact(text)
    assert restore(redacted.text, redacted.found) == text
    assert redact(redacted.text).text == redacted.text
    added = sum(len(it[0]) for it in PLACEHOLDER.finditer(redacted.text))
    assert len(redacted.text) <= len(text) + added
    if not redacted.found:
        assert redacted == Redacted(text=text)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, cuts=st.lists(st.integers(1, 30), max_size=40))
def test_a_stream_restores_like_a_whole(text: str, cuts: list[int]) -> None:
    """However the answer is cut."""
    redacted = redact(text)
    stream, at, shown = Restoring(redacted.found), 0, ""
    for it in cuts:
        shown += stream.feed(redacted.text[at : at + it])
        at += it
    assert shown + stream.feed(redacted.text[at:]) + stream.end() == text


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(TEXTS, max_size=5))
def test_a_conversation_restores_message_by_message(parts: list[str]) -> None:
    """With what is known at the end, each message comes back as it was, if it showed none itself."""
    parts = [PLACEHOLDER.sub("", it) for it in parts]
    found: tuple[Secret, ...] = ()
    texts = []
    for it in parts:
        redacted = redact(it, found)
        found = redacted.found
        texts.append(redacted.text)
    for before, after in zip(parts, texts, strict=True):
        if not PLACEHOLDER.search(before):
            assert restore(after, found) == before


INNOCENT = [
    'password = os.environ["DB_PASSWORD"]',
    'password = getpass.getpass("Password: ")',
    "password: str = Field(min_length=8)",
    'token = "<your token here>"',
    "API_KEY=${API_KEY}",
    "api_key: {{ .Values.apiKey }}",
    'url = "postgres://user:password@localhost/db"',
    'url = f"https://{user}:{password}@{host}/"',
    "redis://:@localhost:6379",
    "http://localhost:8080/users/me@example.com",
    'headers["Authorization"] = f"Bearer {token}"',
    "Authorization: Bearer <token>",
    "sha256:" + take(DRAW, HEX, 64),
    "commit " + take(DRAW, HEX, 40),
    '"integrity": "sha512-' + take(DRAW, ALNUM, 86) + '=="',
    "id = '123e4567-e89b-12d3-a456-426614174000'",
    'if "-----BEGIN PRIVATE KEY-----" in text and "-----END PRIVATE KEY-----" in text: return True',
    "token_count = 1234567890",
    "max_tokens=4096",
    'secret_name = "projects/main/secrets/database-password"',
    "for key, value in sorted(items.items()): pass",
    'key = "user_preferences_last_seen_at"',
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "AKIAIOSFODNN7EXAMPLE",
    "from disk-cache-of-the-second-generation import x",
    "curl -u user:password https://example.com",
    "passwordResetTokenExpiresAfterMinutes: 30",
    "const tokenizer = new Tokenizer('cl100k_base');",
    "-----BEGIN CERTIFICATE-----\n"
    + "\n".join(take(DRAW, ALNUM, 64) for _ in range(5))
    + "\n-----END CERTIFICATE-----",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_stays(text: str) -> None:
    """Names of secrets, places where they are kept, examples, hashes, code about them: byte for byte."""
    assert redact(text) == Redacted(text=text)


def test_false_alarms_are_rare_in_this_repository() -> None:
    """At most one in ten thousand lines of ours; tests apart, as some hold what must look like a secret."""
    assert alarms(sources(ROOT, ("*.py", "*.md", "*.toml", "*.lua", "*.scm", "Makefile"))) <= 1.0


def test_false_alarms_are_rare_in_installed_packages() -> None:
    """At most one in ten thousand lines of other people's code, those with keys made for tests apart."""
    packages = Path(sysconfig.get_paths()["purelib"])
    assert alarms(sources(packages, ("*.py",), limit=400)) <= 1.0


def sources(root: Path, patterns: tuple[str, ...], limit: int = 10**6) -> Iterator[str]:
    """Texts of files, in an order that is always the same and favors no folder."""
    paths = sorted(
        it for pattern in patterns for it in root.rglob(pattern) if not hidden(it.relative_to(root))
    )
    random.Random(1).shuffle(paths)
    for path in paths[:limit]:
        try:
            yield path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def hidden(path: Path) -> bool:
    """Whether a path is generated, or another project's within ours."""
    return any(
        it.startswith(".") or it in ("build", "dist", "__pycache__", "out", "tests") for it in path.parts
    )


def alarms(texts: Iterator[str]) -> float:
    """Alarms per ten thousand lines."""
    lines = hits = 0
    for text in texts:
        lines += text.count("\n") + 1
        hits += redact(text).hits
    assert 20_000 < lines
    return 10_000 * hits / lines


def test_random_and_written_texts_are_told_apart() -> None:
    """The measure that all rules lean on: names are far below what is drawn."""
    written = [
        "configuration_loader",
        "HttpRequestFactoryBean",
        "max_position_embeddings",
        "content-disposition",
    ]
    assert all(not is_random(it) and surprise(it) < 4.5 for it in written)
    draw = random.Random(1)
    drawn = [take(draw, alphabet, 24) for alphabet in (ALNUM, HEX, URLSAFE) for _ in range(300)]
    assert 0.99 < sum(is_random(it) for it in drawn) / len(drawn)


EVIL = (
    "a" * 200_000, "-" * 200_000, "+" * 50_000 + "!", "[" * 100_000, "password=" * 20_000, "://" * 50_000,
    "://a:" * 30_000, "eyJ" * 60_000, "\n" * 100_000, "kind: Secret\n" * 9000, "AKIA" * 40_000,
    "-----BEGIN RSA PRIVATE KEY-----\n" * 1000, "mysql -p" * 20_000, "password: '" * 10_000,
    "secret_key: " + "lower" * 150 + "!\n", "token = '" + "aB" * 400 + "!'\n",
    "KEY=" + "ABCDef" * 150 + "-\n",
)  # fmt: skip


@pytest.mark.parametrize("evil", EVIL, ids=lambda it: it[:9].strip())
@pytest.mark.timeout(60)
def test_no_text_takes_forever(evil: str) -> None:
    """A long strange line must not hang an editor."""
    assert restore((it := redact(evil)).text, it.found) == evil


def test_planted_secrets_of_every_kind_are_named() -> None:
    """What stands in the place of a secret says what it was."""
    names = {kind for _, text, _ in planted(3, len(KINDS)) for kind in kinds(redact(text).found)}
    assert {"aws key", "github token", "password", "private key", "secret", "jwt"} <= names
