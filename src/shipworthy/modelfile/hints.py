"""First bytes of formats that have no magic at offset 0, or share one: R, boosters, Arrow streams, Paddle, Flax."""

from __future__ import annotations

import re

from shipworthy.patterns import regex

_R = regex(rb"X\n\0\0\0[\2\3]|A\n[23]\n|B\n[\2\3]\0\0\0|RD[XAB][23]\n[XAB]\n")
_COUNT = rb"#(?:[iU].|I..|l.{4}|L.{8})"  # also how a comment in a template begins, so what follows has to fit
_UBJSON = regex(
    rb"\{(?:L\0{6}|i[\1-\x7f][\x20-\x7e]|U[\1-\xff][\x20-\x7e]|I\0|l\0\0|"
    + _COUNT
    + rb"[iUIlL]|\$[A-Za-z]"
    + _COUNT
    + rb")",
    re.DOTALL,
)
# XGBoost before JSON: a struct of 136 bytes, then the name of the objective behind its length
_OBJECTIVE = regex(rb"[\1-\x40]\0{7}(?:reg|binary|multi|rank|count|survival):", re.DOTALL)
_PADDLE = regex(rb"\x0a[\x80-\xff]{0,4}[\x01-\x7f]\x08\x00\x10\xff{9}\x01")
_PADDLE_TENSOR = regex(rb"\0{4}[\0-\x08]\0{7}(?:.{0,64}?)\0{4}[\2-\xff]\0{3}\x08[\0-\x20]", re.DOTALL)
_ARROW = regex(rb"\xff{4}.[\0-\xff]{2}\0[\x04-\x20]\0{3}", re.DOTALL)
_RANKS = regex(rb"(?:[A-Za-z0-9+/=]{4,80} [0-9]{1,7}\r?\n){3}")
_MSGPACK = regex(rb"(?:[\x81-\x8f]|\xde..|\xdf....)(?:[\xa1-\xbf]|\xd9.|\xda..)[\x20-\x7e]", re.DOTALL)


def strong(head: bytes) -> str | None:
    """What nothing else starts with."""
    if _R.match(head):
        return "r"
    if _UBJSON.match(head):
        return "ubjson"
    if head[:4] == b"binf" or head[:5] == b"bs64\t" or _OBJECTIVE.match(head, 136):
        return "xgboost"
    if _PADDLE.match(head):
        return "paddle"
    if head[4:6] == b"ET" and head[6:8].isdigit():
        return "executorch"
    if head[:4] in (b"ptrt", b"ftrt", b"trtp"):
        return "tensorrt"
    if head[:4] == b"FEA1":
        return "feather"
    return "arrow" if _ARROW.match(head) else None


def text(head: bytes) -> str | None:
    """Among texts."""
    if re.match(rb"tree\r?\n(?:version=|num_class=)", head):
        return "lightgbm"
    if _RANKS.match(head):
        return "tiktoken"
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:[?!]|[A-Za-z_][\w.:-]*[\s/>])", head) or head[:4] in (
        b"\xff\xfe<\0",
        b"\xfe\xff\0<",
    ):
        return "xml"
    # no text begins with a byte that continues a character
    return "msgpack" if 0x81 <= head[0] <= 0x8F and _MSGPACK.match(head) else None


def weak(head: bytes) -> str | None:
    """Where the first bytes alone prove little: asked after pickles with a PROTO."""
    if _MSGPACK.match(head):
        return "msgpack"
    return "paddle-weights" if _PADDLE_TENSOR.match(head) else None
