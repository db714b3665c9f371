"""What a planted attack is, and what the attacks share."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shipworthy.errors import UsageError

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Attack:
    """One attack.

    `plant` changes the project in the given folder, the same way in every fresh copy; it raises UsageError where it can
    see that this is none. `when` says whether that happens before the pipeline runs or after. `stage` is where it
    should be stopped, with `exit_code`; `rule`, where it is known, is the rule that should fire. `pipeline` is the one
    that it attacks. `resign`: the attacker can sign the data folder, so the demo signs it again after planting.
    `after_commit` is done once what was planted is committed, and committed too.
    """

    name: str
    title: str
    stage: str
    rule: str | None
    exit_code: int
    plant: Callable[[Path], None]
    story: str
    when: Literal["before-run", "after-run"] = "before-run"
    resign: bool = False
    pipeline: Literal["ml", "dev"] = "ml"
    after_commit: Callable[[Path], None] | None = None


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace, for each change, the one place where its first text stands by its second; all of them or none."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=path.name, remedy="plant attacks in a copy of the example"
        ) from None
    for old, new in changes:
        if text.count(old) != 1 or new in text:
            raise not_fresh(path.name)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def add(folder: Path, **contents: str) -> None:
    """Add files (`/` between the parts of a name) to a copy of the example; all of them or none."""
    if not (folder / "app.py").is_file():
        raise UsageError("there is no service here", where=folder.name, remedy="plant attacks in a copy of the example")
    if there := next((name for name in contents if (folder / name).exists()), None):
        raise not_fresh(there)
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def not_fresh(where: str) -> UsageError:
    """The error of somebody who plants twice, or elsewhere."""
    return UsageError("this is not a fresh copy of the example", where=where, remedy="make one with `shipworthy demo`")


def fake_github_token() -> str:
    """A token that nobody was given, in GitHub's format: 30 characters and the CRC-32 of them in base 62."""
    letters = "".join(_BASE62[byte % 62] for byte in hashlib.sha512(b"shipworthy demo").digest()[:30])
    rest, check = zlib.crc32(letters.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        check = _BASE62[digit] + check
    return "gh" + "p_" + letters + check
