"""Pure: how people ask about code, in some languages: phrases, and what kind of question each one is.

In a phrase ``@`` is what is asked about: a name, with or without an article and the word for what it is.
Phrases are tried in order, at the beginning of a question and anywhere in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache


class Kind(StrEnum):
    """What is asked for."""

    HOW = "how"
    """How something is called or used."""
    WHERE = "where"
    WHAT = "what"
    CALLERS = "callers"
    CALLEES = "callees"
    USES = "uses"
    """Every place of a name."""
    BELOW = "below"
    """What inherits from a class, or implements it."""
    TESTS = "tests"
    """Which tests call it."""
    FILE = "file"
    """What a file, a module or a folder is for."""
    PROJECT = "project"
    ALL = "all"
    """Everything of a kind: queries, requests, whatever raises."""
    ERROR = "error"
    CHANGES = "changes"
    PROBLEMS = "problems"
    SEARCH = "search"


PHRASES: Sequence[tuple[Kind, Sequence[str]]] = (
    (Kind.CALLEES, (
        r"what (?:(?:functions|methods|code|else) )?(?:does|do) @ (?:call|use|invoke|depend on|need)\b",
        r"(?:callees|dependencies) of @$",
        r"what (?:is|gets) called (?:by|in|from) @$",
        r"was ruft @ auf", r"qué llama @$", r"qu'appelle @$", r"qu'est-ce qu'appelle @$", r"что вызывает @$",
    )),
    (Kind.BELOW, (
        r"(?:what|who|which \w+|find all|list all|all|the)?\s*"
        r"(?:inherits? from|subclass(?:es)?(?: of)?|extends?|implements?|implementations? of"
        r"|derives? from) @$",
        r"(?:was|wer|welche \w+) (?:erbt|erben) von @", r"(?:qué|qui) (?:hereda de|hérite de) @",
    )),
    (Kind.TESTS, (
        r"(?:which|what|find|list|show|are there)(?: me)?(?: all)?(?: the| any)? (?:unit )?tests? "
        r"(?:(?:that )?(?:covers?|tests?|checks?|exercises?|uses?)|for|of) @$",
        r"(?:welche|alle) tests? (?:prüfen|testen|für) @", r"how is @ tested", r"where is @ tested",
    )),
    (Kind.CALLERS, (
        r"(?:who|what|which (?:\w+ ){1,3})\s*(?:all )?(?:calls?|invokes?|uses?|depends? on|instantiates?) @$",
        r"(?:where|from where|by whom|who|what) (?:is|are|does|do) @ (?:being )?"
        r"(?:called|used|invoked|instantiated|imported)\b",
        r"where (?:do|does) (?:we|i|you|it|one|they) (?:call|use|invoke|instantiate|create) @$",
        r"(?:callers|calls) (?:of|to) @$",
        r"wer (?:ruft|benutzt|verwendet|nutzt) @", r"wo wird @ (?:aufgerufen|benutzt|verwendet|genutzt)",
        r"quién (?:llama|usa|utiliza)(?: a)? @$", r"dónde se (?:llama|usa|utiliza)(?: a)? @$",
        r"qui (?:appelle|utilise) @$", r"où est @ (?:appelée?|utilisée?)",
        r"où est-ce qu'on (?:appelle|utilise) @$", r"quem (?:chama|usa) @$", r"chi (?:chiama|usa) @$",
        r"кто (?:вызывает|использует) @$",
        r"谁(?:在)?(?:调用|使用|用)了?\s?@", r"哪里(?:调用|使用|用)了?\s?@",
        r"@\s?(?:在哪里?被?(?:调用|使用)|被谁(?:调用|使用))", r"@\s?(?:を呼(?:ぶ|んで)|はどこで(?:使|呼))",
    )),
    (Kind.USES, (
        r"(?:usages?|uses|references?|occurrences) (?:of|to) @$",
        r"alle (?:verwendungen|aufrufe|stellen) von @", r"tod[oa]s l[oa]s (?:usos|llamadas) (?:de|a) @",
        r"tou(?:s|tes) les (?:utilisations|appels) (?:de|à) @",
    )),
    (Kind.HOW, (
        r"how (?:do|can|could|should|would|must|to)(?: i| you| we| one| people)?(?: properly| correctly"
        r"| best)? "
        r"(?:call|use|invoke|instantiate|construct|create|import|initiali[sz]e|run|make|build|get|open) @$",
        r"how (?:do|can|should)(?: i| you| we| one) (?:call|use|invoke|instantiate|import) @",
        r"how (?:is|are|was) @ (?:called|used|invoked|instantiated|created|constructed|imported)\b",
        r"(?:usage|examples?|sample calls?)(?: calls?)? (?:of|for|with|using)(?: calling| using)? @$",
        r"^@ (?:usage|examples?)$",
        r"(?:signature|parameters?|arguments?|return (?:type|value)) (?:of|for|does) @",
        r"what (?:arguments|parameters) does @", r"what does @ (?:return|take|accept|expect)\b",
        r"wie (?:rufe?|ruft|verwende|benutze|nutze|verwendet|benutzt|nutzt|erzeuge)(?: ich| man| wir)? @",
        r"wie wird @ (?:aufgerufen|verwendet|benutzt)",
        r"cómo (?:se )?(?:puedo )?(?:llamo|llamar|llama|uso|usar|usa|utilizo|utilizar|utiliza)(?: a)? @",
        r"comment (?:je |on |dois-je |puis-je |est-ce qu[e'] ?(?:je |on )?)?(?:appeler|utiliser|appelle"
        r"|utilise) @",
        r"como (?:eu )?(?:chamo|chamar|uso|usar) @", r"come (?:si )?(?:chiamo|chiama|uso|usa|utilizzo) @",
        r"как (?:мне )?(?:вызвать|вызывать|использовать|вызывается|используется) @",
        r"(?:如何|怎么|怎样)(?:调用|使用|用)\s?@", r"@\s?(?:怎么用|怎么调用|如何使用)",
        r"@\s?(?:の使い方|はどう(?:使|呼)|を(?:使う|呼ぶ|呼び出す)には)",
    )),
    (Kind.WHERE, (
        r"(?:where|in (?:which|what) (?:file|module|package|folder)) (?:is|are|does|do) @"
        r"(?: (?:defined|declared|implemented|located|live|come from|written|kept|set))?$",
        r"where (?:can|do) i find @$", r"where (?:did|do) (?:you|we) (?:define|implement) @$",
        r"(?:definition|declaration|implementation) of @$", r"(?:^|\b)(?:go to|locate|jump to|find|open) @$",
        r"wo (?:ist|steht|liegt|finde ich|wird) @", r"dónde (?:está|se define) @", r"où (?:est|se trouve) @",
        r"onde (?:está|fica) @", r"dov'è @", r"где (?:определена?|определено|находится|описана?)? ?@$",
        r"@\s?(?:在哪里?|定义在|はどこ)",
    )),
    (Kind.WHAT, (
        r"what(?:'s| is| are)(?: the (?:point|purpose|meaning|use|job|role) of)? @"
        r"(?: (?:for|about|doing|there for|good for|supposed to do))?$",
        r"what (?:does|do|can|will|would) @ (?:do|mean|represent|contain|hold|stand for|look like)\b",
        r"(?:explain|describe|tell me about|show me|show|walk me through)(?: to me)?(?: how)? @(?: works?"
        r"| does)?$",
        r"how (?:does|do|is) @ (?:work|function|implemented|do its (?:job|work))\b",
        r"was (?:macht|ist|tut|bedeutet) @", r"(?:erkläre?|beschreibe)(?: mir)? @", r"wie funktioniert @",
        r"qué (?:hace|es|significa) @", r"explica @", r"cómo funciona @",
        r"que (?:fait|signifie) @", r"qu'est-ce que (?:c'est que )?@", r"explique @", r"comment fonctionne @",
        r"o que (?:faz|é) @", r"(?:che )?cosa (?:fa|è) @", r"что (?:делает|такое|значит) @",
        r"как работает @",
        r"(?:解释|说明)(?:一下)?\s?@", r"@\s?(?:是什么|是做什么|做什么|有什么用|とは|は何)",
    )),
)  # fmt: skip

NAME = r"(?:[^\W\d]|\$)[\w$]*(?:(?:\.|::|#|->)[^\W\d][\w$]*)*"
# Chinese and Japanese write no blanks: there a name is of plain letters, and ends where others begin.
PLAIN = r"[A-Za-z_$][A-Za-z0-9_$]*(?:(?:\.|::|#|->)[A-Za-z_][A-Za-z0-9_]*)*"
ARTICLES = (
    "the a an our your my this that these those der die das den dem ein eine el la los las lo un una le les"
    " une o os as"
)
THINGS = (
    "function method class module constant variable type struct trait interface decorator fixture enum"
    " macro object"
    " funktion methode klasse función método clase fonction méthode classe função funzione функция"
    " функцию метод"
    " класс 函数 方法 类 関数 メソッド クラス"
)
_BEFORE = rf"(?:(?:{ARTICLES.replace(' ', '|')})\s)?(?:(?:{THINGS.replace(' ', '|')})\s?)?"
_AFTER = rf"(?:\(\)?\)?)?`?(?:\s(?:{THINGS.replace(' ', '|')}|instance))?"


@cache
def phrases() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """The phrases as expressions, each with the name in the group ``name``."""
    return tuple((kind, _compiled(it)) for kind, few in PHRASES for it in few)


def _compiled(phrase: str) -> re.Pattern[str]:
    without_blanks = re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", phrase) is not None
    name = PLAIN if without_blanks else NAME
    begin = "" if phrase.startswith(("^", "@")) or without_blanks else r"(?<!\w)"
    return re.compile(begin + phrase.replace("@", f"{_BEFORE}`?(?P<name>{name}){_AFTER}"), re.IGNORECASE)


HERE = re.compile(
    r"\b(?:this|current|the (?:open|current)) (?:module|file|package|script|document|page|component)\b"
    r"|\b(?:dies(?:es|e|er)|das) (?:modul|datei|paket|skript)\b|\best[ea] (?:módulo|archivo|fichero"
    r"|paquete)\b"
    r"|\bce(?:tte)? (?:module|fichier|paquet|script)\b|\best[ea] (?:módulo|arquivo|ficheiro)\b"
    r"|\bэто(?:т|го)? (?:модуль|файл|пакет|модуля|файла)"
    r"|这个?(?:模块|文件|包)|この(?:モジュール|ファイル|パッケージ)",
    re.IGNORECASE,
)
SELECTED = re.compile(
    r"\bth(?:is|ese|e selected|e selection|e marked)(?: (?:function|method|class|code|selection|lines?"
    r"|block|snippet))?\b"
    r"|\b(?:it|dies(?:e|er|en)?|esta?|cette?|questo|это|эту)\b|这(?:段|个)|この(?:コード|関数)|これ",
    re.IGNORECASE,
)
PROJECT = re.compile(
    r"\b(?:this|the|our|whole|entire|your) (?:project|repo(?:sitory)?|code ?base|application|app|program"
    r"|workspace)\b"
    r"|\barchitecture\b|\bwhere (?:do|should|can) i (?:start|begin)\b|\b(?:project|code ?base"
    r"|repo(?:sitory)?) overview\b"
    r"|\bhigh.level overview\b|\bentry points?\b|^overview$"
    r"|\b(?:dieses|das) (?:projekt|repository)\b|\beste (?:proyecto|repositorio|projeto)\b|\bce (?:projet"
    r"|dépôt)\b"
    r"|\bэтот (?:проект|репозиторий)|\bпроекта?\b|这个?(?:项目|仓库|工程)|この(?:プロジェクト|リポジトリ)",
    re.IGNORECASE,
)
ALL = re.compile(
    r"^(?:please )?(?:can you |could you )?(?:find|list|show|get|give|enumerate"
    r"|search)(?: me)?(?: for)?\s+(?:all|every|each|any)\b"
    r"|^(?:all|every)\b|^(?:which|what) (?:files?|functions?|places|methods|classes|code|tests?|modules?)\b"
    r"|^(?:where|who) (?:do|does|are|is) .*\b(?:all|every)\b|\ball (?:the )?(?:places|places where"
    r"|code that)\b"
    r"|^(?:finde?|zeige?|liste)\b.*\balle[ns]?\b|^alle\b|^(?:encuentra|busca|lista|muestra)\b.*\btod[oa]s\b"
    r"|^(?:trouve[rz]?|liste[rz]?|montre[rz]?)\b.*\btou(?:s|tes)\b|^(?:найди|покажи|перечисли)\b.*\bвсе\b"
    r"|^(?:找出|查找|列出|找到|搜索)?所有|全ての|すべての",
    re.IGNORECASE,
)
EVERYWHERE = re.compile(
    r"^where (?:are|do|does)\b|^wo werden\b|^dónde se\b|^où (?:sont|est-ce qu)", re.IGNORECASE
)
CHANGES = re.compile(
    r"\bwhat(?:'s| has| have| did)? ?(?:i |we |been )?chang(?:ed?|es)\b|\b(?:my|the|uncommitted"
    r"|local) changes\b"
    r"|\b(?:git )?diff\b|\bwas (?:hat sich|habe ich|wurde) geändert|\bqué ha cambiado"
    r"|\bqu'est-ce qui a changé"
    r"|\bчто изменилось|改了什么|有什么改动|何が変わ",
    re.IGNORECASE,
)
PROBLEMS = re.compile(
    r"\b(?:problems|diagnostics|lint(?:er)? (?:errors|warnings)|compile errors)\b.{0,20}\?*$", re.IGNORECASE
)
