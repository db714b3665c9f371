"""SQL injection, by tokens: does the text go on as SQL where a value was to end?

A text is read as it would stand in a statement: bare, or after a quote in it that ends the literal. What follows is
split into tokens, and judged by their order. Words alone are no evidence, and neither are quotes.
"""

from __future__ import annotations

from shipworthy.guard.runtime.detectors._sql_words import (
    CATALOGS,
    COMPARE,
    CONSTANT,
    JOINING,
    LOGICAL,
    SLOW,
    STATEMENTS,
    Token,
    tokens,
)
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
    if len(run) > 2 and _statement(run) and (run[0][1] != "select" or any(name in low for name in CATALOGS)):
        return "a statement in the place of a value"
    if len(run) > 1 and run[0][0] in ("number", "name") and len(low) < 80 and run[-1][0] == "comment":
        rest = [one for one in run[1:-1] if one[1] != ")"]
        if not rest and run[0][0] == "number" and _bare_comment(run[-1][1]):
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
    run = _unclosed(tokens(window))
    if not run:
        return ""
    first = run[0]
    if first[0] == "comment":
        short = start <= 60 and low.count("\n") == 0
        return "the rest of the statement is commented out" if short and _bare_comment(first[1]) else ""
    if first[1] in LOGICAL:
        return _condition(run[1:], broken=True) or _call(run)
    if first[1] in (";", ","):
        return _statement(run[1:]) if first[1] == ";" else _subselect(run)
    if first[1] in ("union", "having", "order", "group", "procedure", "into", "limit", "waitfor", "if", "where"):
        return _clause(run, broken=True)
    if first[1] in COMPARE or first[1] in JOINING or first[1] == "not":
        return _operator(run, low, start)
    return _call(run) or _subselect(run) or _statement(run)


def _operator(run: list[Token], low: str, start: int) -> str:
    """A literal that is compared with, or joined to, something that is no literal."""
    if detail := _call(run) or _subselect(run):
        return detail
    if len(low) <= 14 and start <= 5 and len(run) >= 2 and run[1][0] in ("string", "number") and len(run) <= 3:
        return "a literal that is compared with another"
    if (
        run[0][1] in ("like", "in", "between", "is", "=", "<>", "!=", ">", "<")
        and len(run) > 2
        and run[-1][0] == "comment"
    ):
        return "a condition, and the rest commented out" if _operand(run[1:]) else ""
    for index, one in enumerate(run[:8]):
        if one[1] in LOGICAL and (detail := _condition(run[index + 1 :], broken=True)):
            return detail
        if one[1] in ("union", ";"):
            return _clause(run[index:], broken=True) if one[1] == "union" else _statement(run[index + 1 :])
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
        return _call(run) if len(run) > 2 and _is_slow(run) else ""
    if word in LOGICAL:
        return _condition(run[1:], broken=False) or (_call(run) if value else "")
    if word == ";":
        return _statement(run[1:])
    if word in ("union", "waitfor", "into", "procedure"):
        return _clause(run, broken=False)
    if word in ("having", "order", "group", "if"):
        goes_on = before[-1:].isdigit() or before[-1:] in ("'", '"', "")
        goes_on = goes_on and bool(before or word != "if")
        return _clause(run, broken=goes_on) if value else ""
    if word in ("exec", "execute") and len(run) > 1:
        return "a stored procedure is called" if run[1][1].startswith(("xp_", "master", "sp_", "sys.", "dbo.")) else ""
    if word == "(":
        return _subselect(run)
    return _call(run) if _is_slow(run) else ""


def _is_slow(run: list[Token]) -> bool:
    """Whether the second token is the name of a function that no program calls by a usual name."""
    return len(run) > 1 and run[1][1] in _UNUSUAL


def _unclosed(run: list[Token]) -> list[Token]:
    """Without the brackets that close what the statement had opened."""
    index = 0
    while index < len(run) and run[index][1] == ")":
        index += 1
    return run[index:]


def _bare_comment(comment: str) -> bool:
    """A comment in which nothing is said."""
    return len(comment.lstrip("-#/*").strip(" -+\t;%'\"")) <= 2


def _operand(run: list[Token]) -> int:
    """How many tokens the operand takes with which a run begins; 0 when there is none."""
    index = 0
    while index < len(run) and run[index][1] in ("(", "not", "-", "+", "~", "!", "binary", "all", "any"):
        index += 1
    if index >= len(run):
        return 0
    kind, word = run[index]
    if kind in ("number", "string"):
        return index + 1
    if kind != "name" or word in ("select", "from", "where"):
        return 0
    if index + 1 < len(run) and run[index + 1][1] == "(":
        depth = 0
        for end in range(index + 1, len(run)):
            depth += {"(": 1, ")": -1}.get(run[end][1], 0)
            if not depth:
                return end + 1
        return len(run)
    return index + 1


def _is_constant(run: list[Token], length: int) -> bool:
    kind, word = run[length - 1]
    return kind in ("number", "string") or word in CONSTANT or word == ")"


def _condition(run: list[Token], *, broken: bool) -> str:
    """An operand, compared with another; `broken`: after a quote that ended a literal."""
    if detail := _subselect(run) or (_call(run[:4]) if broken or (len(run) > 1 and run[1][1] == "(") else ""):
        return detail
    length = _operand(run)
    if not length:
        return ""
    if any(one[1] in ("exists", "case", "iif", "if", "ascii", "substring", "substr", "mid") and len(run) > at + 1 and
           run[at + 1][1] in ("(", "when") for at, one in enumerate(run[:3])):  # fmt: skip
        return "a condition on the database"
    rest = _unclosed(run[length:])
    last = run[length - 1]
    if not rest:
        open_end = last[0] == "string" and last[1][-1] != last[1][0] and "=" in last[1]
        certain = last[0] == "number" or last[1] in ("true", "not") or open_end
        return "a condition that is always true" if broken and certain else ""
    if (
        broken
        and last[0] == "string"
        and (rest[0][0] == "string" or (rest[0][1] in JOINING and rest[1:2] and rest[1][0] == "string"))
    ) and len(rest) <= 2:
        return "a condition that is always the same"
    if rest[0][0] == "comment":
        certain = run[length - 1][0] in ("number", "string") or run[length - 1][1] in ("true", "false", "null")
        return "a condition, and the rest commented out" if certain and (broken or _bare_comment(rest[0][1])) else ""
    while (rest and rest[0][1] in ("not",)) or (rest and rest[0][1] in JOINING and len(rest) > 2):
        step = 1 if rest[0][1] == "not" else 1 + _operand(rest[1:])
        if step == 1 and rest[0][1] != "not":
            return ""
        rest = _unclosed(rest[step:])
    if not rest or rest[0][1] not in COMPARE:
        return ""
    other = rest[1:]
    while other and other[0][1] in ("not", "like", "=", "null", ">", "<"):
        if other[0][1] == "null":
            ends = len(other) == 1 or other[1][0] == "comment" or other[1][1] == ";"
            return "a condition on a column" if broken and ends else ""
        other = other[1:]
    second = _operand(other)
    if not second:
        return (
            "a condition that is always true"
            if broken and not other and rest[0][1] == "=" and run[length - 1][0] == "string"
            else ""
        )
    after = _unclosed(other[second:])
    ends = (
        not after
        or after[0][0] == "comment"
        or after[0][1] in LOGICAL
        or after[0][1] in (";", ",", "limit", "union", "order", "having")
    )
    constants = _is_constant(run, length) and _is_constant(other, second)
    if ends and length == second == 1 and run[0] == other[0] and rest[0][1] == "=" and run[0][0] == "name":
        return "a condition that is always the same"
    if constants and (broken or ends) and not (after and after[0][0] == "name" and not ends):
        return "a condition that is always the same"
    commented = bool(after) and after[0][0] == "comment" and _bare_comment(after[0][1])
    if commented and (broken or (last[0] == "name" and "=" in rest[0][1])):
        return "a condition, and the rest commented out"
    return "a condition where a value was to end" if broken and ends and other[second - 1][0] != "name" else ""


def _clause(run: list[Token], *, broken: bool) -> str:
    """A clause that goes on after a value."""
    words = [one[1] for one in run]
    if words[0] == "union":
        rest = [one for one in run[1:6] if one[1] not in ("all", "distinct", "(", "distinctrow")]
        at = words.index("select") if "select" in words[:6] else -1
        if at > 0 and rest and rest[0][1] == "select":
            return "rows of another query" if _select_list(run[at + 1 :]) else ""
        return "rows of another query" if rest and rest[0][1] in ("values", "table") and broken else ""
    if words[0] == "waitfor":
        return (
            "a call that waits or reaches out"
            if len(run) > 2 and words[1] in ("delay", "time") and run[2][0] == "string"
            else ""
        )
    if words[0] == "into":
        return (
            "a file is written"
            if len(run) > 2 and words[1] in ("outfile", "dumpfile") and run[2][0] == "string"
            else ""
        )
    if words[0] == "procedure":
        return "a clause where a value was to end" if words[1:3] == ["analyse", "("] else ""
    if words[0] == "if":
        return (
            "a condition on the database" if words[1:2] == ["("] and (_call(run) or _subselect(run) or broken) else ""
        )
    if not broken or len(run) < 2:
        return ""
    if words[0] in ("order", "group") and words[1] == "by":
        rest = run[2:]
        short = len(rest) <= 12 and all(
            one[0] in ("number", "name", "comment", "op", "string") or one[1] in "(,)" for one in rest
        )
        return (
            "a clause where a value was to end"
            if rest and short and (rest[0][0] == "number" or rest[-1][0] == "comment")
            else ""
        )
    if words[0] in ("having", "where"):
        return "a clause where a value was to end" if _condition(run[1:], broken=True) else ""
    if words[0] == "limit":
        return (
            "a clause where a value was to end"
            if run[1][0] == "number" and (len(run) == 2 or run[2][0] == "comment")
            else ""
        )
    return ""


def _select_list(run: list[Token]) -> bool:
    """Columns, as no sentence has them: constants, several, all, calls, or from a table."""
    if not run:
        return False
    kind, word = run[0]
    if (
        kind in ("number", "string")
        or word in ("*", "null", "@@version", "(", "char", "concat")
        or word.startswith("@@")
    ):
        return True
    follows = run[1] if len(run) > 1 else ("", "")
    return follows[1] in (",", "(", "from", "||") or follows[0] == "comment"


def _statement(run: list[Token]) -> str:
    """A statement of its own."""
    if len(run) < 1:
        return ""
    words = [one[1] for one in run]
    first, second = words[0], words[1] if len(run) > 1 else ""
    if second in STATEMENTS.get(first, ()) and len(run) > 2 and run[2][0] in ("name", "string", "number"):
        return "another statement"
    if first == "update" and len(run) > 3 and "set" in words[2:4]:
        return "another statement" if "=" in words[3:7] else ""
    if (
        first == "select"
        and _select_list(run[1:])
        and (run[1][0] != "name" or "from" in words or second in SLOW or words[2:3] == ["("])
    ):
        return "another statement"
    if (
        first in ("exec", "execute")
        and run[1:]
        and (second.startswith(("xp_", "master", "sp_", "(", "@", "sys")) or "immediate" in second)
    ):
        return "another statement"
    if first == "declare" and second.startswith("@"):
        return "another statement"
    if first == "set" and second.startswith("@") and "=" in words[2:3]:
        return "another statement"
    if first == "shutdown" and (len(run) == 1 or run[1][0] == "comment" or second == "with"):
        return "another statement"
    if (
        first == "copy"
        and ("from" in words[1:8] or "to" in words[1:8])
        and ("program" in words or run[-1][0] == "comment")
    ):
        return "another statement"
    if first in ("grant", "revoke") and "to" in words[2:10] and "on" in words[2:8]:
        return "another statement"
    if first == "begin" and len(run) > 1:
        return _statement(run[1:])
    if first in ("if", "call", "waitfor", "handler"):
        return _call(run) or _subselect(run) or _clause(run, broken=True) if first != "call" else _call(run)
    return _call(run[:3])


def _subselect(run: list[Token]) -> str:
    """A query in brackets."""
    words = [one[1] for one in run]
    for at in range(min(len(run) - 2, 24)):
        if words[at] == "(" and words[at + 1] == "select" and _select_list(run[at + 2 :]):
            return "a query in the place of a value"
    return ""


def _call(run: list[Token]) -> str:
    """A function that only an attack calls here."""
    for at in range(min(len(run) - 1, 12)):
        if run[at][0] == "name" and run[at][1] in SLOW and run[at + 1][1] == "(":
            return "a call that waits or reaches out"
    return ""


def possible(low: str, words: frozenset[str]) -> bool:
    """Whether `look` could see any of the texts; see `prefilter`."""
    jump = _MARKS if words.isdisjoint(_JUMPS) else _JUMP
    return "/*!" in low or bool(_BREAK.search(low) or jump.search(low) or _BEGIN_OF_ANY.search(low))
