"""Pure: what people look for all over code (queries, requests, …), and how lines show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """Something that many lines do."""

    name: str
    """As a heading."""
    asked: str
    """How it shows in a question: an expression."""
    words: tuple[str, ...]
    """A line that does it has one of these."""
    pattern: str
    """And this is found in it."""


MARKS = tuple("TO-DO FIX-ME HACK X-XX".replace("-", "").split())

CONCEPTS: Sequence[Concept] = (
    Concept(
        name="Database queries",
        asked=(
            r"\b(?:database|db|sql|orm)\b|\bquer(?:y|ies)\b|datenbank|base de d(?:atos|onnées|ados)"
            r"|баз\w* данных|数据库|データベース"
        ),
        words=(
            "execute", "executemany", "executescript", "SELECT ", "INSERT ", "UPDATE ", "DELETE ",
            "CREATE ", "ALTER ", "DROP ", "PRAGMA ", "select ", ".objects.", "session.", "db.", ".raw(",
            ".query", "prepareStatement", "fetchall", "fetchone", "$queryRaw", "prisma.", "knex(",
            ".Query", ".Exec(",
        ),
        pattern=(
            r"\.(?:execute|executemany|executescript|exec_driver_sql|fetchall|fetchone|fetchmany)\s*\("
            r"|\b(?:SELECT\s+[^\"']*\bFROM\b|SELECT\s+[\w*.,() ]+[\"']"
            r"|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|(?:CREATE|ALTER"
            r"|DROP)\s+(?:UNIQUE\s+|TEMP\w*\s+|VIRTUAL\s+)*(?:TABLE|INDEX|VIEW|TRIGGER)\b|PRAGMA\s+\w)"
            r"|[\"'`]\s*select\s.+\sfrom\s"
            r"|\.objects\.(?:filter|get|all|exclude|create|bulk_create|raw|annotate|aggregate|values"
            r"|order_by)\b|\bsession\.(?:query|scalars?|execute|add|merge|delete)\s*\("
            r"|\b(?:db|conn(?:ection)?|pool|tx|client|database)\.(?:query|queryRow|raw|exec|Query\w*"
            r"|Exec\w*|prepare\w*|Get|Select)\s*\(|\bprepareStatement\s*\(|\$queryRaw"
            r"|\bprisma\.\w+\.\w+\(|\bknex\("
        ),
    ),
    Concept(
        name="HTTP requests",
        asked=(
            r"\b(?:http|https|network|web|rest|api) (?:requests?|calls?|clients?)\b|\bhttp\b"
            r"|\brequests? (?:sent|made)\b|\bnetwork (?:calls?|access)\b"
            r"|\bfetch(?:es)?\b.*\b(?:url|http|api)|netzwerk|HTTP-?Anfragen|peticiones|requêtes|запрос"
            r"|HTTP请求|网络请求"
        ),
        words=(
            "requests.", "httpx", "fetch(", "axios", "urlopen", "urlretrieve", "aiohttp", "http.",
            "reqwest", "XMLHttpRequest", "HttpClient", "HttpRequest", "HTTPConnection",
            "HTTPSConnection", "curl_", "URLSession", "client.", "session.", "RestTemplate", "Net::HTTP",
        ),
        pattern=(
            r"\b(?:requests|httpx|axios|aiohttp|http|https)\.(?:get|post|put|patch|delete|head"
            r"|options|request|stream|Client|AsyncClient|Session|ClientSession|Get|Post|NewRequest\w*"
            r"|Do)\b|\bfetch\(|\burl(?:open|retrieve)\s*\(|\breqwest::|\bXMLHttpRequest\b"
            r"|\bHttp(?:Client|Request|URLConnection)\b|\bHTTPS?Connection\s*\("
            r"|\b(?:\w*client|\w*session)\.(?:get|post|put|patch|delete|request|send|stream)\s*\("
            r"|\bcurl_easy_|\bURLSession\b|\bRestTemplate\b|\bNet::HTTP\b|\baxios\("
        ),
    ),
    Concept(
        name="Routes and endpoints",
        asked=(
            r"\b(?:routes?|endpoints?|url patterns?|url handlers?|request handlers?|web handlers?)\b"
            r"|endpunkte|rutas|маршрут|路由|接口"
        ),
        words=(
            "route", "Route", "router", "app.", "path(", "Mapping", "HandleFunc", "Handle(", "url(",
            "api_view",
        ),
        pattern=(
            r"@\w+\.(?:route|get|post|put|patch|delete|head|options|websocket)\s*\("
            r"|\b(?:app|router|r|mux|api|server)\.(?:get|post|put|patch|delete|all|use|GET|POST|PUT"
            r"|PATCH|DELETE|HandleFunc|Handle|route|add_\w*route\w*)\s*\(|\bhttp\.Handle(?:Func)?\s*\("
            r"|@(?:Get|Post|Put|Patch|Delete|Request)Mapping\b|@api_view\b|\b(?:re_)?path\(\s*r?[\"']"
            r"|\b(?:Web[Ss]ocket)?Route\s*\(|@(?:Get|Post|Put|Patch|Delete)\("
        ),
    ),
    Concept(
        name="Environment variables",
        asked=(
            r"\benv(?:ironment)?(?: variables?|s| vars?)\b|\bos\.environ\b|umgebungsvariable"
            r"|variables? d[e']\s?(?:entorno|environnement)|переменн\w+ окружения|环境变量|環境変数"
        ),
        words=(
            "environ", "getenv", "Getenv", "process.env", "import.meta.env", "env::var", "LookupEnv",
            "ENV[", "ENV.", "setenv",
        ),
        pattern=(
            r"\bos\.environ\b|\b(?:os\.)?[gs]etenv\s*\(|\bprocess\.env\b|\bimport\.meta\.env\b"
            r"|\benv::var|\bos\.(?:Getenv|LookupEnv|Setenv)\b|\bENV(?:\[|\.fetch)|\bSystem\.getenv\b"
            r"|\bEnvironment\.GetEnvironmentVariable\b"
        ),
    ),
    Concept(
        name="Programs that are started",
        asked=(
            r"\bsubprocess(?:es)?\b|\bshell (?:commands?|calls?)\b"
            r"|\b(?:external|child|other) (?:programs?|process(?:es)?|commands?)\b"
            r"|\bprocesses? (?:are |is )?(?:started|spawned)\b|子进程|子プロセス|подпроцесс|unterprozess"
        ),
        words=(
            "subprocess", "os.system", "os.exec", "os.spawn", "popen", "Popen", "child_process",
            "exec.Command", "Command::new", "ProcessBuilder", "spawn(", "execSync", "execFile",
            "Process.Start",
        ),
        pattern=(
            r"\bsubprocess\.\w+|\bos\.(?:system|popen|exec\w+|spawn\w+|posix_spawn)\s*\(|\bPopen\s*\("
            r"|\bchild_process\b|\bexec\.Command\b|\bCommand::new\b|\bProcessBuilder\b"
            r"|\b(?:spawn|spawnSync|execSync|execFile)\s*\(|\bcreate_subprocess_\w+|\bProcess\.Start\b"
        ),
    ),
    Concept(
        name="Files that are written",
        asked=(
            r"\b(?:file writes?|writ(?:e|es|ing|ten)\b.*\b(?:files?|disk)|(?:files?"
            r"|disk)\b.*\bwritten|saves? (?:to )?(?:a )?files?|dateien (?:ge)?schr)|写入?文件|ファイルに書"
        ),
        words=(
            "open(", "write_text", "write_bytes", "writeFile", "WriteFile", "os.Create", "fs::write",
            "File::create", "os.replace", "os.rename", "shutil.", "FileWriter", "FileOutputStream",
            "createWriteStream", "mkstemp", "NamedTemporaryFile", "appendFile", "json.dump(", ".savez",
            "to_csv(",
        ),
        pattern=(
            r"\bopen\([^)]*,\s*(?:mode\s*=\s*)?[rbu]*[\"'][rbt]*[wax]|\.open\(\s*[\"'][wax]"
            r"|\.write_(?:text|bytes)\s*\(|\b(?:writeFile|appendFile)(?:Sync)?\s*\("
            r"|\b(?:os|ioutil)\.(?:WriteFile|Create|OpenFile)\s*\(|\bfs::write\b|\bFile::create\b"
            r"|\bos\.(?:replace|rename)\s*\(|\bshutil\.(?:copy\w*|move)\s*\("
            r"|\bFile(?:Writer|OutputStream)\b|\bcreateWriteStream\s*\("
            r"|\b(?:mkstemp|NamedTemporaryFile)\s*\(|\bjson\.dump\(|\.to_csv\("
        ),
    ),
    Concept(
        name="Files that are read",
        asked=(
            r"\b(?:file reads?|read(?:s|ing)?\b.*\bfiles?|files?\b.*\b(?:read|opened|loaded)"
            r"|opens? files?)\b|读取?文件|ファイルを読"
        ),
        words=(
            "open(", "read_text", "read_bytes", "readFile", "ReadFile", "os.Open", "File::open",
            "fs::read", "createReadStream", "FileReader", "FileInputStream", "json.load(",
            "tomllib.load",
        ),
        pattern=(
            r"(?<![\w.])open\((?![^)]*,\s*(?:mode\s*=\s*)?[\"'][wax])|\bos\.open\("
            r"|\.open\(\s*(?:[\"']r|\))|\.read_(?:text|bytes)\s*\(|\breadFile(?:Sync)?\s*\("
            r"|\b(?:os|ioutil)\.(?:ReadFile|Open)\s*\(|\bFile::open\b|\bfs::read\w*"
            r"|\bcreateReadStream\s*\(|\bFile(?:Reader|InputStream)\b|\bjson\.load\(|\btomllib\.load"
        ),
    ),
    Concept(
        name="Marks of unfinished work",
        asked=(
            r"\b(?:to-?dos?|fix-?mes?|hacks?|unfinished|left to do)\b|待办"
        ),
        words=MARKS,
        pattern=rf"\b(?:{'|'.join(MARKS)})\b",
    ),
    Concept(
        name="Tests",
        asked=(
            r"^(?:\W*(?:find|list|show|get|all|every|the|me|unit|of)\b\s*)+(?:unit "
            r"|integration )?tests?\W*$"
        ),
        words=(
            "def test", "it(", "test(", "func Test", "#[test]", "@Test", "describe(",
        ),
        pattern=(
            r"^\s*(?:async )?def test_|^\s*(?:it|test|describe)(?:\.\w+)?\(\s*[\"'`]|^func Test\w+\("
            r"|#\[(?:\w+::)?test\]|^\s*@Test\b"
        ),
    ),
    Concept(
        name="Lines that print",
        asked=(
            r"\bprint(?:s|ing)?\b(?: statements?| calls?)?|\bconsole\.log\b"
        ),
        words=(
            "print", "console.", "Println", "puts ", "echo ",
        ),
        pattern=(
            r"(?<![\w.])print\s*\(|\bconsole\.(?:log|warn|error|info|debug)\s*\("
            r"|\bfmt\.(?:Fp|P)rint\w*\s*\(|\be?println!\s*\(|\bSystem\.(?:out|err)\.print\w*\s*\("
        ),
    ),
    Concept(
        name="Lines that log",
        asked=(
            r"\blogg?(?:s|ing|ed|ers?)?\b(?: statements?| calls?| messages?)?\b|protokollier|日志|ログ"
        ),
        words=(
            "log.", "logger.", "logging.", "LOG.", "Logger.", "log::", "slog.",
        ),
        pattern=(
            r"\b(?:_?log(?:ger|ging)?|LOG(?:GER)?)\.(?:debug|info|warn(?:ing)?|error|exception"
            r"|critical|trace|fatal|log|Print\w*|Fatal\w*)\s*\("
            r"|\b(?:tracing|log)::(?:debug|info|warn|error|trace)!|\bslog\.\w+\("
        ),
    ),
    Concept(
        name="Errors that are handled",
        asked=(
            r"\b(?:caught|catch(?:es)?|handled|handlers?|except(?: clauses?)?|swallow\w*)\b.*"
            r"|\berror handling\b"
        ),
        words=(
            "except", "catch", "rescue",
        ),
        pattern=(
            r"^\s*except\b|\bcatch\s*(?:\(|\{)|^\s*rescue\b"
        ),
    ),
    Concept(
        name="Errors that are raised",
        asked=(
            r"\b(?:raise[sd]?|raising|throw[sn]?|throwing)\b"
            r"|\b(?:errors|exceptions)\b.*\b(?:raised|thrown)|geworfen|lanza|lève|выбрасыва"
        ),
        words=(
            "raise ", "throw ", "panic!(", "panic(",
        ),
        pattern=(
            r"^\s*raise\b|\braise \w|\bthrow (?:new )?\w|\bpanic!?\("
        ),
    ),
    Concept(
        name="Threads, tasks and locks",
        asked=(
            r"\b(?:threads?|locks?|mutex(?:es)?|concurren\w+|race|semaphores?|background tasks?"
            r"|async tasks?|goroutines?)\b|线程|スレッド|поток"
        ),
        words=(
            "threading.", "Thread(", "Lock(", "create_task(", "Mutex", "Semaphore(", "go func",
            "synchronized", "Executor(", "to_thread(", "thread::spawn", "TaskGroup(", "gather(",
            "multiprocessing", "std::thread",
        ),
        pattern=(
            r"\bthreading\.\w+\(|\bThread\s*\(|\bR?Lock\s*\(|\bcreate_task\s*\(|\bMutex\b"
            r"|\bSemaphore\s*\(|\bgo func\b|\bsynchronized\b|\b(?:Thread|Process)PoolExecutor\s*\("
            r"|\bto_thread\s*\(|\bthread::spawn\b|\bTaskGroup\s*\(|\basyncio\.gather\s*\("
            r"|\bmultiprocessing\.\w+|\bstd::thread\b"
        ),
    ),
    Concept(
        name="Regular expressions",
        asked=(
            r"\bregex(?:es|ps?)?\b|\bregular expressions?\b|正则|正規表現|регулярн"
        ),
        words=(
            "re.", "RegExp(", "regexp.", "Regex", "Pattern.compile", ".match(/", ".replace(/", ".test(",
        ),
        pattern=(
            r"\bre\.(?:compile|match|search|sub|subn|split|findall|finditer|fullmatch)\s*\(|\bRegExp\("
            r"|\bregexp\.\w+\(|\bRegex(?:::new|\()|\bPattern\.compile\(|\.(?:match|replace|split)\(/"
            r"|/[gimsuy]*\.test\("
        ),
    ),
    Concept(
        name="Options of the command line",
        asked=(
            r"\b(?:command.?line|cli) (?:arguments?|options?|flags?|parameters?|commands?)\b"
            r"|\bcommands? (?:of|in|on) the command line\b|\bargparse\b"
        ),
        words=(
            "add_argument", "typer.", "click.", "flag.", "add_parser", ".command(", "#[arg", "#[clap",
            "yargs", ".option(",
        ),
        pattern=(
            r"\.add_(?:argument|parser)\s*\(|\btyper\.(?:Option|Argument)\s*\("
            r'|@?click\.(?:option|argument|command|group)\s*\(|\bflag\.\w+\(\s*\"|@?\w+\.command\s*\('
            r"|#\[(?:arg|clap|command)\b|\.option\(\s*[\"']-"
        ),
    ),
    Concept(
        name="Where programs begin",
        asked=(
            r"\b(?:entry.?points?|main functions?|mains)\b|einstiegspunkt|punto de entrada"
            r"|точк\w+ входа|入口"
        ),
        words=(
            "__main__", "func main(", "fn main(", "void main(", "int main(",
        ),
        pattern=(
            r"__name__\s*==\s*[\"']__main__|^func main\(|^\s*(?:pub )?(?:async )?fn main\("
            r"|\bvoid main\(|^\s*int main\("
        ),
    ),
    Concept(
        name="Waiting",
        asked=(
            r"\b(?:sleeps?|timeouts?|delays?|waits?)\b"
        ),
        words=(
            "sleep", "setTimeout", "setInterval", "timeout", "Timeout",
        ),
        pattern=(
            r"\bsleep\w*\s*\(|\bset(?:Timeout|Interval)\s*\(|\btimeout\w*\s*[=(:]|\bwait_for\s*\("
            r"|\bTimeout\s*\("
        ),
    ),
    Concept(
        name="Caches",
        asked=(
            r"\bcach(?:e[sd]?|ing)\b|\bmemoi[sz]\w+|缓存|キャッシュ|кэш"
        ),
        words=(
            "cache", "Cache", "memoize", "useMemo",
        ),
        pattern=(
            r"\b(?:lru_)?cache(?:d_property)?\b\s*(?:\(|$)|\b\w*[Cc]ache\w*\s*(?:=|:)\s*"
            r"|\bnew \w*Cache\b|\bmemoize\b|\buseMemo\("
        ),
    ),
    Concept(
        name="What is deprecated",
        asked=(
            r"\bdeprecat\w+|\bobsolete\b|veraltet|obsolet"
        ),
        words=(
            "eprecat", "bsolete",
        ),
        pattern=(
            r"(?i)\bdeprecat|\bobsolete\b"
        ),
    ),
    Concept(
        name="Sockets",
        asked=(
            r"\bsockets?\b|套接字|ソケット|сокет"
        ),
        words=(
            "socket", "Socket", "net.Dial", "net.Listen", "TcpStream", "TcpListener", "open_connection",
            "start_server",
        ),
        pattern=(
            r"\bsocket\.\w+|\bnew (?:Server)?Socket\(|\bnet\.(?:Dial|Listen)\w*\("
            r"|\bTcp(?:Stream|Listener)\b|\bopen_(?:unix_)?connection\(|\bstart_(?:unix_)?server\("
            r"|\bWebSocket\("
        ),
    ),
)  # fmt: skip
_ASKED = tuple((it, re.compile(it.asked, re.IGNORECASE)) for it in CONCEPTS)


def concept_of(text: str) -> Concept | None:
    """What a question looks for everywhere; None if it is nothing that lines alone can show."""
    return next((it for it, pattern in _ASKED if pattern.search(text[:400])), None)


def is_valid(concept: Concept) -> bool:
    """Whether its expressions can be read."""
    return bool(re.compile(concept.asked) and re.compile(concept.pattern) and concept.words)
