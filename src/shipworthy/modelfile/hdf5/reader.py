"""HDF5 files: every object walked, every byte accounted for, and what reading them would open or run.

Keras keeps architectures in the attributes `model_config` and `training_config`; PyTables keeps pickles in attributes
and in the global heap.
"""

from __future__ import annotations

from shipworthy.modelfile.hdf5 import coverage, headers, objects
from shipworthy.modelfile.hdf5.datasets import BUILT_IN, Dataset, dataset, unpacked
from shipworthy.modelfile.hdf5.headers import Message
from shipworthy.modelfile.hdf5.heaps import GlobalHeaps
from shipworthy.modelfile.hdf5.low import SIGNATURE, BrokenError, NotReadError, Super, superblock
from shipworthy.modelfile.hdf5.objects import Attribute, Link
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import LimitReachedError, Role, Scope
from shipworthy.modelfile.view import View

_CONFIGS = (b"model_config", b"training_config")
_BLANK = 16  # a few line ends, as version control and mail add them
_GAPS = 1_000
_INSIDE = frozenset(("", "text", "json", "safetensors", "protobuf", "onnx", "graphdef", "savedmodel"))


def find(view: View) -> int | None:
    """Where the superblock stands: at 0, or behind a user block of 512 bytes times a power of two; None if nowhere."""
    at = 0
    while at + 8 <= len(view):
        if view.read(at, 8) == SIGNATURE:
            return at
        at = at * 2 or 512
    return None


def read(scope: Scope, format_: str = "") -> int:  # noqa: ARG001 - the readers' common form
    """Walk the file; returns how many bytes are explained."""
    size = len(scope.view)
    at = find(scope.view)
    if at is None:
        scope.unknown("it has no HDF5 superblock")
        return size
    if at:
        text = f"{at} bytes stand in front of the HDF5 data, where another format may be read"
        scope.issue(Code.CONTAINER_TAMPERED, "medium", text, 0)
        scope.child("bytes in front", scope.view.sub(0, at), Role.TRAILER)
    _Walk(scope, at).run()
    return size


class _Walk:
    def __init__(self, scope: Scope, base: int) -> None:
        self.scope, self.base = scope, base
        self.view = scope.view.sub(base, len(scope.view))
        self.seen: set[int] = set()
        self.whole = True
        self.pending: list[tuple[int, str]] = []
        self.around: set[int] = set()  # groups that what is looked at lies in
        self.looked: set[tuple[int, int]] = set()

    def run(self) -> None:
        try:
            found = superblock(self.view, self.base)
        except BrokenError as error:
            self.broken(error, "the superblock")
            return
        except NotReadError as error:
            self.scope.unknown(str(error))
            return
        self.file = found.file
        self.heaps = GlobalHeaps(self.file)
        self.ends(found)
        self.outside(found)
        self.pending = [(found.root, "/")]
        if found.extension is not None:
            self.pending.append((found.extension, "(superblock extension)"))
        self.objects()
        self.pending = [(at, "(committed type)") for at in self.file.committed if at not in self.seen]
        self.objects()
        if self.whole:
            self.account(min(found.end, len(self.view)))

    def broken(self, error: BrokenError, what: str) -> None:
        """What the library would refuse, or read otherwise than it was written."""
        self.whole = False
        at = None if error.at is None else error.at + self.base
        self.scope.issue(Code.BROKEN_STREAM, "high", f"{what}: {error}", at)

    def ends(self, found: Super) -> None:
        size = len(self.view)
        if found.end > size:
            text = f"the file is cut: it has {size} bytes, its superblock says {found.end}"
            self.scope.issue(Code.BROKEN_STREAM, "high", text, size)
            self.whole = False
        elif found.end < size:
            at = self.base + found.end
            text = f"{size - found.end} bytes follow the end of the HDF5 data, which no HDF5 reader looks at"
            blank = size - found.end <= _BLANK and not self.view.read(found.end, _BLANK).strip(b"\r\n\0")
            self.scope.issue(Code.UNEXPLAINED_BYTES, "low" if blank else "medium", text, at)
            self.scope.child(f"bytes at {at}", self.view.sub(found.end, size - found.end), Role.TRAILER)

    def outside(self, found: Super) -> None:
        if found.driver is not None:
            text = "it uses a file driver that keeps data in other files (family or multi)"
            self.scope.issue(Code.EXTERNAL_DATA, "high", text, self.base + found.driver)
            self.whole = False

    def objects(self) -> None:
        while self.pending:
            at, path = self.pending.pop()
            if at < 0:
                self.around.discard(-at)
            if at < 0 or at in self.seen:
                continue
            if len(self.seen) >= self.scope.limits.entries:
                self.scope.unknown(f"it has more than {self.scope.limits.entries} objects")
                self.whole = False
                return
            self.seen.add(at)
            self.around.add(at)
            self.pending.append((-at, ""))
            try:
                self.object(at, path)
            except BrokenError as error:
                self.broken(error, path)
            except NotReadError as error:
                self.whole = False
                self.scope.unknown(f"{path}: {error}")

    def object(self, at: int, path: str) -> None:
        found = headers.messages(self.file, at)
        kinds = {message.kind for message in found}
        if headers.DRIVER in kinds:
            text = "it uses a file driver that keeps data in other files"
            self.scope.issue(Code.EXTERNAL_DATA, "high", text, self.base + at)
        if headers.SHARED_TABLE in kinds:
            raise NotReadError("it keeps header messages in a table of shared ones")
        for attribute in objects.attributes(self.file, found, self.heaps):
            self.attribute(attribute, path)
        for link in objects.links(self.file, at, found):
            self.link(link, path)
        objects.link_order(self.file, found)
        if headers.LAYOUT in kinds:
            self.dataset(found, path, at)

    def link(self, link: Link, path: str) -> None:
        name = ascii(link.name.decode("utf-8", "replace"))[1:-1]
        place = f"{path.rstrip('/')}/{name}"
        place = place if len(place) <= 200 else "..." + place[-197:]
        if link.kind == 0:
            self.pending.append((link.target, place))
        if link.kind == 0 and link.target in self.around:
            text = f"{place} is a group that it lies in itself: who walks through the groups never ends"
            self.scope.issue(Code.BOMB, "high", text, self.base, place)
        elif link.kind == 0:
            return
        elif link.kind == 1:
            self.scope.trace_line(f"{place}: soft link to {ascii(link.value)[2:-1][:118]}")
        elif link.kind == 64:
            target = link.value[1:].split(b"\0")
            shown = " in ".join(ascii(part.decode("utf-8", "replace"))[1:-1][:99] for part in reversed(target[:2]))
            text = (
                f"{place} is an external link to {shown}: reading it opens another file of the machine and shows its "
                "content as weights; copy the data into the file"
            )
            self.scope.issue(Code.EXTERNAL_DATA, "high", text, self.base, place, ascii(link.value)[2:-1][:198])
        else:
            text = f"{place} is a link of the kind {link.kind}, which calls a function of the program that reads it"
            self.scope.issue(Code.EXTERNAL_DATA, "high", text, self.base, place)

    def attribute(self, attribute: Attribute, path: str) -> None:
        from shipworthy.modelfile import keras

        name = attribute.name.decode("utf-8", "replace")
        for view in attribute.values:
            if (view.start, len(view)) in self.looked:
                continue
            self.looked.add((view.start, len(view)))
            if attribute.name in _CONFIGS:
                keras.judge_text(self.scope, view.all().rstrip(b"\0"), f"the attribute {name} of {path}")
            self.look(view, f"{path}@{ascii(name)[1:-1][:59]}")

    def look(self, view: View, name: str) -> None:
        """Bytes that may be a file of a known kind: PyTables unpickles such attributes when it is asked for them."""
        from shipworthy.modelfile.sniff import sniff

        if len(view) >= 10 and (sniff(view.head(), len(view)) or "") not in _INSIDE:
            self.scope.child(name, view, Role.BLOB)

    def dataset(self, found: list[Message], path: str, at: int) -> None:
        result = dataset(self.file, found)
        scope = self.scope
        if result.external:
            names = ", ".join(ascii(name.decode("utf-8", "replace")) for name in result.external[:3])[:200]
            text = (
                f"the dataset {path} takes its bytes from the file {names}: loading the model reads a file of the "
                "machine as weights; copy the data into the file"
            )
            scope.issue(Code.EXTERNAL_DATA, "high", text, self.base + at, path, names)
        if result.virtual is not None:
            self.virtual(result.virtual, path, at)
        plugins = [number for number in result.filters if number not in BUILT_IN]
        if plugins:
            text = (
                f"the dataset {path} needs the filter {plugins[0]}: HDF5 loads a native library from its plugin folder "
                "to read it; store the data without it"
            )
            scope.issue(Code.CUSTOM_OPERATOR, "medium", text, self.base + at, str(plugins[0]))
        limits = scope.limits
        if result.bytes > limits.ratio_from and result.bytes > limits.ratio * max(len(self.view), 1):
            text = f"the dataset {path} takes {result.bytes} bytes of memory, from a file of {len(self.view)}: a bomb"
            scope.issue(Code.BOMB, "high", text, self.base + at)
        elif result.chunked:
            self.chunks(result, path)
        for start, size, _ in result.spans[:1]:
            self.look(self.view.sub(start, size), path)

    def virtual(self, place: tuple[int, int], path: str, at: int) -> None:
        start, size = self.heaps.span(*place)
        name = self.view.read(start + 1 + self.file.lengths, min(size, 200)).split(b"\0")[0]
        text = f"the dataset {path} shows other files (the first is {ascii(name)[2:-1][:98]}) when it is read"
        self.scope.issue(Code.EXTERNAL_DATA, "high", text, self.base + at, path, ascii(name)[2:-1][:98])

    def chunks(self, result: Dataset, path: str) -> None:
        budget = result.wanted + 8
        for span in result.spans:
            try:
                count = unpacked(self.file, span, result, budget, self.scope.unpack)
                if count is None:
                    if not result.filters and span[1] % max(result.wanted, 1):
                        raise BrokenError("a chunk has another size than its dataset says", span[0])
                    continue
            except LimitReachedError:
                return
            if count > budget:
                text = f"a chunk of {path} unpacks to more than its {result.wanted} bytes: a bomb"
                self.scope.issue(Code.BOMB, "high", text, self.base + span[0])

    def account(self, stop: int) -> None:
        """Bytes that nothing refers to."""
        twice = coverage.overlaps(self.file)
        if twice is not None:
            text = "two structures use the same bytes: what one holds, the other reads as something else"
            self.scope.issue(Code.CONTAINER_TAMPERED, "high", text, self.base + twice)
        reported = 0
        for low, high in list(coverage.gaps(self.file, stop)):
            reported += self.gap(low, high)
            if reported >= _GAPS:
                self.scope.unknown(f"it has more than {_GAPS} holes")
                return

    def gap(self, low: int, high: int) -> bool:
        found = coverage.content(self.file, low, high)
        if found is None:
            return False
        low, last = found
        while (end := coverage.unreferenced_heap(self.heaps, low, high)) is not None:
            for number, (start, size) in self.heaps.known[low].items():
                self.look(self.view.sub(start, size), f"heap {low} object {number}")
            found = coverage.content(self.file, end, high)
            if found is None:
                return False
            low, last = found
        at = self.base + low
        text = f"nothing refers to the {last - low} bytes at {at}"
        self.scope.issue(Code.UNEXPLAINED_BYTES, "medium", text, at)
        self.scope.child(f"bytes at {at}", self.view.sub(low, high - low), Role.TRAILER)
        return True
