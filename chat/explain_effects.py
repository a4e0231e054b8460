"""Pure: what code does beside giving a value: files, network, processes, by what it calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from chat.edits_lexical import family

Effect = Literal[
    "files", "network", "processes", "environment", "globals", "database", "time", "randomness", "output"
]
SAYS: dict[Effect, str] = {
    "files": "reads or writes files",
    "network": "speaks to the network",
    "processes": "starts other programs",
    "environment": "reads or sets the environment",
    "globals": "changes what others see, too",
    "database": "speaks to a database",
    "time": "depends on the time",
    "randomness": "depends on chance",
    "output": "prints or logs",
}
_SQL = r"\.(?:execute|executemany|executescript|fetchall|fetchone)\("
_PATTERNS: dict[str, dict[Effect, str]] = {
    "python": {
        "files": r"(?<![\w.])open\("
        r"|\.(?:read_text|write_text|read_bytes|write_bytes|unlink|mkdir|rmdir|touch|iterdir|rglob)\("
        r"|\bos\.(?:remove|rename|replace|makedirs|mkdir|listdir|walk|unlink|scandir|open)\("
        r"|\bshutil\.\w+\(|\btempfile\.\w+\(",
        "network": r"\b(?:requests|httpx|aiohttp|urllib\.request|socket|smtplib|ftplib|websockets)\.\w+\("
        r"|\burlopen\(",
        "processes": r"\bsubprocess\.\w+\(|\bos\.(?:system|popen|exec\w*|spawn\w*|fork|kill)\("
        r"|create_subprocess_\w+\("
        r"|\bmultiprocessing\.\w+\(",
        "environment": r"\bos\.(?:environ|getenv|putenv|chdir)\b|\bsys\.(?:argv|path|exit)\b|\bload_dotenv\(",
        "globals": r"^\s*global\s+\w",
        "database": _SQL + r"|\b(?:sqlite3|psycopg2?|asyncpg|pymysql)\.\w+\("
        r"|\bsession\.(?:query|add|commit|execute|delete)\(",
        "time": r"\btime\.(?:time|sleep|monotonic|perf_counter)\("
        r"|\b(?:datetime|date)\.(?:now|today|utcnow)\(|\basyncio\.sleep\(",
        "randomness": r"\brandom\.\w+\(|\bsecrets\.\w+\(|\buuid\.?uuid[14]\(|\bos\.urandom\(|\bnp\.random\.",
        "output": r"(?<![\w.])print\(|\b(?:logger|logging|log)\.\w+\(|\bsys\.std(?:out|err)\.write\(",
    },
    "javascript": {
        "files": r"\bfs\.\w+"
        r"|\b(?:readFile|writeFile|readFileSync|writeFileSync|createReadStream|createWriteStream)\(",
        "network": r"(?<![\w.])fetch\(|\baxios\b|\bXMLHttpRequest\b|\bnew WebSocket\("
        r"|\bhttps?\.(?:get|request)\(",
        "processes": r"\bchild_process\b|(?<![\w.])(?:spawn|exec|execFile|fork|execSync|spawnSync)\("
        r"|\bnew Worker\(",
        "environment": r"\bprocess\.(?:env|argv|exit|cwd|chdir)\b",
        "globals": r"\b(?:window|globalThis|global|document)\b(?:\.\w+)+\s*=(?!=)"
        r"|\b(?:local|session)Storage\.",
        "database": r"\.(?:query|findOne|findMany|insertOne|updateOne|deleteOne|aggregate)\(|\bprisma\.",
        "time": r"\bDate\.now\(|\bnew Date\(\)|\bset(?:Timeout|Interval)\(|\bperformance\.now\(",
        "randomness": r"\bMath\.random\(|\bcrypto\.(?:random\w+|getRandomValues)\(",
        "output": r"\bconsole\.\w+\(",
    },
    "go": {
        "files": r"\bos\.(?:Open\w*|Create\w*|ReadFile|WriteFile|Remove\w*|Rename|Mkdir\w*|ReadDir)\("
        r"|\bioutil\.\w+\(",
        "network": r"\bhttp\.(?:Get|Post|Do|ListenAndServe|NewRequest\w*)\("
        r"|\bnet\.(?:Dial\w*|Listen\w*)\(|\.Do\(req",
        "processes": r"\bexec\.Command\w*\(|\bgo\s+(?:func\b|\w+[.(])",
        "environment": r"\bos\.(?:Getenv|Setenv|LookupEnv|Args|Exit|Chdir)\b|\bflag\.\w+\(",
        "database": r"\.(?:QueryContext|QueryRow\w*|ExecContext|Query|Exec)\(|\bsql\.Open\(",
        "time": r"\btime\.(?:Now|Sleep|Since|After|Tick)\(",
        "randomness": r"\brand\.\w+\(",
        "output": r"\bfmt\.(?:Print\w*|Fprint\w*)\(|\blog\.\w+\(",
    },
    "rust": {
        "files": r"\b(?:std::)?fs::\w+|\bFile::(?:open|create)\(|\bOpenOptions::",
        "network": r"\breqwest::|\bTcp(?:Stream|Listener)::|\bUdpSocket::|\bhyper::",
        "processes": r"\bCommand::new\(|\bthread::spawn\(|\btokio::spawn\(",
        "environment": r"\benv::\w+|\bprocess::exit\(",
        "globals": r"\bstatic mut\b|\bunsafe\s*\{",
        "database": r"\bsqlx::|\.(?:fetch_one|fetch_all|execute)\(",
        "time": r"\b(?:Instant|SystemTime)::now\(|\bsleep\(",
        "randomness": r"\brand::|\bthread_rng\(",
        "output": r"\be?print(?:ln)?!|\b(?:info|warn|error|debug|trace)!",
    },
    "java": {
        "files": r"\bFiles\.\w+\(|\bnew File(?:Reader|Writer|InputStream|OutputStream)?\(|\bFile\.\w+\(",
        "network": r"\bHttpClient\b|\bnew URL\(|\bnew (?:Server)?Socket\(|\bRestTemplate\b|\bWebClient\b",
        "processes": r"\bProcessBuilder\b|\bRuntime\.getRuntime\(|\bnew Thread\(|\bProcess\.Start\(",
        "environment": r"\bSystem\.(?:getenv|getProperty|setProperty|exit)\(|\bEnvironment\.\w+",
        "database": r"\.(?:executeQuery|executeUpdate|prepareStatement|createQuery|SaveChanges\w*)\(",
        "time": r"\bSystem\.(?:currentTimeMillis|nanoTime)\("
        r"|\b\w*(?:Instant|LocalDate\w*|DateTime)\.(?:now\(|Now\b)|\bThread\.(?:sleep|Sleep)\(",
        "randomness": r"\bnew (?:Secure)?Random\(|\bMath\.random\(|\bUUID\.randomUUID\(|\bGuid\.NewGuid\(",
        "output": r"\bSystem\.(?:out|err)\.|\b(?:log|logger|LOG|LOGGER)\.\w+\(|\bConsole\.Write\w*\("
        r"|\bprintln\(",
    },
    "c": {
        "files": r"\b(?:fopen|fread|fwrite|fclose|open|unlink|rename|mkdir)\(|\bstd::[io]?fstream\b"
        r"|\bfilesystem::",
        "network": r"\b(?:socket|connect|bind|listen|accept|send|recv|curl_easy_\w+)\(",
        "processes": r"\b(?:fork|exec\w+|system|popen|pthread_create)\(|\bstd::j?thread\b",
        "environment": r"\b(?:getenv|setenv|exit)\(",
        "time": r"\b(?:time|clock_gettime|gettimeofday|usleep|sleep)\(|\bchrono::\w+::now\(",
        "randomness": r"\b(?:s?rand|random)\(|\bstd::mt19937\b|\brandom_device\b",
        "database": r"\bsqlite3_\w+\(|\bPQexec\w*\(",
        "output": r"\b(?:printf|puts|fprintf|perror)\(|\bstd::(?:cout|cerr)\b",
    },
    "ruby": {
        "files": r"\b(?:File|Dir|FileUtils|IO)\.\w+",
        "network": r"\bNet::HTTP\b|\b(?:Faraday|HTTParty)\.|\bTCPSocket\b",
        "processes": r"\bsystem[ (]|\bOpen3\.|\bspawn[ (]|\bfork\b|\bThread\.new\b",
        "environment": r"\bENV\b|\bARGV\b|\bexit\b",
        "globals": r"\$\w+\s*=(?!=)|@@\w+\s*=(?!=)",
        "database": r"\.(?:find_by|where|save!?|update!?|destroy|create!?)\b|\bActiveRecord::",
        "time": r"\b(?:Time|Date)\.(?:now|today|current)\b|\bsleep[ (]",
        "randomness": r"\brand\b|\bSecureRandom\.|\bRandom\.",
        "output": r"(?<![\w.])(?:puts|print|p)\s|\blogger\.\w+",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An effect, with the line on which it is seen."""

    effect: Effect
    line: int
    """1-based."""
    text: str
    """What shows it."""


def effects(blank_lines: list[str], first: int, language: str) -> tuple[Seen, ...]:
    """The effects seen in code without strings and comments, which begins at ``first``; each once."""
    found: dict[Effect, Seen] = {}
    kind = "java" if language == "csharp" else family(language)
    for effect, pattern in _compiled(kind):
        for at, line in enumerate(blank_lines):
            if hit := pattern.search(line):
                shown = hit.group().strip().rstrip("( ")
                found[effect] = Seen(effect=effect, line=first + at, text=shown)
                break
    return tuple(sorted(found.values(), key=lambda it: it.line))


@lru_cache(32)
def _compiled(kind: str) -> tuple[tuple[Effect, re.Pattern[str]], ...]:
    return tuple((effect, re.compile(pattern)) for effect, pattern in _PATTERNS.get(kind, {}).items())
