"""Bytes of hostile files for the formats of boosters, R, columns, XML, Flax, Paddle: made here, never loaded."""

from __future__ import annotations

import struct


def r_int(value: int) -> bytes:
    """XDR."""
    return struct.pack(">i", value)


def r_chars(text: str) -> bytes:
    """CHARSXP."""
    raw = text.encode()
    return r_int(0x00040009) + r_int(len(raw)) + raw


def r_symbol(name: str) -> bytes:
    """SYMSXP."""
    return r_int(1) + r_chars(name)


def r_text(text: str) -> bytes:
    """STRSXP of one."""
    return r_int(16) + r_int(1) + r_chars(text)


NIL = r_int(254)


def r_list(*items: bytes, flags: int = 2) -> bytes:
    """LISTSXP cells (or LANGSXP and then LISTSXP) without tags."""
    return b"".join(r_int(flags if not n else 2) + item for n, item in enumerate(items)) + NIL


def r_call(name: str, *arguments: bytes) -> bytes:
    """LANGSXP."""
    return r_list(r_symbol(name), *arguments, flags=6)


def r_promise(code: bytes) -> bytes:
    """PROMSXP without value: environment, unbound, code."""
    return r_int(5 | 0x400) + r_int(253) + r_int(252) + code


def r_vector(*items: bytes) -> bytes:
    """VECSXP."""
    return r_int(19) + r_int(len(items)) + b"".join(items)


def r_closure(body: bytes) -> bytes:
    """CLOSXP in the global environment, without arguments."""
    return r_int(3 | 0x400) + r_int(253) + NIL + body


def rds(item: bytes, magic: bytes = b"") -> bytes:
    """A serialization of version 3 around an item; with `magic`, an .RData."""
    return magic + b"X\n" + r_int(3) + r_int(0x00040202) + r_int(0x00030500) + r_int(5) + b"UTF-8" + item


def ub_text(text: str) -> bytes:
    """A length and a text of UBJSON, without the marker."""
    raw = text.encode()
    return b"L" + struct.pack(">q", len(raw)) + raw


def ubjson(value: object) -> bytes:
    """A value as XGBoost writes it."""
    if isinstance(value, dict):
        return b"{" + b"".join(ub_text(str(key)) + ubjson(inner) for key, inner in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b"".join(ubjson(inner) for inner in value) + b"]"
    if isinstance(value, str):
        return b"S" + ub_text(value)
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    assert isinstance(value, int)
    return b"l" + struct.pack(">i", value)


def xgboost_model(**tree: object) -> dict[str, object]:
    """A model of one tree with three nodes."""
    nodes: dict[str, object] = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "parents": [2147483647, 0, 0],
        "split_indices": [0, 0, 0],
        "split_conditions": [0.5, 0.1, 0.2],
        "tree_param": {"num_nodes": "3", "num_feature": "2"},
        **tree,
    }
    model = {"gbtree_model_param": {"num_trees": "1"}, "trees": [nodes], "tree_info": [0]}
    learner: dict[str, object] = {
        "attributes": {},
        "gradient_booster": {"name": "gbtree", "model": model},
        "learner_model_param": {"num_feature": "2"},
        "objective": {"name": "reg:squarederror"},
    }
    return {"learner": learner, "version": [2, 0, 0]}


def pmml(body: str, head: str = "", attributes: str = "") -> bytes:
    """A document around a body."""
    start = f'<?xml version="1.0"?>{head}<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"{attributes}>'
    return (start + f"<Header/><DataDictionary/>{body}</PMML>").encode()


def openvino(layer: str, head: str = "") -> bytes:
    """A network around one layer."""
    return f'<?xml version="1.0"?>{head}<net name="n" version="11"><layers>{layer}</layers></net>'.encode()


def varint(value: int) -> bytes:
    """Protobuf."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def paddle_program(operator: str, **attributes: str) -> bytes:
    """A program of one operator."""
    attrs = b"".join(
        field(4, field(1, key.encode()) + b"\x10\x02" + field(5, value.encode())) for key, value in attributes.items()
    )
    block = b"\x08\x00\x10" + b"\xff" * 9 + b"\x01" + field(4, field(3, operator.encode()) + attrs)
    return field(1, block) + field(4, b"\x08\x00")
