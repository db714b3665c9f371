"""Keras architectures in YAML (`model.to_yaml()`, up to TensorFlow 2.5).

Keras loaded these with a loader that builds any Python object that a tag names: a tag is a finding.
"""

from __future__ import annotations

from shipworthy.modelfile.keras.judge import judge
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.yamls import UnreadYamlError, document
from shipworthy.patterns import regex

_TAG = regex(r"(?:^|[\s\[{,:-])!(?P<tag>[^\s,\]}]{0,200})")
_START = regex(rb"(?m)^(?:class_name|config):")


def is_yaml(head: bytes) -> bool:
    """Whether text starts like an architecture: a class's name and a configuration as keys at the top."""
    return {match.group() for match in _START.finditer(head)} == {b"class_name:", b"config:"}


def read(scope: Scope, format_: str = "") -> int:  # noqa: ARG001 - the readers' common form
    """Judge an architecture in YAML; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    text = scope.text("the YAML")
    if text is None or _tags(scope, text):
        return size
    try:
        value = document(text).value
    except UnreadYamlError as error:
        scope.unknown(f"its YAML is of a kind that this version does not read ({ascii(str(error))[1:80]})")
        return size
    if not isinstance(value, dict) or not isinstance(value.get("config"), (dict, list)):
        scope.unknown("it is no architecture: its configuration is a text, a number or nothing")
    judge(scope, value)
    return size


def _tags(scope: Scope, text: str) -> bool:
    """Report tags: wherever they stand, quoted text included, since another reader may quote otherwise."""
    found = False
    for match in _TAG.finditer(text):
        tag = match.group("tag")
        python = "python" in tag
        shown = ascii("!" + tag)[1:-1][:120]
        message = f"the YAML has the tag {shown}: " + (
            "Keras before 2.6 builds and calls the Python object that it names; use JSON, and no tags"
            if python
            else "a loader builds an object for it; use JSON, and no tags"
        )
        at = len(text[: match.start()].encode("utf-8", "replace")) if len(text) < 1 << 20 else None
        scope.issue(Code.CODE_EXECUTION, "critical" if python else "high", message, at, shown)
        found = True
        if scope.state.tally.limits.issues <= len(scope.state.tally.found):
            break
    return found
