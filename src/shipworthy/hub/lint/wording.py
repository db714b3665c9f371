"""How an entry is worded: facts in place of praise, plain text, one spelling, a length that is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from shipworthy.hub.lint.subject import TEXTS, Catalogue, Plain, Said
from shipworthy.hub.words import plain as plain_letters
from shipworthy.patterns import regex

# What praises and tells nothing. A word is here only if a sentence about a tool or paper loses nothing without it.
_PRAISE = regex(
    r"\b(?:amazing|awesome|award-winning|battle-?tested|best[- ](?:in[- ]class|of[- ]breed)|blazing(?:ly)?|"
    r"breakthrough|bullet-?proof|bleeding[- ]edge|cutting[- ]edge|effortless(?:ly)?|enterprise-(?:grade|ready|class)|"
    r"(?:military|bank|production)-grade|excellent|exciting|fantastic|first-class|frictionless|future-proof|"
    r"game[- ]chang(?:er|ing)|gold standard|groundbreaking|holistic(?:ally)?|incredibl[ey]|industry[- ]leading|"
    r"innovative|leading|lightning[- ]fast|magic(?:al|ally)?|market[- ]leading|must-have|next[- ]gen(?:eration)?|"
    r"number (?:one|1)|one-stop(?: shop)?|perfect(?:ly)?|powerful|premier|renowned|revolution(?:ary|i[sz]\w{1,4})|"
    r"rock[- ]solid|seamless(?:ly)?|state[- ]of[- ]the[- ]art|stunning|super-?charge[ds]?|superior|"
    r"world'?s (?:best|first|fastest|most \w{3,20})|the (?:most (?:advanced|comprehensive|complete|popular)|smartest)|"
    r"the best (?:choice|library|option|platform|product|scanner|solution|tool|way)s?|top[- ](?:notch|tier)|"
    r"trusted by|turn-?key|ultimate|unbeatable|unleash(?:es)?|unlocks? the|unmatched|unparalleled|unrivall?ed|"
    r"world[- ](?:class|leading)|wonderful)\b",
    2,  # re.IGNORECASE
)
# American spellings of words that this field uses all the time.
_BRITISH = {
    "analyze": "analyse",
    "analyzed": "analysed",
    "analyzes": "analyses",
    "analyzing": "analysing",
    "behavior": "behaviour",
    "behaviors": "behaviours",
    "catalog": "catalogue",
    "catalogs": "catalogues",
    "center": "centre",
    "centers": "centres",
    "color": "colour",
    "defense": "defence",
    "defenses": "defences",
    "favor": "favour",
    "favorite": "favourite",
    "labeled": "labelled",
    "labeling": "labelling",
    "license": "licence",
    "licenses": "licences",
    "modeling": "modelling",
}
_WORD = regex(r"[a-z]+(?![\w'’/.-]*[\w/])")
_HTML = regex(r"</?[A-Za-z][^<>]{0,2000}>|<!--|<!\w|<\?|&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});")
_MARKUP = regex(r"\]\(|!\[|\]\[|https?://|javascript:|data:text", 2)
_END = regex(r"[.!?](?= [A-Z])|[.!?]\Z")
_SCHEME = regex(r"javascript:|data:text|vbscript:|file:", 2)
# Letters in another style, wide or in a circle, which are read as plain ones and are not; what is seen as nothing.
_STYLED = ("<font>", "<wide>", "<narrow>", "<circle>", "<square>")
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Letters of other scripts that look like Latin ones.
_LOOKALIKE = frozenset("АВЕКМНОРСТУХаеорсухіјѕһԁԛԝІЈЅԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυՕՍօսհոցզԱ")
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH")


def praise(_catalogue: Catalogue, entry: Plain) -> Said:
    """Marketing words."""
    for key, text in (*_texts(entry), *_of_basis(entry)):
        found = list(dict.fromkeys(one[0] for one in _PRAISE.finditer(" ".join(plain_letters(text).split()))))
        if found:
            words = ", ".join(f"`{one}`" for one in found)
            yield key, f"{words}: that is praise", "leave it out, or say what it does and how that was measured"
        if "!" in text or any(unicodedata.category(char) == "So" for char in text):
            yield key, "it has an exclamation mark or a pictograph", "end the sentence with a full stop"


def spelling(_catalogue: Catalogue, entry: Plain) -> Said:
    """One spelling of the words that are used most: British, as in the rest of the hub."""
    for key, text in _texts(entry):
        for word in dict.fromkeys(one[0] for one in _WORD.finditer(text) if one[0] in _BRITISH):
            yield (
                key,
                f"`{word}` is spelled `{_BRITISH[word]}` here",
                f"write `{_BRITISH[word]}`; names stay as they are",
            )


def length(_catalogue: Catalogue, entry: Plain) -> Said:
    """A summary of one to three sentences; a `use-when` that completes "Use it when …"."""
    summary, use = entry.get("summary", ""), entry.get("use_when", "")
    if not summary:
        yield "summary", "there is none", "add one or two sentences of your own: what it does, and what is special"
    elif len(summary) < 40:
        yield "summary", f"{len(summary)} characters tell too little", "say what it does, for what, and what is special"
    elif not summary.endswith((".", "?")):
        yield "summary", "it does not end with a full stop", "write whole sentences"
    elif len(_END.findall(summary)) > 3:
        yield "summary", "it has more than three sentences", "keep what somebody who chooses must know"
    if not use:
        yield "use-when", "there is none", 'complete the sentence "Use it when …": use-when = "you have … and want …."'
    elif use[:1].isupper() and use[1:2].islower() and use.lower().startswith(("use ", "when ", "you ", "if ")):
        yield (
            "use-when",
            "it begins with a capital letter",
            'it follows "Use it when": begin with `you`, `your` or the like',
        )
    elif not use.endswith("."):
        yield "use-when", "it does not end with a full stop", 'it ends the sentence "Use it when …."'


def plain(_catalogue: Catalogue, entry: Plain) -> Said:
    """Plain text: no HTML, no Markdown links, no addresses outside of the keys that are for them."""
    for key, text in (("title", entry.get("title", "")), *_texts(entry), *_listed(entry), *_of_basis(entry)):
        if found := _HTML.search(text):
            yield key, f"`{found[0][:40]}` is HTML", "write plain text; & and < stand for themselves"
        elif found := (_SCHEME if key == "sources" else _MARKUP).search(text):
            yield key, f"`{found[0]}` is a link", "texts are plain; addresses stand in `url`, `aliases` or `sources`"


def hidden(text: str) -> Iterator[tuple[int, str]]:
    """Characters that are not seen, or that change what is seen: line (from 1) and what it is."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.isascii() and line.isprintable():
            continue
        if told := next(filter(None, map(_unseen, unicodedata.normalize("NFC", line))), ""):
            yield number, told
        elif word := _mixed(line):
            yield number, f"`{word[:40]}` has letters of other scripts, which look the same and are not"


def _unseen(char: str) -> str:
    """What is wrong with a character; empty when it is good."""
    if char.isascii() and (char.isprintable() or char == "\t"):
        return ""
    kind = unicodedata.category(char)
    name = unicodedata.name(char, "control character" if kind == "Cc" else "character without a name").lower()
    if kind in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Zs", "Mn", "Me") or char in _BLANK:
        return f"U+{ord(char):04X} ({name}) is not seen, or changes what is seen"
    if unicodedata.decomposition(char).startswith(_STYLED):
        return f"U+{ord(char):04X} ({name}) is a letter in disguise"
    return ""


def _mixed(line: str) -> str:
    for word in line.split():
        if not word.isascii():
            letters = [char for char in word if char.isalpha()]
            names = {unicodedata.name(char, "").split(" ")[0] for char in letters}
            if len(names.intersection(_SCRIPTS)) > 1 or (len(letters) > 1 and _LOOKALIKE.issuperset(letters)):
                return word
    return ""


def _texts(entry: Plain) -> Iterator[tuple[str, str]]:
    for key in TEXTS:
        if entry.get(key):
            yield key.replace("_", "-"), entry[key]


def _of_basis(entry: Plain) -> Iterator[tuple[str, str]]:
    for key, text in entry.get("basis", {}).items():
        yield f"basis.{key}", text


def _listed(entry: Plain) -> Iterator[tuple[str, str]]:
    for key in ("authors", "sources"):
        for one in entry.get(key, ()):
            yield key, one
    for key in ("licence", "language"):
        yield key, entry.get(key, "")
