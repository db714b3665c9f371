"""SQL injection, by tokens: does the text go on as SQL where a value was to end?

A text is read as it would stand in a statement: bare, or after a quote in it that ends the literal. What follows is
split into tokens, and judged by their order. Words alone are no evidence, and neither are quotes.
"""

from __future__ import annotations

from shipworthy.guard.runtime.detectors._sql_order import (
    bare_comment,
    call,
    clause,
    condition,
    operand,
    statement,
    subselect,
    unclosed,
)
from shipworthy.guard.runtime.detectors._sql_words import CATALOGS, COMPARE, JOINING, LOGICAL, SLOW, Token, tokens
from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = ""

_ANCHORS = 1500
_UNREAD = "more places where SQL could begin than are looked at"
_BREAK = regex(
    r"['\"`][\s\x00)]*+(?:/\*[^*]*\*/[\s)]*)*(?=or\b|and\b|xor\b|union\b|having\b|order\b|group\b|limit\b|into\b|like\b|in\b"
    r"|is\b|between\b|where\b|procedure\b|rlike\b|regexp\b|div\b|mod\b|not\b|exec|insert\b|create\b|grant\b|drop\b|delete\b|update\b|as\b|from\b|limit|offset|returning|when\b"
    r"|select\b|waitfor\b|if\b|collate\b|;|--|#|/\*|\|\||&&|[=<>!+\-*/%^|&,]{1,3}[\s(]*(?:['\"\d@(-]|select\b|case\b|[a-z_.]++(?:\(|\s*+(?:--|#|/\*|$|\x01)))|\()"
)
# A first letter, then that no word goes on into it: an expression that begins with a set of characters is searched for
# much faster than one that begins with \b.
_JUMP_MARKS = (
    r";(?=[\s/*+]*+(?:drop|delete|insert|truncate|alter|create|waitfor|load|merge|replace|update|select|exec|declare|set|shutdown"
    r"|copy|grant|revoke|if|begin|call|handler|[a-z_.]++\())|\|\||&&|\(\s*+(?:select\b|[a-z_.]++\()|,\s*+[a-z_.]++\(|=\s*+[a-z_.]++\("
)
_ON = (
    r"(?=[\s(*+!~-]*(?:/\*|\d|['\"@]|true|false|null|not\b|exists|case"
    r"|[\w.`\[\]]+\s*(?:/\*|[=<>(!]|like|in\b|is\b|between|regexp|rlike)))"
)
_JUMP = regex(
    rf"o(?<!\wo)r\b{_ON}|a(?<!\wa)nd\b{_ON}|x(?<!\wx)or\b{_ON}"
    r"|u(?<!\wu)nion\b(?=[\s(*+/]*(?:/\*|all|distinct|select|values|table))|h(?<!\wh)aving\b|w(?<!\ww)aitfor\b"
    r"|p(?<!\wp)rocedure\b|o(?<!\wo)rder\b(?=[\s/*+]*by\b)|g(?<!\wg)roup\b(?=[\s/*+]*by\b)|e(?<!\we)xec(?:ute)?\b"
    r"|i(?<!\wi)nto\b(?=[\s/*+]*(?:out|dump)file)|i(?<!\wi)f\b(?=\s*\()|" + _JUMP_MARKS
)
_MARKS = regex(_JUMP_MARKS)
_JUMPS = frozenset("or and xor union having waitfor procedure by exec execute into if".split())

_BEGIN = (
    r"[\s(]*(?:drop|delete|insert|truncate|alter|create|waitfor|load|merge|replace|update|select|exec|declare|set|shutdown"
    r"|copy|grant|revoke|call|handler|[a-z_.]{3,40}\(|[\w-]{1,40}[\s)]*(?:--|#|/\*))"
)
_BEGINS, _BEGIN_OF_ANY = regex(_BEGIN), regex(r"\x01(?:" + _BEGIN + ")")
_UNUSUAL = SLOW - {"exp", "sleep", "make_set"}
_SPAN = regex(r"(?:^|[\s(*;:])`[^`]{1,200}`(?:$|[\s.,;:)!?])")  # of code, as Markdown writes it
_WINDOW = 2000  # characters of which the tokens are made
_CLOSING = " \t\r\n\f\v\0\xa0)"
_RUN_COMMENT = regex(r"/\*!\d{0,6}")  # MySQL runs what is in it


def look(text: Text) -> str:
    """What makes the text SQL; empty when it is not."""
    low = _RUN_COMMENT.sub(" ", text.low) if "/*!" in text.low else text.low
    # at every place where a literal could end
    if "'" in text.characters or '"' in text.characters or "`" in text.characters:
        spans = "`" in text.characters and low.count("`") % 2 == 0 and _SPAN.search(low)
        for count, found in enumerate(_BREAK.finditer(low)):
            if count >= _ANCHORS:
                return _UNREAD
            if spans and low[found.start()] == "`":
                continue
            if detail := _after_quote(low, found.start(), found.end()):
                return detail
    for count, found in enumerate(_JUMP.finditer(low)):
        if count >= _ANCHORS:
            return _UNREAD
        if detail := _bare(low, found.start()):
            return detail
    return _start(low)


def _start(low: str) -> str:
    """A value that is a statement, or goes on from its first token."""
    if not _BEGINS.match(low):
        return ""
    run = tokens(low[:_WINDOW], 24)
    if len(run) > 2 and statement(run) and (run[0][1] != "select" or any(name in low for name in CATALOGS)):
        return "a statement in the place of a value"
    if len(run) > 1 and run[0][0] in ("number", "name") and len(low) < 80 and run[-1][0] == "comment":
        rest = [one for one in run[1:-1] if one[1] != ")"]
        if not rest and run[0][0] == "number" and bare_comment(run[-1][1]):
            return "the rest of the statement is commented out"
    if run and run[0][0] == "name" and run[0][1] in SLOW - {"exp"} and len(run) > 3 and run[1][1] == "(":
        return (
            "a call that waits or reaches out"
            if run[2][0] in ("number", "string") and low.rstrip().endswith((")", "--", "#"))
            else ""
        )
    return ""


def _after_quote(low: str, start: int, end: int) -> str:
    """What follows a quote that ends the literal."""
    window = low[end : end + _WINDOW]
    if "select" not in window and window.lstrip(_CLOSING).startswith(","):
        return ""  # items of a list: only a query in brackets would be something
    run = unclosed(tokens(window))
    if not run:
        return ""
    first = run[0]
    if first[0] == "comment":
        short = start <= 60 and low.count("\n") == 0
        return "the rest of the statement is commented out" if short and bare_comment(first[1]) else ""
    if first[1] in LOGICAL:
        return condition(run[1:], broken=True) or call(run)
    if first[1] in (";", ","):
        return statement(run[1:]) if first[1] == ";" else subselect(run)
    if first[1] in ("union", "having", "order", "group", "procedure", "into", "limit", "waitfor", "if", "where"):
        return clause(run, broken=True)
    if first[1] in COMPARE or first[1] in JOINING or first[1] == "not":
        return _operator(run, low, start)
    return call(run) or subselect(run) or statement(run)


def _operator(run: list[Token], low: str, start: int) -> str:
    """A literal that is compared with, or joined to, something that is no literal."""
    if detail := call(run) or subselect(run):
        return detail
    if len(low) <= 14 and start <= 5 and len(run) >= 2 and run[1][0] in ("string", "number") and len(run) <= 3:
        return "a literal that is compared with another"
    if (
        run[0][1] in ("like", "in", "between", "is", "=", "<>", "!=", ">", "<")
        and len(run) > 2
        and run[-1][0] == "comment"
    ):
        return "a condition, and the rest commented out" if operand(run[1:]) else ""
    for index, one in enumerate(run[:8]):
        if one[1] in LOGICAL and (detail := condition(run[index + 1 :], broken=True)):
            return detail
        if one[1] in ("union", ";"):
            return clause(run[index:], broken=True) if one[1] == "union" else statement(run[index + 1 :])
    return ""


def _bare(low: str, start: int) -> str:
    """What a keyword or mark outside of quotes begins."""
    mark = low[start]
    if mark == "(" and low.find("select", start, start + _WINDOW) < 0:
        return ""
    if mark in ",=" and not _is_slow(tokens(low[start : start + _WINDOW], 2)):
        return ""  # nearly all calls, of which programs are full
    run = tokens(low[start : start + _WINDOW])
    if not run:
        return ""
    before = low[:start].rstrip(" \t)/*+\x00\n")
    value = not before or " " not in before[-24:].strip() or before[-1:].isdigit()
    word = run[0][1]
    if word not in LOGICAL and word in ",=":
        return call(run) if len(run) > 2 and _is_slow(run) else ""
    if word in LOGICAL:
        return condition(run[1:], broken=False) or (call(run) if value else "")
    if word == ";":
        return statement(run[1:])
    if word in ("union", "waitfor", "into", "procedure"):
        return clause(run, broken=False)
    if word in ("having", "order", "group", "if"):
        goes_on = before[-1:].isdigit() or before[-1:] in ("'", '"', "")
        goes_on = goes_on and bool(before or word != "if")
        return clause(run, broken=goes_on) if value else ""
    if word in ("exec", "execute") and len(run) > 1:
        return "a stored procedure is called" if run[1][1].startswith(("xp_", "master", "sp_", "sys.", "dbo.")) else ""
    if word == "(":
        return subselect(run)
    return call(run) if _is_slow(run) else ""


def _is_slow(run: list[Token]) -> bool:
    """Whether the second token is the name of a function that no program calls by a usual name."""
    return len(run) > 1 and run[1][1] in _UNUSUAL


def possible(low: str, words: frozenset[str]) -> bool:
    """Whether `look` could see any of the texts; see `prefilter`."""
    jump = _MARKS if words.isdisjoint(_JUMPS) else _JUMP
    return "/*!" in low or bool(_BREAK.search(low) or jump.search(low) or _BEGIN_OF_ANY.search(low))
