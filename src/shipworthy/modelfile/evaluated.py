"""YAML of YOLO whose texts its programs hand to `eval`, `exec` or a shell: models, data sets, metadata of exports.

Source: `parse_model` and `attempt_download` of YOLOv5 7.0 (models/yolo.py); `check_det_dataset` of ultralytics 8.3
(data/utils.py): `download` is a script of Python, or begins with `bash `; `names` in metadata, before 8.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex

_OF_YOLO = regex(r"(?m)^[\"']?(?:backbone|names|nc|anchors|stride)[\"']?[ \t]*:")
_ROUGH = regex(r"__import__\s*\(|\b(?:os\.(?:system|popen)|subprocess\.\w+|eval|exec|getattr)\s*\(|\.__\w+__")
_SCRIPT = regex(r"bash[ \t]+[\w][\w./-]*\.sh(?:[ \t]+[\w./=-]+)*\s*")
_FEW, _LONG = 20, 64 << 10


def is_yolo(text: str) -> bool:
    """Whether a YAML text is of the kind that these programs read."""
    return _OF_YOLO.search(text) is not None and (_ROUGH.search(text) is not None or "download" in text)


def acts(text: str) -> Iterator[tuple[str, str]]:
    """The keys of all texts that do more than to build a part of a model or fetch a data set, and what they do."""
    from shipworthy.modelfile import yamls

    try:
        pending: list[tuple[str, Any]] = [("", yamls.document(text).value)]
    except yamls.UnreadYamlError:
        if found := _ROUGH.search(text):
            yield "a text", f"calls {shown(found[0], 40)}"
        return
    count = 0
    while pending and count < _FEW:
        key, item = pending.pop()
        if isinstance(item, dict):
            # names in a list or table are not evaluated, those in one text are
            pending += ((str(k), held) for k, held in item.items() if k != "names" or isinstance(held, str))
        elif isinstance(item, list):
            pending += ((key, inner) for inner in item)
        elif isinstance(item, str) and (does := _does(key, item.strip())):
            count += 1
            yield shown(key, 60), does


def _does(key: str, text: str) -> str:
    if key == "download" and re.match(r"bash\s", text):
        return "" if _SCRIPT.fullmatch(text) else f"is given to a shell ({shown(text, 60)})"
    if not _ROUGH.search(text) or "(" not in text or len(text) > _LONG:
        return ""
    from shipworthy.modelfile import packedcode

    told = packedcode.troubles(text.encode("utf-8", "replace"), ())
    return next((what for rank, _, what in told or () if rank == 0 or what.startswith("reaches around")), "")
