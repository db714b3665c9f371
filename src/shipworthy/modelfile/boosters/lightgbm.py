"""LightGBM's text model, line by line: links between nodes, the sizes by which trees are found, file names.

Layout: LightGBM's src/boosting/gbdt_model_text.cpp and src/io/tree.cpp. Its reader jumps by `tree_sizes` and follows
links without checking them.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.strictjson import DeepError, strict

_HEADER = frozenset(
    "version num_class num_tree_per_iteration label_index max_feature_idx objective feature_names monotone_constraints "
    "feature_infos tree_sizes average_output".split()
)
_TREE = frozenset(
    "num_leaves num_cat split_feature split_gain threshold decision_type left_child right_child leaf_value leaf_weight "
    "leaf_count internal_value internal_weight internal_count cat_boundaries cat_threshold is_linear leaf_const "
    "num_features leaf_features leaf_coeff shrinkage".split()
)
# parameters that name files which LightGBM reads when the model is trained further or refitted
_FILES = frozenset(
    "forcedsplits_filename forcedbins_filename parser_config_file machine_list_filename input_model initscore_filename "
    "convert_model".split()
)
_REFIT = frozenset(("forcedsplits_filename", "forcedbins_filename"))  # what Booster.refit opens (LightGBM 4.6)
_CLASSES = 1 << 20
_UNSET = ("", "gbdt_prediction.cpp")  # what LightGBM 2 writes for `convert_model` when nobody has said a name
_LINE = 256 << 20
_WRONG = 20
_SHOWN = 8


class _WrongError(Exception):
    pass


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.strange: set[str] = set()
        self.header: dict[str, bytes] = {}
        self.trees: list[tuple[int, int]] = []
        self.wrong = 0
        self.features = 0

    def lines(self) -> Iterator[tuple[int, bytes]]:
        at, size = 0, len(self.view)
        while at < size:
            end = self.view.find(b"\n", at)
            end = size if end < 0 else end
            if end - at > _LINE:
                raise _WrongError("a line is longer than any model's")
            yield at, self.view.read(at, end - at).rstrip(b"\r")
            at = end + 1

    def run(self) -> str:
        """Walk all lines; returns the part that was reached last."""
        part, tree, start = "header", dict[str, bytes](), 0
        for at, line in self.lines():
            key, equals, value = line.partition(b"=")
            name = key.decode("latin-1")
            if part in ("header", "tree") and line.startswith(b"Tree="):
                self.finish(tree, start)
                part, tree, start = "tree", {}, at
                self.trees.append((at, 0))
            elif part in ("header", "tree") and line == b"end of trees":
                self.finish(tree, start)
                part = "end"
                self.trees.append((at, 0))
            elif part == "header":
                self.head(name, value, bool(equals), at)
            elif part == "tree":
                if line and (name not in _TREE or name in tree):
                    self.note(f"{name} in a tree")
                tree[name] = value
            else:
                part = self.rest(part, line, at)
        return part

    def head(self, name: str, value: bytes, equals: bool, at: int) -> None:
        if (not name and not equals) or (name == "tree" and at == 0):
            return
        if name not in _HEADER or name in self.header:
            self.note(f"{name} in the header")
        self.header[name] = value
        if name == "max_feature_idx":
            self.features = _one(value) + 1

    def note(self, text: str) -> None:
        if len(self.strange) < 1000:
            self.strange.add(shown(text, 60))

    def rest(self, part: str, line: bytes, at: int) -> str:
        """What follows the trees: how important features are, parameters, pandas' categories."""
        if line in (b"", b"feature_importances:", b"feature importances:"):
            return part
        if line == b"parameters:":
            return "parameters"
        if line == b"end of parameters":
            return "after"
        if line.startswith(b"pandas_categorical:"):
            self.categories(line.partition(b":")[2], at)
            return "complete"
        if part == "parameters":
            self.parameter(line.decode("utf-8", "replace"), at)
        elif (part == "end" and b"=" not in line) or part not in ("end", "after"):
            self.note(line[:60].decode("latin-1"))
        return part

    def categories(self, text: bytes, at: int) -> None:
        """LightGBM for Python reads the last line as JSON as soon as the model is loaded."""
        try:
            strict(text, constants=True)
        except DeepError:
            message = (
                "its last line is nested deeper than any model's: its reader calls itself and runs out of its stack"
            )
            self.scope.issue(Code.BOMB, "high", message, at)
        except ValueError:
            self.scope.issue(Code.BROKEN_STREAM, "medium", "the categories in its last line are no JSON", at)

    def parameter(self, line: str, at: int) -> None:
        name, _, value = line.removeprefix("[").removesuffix("]").partition(": ")
        if not line.startswith("[") or not line.endswith("]"):
            self.note(line)
        elif name in _FILES and value.strip() not in _UNSET:
            message = f"its parameter {name} names the file {shown(value)}, which LightGBM reads when the model is"
            message += " trained further"
            if name in _REFIT and escapes(value):
                self.scope.issue(Code.PATH_TRAVERSAL, "high", message, at)
            else:
                self.scope.issue(Code.EXTERNAL_DATA, "medium", message, at)

    def finish(self, tree: dict[str, bytes], at: int) -> None:
        if not tree:
            return
        try:
            problem = _tree(tree, self.features)
        except ValueError:
            problem = "holds what is no number"
        if problem:
            self.wrong += 1
            if self.wrong <= _WRONG:
                message = f"a tree {problem}: prediction may leave its memory or never end"
                self.scope.issue(Code.BROKEN_STREAM, "high", message, at)

    def classes(self) -> None:
        """Predicting divides by the trees of an iteration, and makes room for as many classes."""
        count, trees = (_one(self.header.get(key, b"1")) for key in ("num_class", "num_tree_per_iteration"))
        if not 1 <= trees <= max(count, 1):
            message = (
                f"it declares {trees} trees an iteration for {count} classes: prediction divides by zero or leaves"
            )
            self.scope.issue(Code.BROKEN_STREAM, "high", f"{message} its memory")
        elif count > _CLASSES:
            message = f"it declares {count} classes: predicting a single row fills the memory"
            self.scope.issue(Code.BOMB, "high", message)

    def sizes(self) -> None:
        """The declared sizes must lead from one tree to the next."""
        if "tree_sizes" not in self.header:
            return
        given = [_one(word) for word in self.header["tree_sizes"].split()]
        real = [after - at for (at, _), (after, _) in zip(self.trees, self.trees[1:], strict=False)]
        if given != real:
            message = "tree_sizes do not lead from tree to tree: a reader that jumps by them leaves its memory"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, self.view.find(b"tree_sizes="))


def _one(value: bytes) -> int:
    if len(value) > 20:
        raise ValueError("too long for a number")
    return int(value)


def _ints(tree: dict[str, bytes], key: str) -> list[int]:
    return [_one(word) for word in tree.get(key, b"").split()]


def _tree(tree: dict[str, bytes], features: int) -> str:
    """What is wrong with a tree. Raises ValueError."""
    leaves, categories = _one(tree.get("num_leaves", b"")), _one(tree.get("num_cat", b"0"))
    inner = leaves - 1
    if leaves < 1 or categories < 0:
        return f"declares {leaves} leaves"
    if len(tree.get("leaf_value", b"").split()) != leaves:
        return f"declares {leaves} leaves and has another number of values"
    if not inner:
        return ""
    left, right, splits = (_ints(tree, key) for key in ("left_child", "right_child", "split_feature"))
    if not len(left) == len(right) == len(splits) == inner or len(tree.get("threshold", b"").split()) != inner:
        return f"declares {leaves} leaves and has another number of links"
    links = [*left, *right]
    if any(not -leaves <= link < inner or link == 0 for link in links) or len(set(links)) != len(links):
        return "links to nodes that are not there, or to one twice"
    if any(not 0 <= split < features for split in splits):
        return "asks for features that the model does not have"
    bounds = _ints(tree, "cat_boundaries")
    if categories and (len(bounds) != categories + 1 or bounds != sorted(bounds) or bounds[0] < 0):
        return "has categories without bounds"
    if categories and bounds[-1] != len(tree.get("cat_threshold", b"").split()):
        return "has categories beyond their list"
    kinds = _ints(tree, "decision_type")
    if len(kinds) not in (0, inner):
        return "has not as many kinds of decisions as nodes"
    tests = zip(kinds, tree.get("threshold", b"").split(), strict=False)
    if any(kind & 1 and not 0 <= float(word) < max(categories, 1) for kind, word in tests):
        return "asks for categories that are not there"
    return ""


def read(scope: Scope, _: str) -> int:
    """Walk the lines; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    reader = _Reader(scope)
    try:
        part = reader.run()
        reader.classes()
        reader.sizes()
    except (ValueError, _WrongError) as error:
        message = f"the LightGBM model is damaged ({shown(str(error), 60)})"
        scope.issue(Code.BROKEN_STREAM, "medium", message)
        return size
    if part in ("header", "tree", "parameters"):
        scope.issue(Code.BROKEN_STREAM, "medium", f"the LightGBM model is cut short in its {part}")
    elif part != "complete":
        scope.unknown("the model ends before its last line: it may be cut short, or be older than is known")
    elif scope.view.tail(1) != b"\n":
        scope.unknown("the last line of the model has no end: it may be cut short")
    if reader.strange:
        scope.unknown(f"it holds what is not known of LightGBM: {', '.join(sorted(reader.strange)[:_SHOWN])}")
    return size
