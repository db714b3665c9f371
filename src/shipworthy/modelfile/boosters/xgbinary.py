"""XGBoost's binary format from before JSON (written up to version 2): structs one behind the other.

Layout: XGBoost 1.7, src/learner.cc (LearnerIO::Load), src/gbm/gbtree_model.cc, src/tree/tree_model.cc.
"""

from __future__ import annotations

from shipworthy.modelfile.boosters.xgboost import attributes, belongs, name, objectives, too_large
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown

_LEARNER, _GBTREE, _GBLINEAR, _TREE, _NODE, _STAT = 136, 160, 136, 148, 20, 16
_TEXT = 16 << 20
_BOOSTERS = frozenset(("gbtree", "dart", "gblinear"))


class _BrokenError(Exception):
    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.at = 4 if scope.view.head(4) == b"binf" else 0

    def skip(self, size: int) -> int:
        low = self.at
        if size < 0 or low + size > len(self.view):
            raise _BrokenError("a length reaches beyond the end of the file", low)
        self.at += size
        return low

    def long(self) -> int:
        return self.view.u64(self.skip(8))

    def signed(self, at: int) -> int:
        value = self.view.u32(at)
        return value - (1 << 32) if value >> 31 else value

    def text(self) -> str:
        at = self.at
        size = self.long()
        if size > _TEXT:
            raise _BrokenError(f"a text of {size} bytes is longer than any model's", at)
        return self.view.read(self.skip(size), size).decode("utf-8", "replace")

    def run(self) -> None:
        head = self.skip(_LEARNER)
        extra, metrics = self.signed(head + 12), self.signed(head + 16)
        features = self.view.u32(head + 4)
        groups = max(self.signed(head + 8), self.signed(head + 28), 1)  # classes, targets; zero before XGBoost 1.6
        too_large(self.scope, features, groups)
        objective, booster = self.text(), self.text()
        name(self.scope, "objective", objective, objectives())
        name(self.scope, "booster", booster, _BOOSTERS)
        if booster == "gblinear":
            self.skip(_GBLINEAR)
            self.skip(4 * self.long())
        elif booster in _BOOSTERS:
            count = self.trees(features, groups)
            if booster == "dart" and count:
                self.skip(4 * self.long())
        else:
            raise _BrokenError(f"the booster {shown(booster)} is of an unknown layout", self.at)
        given = self.attributes() if extra else {}
        if "metrics" in given and self.at == len(self.view):
            return  # as XGBoost 3.0 writes them, with the flag of older ones
        if objective == "count:poisson" and self.at < len(self.view) and not metrics:
            self.text()
        if metrics:
            for _ in range(min(self.long(), 10_000)):
                self.text()

    def attributes(self) -> dict[str, str]:
        count = self.long()
        if count * 16 > len(self.view):
            raise _BrokenError("it declares more attributes than the file can hold", self.at - 8)
        given = {self.text(): self.text() for _ in range(count)}
        attributes(self.scope, given)
        return given

    def trees(self, features: int, groups: int) -> int:
        head = self.skip(_GBTREE)
        count = self.signed(head)
        if count < 0 or count * _TREE > len(self.view):
            raise _BrokenError(f"it declares {count} trees", head)
        for index in range(count):
            self.tree(index, features)
        info = self.skip(4 * count)
        belongs(self.scope, [self.signed(info + 4 * index) for index in range(count)], groups)
        return count

    def tree(self, index: int, features: int) -> None:
        head = self.skip(_TREE)
        nodes = self.signed(head + 4)
        if nodes <= 0:
            raise _BrokenError(f"tree {index} declares {nodes} nodes", head)
        low = self.skip(nodes * _NODE)
        self.skip(nodes * _STAT)
        children: set[int] = set()
        for at in range(low, low + nodes * _NODE, _NODE):
            left, right, split = self.signed(at + 4), self.signed(at + 8), self.view.u32(at + 12) & 0x7FFFFFFF
            if left == -1:
                continue
            wrong = not (0 < left < nodes and 0 < right < nodes) or left in children or right in children
            if wrong or left == right or split >= max(features, self.signed(head + 16)):
                message = f"tree {index} links to nodes or features that are not there: prediction may leave its memory"
                self.scope.issue(Code.BROKEN_STREAM, "high", message, at)
                return
            children |= {left, right}


def read(scope: Scope, _: str) -> int:
    """Walk the structs; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    if view.head(5) == b"bs64\t":
        scope.unknown("this version does not read XGBoost's base64 format")
        return size
    reader = _Reader(scope)
    try:
        reader.run()
    except _BrokenError as error:
        message = f"the XGBoost model is damaged: {error}; a reader that trusts it leaves its memory"
        scope.issue(Code.BROKEN_STREAM, "high", message, error.at)
        return size
    if reader.at < size:
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{size - reader.at} bytes follow the model", reader.at)
        scope.child(f"bytes at {reader.at}", view.sub(reader.at, size), Role.TRAILER)
    return size
