"""Why a command of a build failed, where its last lines let one guess: what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

_NETWORK = ("resolve", "network is unreachable", "connection", "eai_again")  # in any program's words
_MISSING = ("not found", "no such file or directory")  # as shells and container runtimes say of a program


def hint(last: Iterable[str], *, network: bool, status: int = 0) -> str:
    """What to add to the remedy; "" when the lines do not tell. `status` is the command's, where it is known."""
    lines = [line.lower() for line in last]
    if not network and any(word in line for line in lines for word in _NETWORK):
        return "; RUN has no network: put what it fetches into the context, or allow the network for this build"
    if status == 127 or any("status 127" in line or "exit code: 127" in line for line in lines):
        return "; the base image has no such program. Take a base that has it, or COPY it from a stage that does"
    return ""


def missing(last: Iterable[str]) -> str:
    """The line that names the program that is not there; "" when none does."""
    return next((line for line in reversed(list(last)) if any(word in line.lower() for word in _MISSING)), "")
