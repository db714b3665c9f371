"""A private folder for a command that is not trusted: the declared code and inputs in, the declared outputs out.

The layout: `work/` (the command's working folder; read-only to it) holds copies of the code, and the inputs under their
relative paths; `outputs/` is where it writes, also under the declared relative paths, to which links in `work/` lead;
`plan/` is what we tell it in files. Nothing reaches the project before the command has succeeded.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.paths import display_name, inside, matches, portable, spelled_twice
from shipworthy.tools import trees
from shipworthy.tools.trees import Rejected

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_NEVER_CODE = frozenset({".git", "__pycache__", ".shipworthy", ".venv", "node_modules", ".tox", ".mypy_cache"})
CODE_FILES, CODE_BYTES = 20_000, 1 << 30


@dataclass(frozen=True)
class Input:
    """A declared input: where it really lies, and the digest of each of its files by relative path ("" for a file)."""

    name: str
    relative: str
    source: Path
    files: Mapping[str, str]
    stamps: Mapping[str, tuple[int, ...]] = field(repr=False)

    @property
    def digest(self) -> str:
        """The file's digest, or one of the list of all names and digests."""
        return trees.combined(self.files)


def check_env(env: Mapping[str, str]) -> None:
    """Raises UsageError for variables that are ours, or that change how programs are loaded."""
    if reserved := sorted(name for name in env if name.startswith(("SHIPWORTHY_", "LD_"))):
        raise UsageError(f"{reserved[0]} cannot be set", where="env", remedy="choose another name")


def command_files(command: Sequence[str], root: Path, *, but: Iterable[str] = ()) -> tuple[str, ...]:
    """The arguments of a command that are files of the project: they are code even where that is not declared."""
    data = {path.rstrip("/") for path in but}
    named = (part for part in command[1:] if not part.startswith(("-", "/")) and part not in data and "\0" not in part)
    return tuple(part for part in named if ".." not in Path(part).parts and (root / part).is_file())


@contextlib.contextmanager
def open_log(path: Path | None) -> Iterator[BinaryIO | None]:
    """The file that keeps the output of a command; None for None. Raises EnvironmentFailure."""
    if path is None:
        yield None
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("wb", buffering=0)  # whoever kills us finds what was printed
    except OSError as error:
        raise EnvironmentFailure(f"the log cannot be written: {error.strerror}", where=str(path)) from None
    with stream:
        yield stream


def variable(prefix: str, name: str) -> str:
    """The environment variable that hands over an input or output: SHIPWORTHY_INPUT_TRAIN_DATA for train-data."""
    return f"SHIPWORTHY_{prefix}_{name.upper().replace('-', '_')}"


class Staging:
    """The private folder. Use it as a context manager: it is removed at the end.

    `copy_inputs` copies the inputs (where no sandbox keeps the command from writing to them); otherwise they are links
    to where they lie. `optional` names outputs that need not be written; `exclude` are files that must not be handed
    over, nor copies of them (the holdout with its labels). `place` is where the private folder is made (default: among
    the temporary files). Raises UsageError when something declared is not there or leads out of the project.
    """

    def __init__(
        self,
        root: Path,
        *,
        code: Sequence[str],
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        copy_inputs: bool,
        optional: Sequence[str] = (),
        exclude: Sequence[str] = (),
        place: Path | None = None,
    ) -> None:
        self._root, self._copy, self._place = root.resolve(), copy_inputs, place
        self._optional = frozenset(optional)
        self._held_back: set[str] = set()
        self._exclude = {str(PurePosixPath(path)) for path in exclude}
        self._code, self._declared = tuple(code), dict(inputs)
        self.targets = {name: _relative(name, path) for name, path in outputs.items()}
        self._folders = {name for name, path in outputs.items() if path.endswith("/")}
        _check_names(self._declared, self.targets)
        self.inputs: dict[str, Input] = {}
        self.code: dict[str, str] = {}
        self.base = Path()

    def __enter__(self) -> Staging:
        if self._place is not None:
            self._place.mkdir(parents=True, exist_ok=True)
        self.base = Path(tempfile.mkdtemp(prefix="shipworthy-", dir=self._place)).resolve()
        try:
            for folder in ("work", "outputs", "plan", "scratch"):
                (self.base / folder).mkdir()
            excluded = (inside(self._root, path, what="holdout").resolve() for path in self._exclude)
            self._held_back = {trees.digest_file(path) for path in excluded if path.is_file()}
            self._stage_inputs()
            self._stage_code()
            self._link_outputs()
        except Rejected as rejected:
            self.__exit__()
            raise UsageError(
                rejected.reason, where="inputs", remedy="declare files and folders of the project"
            ) from None
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            trees.remove(self.base)

    @property
    def work(self) -> Path:
        """The command's working folder."""
        return self.base / "work"

    @property
    def outputs(self) -> Path:
        """The folder that the command writes its outputs in."""
        return self.base / "outputs"

    @property
    def plan(self) -> Path:
        """Files from us to the command: fold indices, holdout without labels."""
        return self.base / "plan"

    @property
    def readable(self) -> tuple[Path, ...]:
        """What the sandbox must let the command read, besides `work`."""
        return (self.plan, *(() if self._copy else (given.source for given in self.inputs.values())))

    @property
    def watched(self) -> dict[str, Path]:
        """Where the command finds each input, links resolved."""
        return {name: self.work / given.relative if self._copy else given.source for name, given in self.inputs.items()}

    def env(self) -> dict[str, str]:
        """The variables that name inputs and outputs, as absolute paths."""
        found = {variable("INPUT", name): str(self.work / given.relative) for name, given in self.inputs.items()}
        return found | {variable("OUTPUT", name): str(self.outputs / path) for name, path in self.targets.items()}

    def reset_outputs(self) -> None:
        """Empty the outputs folder (between folds), and make the folders that were declared with a trailing slash."""
        trees.remove(self.outputs)
        self.outputs.mkdir()
        for name, path in self.targets.items():
            (self.outputs / path if name in self._folders else (self.outputs / path).parent).mkdir(
                parents=True, exist_ok=True
            )

    def changed_inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are no longer what they were when they were staged."""
        changed = []
        for name, given in self.inputs.items():
            try:
                same = (
                    trees.stamps(given.source) == given.stamps
                    or trees.digest_files(given.source, follow_within=True) == given.files
                )
            except (Rejected, OSError):
                same = False
            if not same:
                changed.append(name)
        return tuple(changed)

    def collect(self) -> dict[str, dict[str, str]]:
        """The digests of all outputs by name and relative path. Raises Rejected when one is missing or empty, is or
        holds anything but regular files or names that cannot be signed, or when there is something that was not
        declared."""
        found: dict[str, dict[str, str]] = {}
        for name, path in self.targets.items():
            place = self.outputs / path
            if not os.path.lexists(place):
                if name in self._optional:
                    continue
                raise Rejected(
                    f'the output "{name}" is missing', f"write it to the path in {variable('OUTPUT', name)} ({path})"
                )
            if any(parent.is_symlink() for parent in place.parents if self.outputs in parent.parents):
                raise Rejected(f'the output "{name}" lies behind a link')
            found[name] = trees.digest_files(place)
            if not found[name]:
                raise Rejected(f'the output "{name}" is an empty folder')
            _refuse_names(name, [relative or place.name for relative in found[name]])
            for _, file in trees.walk(place, follow_within=False):
                if file.stat().st_nlink != 1:
                    raise Rejected(f'the output "{name}" holds a hard link')
        self._refuse_undeclared()
        return found

    def _refuse_undeclared(self) -> None:
        declared = [self.outputs / path for path in self.targets.values()]
        for folder, folders, files in os.walk(self.outputs):
            here = Path(folder)
            if any(place == here or place in here.parents for place in declared):
                folders.clear()
                continue
            for name in (*files, *(one for one in folders if (here / one).is_symlink())):
                if here / name not in declared:
                    shown = display_name((here / name).relative_to(self.outputs).as_posix())
                    raise Rejected(
                        f"it wrote {shown}, which is not declared",
                        "declare it under outputs, or write it to the folder in TMPDIR",
                    )

    def publish(self, collected: Mapping[str, Mapping[str, str]]) -> None:
        """Move the outputs into the project: first all beside their places, compared with `collected`, then renamed.

        What was there before stays until then, and comes back when something fails. Raises EnvironmentFailure.
        """
        token = secrets.token_hex(4)
        ready: list[tuple[Path, Path]] = []
        done: list[tuple[Path, Path | None]] = []
        try:
            for name, path in self.targets.items():
                target = inside(self._root, path, what="output")
                target.parent.mkdir(parents=True, exist_ok=True)
                beside = target.with_name(f".{target.name[:40]}.{token}.new")
                ready.append((beside, target))
                trees.copy_tree(self.outputs / path, beside)
                if trees.digest_files(beside) != dict(collected[name]):
                    raise EnvironmentFailure(
                        "an output changed while it was copied", where=path, remedy="check the disk"
                    )
            for beside, target in ready:
                old = target.with_name(f".{target.name[:40]}.{token}.old") if os.path.lexists(target) else None
                if old is not None:
                    os.rename(target, old)
                done.append((target, old))
                os.rename(beside, target)
        except BaseException as error:
            for target, old in reversed(done):
                trees.remove(target)
                if old is not None:
                    os.rename(old, target)
            if isinstance(error, OSError):
                raise EnvironmentFailure(
                    f"the outputs cannot be moved into place: {error.strerror}", remedy="free space, check permissions"
                ) from None
            raise
        finally:
            for beside, _ in ready:
                trees.remove(beside)
        for _, old in done:
            if old is not None:
                trees.remove(old)

    def _stage_inputs(self) -> None:
        for name, path in self._declared.items():
            relative = _relative(name, path)
            source = inside(self._root, relative, what=f'input "{name}"').resolve()
            if not source.exists():
                raise UsageError(
                    f'the input "{name}" is not there', where=relative, remedy="correct the path in inputs"
                )
            given = Input(name, relative, source, trees.digest_files(source, follow_within=True), trees.stamps(source))
            if self._held_back & set(given.files.values()):
                raise UsageError(
                    "it holds what is held back for the evaluation",
                    where=f'input "{name}"',
                    remedy="hand over other data; the labels of the holdout must stay unknown",
                )
            self.inputs[name] = given
            target = self.work / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._copy:
                trees.copy_tree(source, target)
            else:
                target.symlink_to(source, target_is_directory=source.is_dir())

    def _stage_code(self) -> None:
        total = 0
        for relative in self._code_files():
            target = self.work / relative
            if os.path.lexists(target) or any(parent.is_symlink() for parent in target.parents):
                continue  # it is part of an input
            source = inside(self._root, relative, what="code")
            total += source.stat().st_size
            if len(self.code) >= CODE_FILES or total > CODE_BYTES:
                raise UsageError(
                    f"the code is more than {CODE_FILES} files or {CODE_BYTES >> 30} GiB",
                    where=", ".join(self._code),
                    remedy="name what the command needs under code; declare data as inputs",
                )
            digest = trees.digest_file(source.resolve())
            if digest in self._held_back:
                continue  # a copy of it
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
            self.code[relative] = trees.digest_file(target)

    def _code_files(self) -> Iterator[str]:
        unused = set(self._code)
        for folder, folders, files in os.walk(self._root):
            folders[:] = sorted(one for one in folders if one not in _NEVER_CODE)
            for name in sorted(files):
                relative = Path(folder, name).relative_to(self._root).as_posix()
                wanted = {one for one in self._code if matches(relative, (_anchored(one), one.rstrip("/") + "/"))}
                unused -= wanted
                if wanted and relative not in self._exclude and Path(folder, name).is_file():
                    yield relative
        if unused:
            raise UsageError(
                "no file of the project is meant by it", where=f"code: {sorted(unused)[0]}", remedy="correct it"
            )

    def _link_outputs(self) -> None:
        self.reset_outputs()
        for path in self.targets.values():
            place = self.work / path
            if os.path.lexists(place) or any(parent.is_symlink() for parent in place.parents if parent != self.base):
                continue  # also an input or code: only the variable leads to the output
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(self.outputs / path)


def _refuse_names(output: str, names: Iterable[str]) -> None:
    """Names that signing would refuse are told before the evaluation, not after it. Raises Rejected."""
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        prefixes = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        if problem := portable(name) or next(filter(None, (spelled_twice(seen, one) for one in prefixes)), ""):
            raise Rejected(f'the output "{output}": {problem}', "write the file under another name")


def _anchored(glob: str) -> str:
    """`train.py` means the one at the top; `*.py` and `**/x.py` mean what they say."""
    return glob if "*" in glob or "/" in glob else f"./{glob}"


def _relative(name: str, path: str) -> str:
    pure = PurePosixPath(path)
    if not path.strip("/") or pure.is_absolute() or ".." in pure.parts or "\0" in path or str(pure) == ".":
        raise UsageError(
            f'"{path}" is no path inside the project', where=name, remedy="give a relative path without .."
        )
    if pure.parts[0] in (".git", ".shipworthy"):
        raise UsageError(f"{pure.parts[0]} belongs to others", where=name, remedy="choose another path")
    return str(pure)


def _check_names(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    for names in (inputs, outputs):
        seen: dict[str, str] = {}
        for name in names:
            if not _NAME.match(name):
                raise UsageError(
                    f'"{name}" is no name for an input or output', remedy="use letters, digits, - and _, a letter first"
                )
            if other := seen.get(variable("", name)):
                raise UsageError(f'"{name}" and "{other}" would share an environment variable', remedy="rename one")
            seen[variable("", name)] = name
    places = [(name, PurePosixPath(path)) for name, path in outputs.items()]
    for index, (name, place) in enumerate(places):
        others = [*places[index + 1 :], *((one, PurePosixPath(path)) for one, path in inputs.items())]
        for other, path in others:
            if place == path or place in path.parents or path in place.parents:
                raise UsageError(
                    f'"{name}" and "{other}" overlap', where=str(place), remedy="give each a path of its own"
                )


__all__ = ["Input", "Rejected", "Staging", "check_env", "command_files", "open_log", "variable"]
