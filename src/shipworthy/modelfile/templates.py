"""Chat templates: Jinja programs that run whenever a prompt is made, read by a lexer of our own; nothing is rendered.

A renderer without a sandbox lets a template reach any Python object through attributes that start with an underscore;
sandboxes have had holes (CVE-2024-34359, CVE-2024-56326, CVE-2025-27516). Honest templates need none of that.
Syntax: Jinja 3.1 with the tags `generation`, `break`, `continue` and `do` that chat loaders add.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.modelfile.listed import listed
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.templatebombs import HUGE, REPEATING, Token, bombs, number
from shipworthy.patterns import regex
from shipworthy.records import dataclass

_OPEN = regex(r"\{(?P<kind>[{%#])[-+]?")
_CLOSE = {"{": regex(r"-?\}\}"), "%": regex(r"[-+]?%\}")}
_RAW_END = regex(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TOKEN = regex(
    r"(?P<space>\s+)|(?P<name>[^\W\d]\w*)|(?P<number>0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)"
    r"|(?P<text>'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\")"
    r"|(?P<mark>\*\*|//|==|!=|<=|>=|[-+*/%~<>=.,:;|()\[\]{}])",
    re.DOTALL,
)
_ESCAPED = regex(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
_INTERNALS = (
    "class globals subclasses mro base bases builtins import getattribute getattr dict code closure init init_subclass "
    "self func module reduce reduce_ex loader spec wrapped kwdefaults defaults call new setattr delattr annotations "
    "traceback context cause getitem enter exit prepare slots qualname doc file path cached"
)
_INTERNAL = regex(rf"__(?:{_INTERNALS.replace(' ', '|')})__")
_PIECE = regex(rf"__(?:{'|'.join(sorted({n[:i] for n in _INTERNALS.split() for i in range(2, len(n) + 1)}))})")
_TAIL = regex(rf"(?:{'|'.join(sorted({n[i:] for n in _INTERNALS.split() for i in range(len(n) - 1)}))})__")
_FRAMES = frozenset(
    "mro gi_frame gi_code gi_yieldfrom cr_frame cr_code cr_await ag_frame ag_code f_globals f_locals f_builtins f_back "
    "f_code tb_frame tb_next func_globals func_code func_closure im_func im_class im_self subclasses".split()
)
_LOADING = frozenset(("include", "import", "from", "extends"))
_BLOCKS = frozenset("for if block macro call filter autoescape with trans generation".split())  # `set` only without `=`
_INSIDE = frozenset("elif else pluralize".split())
_SINGLE = frozenset("do break continue debug".split())
_BY_ATTRIBUTE = frozenset("map selectattr rejectattr groupby sort sum unique min max join".split())
# Filters of renderers that are no Python programs, beside those of jinja2 and transformers.
_ELSEWHERE = frozenset(("from_json", "fromjson", "strftime"))
_PADDED = regex(r"%[-+ #0]*\d*\.?\d{7}|\{[^{}]*:[^{}]*\d{7}")
_NESTED = 100
_TOKENS = 200_000  # an honest template has some thousands
_REPORTED = 20
_NAMED = 6


@dataclass(frozen=True)
class Trouble:
    """One thing wrong with a template: `at` counts characters."""

    code: Code
    severity: str
    message: str
    at: int
    asks: str = ""


class _UnreadError(ValueError):
    def __init__(self, text: str, at: int, severity: str = "medium") -> None:
        super().__init__(text)
        self.at = at
        self.severity = severity
        self.severity = severity


def is_template(head: str) -> bool:
    """Whether text has a Jinja tag that begins and ends, or begins and is cut."""
    found = _OPEN.search(head)
    return (
        found is not None
        and re.match(r"[\s'\"(\[{.~%|\])-]*(?:[\w#]|\Z)", head[found.end() : found.end() + 40]) is not None
    )


def troubles(text: str) -> Iterator[Trouble]:
    """What rendering this template would do that an honest one does not. Raises nothing; linear in its length. All ways
    out of the sandbox by name are one trouble, where the first stands.
    """
    names: dict[str, int] = {}
    for trouble in _troubles(text):
        if trouble.message:
            yield trouble
        else:
            names.setdefault(trouble.asks, trouble.at)
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        told = (
            f"it asks for {', '.join(list(names)[:_NAMED])}{more}, the way out of a template's sandbox to any command;"
        )
        asks = " ".join(sorted(names))
        yield Trouble(Code.TEMPLATE_ESCAPE, "high", f"{told} do not use the model", min(names.values()), asks)


def _troubles(text: str) -> Iterator[Trouble]:
    """One by one; a way out by name has no message yet."""
    try:
        statements = list(_statements(text))
    except _UnreadError as error:
        told = f"{error}: it can't be rendered as it is" if error.severity == "medium" else f"{error}: it was not read"
        yield Trouble(Code.BROKEN_STREAM, error.severity, told, error.at)
        # what can't be read by us may be read by another renderer
        for match in _INTERNAL.finditer(text):
            yield _escape(match.group(), match.start())
            return
        return
    yield from _structure(statements)
    for _, tokens in statements:
        yield from _expression(tokens)
    for told, at in bombs(statements):
        yield Trouble(Code.BOMB, "high", told, at)


def leaves_sandbox(trouble: Trouble) -> bool:
    """Whether it asks for Python's internals by name, which no template of any program does."""
    return trouble.severity == "high" and (_INTERNAL.search(trouble.asks) is not None or "attr" in trouble.asks)


def judge(scope: Scope, text: str, what: str = "the template", at: int | None = None) -> None:
    """Report what is wrong with a template that lies at byte `at` of the view."""
    for shown, trouble in enumerate(troubles(text), 1):
        line = text.count("\n", 0, trouble.at) + 1
        place = f"{what}, line {line}: " if what else f"line {line}: "
        scope.issue(trouble.code, trouble.severity, place + trouble.message, at, trouble.asks)
        if shown >= _REPORTED:
            break


def read(scope: Scope, _: str = "") -> int:
    """A file that is a template; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    text = scope.text("the template")
    if text is not None:
        judge(scope, text, "the template", 0)
    return size


def _escape(asks: str, at: int) -> Trouble:
    shown = ascii(asks)[1:-1][:80]
    return Trouble(Code.TEMPLATE_ESCAPE, "high", "", at, shown)


def _statements(text: str) -> Iterator[tuple[str, list[Token]]]:
    """Each `{{ }}` and `{% %}` with its tokens; comments, raw blocks and text between are passed over."""
    at = count = 0
    while match := _OPEN.search(text, at):
        kind, at = match["kind"], match.end()
        if kind == "#":
            end = text.find("#}", at)
            if end < 0:
                raise _UnreadError("a comment has no end", match.start())
            at = end + 2
            continue
        tokens: list[Token] = []
        at = _inside(text, at, kind, tokens, _TOKENS - count)
        count += len(tokens)
        if kind == "%" and tokens and tokens[0].value == "raw":
            closed = _RAW_END.search(text, at)
            if not closed:
                raise _UnreadError("a raw block has no end", match.start())
            at = closed.end()
            continue
        yield kind, tokens


def _inside(text: str, at: int, kind: str, tokens: list[Token], most: int) -> int:
    """The tokens up to the closing braces, and where those end. Brackets within must match, as for Jinja."""
    close, begin = _CLOSE[kind], at
    stack: list[str] = []
    while True:
        end = None if stack else close.match(text, at)
        if end:
            return end.end()
        match = _TOKEN.match(text, at)
        if not match:
            raise _UnreadError("a tag has no end" if at >= len(text) else "a tag holds what is not Jinja", begin)
        at = match.end()
        value, what = match.group(), match.lastgroup or ""
        if what == "space":
            continue
        if value in ("(", "[", "{") and what == "mark":
            stack.append({"(": ")", "[": "]", "{": "}"}[value])
            if len(stack) > _NESTED:
                raise _UnreadError("brackets are nested deeper than any renderer follows", at)
        elif value in (")", "]", "}") and what == "mark" and (not stack or stack.pop() != value):
            raise _UnreadError("brackets do not match", at)
        tokens.append(Token(what, _plain(value) if what == "text" else value, match.start()))
        if len(tokens) > most:
            raise _UnreadError("it is longer than any honest template", at, "high")


def _plain(quoted: str) -> str:
    inner = quoted[1:-1]
    return _ESCAPED.sub(_unescaped, inner) if "\\" in inner else inner


def _unescaped(match: re.Match[str]) -> str:
    for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
        if match[group]:
            code = int(match[group], base)
            return chr(code) if code < 0x110000 else ""
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match[5], match[5])


def _structure(statements: list[tuple[str, list[Token]]]) -> Iterator[Trouble]:
    """Tags that open and close, tags that load other templates, tags that nobody knows."""
    stack: list[str] = []
    for kind, tokens in statements:
        if kind != "%":
            continue
        if not tokens:
            yield Trouble(Code.BROKEN_STREAM, "medium", "a tag is empty", 0)
            return
        name, at = tokens[0].value, tokens[0].at
        if name in _LOADING:
            text = f"it loads another template or file ({name}); a chat template stands alone"
            yield Trouble(Code.TEMPLATE_ESCAPE, "high", text, at, name)
        elif name in _BLOCKS or (name == "set" and not any(t.value == "=" for t in tokens)):
            stack.append(name)
            if len(stack) > _NESTED:
                yield Trouble(Code.BOMB, "medium", "its blocks are nested deeper than any renderer follows", at)
                return
        elif name.startswith("end"):
            if not stack or stack.pop() != name[3:]:
                yield Trouble(Code.BROKEN_STREAM, "medium", f"{name[:40]} closes nothing: it can't be rendered", at)
                return
        elif name not in _INSIDE and name not in _SINGLE and name != "set":
            text = f"it has the tag {ascii(name)[:40]}, which needs an extension that chat loaders do not have"
            yield Trouble(Code.TEMPLATE_ESCAPE, "medium", text, at, name[:40])
    if stack:
        yield Trouble(Code.BROKEN_STREAM, "medium", f"a {stack[-1]} block is not closed: it was cut", 0)


def _expression(tokens: list[Token]) -> Iterator[Trouble]:
    """Attributes, filters and literals of one tag."""
    for index, token in enumerate(tokens):
        before = tokens[index - 1].value if index and tokens[index - 1].kind == "mark" else ""
        after = tokens[index + 1].value if index + 1 < len(tokens) and tokens[index + 1].kind == "mark" else ""
        if token.kind == "name":
            yield from _named(tokens, index, before, after)
        elif token.kind == "text":
            printed = (
                not index and " " in token.value.strip() and after in ("", "~", "+")
            )  # a sentence, put out as it is
            yield from () if printed else _literal(token, before, after)
        elif token.kind == "number":
            yield from _number(tokens, index, before, after)
        elif token.value == "**" and index and before not in ("(", ",") and tokens[index - 1].kind != "mark":
            text = "it computes a power, which can grow without end; no chat template needs one"
            yield Trouble(Code.BOMB, "medium", text, token.at)


def _named(tokens: list[Token], index: int, before: str, after: str) -> Iterator[Trouble]:
    token = tokens[index]
    name = token.value
    if (before == "." and (name.startswith("_") or name in _FRAMES)) or _INTERNAL.fullmatch(name):
        yield _escape(name, token.at)
    elif before == "|":
        if name == "attr":
            yield _escape("|attr(", token.at)
        elif name not in _ELSEWHERE and name not in listed("jinja-filters"):
            text = f"it has the filter {ascii(name)[:40]}, which chat loaders do not have"
            yield Trouble(Code.TEMPLATE_ESCAPE, "low", text, token.at, name[:40])
        if name in _BY_ATTRIBUTE and after == "(":
            yield from _attribute(tokens, index)
    elif name == "lipsum" and before != ".":
        text = "it asks for lipsum, a helper of Jinja that honest chat templates have no use for"
        yield Trouble(Code.TEMPLATE_ESCAPE, "high", text, token.at, name)


def _attribute(tokens: list[Token], index: int) -> Iterator[Trouble]:
    """`map(attribute=...)`, `selectattr(...)` and their like take an attribute by its name: it must be spelled out."""
    name = tokens[index].value
    inside = tokens[index + 2 : index + 6]
    by_name = len(inside) > 2 and inside[0].value == "attribute" and inside[1].value == "="
    if not by_name and name not in ("selectattr", "rejectattr", "groupby"):
        if name == "map" and inside and inside[0].kind == "text" and inside[0].value == "attr":
            yield _escape("map('attr'", inside[0].at)
        return
    value = inside[2 if by_name else 0] if inside else tokens[index]
    if value.kind == "text" and any(part.startswith("_") or part in _FRAMES for part in value.value.split(".")):
        yield _escape(value.value, value.at)
    elif value.kind not in ("text", "number"):
        text = f"the filter {name} takes an attribute whose name is computed"
        yield Trouble(Code.TEMPLATE_ESCAPE, "medium", text, value.at, name)


def _literal(token: Token, before: str, after: str) -> Iterator[Trouble]:
    value = token.value
    inside = _INTERNAL.search(value)
    if inside:
        yield _escape(inside.group(), token.at)
    elif before == "[" and after == "]" and value.startswith("_") and value.strip("_") in _INTERNALS.split():
        yield _escape(value, token.at)
    elif "__" in value and (_PIECE.fullmatch(value) or _TAIL.fullmatch(value)):
        text = f"the text {ascii(value)[:40]} looks like a piece of a name of Python's internals, put together later"
        yield Trouble(Code.TEMPLATE_ESCAPE, "high", text, token.at, ascii(value)[:40])
    elif _PADDED.search(value):
        text = "it pads text to millions of characters: rendering it takes all memory"
        yield Trouble(Code.BOMB, "high", text, token.at)
    elif "%c" in value and "|" in after:
        text = "it builds text from numbers of characters, which hides what it asks for"
        yield Trouble(Code.TEMPLATE_ESCAPE, "high", text, token.at, "%c")
    elif value and not value.strip("_") and ("~" in (before, after) or "+" in (before, after) or before == "["):
        text = "it puts a name together from underscores, which hides what it asks for"
        yield Trouble(Code.TEMPLATE_ESCAPE, "medium", text, token.at, ascii(value)[:20])


def _number(tokens: list[Token], index: int, before: str, after: str) -> Iterator[Trouble]:
    token = tokens[index]
    if number(token) < HUGE:
        return
    if "*" in (before, after) or any(t.value in REPEATING
                                     for t in tokens[max(0, index - 6) : index]):  # fmt: skip
        text = f"it repeats something {ascii(token.value)[1:30]} times: rendering it takes all time or memory"
        yield Trouble(Code.BOMB, "high", text, token.at)
