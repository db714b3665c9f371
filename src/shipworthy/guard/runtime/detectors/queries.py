"""Queries other than SQL: operators of document stores, filters of LDAP, expressions of XPath and GraphQL's schema."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "$()'\"]/*;_"

_OPERATORS = frozenset(
    (
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$where",
        "$regex",
        "$exists",
        "$or",
        "$and",
        "$nor",
        "$not",
        "$expr",
        "$function",
        "$accumulator",
        "$elemmatch",
        "$eq",
        "$type",
        "$mod",
        "$text",
        "$lookup",
        "$comment",
        "$jsonschema",
        "$all",
        "$size",
        "$slice",
        "$set",
        "$unset",
        "$inc",
        "$rename",
        "$push",
        "$pull",
        "$func",
        "$out",
        "$merge",
        "$unionwith",
    )
)
_BRACKETED = regex(r"\[(\$[a-z]{2,12})\]")
_IN_TEXT = regex(
    r"['\"{\s]\$(?:ne|gt|gte|lt|lte|in|nin|where|regex|exists|or|nor|expr|function)['\"]?\s*:\s*['\"\[{\d\w]"
)
_BRACKET_IN_TEXT = regex(r"\[\$(?:ne|gt|gte|lt|lte|in|nin|where|regex|exists|or|nor|eq|all)\]\s*=")
_NAMED = regex(r"(?:^|[,'\"{\s])\$(?:where|or|and|nor|ne|nin|regex|comment|expr|function)['\"]?\s*:\s*['\"\[{\d\w/]")
_SCRIPT = regex(
    r"this\.\w+\s*(?:==|!=|\.match|\.length|\[|<|>)|\breturn\s*(?:true|\(?\s*this|!|\d)|;\s*(?:return|while\s*\(|sleep\()|\bdb\.\w+\.(?:find|insert|drop|update|remove)\w*\(|\bemit\(|new\s+date\(\)|tojson\("
)
_OPERATOR = regex(r"['\"{\s,\[\x01]\$[a-z]{2,8}['\"]?\]?\s*[:=]")
_META = regex(r"[*()|&!='%\d\s]{4,40}")
_SIGNS = ("count(/", "*)", "*(|", ")(", "//*", "/*/", "//user", "/*[", "::node()", "__schema")
_SCRIPTED = ("this.", "return", "db.", "sleep(", "while", "emit(", "date()", "tojson(")
_LDAP = regex(
    r"\*?\)\s*\(\s*[|&!]?\s*\(?\s*[\w;.-]{0,40}\s*(?:[=<>~]|[|&!(])|\)\s*\(\s*[|&]\s*\(|\(\s*[|&!]\s*\([\w;.-]{1,40}=[^)]{0,60}\)|\*\)\)%?0?0?|^\*\(\|\(|\)\)\s*\(\|"
)
# A bracket that closes what the text has not opened, and another assertion, or an operator, in the next one
_BROKEN = regex(r"\)(?:[!&|]?\((?:[\w;.-]{1,40}(?::[\w.]{0,40}:?)?[~<>]?=)|\s*\(\s*[&|!]\s*(?:[()\x01]|$))")
_SMILES = frozenset(":;=-")
_BRACKETS = regex(r"\)[!&|\s]*\(|\(\s*[|&!]|\*\)\)|\*\(\|")  # one of which each filter has
_ATTRIBUTE = regex(
    r"\b(?:uid|cn|sn|objectclass|userpassword|password|mail|member|memberof|samaccountname|dn|ou|dc|admin|user|username|givenname|department|homedirectory|zone|attribute)\s*[=~<>]|\(\*\)|objectclass"
)
_XPATH = regex(
    r"(?:string-length|substring|count|name|local-name|position|normalize-space|starts-with|contains|doc|document|unparsed-text|last|text|node)\s*\(\s*[/\w.'\"*@)]"
)
_PATH = regex(
    r"/(?:child|descendant|parent|ancestor|following|preceding|self|attribute)::|//\*|//[a-z]\w*\s*\[|\[\s*(?:position|last|contains|starts-with|@\w+\s*=|\d+\s*\]\s*/)|['\"]\s*\]\s*(?:\||/)|/\*\[\d+\]"
)
_ANY0 = frozenset(";'\"|&{")
_ANY1 = frozenset("'\"")
_JOINS = frozenset("|&!")


def look(text: Text) -> str:
    """Which query it is; empty when it is none."""
    low = text.low
    if "$" in text.characters:
        if text.place == "key":
            if low in _OPERATORS or any(one in _OPERATORS for one in _BRACKETED.findall(low)):
                return "an operator of a document store"
        elif _operates(low):
            return "an operator of a document store"
    if ")" in text.characters and len(low) < 1000 and _breaks_out(low):
        return "a filter of LDAP"
    if text.place == "key":
        return ""
    if (
        len(low) < 1000
        and text.characters & _ANY0
        and any(word in low for word in _SCRIPTED)
        and _SCRIPT.search(low)
        and (
            (text.characters & _ANY1 and (";" in low or "||" in low or "&&" in low or "==" in low))
            or low.startswith(("function", ";", "';", "db."))
        )
    ):
        return "a script for a document store"
    if (
        "(" in text.characters
        and "=" in text.characters
        and len(low) < 500
        and _LDAP.search(low)
        and _ATTRIBUTE.search(low)
    ):
        if _code_like(low):
            return ""
        return "a filter of LDAP"
    if "*" in low and "(" in low and text.characters & _JOINS and _META.fullmatch(low) and ")" in low:
        return "a filter of LDAP" if text.whole and not any(c.isdigit() for c in low) else ""
    if low.startswith(("*)(", "*))", "*(|", ")(", "*)%00", "*))%00")):
        return "a filter of LDAP"
    if (
        "(" in text.characters
        and len(low) < 1000
        and _XPATH.search(low)
        and ("/" in low)
        and (_PATH.search(low) or ("'" in low and (" or " in low or " and " in low)))
    ):
        return "an expression of XPath"
    if ("'" in text.characters or '"' in text.characters) and "]" in low and _PATH.search(low) and len(low) < 500:
        return "an expression of XPath"
    if low.startswith(("//*", "/*/", "count(/", "//user", "/*[")) or ("::node()" in low):
        return "an expression of XPath"
    return "the schema of GraphQL" if "__schema" in low and "{" in low and len(low) < 3000 else ""


def _operates(low: str) -> bool:
    """Whether a text, and not the name of a member, holds an operator."""
    if _BRACKET_IN_TEXT.search(low) or (len(low) < 120 and _NAMED.search(low)):
        return True
    return len(low) < 2000 and ("{" in low or "[" in low) and _IN_TEXT.search(low) is not None


def _breaks_out(low: str) -> bool:
    """Whether a filter's assertion is closed that began before the text, and another begins."""
    for found in _BROKEN.finditer(low):
        start = found.start()
        if low[start - 1 : start] not in _SMILES and low.count("(", 0, start) <= low.count(")", 0, start):
            return True
    return False


def _code_like(low: str) -> bool:
    """Functions and calls, as programs have them."""
    return any(one in low for one in ("function", "return ", "def ", "lambda", "{", "=>", " = ", "==", ");"))


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    marked = "(" in low or "*" in low or "//" in low or "::" in low or "__" in low
    if (marked and any(sign in low for sign in _SIGNS)) or ("$" in low and _OPERATOR.search(low)):
        return True
    if any(word in low for word in _SCRIPTED) and _SCRIPT.search(low):
        return True
    if "(" in low:
        brackets = _BRACKETS.search(low) is not None
        if brackets and _BROKEN.search(low):
            return True
        if "*" in low and ")" in low and ("|" in low or "&" in low or "!" in low):
            return True
        if "=" in low and brackets and _LDAP.search(low):
            return True
        joined = "'" in low and (" or " in low or " and " in low)
        if "/" in low and (joined or _PATH.search(low)) and _XPATH.search(low):
            return True
    return bool("]" in low and _PATH.search(low))
