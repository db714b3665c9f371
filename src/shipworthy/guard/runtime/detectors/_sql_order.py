"""What the order of SQL's tokens says: a condition, a clause, a statement, a query or a call where no value has one."""

from __future__ import annotations

from shipworthy.guard.runtime.detectors._sql_words import (
    COMPARE,
    CONSTANT,
    JOINING,
    LOGICAL,
    SLOW,
    STATEMENTS,
    Token,
)


def unclosed(run: list[Token]) -> list[Token]:
    """Without the brackets that close what the statement had opened."""
    index = 0
    while index < len(run) and run[index][1] == ")":
        index += 1
    return run[index:]


def bare_comment(comment: str) -> bool:
    """A comment in which nothing is said."""
    return len(comment.lstrip("-#/*").strip(" -+\t;%'\"")) <= 2


def operand(run: list[Token]) -> int:
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


def condition(run: list[Token], *, broken: bool) -> str:
    """An operand, compared with another; `broken`: after a quote that ended a literal."""
    if detail := subselect(run) or (call(run[:4]) if broken or (len(run) > 1 and run[1][1] == "(") else ""):
        return detail
    length = operand(run)
    if not length:
        return ""
    if any(one[1] in ("exists", "case", "iif", "if", "ascii", "substring", "substr", "mid") and len(run) > at + 1 and
           run[at + 1][1] in ("(", "when") for at, one in enumerate(run[:3])):  # fmt: skip
        return "a condition on the database"
    rest = unclosed(run[length:])
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
        return "a condition, and the rest commented out" if certain and (broken or bare_comment(rest[0][1])) else ""
    while (rest and rest[0][1] in ("not",)) or (rest and rest[0][1] in JOINING and len(rest) > 2):
        step = 1 if rest[0][1] == "not" else 1 + operand(rest[1:])
        if step == 1 and rest[0][1] != "not":
            return ""
        rest = unclosed(rest[step:])
    if not rest or rest[0][1] not in COMPARE:
        return ""
    other = rest[1:]
    while other and other[0][1] in ("not", "like", "=", "null", ">", "<"):
        if other[0][1] == "null":
            ends = len(other) == 1 or other[1][0] == "comment" or other[1][1] == ";"
            return "a condition on a column" if broken and ends else ""
        other = other[1:]
    second = operand(other)
    if not second:
        return (
            "a condition that is always true"
            if broken and not other and rest[0][1] == "=" and run[length - 1][0] == "string"
            else ""
        )
    after = unclosed(other[second:])
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
    commented = bool(after) and after[0][0] == "comment" and bare_comment(after[0][1])
    if commented and (broken or (last[0] == "name" and "=" in rest[0][1])):
        return "a condition, and the rest commented out"
    return "a condition where a value was to end" if broken and ends and other[second - 1][0] != "name" else ""


def clause(run: list[Token], *, broken: bool) -> str:
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
        return "a condition on the database" if words[1:2] == ["("] and (call(run) or subselect(run) or broken) else ""
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
        return "a clause where a value was to end" if condition(run[1:], broken=True) else ""
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


def statement(run: list[Token]) -> str:
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
        return statement(run[1:])
    if first in ("if", "call", "waitfor", "handler"):
        return call(run) or subselect(run) or clause(run, broken=True) if first != "call" else call(run)
    return call(run[:3])


def subselect(run: list[Token]) -> str:
    """A query in brackets."""
    words = [one[1] for one in run]
    for at in range(min(len(run) - 2, 24)):
        if words[at] == "(" and words[at + 1] == "select" and _select_list(run[at + 2 :]):
            return "a query in the place of a value"
    return ""


def call(run: list[Token]) -> str:
    """A function that only an attack calls here."""
    for at in range(min(len(run) - 1, 12)):
        if run[at][0] == "name" and run[at][1] in SLOW and run[at + 1][1] == "(":
            return "a call that waits or reaches out"
    return ""
