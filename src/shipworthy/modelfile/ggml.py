"""GGML before GGUF: llama.cpp's `ggml`, `ggmf` and `ggjt` files, whisper.cpp's, and the examples of ggml.

These files have no directory: what follows the magic is known to each program alone. A layout counts as right when the
tensors then end with the last byte. There is nothing in them that runs. Sources: llama.cpp up to August 2023
(`llama_file_loader`), whisper.cpp (`whisper_model_load`), ggml's examples for GPT-2, GPT-J, GPT-NeoX, MPT, StarCoder.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.gguf import TENSOR_TYPES
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

_DIMS = 4
_NAME = 1 << 12
_WORDS = 1 << 22
_TENSORS = 1 << 20
_ALIGNMENT = 32
# Before May 2023 the blocks of Q4_0 to Q8_1 were of other sizes.
_OLD: dict[int, tuple[int, int]] = {2: (32, 20), 3: (32, 24), 4: (16, 10), 5: (16, 12), 8: (32, 36), 9: (32, 44)}


@dataclass(frozen=True)
class _Layout:
    """Numbers in front, whether a score follows each word, whether the vocabulary says its own length, filters of a
    spectrogram (whisper), and tensors' data on multiples of 32 bytes.
    """

    numbers: int
    scores: bool = False
    counted: bool = False
    filters: bool = False
    aligned: bool = False


_LLAMA = {
    b"lmgg": [_Layout(7)],
    b"fmgg": [_Layout(8, scores=True)],
    b"tjgg": [_Layout(8, scores=True, aligned=True)],
}
_OTHERS = [
    _Layout(11, counted=True, filters=True),
    *(_Layout(numbers, counted=True) for numbers in (6, 7, 8, 5, 9, 10)),
]


class _OtherError(ValueError):
    pass


class _Walk:
    def __init__(self, view: View, layout: _Layout, types: dict[int, tuple[int, int]]) -> None:
        self.view, self.layout, self.types = view, layout, types
        self.at = 4

    def number(self) -> int:
        if self.at + 4 > len(self.view):
            raise _OtherError
        self.at += 4
        return self.view.u32(self.at - 4)

    def skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self.view):
            raise _OtherError

    def run(self) -> tuple[int, int | None]:
        """How many tensors there are, and should be. Raises _OtherError when the file is laid out otherwise."""
        numbers = [self.number() for _ in range(self.layout.numbers)]
        if self.layout.filters:
            rows, columns = self.number(), self.number()
            self.skip(4 * rows * columns)
        own = numbers[1] if self.layout.scores else numbers[0]
        words = self.number() if self.layout.counted else own
        if words > min(_WORDS, len(self.view) // 4):
            raise _OtherError
        for _ in range(words):
            self.skip(self.number())
            if self.layout.scores:
                self.skip(4)
        return sum(1 for _ in self.tensors()), self.expected(numbers)

    def expected(self, numbers: list[int]) -> int | None:
        """Llama: 9 tensors in a layer and 3 more; whisper: 15 and 24 in its two kinds of layers and 11 more."""
        if self.layout.filters:
            return 11 + 15 * numbers[4] + 24 * numbers[8]
        return None if self.layout.counted else 3 + 9 * numbers[-3]

    def tensors(self) -> Iterator[None]:
        while self.at < len(self.view):
            dims, name, kind = self.number(), self.number(), self.number()
            if dims > _DIMS or name > _NAME or kind not in self.types:
                raise _OtherError
            block, width = self.types[kind]
            total = 1
            for _ in range(dims):
                total *= self.number()
            if total % block or total >> 62:
                raise _OtherError
            begin = self.at
            self.skip(name)
            if not self.view.read(begin, name).isascii():
                raise _OtherError
            if self.layout.aligned:
                self.skip(-self.at % _ALIGNMENT)
            self.skip(total // block * width)
            yield None


def read(scope: Scope, _: str = "") -> int:
    """Find the layout that explains every byte; returns how many bytes are explained."""
    view = scope.view
    magic = view.head(4)
    if scope.role is not Role.FILE:
        return len(view)
    if magic == b"algg":
        scope.unknown("this version does not read LoRA adapters from before GGUF")
        return len(view)
    layouts = _LLAMA.get(magic, []) + (_OTHERS if magic == b"lmgg" else [])
    for layout in layouts:
        for types in (TENSOR_TYPES, {**TENSOR_TYPES, **_OLD}):
            try:
                tensors, expected = _Walk(view, layout, types).run()
            except _OtherError:
                continue
            if expected is None:
                scope.unknown("it does not say how many tensors it has: it may be cut")
            elif tensors != expected:
                text = f"it holds {tensors} tensors, its numbers ask for {expected}: it was cut"
                scope.issue(Code.BROKEN_STREAM, "medium", text, 0)
            return len(view)
    scope.unknown("its bytes do not end as any known layout does: it may be cut, or of a program that is not known")
    return len(view)
