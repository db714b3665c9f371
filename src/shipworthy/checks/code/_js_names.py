"""Names of a JavaScript file: what they were imported as, what is called, and which hold what a stranger sent.

One file, names without scopes: a name that holds a stranger's text anywhere holds it everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipworthy.checks.code._js_tokens import Token
from shipworthy.patterns import regex

Part = Sequence[Token]
PART_LIMIT = 600  # tokens of one value or call that are looked at
LOOKS_LIMIT = 30_000_000  # at tokens, in all: no honest file of a million bytes needs as many
_OPEN, _CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
_DECLARING = frozenset({"const", "let", "var"})
_JOINING = frozenset("+ - * / % && || ?? ? : = += === == !== != < > <= >= => . ?. , ( [ { ! & | ^ ** ... =".split())
_VERBS = frozenset("get post put delete patch all use options head route".split())
# Parts of a request, and of an event, that who sends it writes.
_SENT = frozenset(
    """body query params param headers header cookies signedCookies url originalUrl path files file hostname host
    rawBody queryStringParameters multiValueQueryStringParameters pathParameters rawQueryString rawPath
    payload searchParams nextUrl text json formData""".split()
)
_BROWSER = regex(
    r"(?:window\.|document\.|self\.|globalThis\.)?location\.(?:hash|search|href|pathname)\Z|document\.(?:URL|documentURI|referrer)\Z|"
    r"window\.name\Z"
)
_CLEANING = regex(
    r"(?i)(?:^|\.)(?:parseint|parsefloat|number|boolean|bigint|encodeuricomponent|encodeuri|basename|isinteger|test|includes|"
    r"indexof|has|hasownproperty|startswith|endswith|\w*saniti[sz]e\w*|\w*escape\w*|purify|validate\w*|objectid|createhash|digest|"
    r"compare\w*|verify|length)\Z"
)


class TooIntricate(Exception):
    """The file's values refer to one another in more ways than are followed."""


@dataclass(frozen=True)
class Call:
    """A call: the name with what it was imported as (`child_process.exec`), and its arguments' tokens. `raw` is the
    name as it stands; `at` the position of the name's first token, `end` that of the closing parenthesis."""

    name: str
    raw: str
    arguments: tuple[Part, ...]
    at: int
    end: int
    line: int
    column: int
    new: bool = False


class Names:
    """All of one file."""

    def __init__(self, tokens: Part) -> None:
        self.tokens = tokens
        self.close = _matched(tokens)
        self.looks = 0
        self.imported: dict[str, str] = {}
        self.requests = {"req", "request"}
        self.theirs: set[str] = set()
        self.fixed: set[str] = set()
        self.changed: set[str] = set()
        self._import()
        self.calls = tuple(self._calls())
        self._handlers()
        assigned = list(self.assignments())
        self._fix(assigned)
        for _ in range(3):
            before = len(self.theirs)
            for names, value, _ in assigned:
                if self.is_theirs(value):
                    self.theirs |= {name for name in names if "." not in name}
            if len(self.theirs) == before:
                break

    # --- reading ---------------------------------------------------------------------------------------------------

    def chain(self, at: int) -> tuple[str, int]:
        """The dotted name that begins at a token, and the position after it; `a['b']` is `a.b`, `a[i]` is `a.*`."""
        tokens = self.tokens
        parts, end = [tokens[at].value], at + 1
        while end + 1 < len(tokens):
            sign = tokens[end]
            if sign.kind == "sign" and sign.value in (".", "?.") and tokens[end + 1].kind == "name":
                parts.append(tokens[end + 1].value)
                end += 2
            elif sign.kind == "sign" and sign.value == "[" and (last := self.close.get(end)):
                one = tokens[end + 1 : last]
                parts.append(one[0].value if len(one) == 1 and one[0].kind == "text" else "*")
                end = last + 1
            else:
                break
        return ".".join(parts)[:200], end

    def _starts(self, at: int) -> bool:
        token = self.tokens[at]
        before = self.tokens[at - 1] if at else None
        return token.kind == "name" and not (
            before is not None and before.kind == "sign" and before.value in (".", "?.")
        )

    def known(self, name: str) -> str:
        """A name with its first part as what that was imported as."""
        first, dot, rest = name.partition(".")
        return self.imported.get(first, first) + dot + rest

    def _calls(self) -> Iterator[Call]:
        tokens = self.tokens
        for at, token in enumerate(tokens):
            if not self._starts(at):
                continue
            name, end = self.chain(at)
            if end < len(tokens) and tokens[end].value == "?.":
                end += 1
            if end >= len(tokens) or tokens[end].kind != "sign" or tokens[end].value != "(":
                continue
            last = self.close.get(end, len(tokens) - 1)
            new = at > 0 and tokens[at - 1].value == "new"
            yield Call(
                self.known(name),
                name,
                tuple(split(tokens[end + 1 : min(last, end + PART_LIMIT)])),
                at,
                last,
                token.line,
                token.column,
                new,
            )
            # `a(...).b(...)`: the second is a call too, of `*.b`
            while (
                last + 3 < len(tokens)
                and tokens[last + 1].value in (".", "?.")
                and tokens[last + 2].kind == "name"
                and tokens[last + 3].value == "("
            ):
                begin, last = last + 3, self.close.get(last + 3, len(tokens) - 1)
                inner = tokens[begin - 1]
                whole = f"{_required(tokens, at) or '*'}.{inner.value}"
                yield Call(
                    whole,
                    whole,
                    tuple(split(tokens[begin + 1 : min(last, begin + PART_LIMIT)])),
                    at,
                    last,
                    inner.line,
                    inner.column,
                )

    def _import(self) -> None:
        tokens = self.tokens
        for at, token in enumerate(tokens):
            if token.kind != "name":
                continue
            if token.value == "require" and (module := _required(tokens, at)):
                self._bind(at, module)
            elif token.value == "from" and at + 1 < len(tokens) and tokens[at + 1].kind == "text":
                self._from(at, _module(tokens[at + 1].value))
            elif token.value in ("promisify", "promisify.") and at + 2 < len(tokens) and tokens[at + 1].value == "(":
                inner = tokens[at + 2]
                name, _ = self.chain(at + 2) if inner.kind == "name" else ("", 0)
                back = at - 1
                while back > 0 and (tokens[back].value in (".", "=") or tokens[back].value == "util"):
                    back -= 1
                if name and tokens[back].kind == "name":
                    self.imported[tokens[back].value] = self.known(name)

    def _bind(self, at: int, module: str) -> None:
        """`const x = require('m')`, `const {a, b: c} = require('m')`, `const x = require('m').y`."""
        tokens = self.tokens
        if at < 2 or tokens[at - 1].value != "=":
            return
        end = at + 4
        rest = ""
        while end + 1 < len(tokens) and tokens[end].value == "." and tokens[end + 1].kind == "name":
            rest += f".{tokens[end + 1].value}"
            end += 2
        if tokens[at - 2].kind == "name":
            self.imported[tokens[at - 2].value] = module + rest
        elif tokens[at - 2].value == "}":
            begin = next((n for n in range(at - 3, max(-1, at - 300), -1) if tokens[n].value == "{"), None)
            if begin is not None:
                for given, local in _pairs(tokens[begin + 1 : at - 2]):
                    self.imported[local] = f"{module}{rest}.{given}"

    def _from(self, at: int, module: str) -> None:
        """`import a, {b as c}, * as d from 'm'`."""
        tokens = self.tokens
        begin = next((n for n in range(at - 1, max(-1, at - 300), -1) if tokens[n].value in ("import", "export")), None)
        if begin is None or tokens[begin].value == "export":
            return
        part = [token for token in tokens[begin + 1 : at] if token.value != "type"]
        for number, token in enumerate(part):
            if token.value == "{":
                last = next((n for n in range(number, len(part)) if part[n].value == "}"), len(part))
                for given, local in _pairs(part[number + 1 : last]):
                    self.imported[local] = f"{module}.{given}" if given != "default" else module
                break
            if token.kind == "name" and token.value != "as":
                self.imported[token.value] = module

    def _handlers(self) -> None:
        """`app.get('/x', (a, b) => …)`: `a` is a request, whatever its name."""
        for call in self.calls:
            if call.raw.rpartition(".")[2] not in _VERBS or "." not in call.raw or not call.arguments:
                continue
            for argument in call.arguments:
                names = _parameters(argument)
                if 2 <= len(names) <= 4:
                    self.requests.add(names[1] if len(names) == 4 else names[0])

    def assignments(self) -> Iterator[tuple[tuple[str, ...], Part, int]]:
        """The names, the value and the place of each `a = …`, `const {a, b: c} = …`, `a.b = …`, `a += …`."""
        tokens = self.tokens
        for at, token in enumerate(tokens):
            if token.kind != "sign" or token.value not in ("=", "+=") or at == 0:
                continue
            value = tokens[at + 1 : self.ends(at + 1)]
            before = tokens[at - 1]
            if before.value in ("}", "]") and before.kind == "sign":
                begin = next((n for n in range(at - 2, max(-1, at - 200), -1) if self.close.get(n) == at - 1), None)
                if begin is not None and (begin == 0 or tokens[begin - 1].value in _DECLARING | {"(", ","}):
                    yield tuple(local for _, local in _pairs(tokens[begin + 1 : at - 1])), value, at
                    continue
            begin = at - 1
            while begin >= 0 and at - begin < 40:
                if self._starts(begin) and self.chain(begin)[1] == at:
                    yield (self.chain(begin)[0],), value, at
                    break
                begin -= 1

    def ends(self, at: int) -> int:
        """Where the expression that begins at a token ends."""
        tokens, here = self.tokens, at
        while here < min(len(tokens), at + PART_LIMIT):
            token = tokens[here]
            if token.kind == "sign":
                if token.value in (";", ",") or token.value in _CLOSE:
                    return here
                if token.value in _OPEN:
                    here = self.close.get(here, len(tokens) - 1)
            following = tokens[here + 1] if here + 1 < len(tokens) else None
            if (
                following is not None and following.line > tokens[here].end
                and not (tokens[here].kind == "sign" and tokens[here].value in _JOINING)
                and not (following.kind == "sign" and following.value in _JOINING - {"(", "[", "{", "!"})
            ):  # fmt: skip
                return here + 1
            here += 1
        return here

    def _fix(self, assigned: list[tuple[tuple[str, ...], Part, int]]) -> None:
        """Names that are given a literal, and nothing else."""
        for names, value, _ in assigned:
            for name in names:
                (self.fixed if name not in self.changed | self.fixed and _plain(value) else self.changed).add(name)
        self.fixed -= self.changed

    # --- judging ---------------------------------------------------------------------------------------------------

    def is_literal(self, part: Part) -> bool:
        """Whether the value stands in the file: texts, numbers, and names of such."""
        return all(
            token.kind in ("text", "number", "regex", "sign", "jsx")
            or (token.kind == "template" and all(self.is_literal(one) for one in token.inner))
            or (
                token.kind == "name"
                and (token.value in ("true", "false", "null", "undefined") or token.value in self.fixed)
            )
            for token in part
        )

    def is_theirs(self, part: Part) -> bool:
        """Whether what a stranger sent is part of the value, and was not turned into something else on the way.
        Raises TooIntricate."""
        return self._theirs(tuple(part))

    def _theirs(self, part: tuple[Token, ...]) -> bool:
        self.looks += len(part)
        if self.looks > LOOKS_LIMIT:
            raise TooIntricate
        inside = Names.__new__(Names)
        inside.tokens, inside.close = part, _matched(part)
        at = 0
        while at < len(part):
            token = part[at]
            if token.kind == "template" and any(self._theirs(one) for one in token.inner):
                return True
            if not inside._starts(at):
                at += 1
                continue
            name, end = inside.chain(at)
            called = end < len(part) and part[end].value == "("
            if called and _CLEANING.search(name):
                at = inside.close.get(end, len(part)) + 1
                continue
            following = part[end].value if end < len(part) else ""
            if self.is_source(name) and not name.endswith(".length") and following != ":":
                return True
            at += 1
        return False

    def is_source(self, name: str) -> bool:
        """Whether a name stands for what a stranger sent."""
        first, _, rest = name.partition(".")
        if first in self.theirs:
            return True
        second = rest.partition(".")[0]
        if first in self.requests:
            return second in _SENT
        if first in ("ctx", "context", "event", "c"):
            return second in _SENT - {"path", "text", "json", "host"} or rest.startswith(("request.", "req."))
        return _BROWSER.match(name) is not None


def split(part: Part) -> Iterator[Part]:
    """The parts between commas that are in no parentheses."""
    depth, begin = 0, 0
    for at, token in enumerate(part):
        if token.kind != "sign":
            continue
        if token.value in _OPEN:
            depth += 1
        elif token.value in _CLOSE:
            depth -= 1
        elif token.value == "," and depth == 0:
            yield part[begin:at]
            begin = at + 1
    if begin < len(part):
        yield part[begin:]


def fields(part: Part) -> dict[str, Part]:
    """The keys and values of an object literal."""
    if not part or part[0].value != "{" or part[0].kind != "sign":
        return {}
    found: dict[str, Part] = {}
    for one in split(part[1:-1]):
        if len(one) > 2 and one[1].value == ":" and one[0].kind in ("name", "text"):
            found[one[0].value] = one[2:]
        elif len(one) == 1 and one[0].kind == "name":
            found[one[0].value] = one
    return found


def texts(part: Part) -> str:
    """All literal text of an expression, in its order."""
    return " ".join(token.value for token in part if token.kind in ("text", "template"))


def _plain(part: Part) -> bool:
    return bool(part) and all(
        t.kind in ("text", "number", "regex") or (t.kind == "template" and not t.inner) or t.value == "+" for t in part
    )


def _matched(tokens: Part) -> dict[int, int]:
    """For each opening sign the position of its closing one; those that do not fit are passed over."""
    found: dict[int, int] = {}
    stack: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.value in _OPEN:
            stack.append(at)
        elif token.value in _CLOSE and stack and _OPEN[tokens[stack[-1]].value] == token.value:
            found[stack.pop()] = at
    return found


def _module(name: str) -> str:
    return name.removeprefix("node:").replace(".", "_") if name.startswith(".") else name.removeprefix("node:")


def _required(tokens: Part, at: int) -> str:
    part = tokens[at : at + 4]
    fits = len(part) == 4 and [t.value for t in (part[0], part[1], part[3])] == ["require", "(", ")"]
    return _module(part[2].value) if fits and part[2].kind == "text" else ""


def _pairs(part: Part) -> Iterator[tuple[str, str]]:
    """`a, b: c, d as e, f = 1` as given and local names."""
    for one in split(part):
        names = [token.value for token in one if token.kind == "name" and token.value not in ("as", "type")]
        if not names:
            continue
        renamed = len(one) > 2 and one[1].value in (":", "as") and len(names) > 1
        yield names[0], names[1] if renamed else names[0]


def _parameters(part: Part) -> list[str]:
    """The parameters of `(a, b) => …`, `function (a, b) {…}`, `async …`; nothing for what is no function."""
    rest = [token for token in part[:3] if token.value not in ("async", "function", "*")]
    skipped = min(3, len(part)) - len(rest)
    if skipped < len(part) and part[skipped].kind == "name" and skipped:
        skipped += 1  # a function with a name
    if skipped >= len(part) or part[skipped].value != "(":
        return []
    last = _matched(part).get(skipped)
    if last is None or last + 1 >= len(part) or part[last + 1].value not in ("=>", "{", ":"):
        return []
    return [one[0].value for one in split(part[skipped + 1 : last]) if one and one[0].kind == "name"]
