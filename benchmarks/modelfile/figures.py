"""The issue's table of numbers: goal, what was measured, met or missed, and the ratio to the best peer of this run."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from environments import OURS
from speed import Timed

ALARMS = 0.01  # a peer counts for detection if it flags no more honest files than this


@dataclass
class Figures:
    """What the parts of a run found; empty where a part was not run."""

    right: float | None = None
    attacks: int = 0
    stopped: float = 0.0
    command: tuple[int, int] = (0, 0)
    found: dict[str, float] = field(default_factory=dict)
    flagged: dict[str, tuple[int, int]] = field(default_factory=dict)
    published: dict[str, tuple[int, int]] = field(default_factory=dict)
    library: dict[str, Timed] = field(default_factory=dict)
    compiled: dict[str, Timed] = field(default_factory=dict)
    commands: dict[str, dict[str, Timed]] = field(default_factory=dict)
    passes: dict[str, tuple[float, float]] = field(default_factory=dict)
    checked: int = 0
    differed: list[str] = field(default_factory=list)


def table(figures: Figures, measured: Path) -> list[str]:
    """The lines."""
    others = tomllib.loads(measured.read_text(encoding="utf-8")) if measured.exists() else {}
    rows = [
        _attacks(figures),
        _published(figures),
        _other(others, "unseen", "attacks written without looking at the scanner, at the first look", ">= 99 %"),
        _other(others, "honest", "honest models with a high finding, of >= 1,000 held out", "0; <= 0.3 % medium"),
        _honest(figures),
        _other(others, "allowed", "allowed names called with an attacker's arguments", "100 % found"),
        _other(others, "random", "random importable callables outside of the table", "100 % found"),
        _timed(figures, "1.2 GB torch zip", 0.05, 40),
        _passes(figures),
        _timed(figures, "62 MB pickle, 20 million opcodes", 1.5, 64),
        _small(figures),
        _start(figures),
    ]
    lines = [
        "## The numbers",
        "",
        "Ratio: best peer of this run divided by Shipworthy; above 1, Shipworthy is better. For timings it compares "
        "commands with their start, and peers whose exit code says that they looked.",
        "",
        "| what | goal | measured | | best peer | ratio |",
        "|---|---|---|---|---|---|",
    ]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _met(met: bool) -> str:
    return "met" if met else "**missed**"


def _none(what: str, goal: str) -> list[str]:
    return [what, goal, "not run", "-", "-", "-"]


def _other(others: dict[str, dict[str, object]], key: str, what: str, goal: str) -> list[str]:
    row = others.get(key)
    if row is None:
        return _none(what, goal)
    return [what, goal, f"{row['value']} ({row['from']})", _met(bool(row["met"])), "-", "-"]


def _attacks(figures: Figures) -> list[str]:
    what, goal = "attacks found, each by the right rule, on the generated corpus", ">= 99 %"
    if figures.right is None:
        return _none(what, goal)
    few = {name for name, (count, files) in figures.flagged.items() if count <= ALARMS * files and name != OURS}
    best = max(((share, name) for name, share in figures.found.items() if name in few), default=None)
    alike, tried = figures.command
    value = (
        f"{100 * figures.right:.1f} % of {figures.attacks:,}, and {100 * figures.stopped:.1f} % stop the default gate; "
        f"the command's verdict is the library's for {alike} of {tried} files"
    )
    met = _met(figures.right >= 0.99 and alike == tried)
    if best is None:
        return [what, goal, value, met, "-", "-"]
    peer = f"{best[1]} {100 * best[0]:.1f} % (of those that flag <= 1 % of the honest files)"
    return [what, goal, value, met, peer, f"{figures.found[OURS] / best[0]:.2f}"]


def _published(figures: Figures) -> list[str]:
    what, goal = "attacks that others publish with their scanners", ">= 99 %"
    if OURS not in figures.published:
        return _none(what, goal)
    shares = {name: count / max(1, files) for name, (count, files) in figures.published.items()}
    few = {name for name, (count, files) in figures.flagged.items() if count <= ALARMS * files and name != OURS}
    best = max(((share, name) for name, share in shares.items() if name in few), default=None)
    count, files = figures.published[OURS]
    peer = f"{best[1]} {100 * best[0]:.1f} % (of those that flag <= 1 % of the honest files)" if best else "-"
    ratio = f"{shares[OURS] / best[0]:.2f}" if best and best[0] else "-"
    return [what, goal, f"{count} of {files}", _met(count >= 0.99 * files), peer, ratio]


def _honest(figures: Figures) -> list[str]:
    what, goal = "honest files of this run flagged (not held out)", "0"
    if OURS not in figures.flagged:
        return _none(what, goal)
    count, files = figures.flagged[OURS]
    best = min(
        ((item[0] / max(1, item[1]), name) for name, item in figures.flagged.items() if name != OURS), default=None
    )
    peer = f"{best[1]} {100 * best[0]:.1f} %" if best else "-"
    return [what, goal, f"{count} of {files:,}", _met(count == 0), peer, "-"]


def _best(figures: Figures, title: str) -> tuple[str, str]:
    """The fastest peer that looked, and the ratio of commands."""
    times = figures.commands.get(title, {})
    peers = [(done.cpu, name) for name, done in times.items() if name != OURS and done.code == 0]
    if not peers:
        return "none within the limit", "-"
    best = min(peers)
    return f"{best[1]} {best[0]:.2f} s, {times[best[1]].tree_mb:.0f} MB", f"{best[0] / times[OURS].cpu:.2f}"


def _timed(figures: Figures, title: str, seconds: float, memory: int) -> list[str]:
    goal = f"<= {seconds} s CPU after start, <= {memory} MB"
    done = figures.library.get(title)
    if done is None:
        return _none(title, goal)
    value = f"{done.cpu:.3f} s, {done.private_mb:.0f} MB; command {figures.commands[title][OURS].cpu:.2f} s with sha256"
    return [title, goal, value, _met(done.cpu <= seconds and done.private_mb <= memory), *_best(figures, title)]


def _small(figures: Figures) -> list[str]:
    title, goal = "2,000 small models", "<= 0.45 s CPU in one process"
    done = figures.library.get(title)
    if done is None:
        return _none(title, goal)
    form = figures.compiled.get(title)
    compiled = f"{form.cpu:.2f} s compiled" if form else "no compiled form here"
    value = f"{done.cpu:.2f} s in pure Python, {compiled}; command {figures.commands[title][OURS].cpu:.2f} s"
    met = [name for name, one in (("pure Python", done), ("compiled", form)) if one and one.cpu <= 0.45]
    return [title, goal, value, f"met ({', '.join(met)})" if met else _met(False), *_best(figures, title)]


def _start(figures: Figures) -> list[str]:
    title, goal = "one small file", "<= 0.15 s CPU as a process"
    if title not in figures.commands:
        return _none(title, goal)
    done = figures.commands[title][OURS]
    return ["start and one small file", goal, f"{done.cpu:.3f} s", _met(done.cpu <= 0.15), *_best(figures, title)]


def _passes(figures: Figures) -> list[str]:
    what, goal = "sha256 and scan in one pass, array-dominated files", "<= 1.05 x sha256 alone"
    if not figures.passes:
        return _none(what, goal)
    inside, name = max((ratio[0], name) for name, ratio in figures.passes.items())
    beyond, other = max((ratio[1], name) for name, ratio in figures.passes.items())
    value = (
        f"library {inside:.3f} ({name}), command after start {beyond:.3f} ({other}): the worst of {len(figures.passes)}"
    )
    return [what, goal, value, _met(max(inside, beyond) <= 1.05), "no peer hashes", "-"]
