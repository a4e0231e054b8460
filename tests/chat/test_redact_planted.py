"""Five hundred planted secrets of many kinds, made at run time, in real code: not one may leave.

Every secret is drawn at random when the test runs, so that none lies in the repository.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat.redact import redact, restore

ROOT = Path(__file__).resolve().parent.parent.parent
SECRETS = 500
RUN = 12  # Characters of a secret in a row that would tell something about it.

UPPER32 = string.ascii_uppercase + "234567"
ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
SIGNS = "!@#%^&*+=?"

SCHEMES = (
    "postgres", "postgresql+asyncpg", "mysql", "mysql+pymysql", "mongodb", "mongodb+srv", "redis", "rediss",
    "amqp", "amqps", "https", "http", "ftp", "sftp", "smtp", "smtps", "imap", "ldap", "ldaps",
    "mssql+pyodbc", "clickhouse", "nats", "mqtt", "kafka", "ssh", "git+https", "jdbc:postgresql", "neo4j+s",
    "snowflake", "couchdb",
)  # fmt: skip

Draw = random.Random
Planted = tuple[str, list[str]]
"""Lines to plant, and the secrets in them."""


def take(draw: Draw, alphabet: str, length: int) -> str:
    """So many characters of an alphabet."""
    return "".join(draw.choice(alphabet) for _ in range(length))


def password(draw: Draw) -> str:
    """One as people and password managers make them."""
    while True:
        made = take(draw, ALNUM + SIGNS, draw.randint(10, 20))
        if made[0] in ALNUM and any(it in SIGNS for it in made) and any(it.isdigit() for it in made):
            return made


def url_password(draw: Draw) -> str:
    """One that may stand in an address as it is."""
    inner = take(draw, ALNUM + "-_.!*", draw.randint(8, 19))
    return draw.choice(ALNUM) + inner + draw.choice("123456789")


def word(draw: Draw) -> str:
    """A user's or a database's name."""
    return draw.choice(["app", "billing", "reporting", "svc", "deploy", "orders", "backend", "worker"])


def base64_of(draw: Draw, size: int) -> str:
    """Random bytes in base64."""
    return base64.b64encode(draw.randbytes(size)).decode()


def pem(draw: Draw, kind: str, lines: int) -> tuple[str, list[str]]:
    """A key block, and its lines."""
    body = [take(draw, BASE64, 64) for _ in range(lines)] + [take(draw, BASE64, 30) + "=="]
    return f"-----BEGIN {kind}-----\n" + "\n".join(body) + f"\n-----END {kind}-----", body


def anywhere(draw: Draw, token: str, name: str) -> Planted:
    """A token that is known by its looks, in any place at all."""
    places = [
        f"client = Client('{token}')",
        f'{name} = "{token}"',
        f"  {name}: {token}",
        f"export {name.upper()}={token}",
        f'{{"{name}": "{token}", "retries": 3}}',
        f"# it used to be {token}, see the wiki",
        f"curl -H 'X-Auth: {token}' https://api.example.com/v1",
        f"log.debug('asking with %s', {token!r})",
        f"const headers = {{ 'X-Token': `{token}` }};",
        f'let t = String::from("{token}");',
        f"<token>{token}</token>",
        f"Here is what I use: {token}",
        f"https://api.example.com/v1/items?token={token}&page=2",
        f'"args": ["--token", "{token}"]',
    ]
    return draw.choice(places), [token]


def named(draw: Draw, value: str, *names: str) -> Planted:
    """A value that only its name gives away, in the forms that settings and code have."""
    name = draw.choice(names)
    upper, camel = name.upper(), name.split("_")[0] + "".join(it.title() for it in name.split("_")[1:])
    dashed = name.replace("_", "-")
    places = [
        f'{name} = "{value}"',
        f"{upper} = '{value}'",
        f"export {upper}={value}",
        f"{upper}={value}",
        f'{upper}="{value}"',
        f"ENV {upper}={value}",
        f"    {name}: {value}",
        f'    {dashed}: "{value}"',
        f"  - {name}: '{value}'",
        f'  "{camel}": "{value}",',
        f"const {camel} = '{value}';",
        f'  {camel}: "{value}",',
        f'private static final String {upper} = "{value}";',
        f'{camel} := "{value}"',
        f'{name} = "{value}"  # prod',
        f'os.environ["{upper}"] = "{value}"',
        f'os.environ.setdefault("{upper}", "{value}")',
        f'client.connect(user="me", {name}="{value}")',
        f'{name}: str = "{value}"',
        f'let {name}: &str = "{value}";',
        f"{name} = {value}",
        f"spring.{name.replace('_', '.')}={value}",
        f"<{camel}>{value}</{camel}>",
        f'<add key="{camel}" value="{value}" />',
        f"$config['{name}'] = '{value}';",
        f'define("{upper}", "{value}");',
        f"'{name}' => '{value}',",
        f'  {name} = (\n      "{value}"\n  )',
        f"# {name}: {value}",
        f'+{name} = "{value}"',
        f'"{{\\"{name}\\": \\"{value}\\"}}"',
        f'{name}: !!str "{value}"',
    ]
    return draw.choice(places), [value]


def block(draw: Draw, kind: str) -> Planted:
    """A private key: as a file, in a string with escapes, in several strings, indented, cut off."""
    text, body = pem(draw, kind, draw.randint(3, 20))
    form = draw.randrange(7)
    if form == 1:
        text = f'KEY = "{text}"'.replace("\n", "\\n")
    elif form == 2:
        text = "key = (\n" + "\n".join(f'    "{it}\\n"' for it in text.split("\n")) + "\n)"
    elif form == 3:
        text = "data:\n  tls.key: |\n" + "\n".join(f"    {it}" for it in text.split("\n"))
    elif form == 4:
        text = text.rpartition("\n")[0]  # the end is not in the excerpt
    elif form == 5:
        text = json.dumps({"type": "service_account", "private_key": text + "\n"})
    elif form == 6:
        text = "\n".join(f"+{it}" for it in text.split("\n"))
    return text, body


def headless_block(draw: Draw) -> Planted:
    """A key whose beginning is not in the excerpt, or neither end."""
    text, body = pem(draw, "RSA PRIVATE KEY", 12)
    lines = text.split("\n")
    return ("\n".join(lines[3:]), body[2:]) if draw.random() < 0.5 else ("\n".join(lines[3:-2]), body[2:-1])


def in_url(draw: Draw) -> Planted:
    """A password in an address."""
    scheme = draw.choice(SCHEMES)
    secret = url_password(draw)
    user = draw.choice([word(draw), "", f"{word(draw)}%40corp"])
    host = f"db-{draw.randint(1, 9)}.internal.example.com:{draw.randint(1000, 9999)}"
    url = f"{scheme}://{user}:{secret}@{host}/main?a=1"
    places = [
        f'URL = "{url}"',
        f"DATABASE_URL={url}",
        f"  url: {url}",
        f"git clone {url}",
        f"# {url}",
        f"'{url}',",
    ]
    return draw.choice(places), [secret]


def connection(draw: Draw) -> Planted:
    """A connection string."""
    secret = take(draw, ALNUM + "!#%*+-_", 14) + "7"
    key = base64_of(draw, 64)
    return draw.choice(
        [
            (
                f'"Server=tcp:db.example.com,1433;Database=main;User ID=me;Password={secret};Encrypt=True;"',
                [secret],
            ),
            (f"Data Source=db;Initial Catalog=main;Uid=me;Pwd={secret}", [secret]),
            (f'dsn = "host=db.example.com user=me password={secret} dbname=main sslmode=require"', [secret]),
            (
                f"DefaultEndpointsProtocol=https;AccountName=me;AccountKey={key};EndpointSuffix=e.net",
                [key],
            ),
            (f"Endpoint=sb://me.example.net/;SharedAccessKeyName=Root;SharedAccessKey={key}", [key]),
            (f'url = "jdbc:sqlserver://db:1433;databaseName=main;user=me;password={secret}"', [secret]),
            (f'"jdbc:mysql://db:3306/main?user=me&password={secret}&useSSL=true"', [secret]),
        ]
    )


def header(draw: Draw) -> Planted:
    """An authorization header."""
    login = base64.b64encode(f"{word(draw)}:{password(draw)}".encode()).decode()
    token = take(draw, URLSAFE, draw.randint(32, 60))
    return draw.choice(
        [
            (f"Authorization: Basic {login}", [login]),
            (f'headers = {{"Authorization": "Basic {login}"}}', [login]),
            (f"curl -H 'Authorization: Bearer {token}' https://api.example.com", [token]),
            (f'req.Header.Set("Authorization", "Bearer {token}")', [token]),
            (f"Authorization: token {token}", [token]),
            (f'"auth": "{login}"', [login]),
            (f"x-api-key: {token}", [token]),
        ]
    )


def command(draw: Draw) -> Planted:
    """A password on a command line."""
    secret = url_password(draw)
    return draw.choice(
        [
            (f"curl -u {word(draw)}:{secret} https://example.com", [secret]),
            (f"curl --user '{word(draw)}:{secret}' https://example.com", [secret]),
            (f"mysql -h db -u me -p{secret} main", [secret]),
            (f"sshpass -p '{secret}' ssh me@host", [secret]),
            (f"docker login -u me -p {secret} registry.example.com", [secret]),
            (f"PGPASSWORD={secret} psql -h db -U me main", [secret]),
            (f"tool deploy --password={secret} --verbose", [secret]),
            (f"tool deploy --api-token {secret}", [secret]),
            (f"machine api.example.com login me password {secret}", [secret]),
            (f"db.example.com:5432:main:me:{secret}", [secret]),
            (f"redis-cli -h cache -a {secret} ping", [secret]),
        ]
    )


def infrastructure(draw: Draw) -> Planted:
    """A secret in a line that no quotes mark, or beside what is known by its looks."""
    secret, chosen = take(draw, ALNUM, 40), url_password(draw)
    mixed = take(draw, BASE64, 39) + draw.choice(ALNUM)
    return draw.choice(
        [
            (f"ENV DB_PASSWORD {chosen}", [chosen]),
            (f"docker run -e POSTGRES_PASSWORD={chosen} -p 5432:5432 postgres", [chosen]),
            (f"helm install app --set auth.password={chosen} --wait", [chosen]),
            (f"web1 ansible_user=me ansible_password={chosen} ansible_port=22", [chosen]),
            (f"java -Dspring.datasource.password={chosen} -jar app.jar", [chosen]),
            (f'variable "db_password" {{\n  type    = string\n  default = "{chosen}"\n}}', [chosen]),
            (f"//npm.example.com/:_authToken={secret}", [secret]),
            (f"openssl rsa -in key -passin pass:{chosen} -out out", [chosen]),
            (f'url = "jdbc:oracle:thin:scott/{chosen}@db:1521:main"', [chosen]),
            (f"curl -H 'Cookie: session={secret}; theme=dark' https://example.com", [secret]),
            (f"User name,Access key ID,Secret access key\nme,AKIA{take(draw, UPPER32, 16)},{mixed}", [mixed]),
            (f"The password is {secret[:14]}9, as before.", [secret[:14]]),
            (f'"api_keys": ["{secret}"]', [secret]),
            (f'user.setPassword("{chosen}!");', [chosen]),
            (f'$env:API_TOKEN = "{secret}"', [secret]),
            (f'SECRET = b"{secret}"', [secret]),
        ]
    )


def hashed(draw: Draw) -> Planted:
    """A hashed password: it can be guessed at leisure."""
    salt, rest = take(draw, ALNUM + "./", 8), take(draw, ALNUM + "./", 22)
    made = draw.choice(
        [
            f"$apr1${salt}${rest}",
            f"$2y$10${take(draw, ALNUM + './', 53)}",
            f"$6${salt}${take(draw, ALNUM + './', 86)}",
            "{SHA}" + base64_of(draw, 20),
            f"$argon2id$v=19$m=65536,t=3,p=4${salt}${take(draw, ALNUM, 43)}",
        ]
    )
    return f"{word(draw)}:{made}", [made[6:]]


def kubernetes(draw: Draw) -> Planted:
    """A secret's manifest, or a kubeconfig."""
    value = base64.b64encode(password(draw).encode()).decode()
    key = base64.b64encode(pem(draw, "RSA PRIVATE KEY", 6)[0].encode()).decode()
    token = take(draw, ALNUM, 40)
    return draw.choice(
        [
            (
                f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  user: bWU=\n  pw: {value}",
                [value],
            ),
            (f"users:\n- name: admin\n  user:\n    client-key-data: {key}", [key]),
            (f"users:\n- name: admin\n  user:\n    token: {token}", [token]),
        ]
    )


def jwt(draw: Draw) -> str:
    """A signed web token."""
    parts = [
        {"alg": "HS256", "typ": "JWT"},
        {"sub": str(draw.randrange(10**9)), "iat": draw.randrange(10**9)},
    ]
    coded = [base64.urlsafe_b64encode(json.dumps(it).encode()).decode().rstrip("=") for it in parts]
    return ".".join([*coded, take(draw, URLSAFE, 43)])


def token(prefix: str, alphabet: str, length: int, name: str, tail: str = "") -> Callable[[Draw], Planted]:
    """A kind of token."""
    return lambda draw: anywhere(draw, prefix + take(draw, alphabet, length) + tail, name)


def value(alphabet: str, length: int, *names: str) -> Callable[[Draw], Planted]:
    """A kind of value."""
    return lambda draw: named(draw, take(draw, alphabet, length), *names)


KINDS: dict[str, Callable[[Draw], Planted]] = {
    "aws key id": token("AKIA", UPPER32, 16, "aws_access_key_id"),
    "aws temporary key id": token("ASIA", UPPER32, 16, "access_key"),
    "aws secret key": value(BASE64, 40, "aws_secret_access_key", "secret_key", "aws_secret_key"),
    "google key": token("AIza", URLSAFE, 35, "google_api_key"),
    "google service account": lambda draw: block(draw, "PRIVATE KEY"),
    "google client secret": token("GOCSPX-", URLSAFE, 28, "client_secret"),
    "azure client secret": lambda draw: anywhere(
        draw, f"{take(draw, ALNUM, 3)}8Q~{take(draw, ALNUM + '-_.~', 33)}Z", "azure_client_secret"
    ),
    "azure storage key": lambda draw: named(draw, base64_of(draw, 64), "account_key", "azure_storage_key"),
    "github token": token("ghp_", ALNUM, 36, "github_token"),
    "github fine-grained token": lambda draw: anywhere(
        draw, f"github_pat_{take(draw, ALNUM, 22)}_{take(draw, ALNUM, 59)}", "gh_token"
    ),
    "gitlab token": token("glpat-", URLSAFE, 20, "gitlab_token"),
    "slack bot token": lambda draw: anywhere(
        draw, f"xoxb-{draw.randrange(10**11)}-{draw.randrange(10**12)}-{take(draw, ALNUM, 24)}", "slack_token"
    ),
    "slack webhook": lambda draw: (
        f"url: https://hooks.slack.com/services/T{take(draw, UPPER32, 8)}/B{(it := take(draw, ALNUM, 24))}",
        [it],
    ),
    "stripe key": token("sk_live_", ALNUM, 24, "stripe_key"),
    "stripe test key": token("sk_test_", ALNUM, 99, "stripe"),
    "twilio auth token": value(HEX, 32, "twilio_auth_token", "auth_token"),
    "twilio key": token("SK", HEX, 32, "twilio_key"),
    "sendgrid key": lambda draw: anywhere(
        draw, f"SG.{take(draw, URLSAFE, 22)}.{take(draw, URLSAFE, 43)}", "sendgrid_api_key"
    ),
    "npm token": token("npm_", ALNUM, 36, "_authToken"),
    "pypi token": token("pypi-AgEIcHlwaS5vcmc", URLSAFE, 150, "password"),
    "openai key": token("sk-proj-", URLSAFE, 74, "openai_api_key"),
    "older openai key": token("sk-", ALNUM, 48, "api_key"),
    "anthropic key": token("sk-ant-api03-", URLSAFE, 93, "anthropic_api_key", "AA"),
    "hugging face token": token("hf_", string.ascii_letters, 34, "hf_token"),
    "zhipu key": lambda draw: anywhere(
        draw, f"{take(draw, HEX, 32)}.{take(draw, ALNUM, 16)}", "zhipu_api_key"
    ),
    "digitalocean token": token("dop_v1_", HEX, 64, "do_token"),
    "databricks token": token("dapi", HEX, 32, "databricks_token"),
    "mailchimp key": lambda draw: anywhere(
        draw, f"{take(draw, HEX, 32)}-us{draw.randint(1, 20)}", "mailchimp_key"
    ),
    "mailgun key": token("key-", HEX, 32, "mailgun_key"),
    "telegram token": lambda draw: anywhere(
        draw, f"{draw.randrange(10**8, 10**10)}:AA{take(draw, URLSAFE, 33)}", "bot"
    ),
    "discord token": lambda draw: anywhere(
        draw, f"M{take(draw, ALNUM, 23)}.{take(draw, URLSAFE, 6)}.{take(draw, URLSAFE, 27)}", "discord_token"
    ),
    "shopify token": token("shpat_", HEX, 32, "shopify_token"),
    "vault token": token("hvs.", URLSAFE, 90, "vault_token"),
    "terraform cloud token": lambda draw: anywhere(
        draw, f"{take(draw, ALNUM, 14)}.atlasv1.{take(draw, ALNUM, 67)}", "tfe_token"
    ),
    "docker token": token("dckr_pat_", URLSAFE, 27, "docker_token"),
    "grafana token": lambda draw: anywhere(
        draw, f"glsa_{take(draw, ALNUM, 32)}_{take(draw, HEX, 8)}", "grafana"
    ),
    "jwt": lambda draw: anywhere(draw, jwt(draw), "id_token"),
    "private key": lambda draw: block(draw, "RSA PRIVATE KEY"),
    "ssh key": lambda draw: block(draw, "OPENSSH PRIVATE KEY"),
    "ec key": lambda draw: block(draw, "EC PRIVATE KEY"),
    "pgp key": lambda draw: block(draw, "PGP PRIVATE KEY BLOCK"),
    "half a private key": headless_block,
    "age key": token("AGE-SECRET-KEY-1", UPPER32, 58, "age_key"),
    "password in an address": in_url,
    "password in another address": in_url,
    "connection string": connection,
    "authorization header": header,
    "password on a command line": command,
    "password hash": hashed,
    "kubernetes": kubernetes,
    "infrastructure": infrastructure,
    "more infrastructure": infrastructure,
    "password": lambda draw: named(
        draw, password(draw), "password", "db_password", "smtp_passwd", "admin_pwd"
    ),
    "passphrase": lambda draw: named(
        draw, password(draw), "passphrase", "key_passphrase", "keystore_password"
    ),
    "hexadecimal key": value(
        HEX, 64, "encryption_key", "secret_key_base", "aes_key", "signing_key", "hmac_secret"
    ),
    "shorter hexadecimal key": value(HEX, 32, "api_key", "app_secret", "datadog_api_key", "client_secret"),
    "base64 key": lambda draw: named(
        draw, base64_of(draw, 32), "jwt_secret", "session_secret", "cookie_secret"
    ),
    "alphanumeric key": value(ALNUM, 40, "api_secret", "access_token", "consumer_secret", "refresh_token"),
    "lower case key": value(string.ascii_lowercase + "234567", 52, "azure_devops_token", "pat_token"),
    "short token": value(ALNUM, 20, "api_key", "secret", "token", "webhook_secret"),
    "django secret key": value(LOWER + "!@#^&*(-_=+)", 50, "secret_key"),
}


def carriers() -> list[list[str]]:
    """Real code to plant in: this project's own, of several languages."""
    names = ["models/launch.py", "completion/stop.py", "pyproject.toml", "docs/index.md", "Makefile"]
    return [(ROOT / it).read_text(encoding="utf-8").splitlines()[:120] for it in names]


def planted(seed: int, count: int) -> Iterator[tuple[str, str, list[str]]]:
    """Kind, text and secrets; every kind in turn."""
    draw = random.Random(seed)
    texts = carriers()
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        lines, secrets = KINDS[kind](draw)
        code = draw.choice(texts)
        at = draw.randrange(len(code))
        yield kind, "\n".join([*code[:at], lines, *code[at:]]) + "\n", secrets


def leaks(text: str, secret: str) -> list[str]:
    """Runs of a secret that are still to be read."""
    length = min(RUN, len(secret))
    return [
        secret[it : it + length] for it in range(len(secret) - length + 1) if secret[it : it + length] in text
    ]


def test_there_are_many_kinds() -> None:
    """What is tested is broad."""
    assert 25 <= len(KINDS)


@pytest.mark.parametrize("seed", [20, 21])
def test_no_planted_secret_leaves(seed: int) -> None:
    """No twelve characters of any of them are left, and all of the text comes back."""
    leaked = []
    for kind, text, secrets in planted(seed, SECRETS):
        redacted = redact(text)
        leaked += [f"{kind}: {it}" for secret in secrets for it in leaks(redacted.text, secret)[:1]]
        assert restore(redacted.text, redacted.found) == text
    assert leaked == []
