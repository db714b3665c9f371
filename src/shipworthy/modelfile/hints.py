"""First bytes of formats that have no magic at offset 0, or share one: R, boosters, Arrow streams, Paddle, Flax."""

from __future__ import annotations

import re

from shipworthy.patterns import regex

_R = regex(rb"X\n\0\0\0[\2\3]|A\n[23]\n|B\n[\2\3]\0\0\0|RD[XAB][23]\n[XAB]\n")
_DATABASE = regex(rb"[\0-\x7f].{3}(?:x[\x01\x5e\x9c\xda]|2BZh|Z[\x01\xe0-\xff]|0[XAB]\n)", re.DOTALL)
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
# LightGBM passes over lines that it does not know, of any length.
_LIGHTGBM = regex(rb"tree\r?\n(?:[A-Za-z_]\w{0,99}=|[^\n]{4000}|(?s:.{0,4096}?)\nmax_feature_idx=)")
_RANKS = regex(rb"(?:[A-Za-z0-9+/=]{4,80} [0-9]{1,7}\r?\n){3}")
# No root of a document that a model's reader takes has such a name.
_PIECES = regex(rb"<(?:unk|pad|s|bos|eos|cls|sep|mask)>\t-?[0-9]")
_MSGPACK = regex(rb"(?:[\x81-\x8f]|\xde..|\xdf....)(?:[\xa1-\xbf]|\xd9.|\xda..)[\x20-\x7e]", re.DOTALL)


# Torch7: an object of a class, or a table whose first key is a number or a text (torch7 File.lua)
_TORCH7 = regex(rb"(?:\x04\0{3}.{4}\x03\0{3}V [1-9]|\x03\0{3}\x01\0{3}.{3}\0[\x01\x02]\0{3})", re.DOTALL)
_TORCH7_TEXT = regex(rb"4\n[0-9]{1,9}\n3\nV [1-9]\n[0-9]{1,4}\n[A-Za-z_][\w.]{0,99}\n")
_BSON = regex(rb".{3}[\0-\x7f][\x01-\x13][^\0]{1,99}\0", re.DOTALL)


def strong(head: bytes) -> str | None:
    """What nothing else starts with. An expression costs more to compile than a small file to scan, so the first byte
    decides which is asked."""
    first = head[:1]
    if first in (b"X", b"A", b"B", b"R") and _R.match(head):
        return "r"
    if head[4:5] in (b"x", b"2", b"Z", b"0") and _DATABASE.match(head):
        from shipworthy.modelfile.rdata.database import is_database

        if is_database(head):
            return "r-database"
    if first == b"{" and _UBJSON.match(head):
        return "ubjson"
    if head[:4] == b"binf" or head[:5] == b"bs64\t" or (head[137:144] == bytes(7) and _OBJECTIVE.match(head, 136)):
        return "xgboost"
    if first == b"\n" and _PADDLE.match(head):
        return "paddle"
    if head[4:6] == b"ET" and head[6:8].isdigit():
        return "executorch"
    if first in (b"\x03", b"\x04") and _TORCH7.match(head):
        return "torch7"
    if head[:4] in (b"ptrt", b"ftrt", b"trtp"):
        return "tensorrt"
    if head[:4] == b"FEA1":
        return "feather"
    return "arrow" if first == b"\xff" and _ARROW.match(head) else None


def text(head: bytes) -> str | None:
    """Among texts."""
    if _LIGHTGBM.match(head):
        return "lightgbm"
    if head[:2] == b"4\n" and _TORCH7_TEXT.match(head):
        return "torch7"
    if _RANKS.match(head):
        return "tiktoken"
    if head[:1] == b"<" and _PIECES.match(head):
        return "sentencepiece-list"
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:[?!]|[A-Za-z_][\w.:-]*[\s/>])", head) or head[:4] in (
        b"\xff\xfe<\0",
        b"\xfe\xff\0<",
    ):
        return "xml"
    # no text begins with a byte that continues a character
    return "msgpack" if 0x81 <= head[0] <= 0x8F and _MSGPACK.match(head) else None


def weak(head: bytes) -> str | None:
    """Where the first bytes alone prove little: asked after pickles with a PROTO."""
    if b"\x02tag\0" in head and _BSON.match(head):
        return "bson"
    if _MSGPACK.match(head):
        return "msgpack"
    return "paddle-weights" if _PADDLE_TENSOR.match(head) else None
