"""GitHub's expressions: where they stand, what they read, and whether a stranger writes it.

Source: "Contexts" and "Script injections" of GitHub's documentation of Actions.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.patterns import regex
from shipworthy.records import dataclass

LENGTH_LIMIT = 21_000  # of an expression, by GitHub
_TOKEN = regex(
    r"'(?:[^']|'')*'|[A-Za-z_][\w-]*(?:\.(?:[A-Za-z_][\w-]*|\*)|\[(?:'[^'\]]*'|\d+|\*)\])*|==|!=|<=|>=|&&|\|\||[^\s\w]|\d+"
)
_INDEX = regex(r"\[(?:'([^'\]]*)'|(\d+|\*))\]")
# What a function of these gives is true or false, or a digest: nothing of what it was asked about.
_JUDGING = frozenset({"contains", "startswith", "endswith", "hashfiles", "success", "failure", "always", "cancelled"})
_COMPARING = frozenset({"==", "!=", "<", ">", "<=", ">="})
# The last part of fields of github.event that hold free text.
_FREE = frozenset(
    {"body", "default_branch", "description", "display_title", "email", "head_branch", "head_ref", "homepage", "label",
     "message", "name", "page_name", "ref", "title", "text"}
)  # fmt: skip
_ABOUT = ("issue.", "pull_request.", "comment.", "review.", "review_comment.", "discussion.", "pages.", "commits.",
          "head_commit.", "workflow_run.", "discussion_comment.")  # fmt: skip
_NOT_THEIRS = ("pull_request.base.", "workflow_run.name", "milestone.", "workflow_run.repository.")


@dataclass(frozen=True)
class Expression:
    """One `${{ }}`: its text, where it begins in the whole text, and the contexts that its value can show."""

    text: str
    position: int
    reads: tuple[str, ...]


def expressions(text: str) -> Iterator[Expression]:
    """Every `${{ }}` of a text."""
    at = text.find("${{")
    while at >= 0:
        end = text.find("}}", at)
        if end < 0:
            return
        inner = text[at + 3 : min(end, at + LENGTH_LIMIT)]
        yield Expression(inner.strip(), at, tuple(shown(inner)))
        at = text.find("${{", end)


def tokens(text: str) -> list[str]:
    """The parts of an expression without its literal strings' contents."""
    return _TOKEN.findall(text[:LENGTH_LIMIT])


def shown(text: str) -> Iterator[str]:
    """The contexts whose value can be part of the expression's: not those that are only compared or asked about."""
    parts = tokens(text)
    judging: list[bool] = []
    for number, part in enumerate(parts):
        before = parts[number - 1] if number else ""
        after = parts[number + 1] if number + 1 < len(parts) else ""
        if part == "(":
            judging.append(before.lower() in _JUDGING)
        elif part == ")":
            if judging:
                judging.pop()
        elif part[0].isalpha() or part[0] == "_":
            guard = after == "&&"  # `a && b` shows b, or what is false
            if after != "(" and not any(judging) and not guard and not {before, after} & _COMPARING:
                yield dotted(part)


def dotted(reference: str) -> str:
    """`github.event['issue'].title` as `github.event.issue.title`, in lower case; numbers as `*`."""
    plain = _INDEX.sub(lambda m: f".{m[1]}" if m[1] is not None else ".*", reference)
    return plain.lower().replace(".*.", ".")


def is_strangers(reference: str) -> bool:
    """Whether anybody who can open an issue or a pull request writes the value."""
    if reference in ("github", "github.event", "github.head_ref"):
        return True
    inner = reference.removeprefix("github.event.")
    if inner == reference or inner.startswith(_NOT_THEIRS):
        return False
    if inner in ("issue", "pull_request", "comment", "review", "discussion", "commits", "head_commit", "workflow_run"):
        return True
    return inner.startswith(_ABOUT) and inner.rpartition(".")[2] in _FREE


def is_input(reference: str) -> bool:
    """Whether somebody with some right to the repository writes it: inputs, payloads, names of branches and tags."""
    return reference.startswith(
        ("inputs.", "github.event.inputs.", "github.event.client_payload.", "github.event.release.")
    ) or reference in (
        "github.ref_name",
        "github.event.ref",
        "github.event.inputs",
        "inputs",
        "github.event.label.name",
    )
