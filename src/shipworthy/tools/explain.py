"""Why a command in the sandbox did not do its work, in words."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.tools.sandbox import SandboxResult

_STOPPED = {
    "wall-time": "raise limits.wall-seconds, or make it shorter",
    "cpu-time": "raise limits.cpu-seconds, or make it shorter",
    "memory": "raise limits.memory-mb, or use smaller batches",
    "processes": "raise limits.processes, or use fewer workers",
    "output": "print less; the log is for people",
    "disk": "write less",
}
_OUTSIDE = ("FileNotFoundError", "PermissionError", "Read-only file system", "No such file")
_SIGNALS = {4: "illegal instruction", 6: "abort", 9: "kill", 11: "segmentation fault", 15: "request to end"}
_SIGXCPU, _SIGXFSZ, _SIGKILL = 24, 25, 9


@dataclass(frozen=True)
class Failure:
    """What went wrong, and what to do."""

    reason: str
    remedy: str = ""


def explain(done: SandboxResult) -> Failure | None:
    """Why it failed; None when it ran to its end with exit status 0."""
    if done.refused:
        return Failure(f"the command was not started: {done.refused}", "check the command in the settings")
    if done.stopped:
        return Failure(f"stopped: {done.detail}", _STOPPED.get(done.stopped, ""))
    if done.returncode == 0:
        return None
    return Failure(f"the command ended with {_status(done)}", _hint(done))


def _status(done: SandboxResult) -> str:
    number = done.returncode - 128
    how = f"signal {number}" if done.returncode > 128 else f"exit status {done.returncode}"
    if number in _SIGNALS:
        how += f" ({_SIGNALS[number]})"
    last = next((line for line in reversed(done.stderr_tail) if line.strip()), "")
    return f"{how}: {last[:300]}" if last else how


def _hint(done: SandboxResult) -> str:
    said = "\n".join(done.stderr_tail[-8:])
    if done.returncode == 128 + _SIGXCPU:
        return _STOPPED["cpu-time"]
    if done.returncode == 128 + _SIGXFSZ or "File too large" in said:
        return "raise limits.file-mb, or write smaller files"
    if "MemoryError" in said or "bad_alloc" in said or done.returncode == 128 + _SIGKILL:
        return "it may have reached limits.memory-mb"
    tried = [attempt.target for attempt in done.attempts if attempt.kind == "network"]
    if tried and done.report.network == "blocked":
        return f"it tried to reach {tried[0]}, and the sandbox has no network: declare as inputs what it needs"
    if "No module named" in said:
        return (
            "if the module is yours, declare it in `code`; else install it where the command's Python finds it "
            "(`python` is the one that Shipworthy is installed in)"
        )
    if any(word in said for word in _OUTSIDE):
        return "it sees only declared code and inputs, and writes only declared outputs: declare what it needs"
    return "see the log"
