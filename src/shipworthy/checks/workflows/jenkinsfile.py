"""Pipelines of Jenkins: values pasted into commands, agents, libraries, code made from text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.workflows import _shell
from shipworthy.checks.workflows._actions_rules import DOWNLOAD_AND_RUN, HARDCODED, IMAGE, PRIVILEGED
from shipworthy.checks.workflows._gitlab_rules import JENKINS_RULES as _OWN
from shipworthy.checks.workflows._groovy import Token, tokens
from shipworthy.checks.workflows._hit import Hit, findings
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.patterns import regex

RULES = (*_OWN.values(), DOWNLOAD_AND_RUN, HARDCODED, IMAGE, PRIVILEGED)
SIZE_LIMIT = 1_000_000
_CANARY = b"pipeline {\n  agent { label 'x' }\n  stages { stage('a') { steps { sh \"deploy ${params.PLACE}\" } } }\n}\n"
_SHELLS = frozenset({"sh", "bat", "powershell", "pwsh", "sshCommand", "sshScript"})
_THEIRS = regex(
    r"(?:^|[^\w.])(?:params\b|env\.(?:CHANGE_(?:TITLE|BRANCH|AUTHOR\w*|FORK|TARGET)|BRANCH_NAME|GIT_BRANCH|TAG_NAME|ghprb\w+|"
    r"gitlab\w+)|(?:CHANGE_(?:TITLE|BRANCH|AUTHOR\w*|FORK)|BRANCH_NAME|GIT_BRANCH|ghprb\w+|gitlab(?:Source|Merge|User)\w+)\b|payload\.)"
)
_MOVING = frozenset({"main", "master", "develop", "dev", "latest", "trunk", ""})
_CONTROLLER = (("Jenkins", "instance"), ("Jenkins", "getInstance"), ("Jenkins", "get"), ("Hudson", "instance"),
               ("SystemCredentialsProvider", "getInstance"), ("CredentialsProvider", "lookupCredentials"))  # fmt: skip


def is_ours(artifact: Artifact) -> bool:
    """Whether it is a pipeline of Jenkins."""
    name = PurePosixPath(artifact.uri).name
    return name.split(".")[0] == "Jenkinsfile" or name.endswith(".jenkinsfile")


@check(
    "jenkinsfile",
    kinds={"workflow"},
    version=1,
    accepts=is_ours,
    canary=Canary(files={"Jenkinsfile": _CANARY}, rule="jenkins-groovy-injection"),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one file, by its tokens: Groovy is a language, and what its own functions do is not followed."""
    data = artifact.read_bytes(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        yield Skipped(artifact, f"the file is larger than {SIZE_LIMIT:,} bytes")
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Skipped(artifact, "the file is not UTF-8 text")
        return
    yield from findings(artifact, _hits(list(tokens(text))))


def _hits(given: Sequence[Token]) -> Iterator[Hit]:
    secrets = frozenset(_bound(given))
    for number, token in enumerate(given):
        if token.kind != "name":
            continue
        after = given[number + 1 : number + 12]
        before = given[number - 1].value if number else "\n"
        if token.value in _SHELLS and before != ".":
            for text in _arguments(given, number):
                yield from _command(text, secrets)
        elif token.value == "agent" and [t.value for t in after[:1]] == ["any"]:
            yield Hit(_OWN["any-agent"], token.line, "the pipeline runs on any agent", "agent any")
        elif (token.value == "Library" and before == "@") or (
            token.value == "library" and any(t.kind == "text" for t in after[:2])
        ):
            yield from _libraries(after)
        elif token.value in ("evaluate", "GroovyShell", "GroovyClassLoader", "parseClass") and _called(after):
            if not _constant(after):
                yield Hit(
                    _OWN["code-from-text"], token.line, f"{token.value} runs code that is made from text", token.value
                )
        elif token.value in ("Grab", "Grapes") and before == "@":
            yield Hit(_OWN["sandbox-escape"], token.line, "@Grab fetches a library onto the controller", "Grab")
        elif any(token.value == one and [t.value for t in after[:2]] == [".", two] for one, two in _CONTROLLER):
            name = f"{token.value}.{after[1].value}"
            yield Hit(_OWN["sandbox-escape"], token.line, f"{name} reaches into the controller", name)
        elif token.value == "ignoreSslErrors" and "true" in [t.value for t in after[:2]]:
            yield Hit(_OWN["no-verification"], token.line, "certificates are not verified", "ignoreSslErrors")
        elif token.value == "image" and after and after[0].kind == "text" and before in ("\n", "{", ";"):
            yield from _image(after[0])
        elif (
            token.value == "args"
            and after
            and after[0].kind == "text"
            and _shell.privileged(f"docker run {after[0].value}")
        ):
            yield Hit(
                PRIVILEGED, token.line, "the agent's container has the rights of its host", f"args {after[0].value}"
            )
        elif after and after[0].value == "=" and len(after) > 1 and after[1].kind == "text":
            value = after[1]
            if not value.pasted and _shell.hard_coded(token.value, value.value):
                yield Hit(
                    HARDCODED, token.line, f"{token.value} is given as it is", f"{token.value} literal", Severity.MEDIUM
                )


def _called(after: Sequence[Token]) -> bool:
    return bool(after) and (after[0].value == "(" or after[0].kind == "text")


def _constant(after: Sequence[Token]) -> bool:
    """Whether the one argument is a text without anything pasted into it."""
    inner = after[1:] if after[0].value == "(" else after
    return (
        bool(inner) and inner[0].kind == "text" and not inner[0].pasted
        and (len(inner) < 2 or inner[1].value in (")", "\n", ";", "}"))
    )  # fmt: skip


def _arguments(given: Sequence[Token], number: int) -> Iterator[Token]:
    """The texts of a step's call: to the end of its parentheses, or of its line."""
    depth = 0
    for token in given[number + 1 : number + 200]:
        if token.value in ("(", "[", "{") and token.kind == "sign":
            depth += 1
        elif token.value in (")", "]", "}") and token.kind == "sign":
            depth -= 1
            if depth <= 0:
                return
        elif token.value in ("\n", ";") and depth == 0:
            return
        elif token.kind == "text":
            yield token


def _bound(given: Sequence[Token]) -> Iterator[str]:
    """The variables that hold credentials: those that `credentials()` and `withCredentials` set."""
    for number, token in enumerate(given):
        if token.value == "credentials" and number > 1 and given[number - 1].value == "=":
            yield given[number - 2].value
        elif token.kind == "name" and token.value.lower().endswith("variable"):
            yield from (t.value for t in given[number + 1 : number + 3] if t.kind == "text")


def _command(text: Token, secrets: frozenset[str]) -> Iterator[Hit]:
    for pasted in text.pasted:
        name = pasted.strip().removeprefix("env.")
        key = f"{pasted} in {' '.join(text.value.split())[:100]}"
        if name in secrets or name.removesuffix("_PSW").removesuffix("_USR") in secrets:
            yield Hit(_OWN["groovy-secret"], text.line, f"the credential {name[:60]} is pasted into a command", key)
        elif _THEIRS.search(pasted):
            message = f"${{{pasted.strip()[:60]}}}, which others write, is pasted into a command"
            yield Hit(_OWN["groovy-injection"], text.line, message, key)
    for position, line in _shell.lines(text.value):
        at, key = text.line + text.value.count("\n", 0, position), " ".join(line.split())[:200]
        if _shell.fetched_and_run(line):
            yield Hit(DOWNLOAD_AND_RUN, at, "a step fetches a script and runs it at once", key)
        if _shell.privileged(line):
            yield Hit(PRIVILEGED, at, "a step starts a container with the rights of its host", key)
        if _shell.unprotected(line):
            yield Hit(_OWN["no-verification"], at, "a step fetches over a connection that is not protected", key)


def _libraries(after: Sequence[Token]) -> Iterator[Hit]:
    for token in after:
        if token.kind == "text":
            name, _, version = token.value.partition("@")
            if version.lower() in _MOVING:
                told = f"at {version}" if version else "in the version that Jenkins is set to"
                yield Hit(
                    _OWN["unpinned-library"], token.line, f"the library {name[:80]} is used {told}", f"library {name}"
                )
        elif token.value in (")", "\n"):
            return


def _image(text: Token) -> Iterator[Hit]:
    if not text.pasted and "@sha256:" not in text.value and text.value.strip():
        yield Hit(IMAGE, text.line, f"an agent runs in {text.value[:120]}", f"image {text.value[:120]}")
