"""JavaScript and TypeScript as tokens, tolerantly: texts, templates, regular expressions, comments, JSX.

Source: ECMAScript's lexical grammar (ECMA-262, section 12); what a slash begins is decided by the token before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shipworthy.patterns import regex

DEPTH_LIMIT = 30
_SPACE = regex(r"[ \t\r\f\v\u00a0\ufeff\u2028\u2029]+")
_NAME = regex(r"#?[^\W\d][\w$]*|#?\$[\w$]*")
_NUMBER = regex(r"0[xXbBoO][\da-fA-F_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?")
_SIGN = regex(
    r">>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|[-+*/%&|^]=|\*\*"
)
_PLAIN = regex(r"[^\\$`]*")
_MARK = regex(r"[{<]")
_TAG = regex(r"<(?:>|[A-Za-z_$][\w$.:-]*(?=[\s/>]))")
_GENERIC = regex(r"<[A-Za-z_$][\w$]*\s+extends\b")
# After these words a value begins: a slash is a regular expression, `<` an element.
_BEFORE_VALUE = frozenset(
    "return typeof instanceof in of new delete void throw case do else yield await default extends".split()
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "\n": ""}


@dataclass(frozen=True)
class Token:
    """`kind` is name, text, template, number, regex, jsx (text between tags) or sign. `value` of a text is what it
    says. `inner` are the tokens of a template's expressions. `line` and `column` count from 1, `end` is its last
    line."""

    kind: str
    value: str
    line: int
    column: int
    end: int = 0
    inner: tuple[tuple[Token, ...], ...] = field(default=())

    def __repr__(self) -> str:
        return f"{self.kind}:{self.value!r}@{self.line}"


def tokens(text: str, *, jsx: bool = True) -> tuple[Token, ...]:
    """All tokens, comments left out. What is taken for JSX and does not end is read again as if it were none."""
    reader = _Reader(text, jsx)
    found = reader.all()
    if jsx and (len(reader.modes) > 1 or reader.open):
        return _Reader(text, False).all()
    return found


class _Reader:
    """A position in the text. `modes` says what is open: code (with its depth of braces), a tag, or what is in one."""

    def __init__(self, text: str, jsx: bool, at: int = 0, line: int = 1, depth: int = 0) -> None:
        self.text, self.jsx, self.at, self.line, self.depth = text, jsx, at, line, depth
        self.begin = text.rfind("\n", 0, at) + 1
        self.modes: list[list[object]] = [["code", 0]]
        self.out: list[Token] = []
        self.open = False

    def all(self, closing: bool = False) -> tuple[Token, ...]:
        """Read to the end, or (in a template's expression) to the brace that closes it."""
        while self.at < len(self.text):
            mode = self.modes[-1]
            if mode[0] == "children":
                self._children()
            elif not self._blank():
                if closing and len(self.modes) == 1 and mode[1] == 0 and self.text[self.at] == "}":
                    break
                self._code() if mode[0] == "code" else self._tag()
        return tuple(self.out)

    def _add(self, kind: str, value: str, to: int, inner: tuple[tuple[Token, ...], ...] = ()) -> None:
        line, column = self.line, self.at - self.begin + 1
        self._go(to)
        self.out.append(Token(kind, value, line, column, self.line, inner))

    def _go(self, to: int) -> None:
        count = self.text.count("\n", self.at, to)
        if count:
            self.line += count
            self.begin = self.text.rfind("\n", 0, to) + 1
        self.at = to

    def _blank(self) -> bool:
        """Skip a space, a line's end or a comment."""
        text, at = self.text, self.at
        if text[at] == "\n":
            self._go(at + 1)
        elif match := _SPACE.match(text, at):
            self.at = match.end()
        elif text.startswith("//", at) or (at == 0 and text.startswith("#!")) or text.startswith("<!--", at):
            end = text.find("\n", at)
            self._go(len(text) if end < 0 else end)
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            self._go(len(text) if end < 0 else end + 2)
        else:
            return False
        return True

    def _value_begins(self) -> bool:
        """Whether a value, not an operator, comes next."""
        if not self.out:
            return True
        last = self.out[-1]
        if last.kind == "name":
            return last.value in _BEFORE_VALUE
        return last.kind == "sign" and last.value not in (")", "]", "}", "++", "--")

    def _code(self) -> None:
        text, at = self.text, self.at
        letter = text[at]
        if letter in "'\"":
            self._quoted(letter)
        elif letter == "`":
            self._template()
        elif match := _NAME.match(text, at):
            self._add("name", match[0], match.end())
        elif (letter.isdigit() or letter == ".") and (match := _NUMBER.match(text, at)):
            self._add("number", match[0], match.end())
        elif letter == "/" and self._slash_is_regex() and (end := self._regex_end()):
            self._add("regex", text[at:end], end)
        elif letter == "<" and self.jsx and self._opens_element():
            self.modes.append(["tag", False])
            self._add("sign", "<", at + 1)
        else:
            self._sign(letter)

    def _slash_is_regex(self) -> bool:
        if self._value_begins():
            return True
        last = self.out[-1]
        # After a block's end, on a new line: `}` of an object is followed by a slash on its own line only.
        return last.kind == "sign" and last.value == "}" and last.end < self.line

    def _opens_element(self) -> bool:
        return (
            self._value_begins()
            and _TAG.match(self.text, self.at) is not None
            and _GENERIC.match(self.text, self.at) is None
        )

    def _sign(self, letter: str) -> None:
        mode = self.modes[-1]
        if letter == "{":
            mode[1] = int(str(mode[1])) + 1
        elif letter == "}":
            if mode[1] == 0 and len(self.modes) > 1:
                self.modes.pop()
            else:
                mode[1] = max(0, int(str(mode[1])) - 1)
        match = _SIGN.match(self.text, self.at)
        self._add("sign", match[0] if match else letter, match.end() if match else self.at + 1)

    def _tag(self) -> None:
        """Inside of `<…>`: names, texts, braces; `>` ends it."""
        text, at, mode = self.text, self.at, self.modes[-1]
        letter = text[at]
        if letter in "'\"":
            end = text.find(letter, at + 1)
            end = len(text) if end < 0 else end
            self._add("text", text[at + 1 : end], min(end + 1, len(text)))
        elif letter == "{":
            self.modes.append(["code", 0])
            self._add("sign", "{", at + 1)
        elif letter == "/":
            if self.out[-1].value == "<" and self.out[-1].kind == "sign":
                mode[1] = True
            self._add("sign", "/", at + 1)
        elif letter == ">":
            alone = self.out[-1].kind == "sign" and self.out[-1].value == "/"
            self.modes.pop()
            if mode[1]:
                if self.modes[-1][0] == "children":
                    self.modes.pop()
            elif not alone:
                self.modes.append(["children", 0])
            # A number after an element: it is a value, and no operator follows that begins one.
            self._add("sign", ")" if mode[1] or alone else ">", at + 1)
        elif match := _NAME.match(text, at):
            self._add("name", match[0], match.end())
        else:
            self._add("sign", letter, at + 1)

    def _children(self) -> None:
        text, at = self.text, self.at
        if text[at] == "{":
            self.modes.append(["code", 0])
            self._add("sign", "{", at + 1)
        elif text[at] == "<":
            self.modes.append(["tag", False])
            self._add("sign", "<", at + 1)
        else:
            match = _MARK.search(text, at)
            end = match.start() if match else len(text)
            if text[at:end].strip():
                self._add("jsx", text[at:end].strip(), end)
            else:
                self._go(end)

    def _quoted(self, quote: str) -> None:
        """A text; one that does not end on its line ends with it."""
        text, at, said = self.text, self.at + 1, []
        while at < len(text) and text[at] != quote and text[at] != "\n":
            if text[at] == "\\" and at + 1 < len(text):
                said.append(_ESCAPES.get(text[at + 1], text[at + 1]))
                at += 2
            else:
                said.append(text[at])
                at += 1
        ended = at < len(text) and text[at] == quote
        self._add("text", "".join(said), at + ended)

    def _template(self) -> None:
        """A template with the tokens of its expressions; one that never ends goes to the end of the file."""
        text, at, said = self.text, self.at + 1, []
        inner: list[tuple[Token, ...]] = []
        line, counted = self.line, self.at
        while at < len(text) and text[at] != "`":
            if text[at] == "\\":
                said.append(text[at : at + 2])
                at += 2
            elif text.startswith("${", at) and self.depth < DEPTH_LIMIT:
                line, counted = line + text.count("\n", counted, at), at
                below = _Reader(text, self.jsx, at + 2, line, self.depth + 1)
                inner.append(below.all(closing=True))
                if len(below.modes) > 1:
                    self.open = True  # what was read as an element did not end: see `tokens`
                self.open = self.open or below.open
                at = below.at + 1
                said.append("${}")
            else:
                end = _PLAIN.match(text, at + 1)
                end_at = end.end() if end else at + 1
                said.append(text[at:end_at])
                at = end_at
        self._add("template", "".join(said), min(at + 1, len(text)), tuple(inner))

    def _regex_end(self) -> int:
        """Where the regular expression that begins here ends, with its flags; 0 when it does not end on its line."""
        text, at, in_class = self.text, self.at + 1, False
        while at < len(text) and text[at] != "\n":
            letter = text[at]
            if letter == "\\":
                at += 1
            elif letter == "[":
                in_class = True
            elif letter == "]":
                in_class = False
            elif letter == "/" and not in_class:
                at += 1
                while at < len(text) and text[at].isalpha():
                    at += 1
                return at
            at += 1
        return 0
