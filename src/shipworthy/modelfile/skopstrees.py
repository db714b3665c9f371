"""The nodes of scikit-learn's trees in archives of skops: a member of its own, which the schema gives to each tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shipworthy.modelfile import sparsezip
from shipworthy.modelfile.pickles.contents import Contents, UnseenError
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.view import View


def judge(scope: Scope, trees: list[dict[str, Any]], open_member: Callable[[str], View | None]) -> None:
    """Report the trees (schema nodes of the kind TreeNode) whose nodes do not lead on."""
    contents = Contents(b"")
    for tree in trees:
        wrong = _wrong(contents, tree, open_member)
        if wrong:
            text = f"compiled code believes the nodes of a tree, and leaves its memory or never ends: {wrong}"
            scope.issue(Code.BOMB, "high", text, None, "sklearn.tree._tree:Tree")


def _wrong(contents: Contents, tree: dict[str, Any], open_member: Callable[[str], View | None]) -> str | None:
    arguments, state = _content(tree.get("__reduce__"), "args"), _content(tree, "content")
    if not isinstance(arguments, list) or not arguments or not isinstance(state, dict):
        return "they can't be seen"
    features, count = (_number(item) for item in (arguments[0], state.get("node_count")))
    file = state["nodes"].get("file") if isinstance(state.get("nodes"), dict) else None
    view = open_member(file) if isinstance(file, str) else None
    nodes = sparsezip.array(view) if view is not None else None
    if nodes is None or features is None or count is None:
        return "they can't be seen"
    try:
        return contents.lead_on(nodes, count, features)
    except UnseenError as unseen:
        return f"{unseen} can't be seen"


def _content(node: Any, key: str) -> Any:
    """What the node under this key holds."""
    inner = node.get(key) if isinstance(node, dict) else None
    return inner.get("content") if isinstance(inner, dict) else None


def _number(node: Any) -> int | None:
    text = node.get("content") if isinstance(node, dict) else None
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 20 else None
