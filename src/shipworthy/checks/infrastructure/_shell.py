"""Shell commands as far as their words: enough to see which programs are run with which options, nothing is run.

Pipelines of commands; quotes are undone, substitutions are commands too. Source: POSIX.1-2017, Shell Command Language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.patterns import regex
from shipworthy.records import dataclass

MOST = 50_000  # characters
_DEPTH = 5
_TOKEN = regex(
    r"(?P<space>[ \t\r]++)|(?P<sep>\n|&&|\|\||;;?|\|&?|&(?!>))|(?P<comment>(?<![^\s;&|(])#[^\n]*+)|"
    r"(?P<single>'[^']*+'?)|(?P<double>\"(?:[^\"\\]|\\.)*+\"?)|(?P<escape>\\(?:.|$))|"
    r"(?P<redirect>\d?(?:<<<|>>|>\||>&|<&|&>|<>|>|<)(?!\())|(?P<group>[<>]?\(|\$\(|`|\)|\{(?=\s)|\}(?=[\s;]|$))|"
    r"(?P<word>[^\s\\'\"&|;<>()`$#{}]++|.)",
    re.DOTALL,
)
_SUBSTITUTION = regex(r"\$\(|`")
_ASSIGNMENT = regex(r"[A-Za-z_]\w*=")
_WRAPPERS = frozenset(
    "sudo env exec command nohup time nice then do else if while until ! time -E gosu su-exec tini".split()
)


@dataclass(frozen=True)
class Command:
    """A simple command: its words without quotes, its redirections as `>file`, and the variables set before it."""

    words: tuple[str, ...]
    redirects: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The program's name without its folder."""
        return self.words[0].rpartition("/")[2] if self.words else ""

    def has(self, *options: str) -> bool:
        """Whether one of the options is among the words, also as `--option=value`."""
        return any(word in options or word.partition("=")[0] in options for word in self.words[1:])


def pipelines(text: str, depth: int = 0) -> list[tuple[Command, ...]]:
    """The pipelines of a script, in their order, those of substitutions behind the one that holds them."""
    found: list[tuple[Command, ...]] = []
    inner: list[str] = []
    pipe: list[Command] = []
    words: list[str] = []
    marks: list[str] = []
    glued = redirect = False

    def end_command() -> None:
        nonlocal glued, redirect
        if words or marks:
            pipe.append(_command(words, marks))
        words.clear()
        marks.clear()
        glued = redirect = False

    def end_pipeline() -> None:
        end_command()
        if pipe:
            found.append(tuple(pipe))
        pipe.clear()

    for match in _TOKEN.finditer(text[:MOST]):
        kind, piece = match.lastgroup, match.group()
        if kind == "sep":
            (end_command if piece.startswith("|") and piece != "||" else end_pipeline)()
        elif kind == "group":
            end_pipeline()
        elif kind == "redirect":
            marks.append(piece.lstrip("012"))
            glued, redirect = False, True
        elif kind in ("space", "comment"):
            glued = False
        else:
            substitutes = kind == "double" and _SUBSTITUTION.search(piece)
            piece = _unquoted(kind or "", piece)
            if substitutes:
                inner.append(_substituted(piece))
            target = marks if redirect else words
            if target and (glued or (redirect and not glued)):
                target[-1] += piece
            else:
                target.append(piece)
            glued = True
            continue
        if kind in ("space",) and redirect and marks and marks[-1].strip("<>|&"):
            redirect = False
    end_pipeline()
    if depth < _DEPTH:
        for script in [*inner, *_scripts(found)]:
            found += pipelines(script, depth + 1)
    return found


def _unquoted(kind: str, text: str) -> str:
    if kind == "single":
        return text[1:].removesuffix("'")
    if kind == "double":
        return text[1:].removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
    if kind == "escape":
        return text[1:].strip("\n")
    return text


def _substituted(text: str) -> str:
    """What is run inside of a quoted text: all from the first substitution on, its ends as separators."""
    first = _SUBSTITUTION.search(text)
    return text[first.start() :] if first else ""


def _command(words: list[str], marks: list[str]) -> Command:
    variables = []
    at = 0
    while at < len(words) and (_ASSIGNMENT.match(words[at]) or words[at] in _WRAPPERS):
        if words[at] not in _WRAPPERS:
            variables.append(words[at])
        at += 1
    return Command(tuple(words[at:]), tuple(marks), tuple(variables))


def _scripts(found: list[tuple[Command, ...]]) -> Iterator[str]:
    """The scripts that are given to shells as arguments: `sh -c 'script'`."""
    for pipeline in found:
        for command in pipeline:
            if command.program in ("sh", "bash", "dash", "ash", "zsh"):
                for flag, script in zip(command.words[1:], command.words[2:], strict=False):
                    if flag.startswith("-") and not flag.startswith("--") and flag.endswith("c"):
                        yield script
                        break
