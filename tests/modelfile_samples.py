"""Small writers of model files, opcode by opcode: nothing here is ever loaded."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile

ECHO = "echo shipworthy-test"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw if len(raw) < 256 else b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, qualname: str) -> bytes:
    return text(module) + text(qualname) + b"\x93"


def old_name(module: str, qualname: str) -> bytes:
    return f"c{module}\n{qualname}\n".encode()


def atom(value: object) -> bytes:
    """An argument: ready opcodes in a list, or a plain value."""
    if isinstance(value, list):
        return b"".join(value)
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, bytes):
        return b"B" + struct.pack("<I", len(value)) + value
    return b"N" if value is None else text(str(value))


def arguments(*values: object) -> bytes:
    return b"(" + b"".join(map(atom, values)) + b"t"


def reduced(module: str, qualname: str, *values: object) -> bytes:
    return name(module, qualname) + arguments(*values) + b"R"


def stream(*parts: bytes, protocol: int = 4) -> bytes:
    return b"\x80" + bytes([protocol]) + b"".join(parts) + b"."


def call(module: str, qualname: str, *values: object) -> bytes:
    return stream(reduced(module, qualname, *values))


EVIL = call("posix", "system", ECHO)
PLAIN = stream(b"]", atom(1), b"a")


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for member, raw in members:
            archive.writestr(zipfile.ZipInfo(member, (2024, 1, 1, 0, 0, 0)), raw, compress_type=method)
    return buffer.getvalue()


def torch_zip(pickle: bytes, *more: tuple[str, bytes]) -> bytes:
    return zipped(
        ("m/data.pkl", pickle), ("m/byteorder", b"little"), ("m/data/0", b"\0" * 64), ("m/version", b"3\n"), *more
    )


def tarred(*members: tuple[str, bytes] | tuple[str, bytes, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, raw, *link in members:
            info = tarfile.TarInfo(member)
            if link:
                info.type, info.linkname = tarfile.SYMTYPE, link[0]
                archive.addfile(info)
            else:
                info.size = len(raw)
                archive.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def npy(header: dict[str, object], body: bytes) -> bytes:
    raw = repr(header).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + body


def safetensors(header: object, body: bytes = b"", length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + body


def varint(number: int) -> bytes:
    out = b""
    while True:
        low, number = number & 0x7F, number >> 7
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def tensor(label: str, dims: tuple[int, ...] = (4,), location: str | None = None, raw: bytes = b"\0" * 16) -> bytes:
    out = b"".join(field(1, size) for size in dims) + field(2, 1) + field(8, label)
    if location is None:
        return out + field(9, raw)
    return out + field(13, field(1, "location") + field(2, location)) + field(14, 1)


def node(operator: str, domain: str = "", attribute: bytes = b"") -> bytes:
    out = field(1, "x") + field(2, "y") + field(4, operator)
    return out + (field(5, attribute) if attribute else b"") + (field(7, domain) if domain else b"")


def onnx(nodes: tuple[bytes, ...] = (), tensors: tuple[bytes, ...] = (), version: int = 17) -> bytes:
    sets = {"": version, "ai.onnx.ml": 3, "com.microsoft": 1}
    imports = b"".join(field(8, field(1, domain) + field(2, version)) for domain, version in sets.items())
    graph = b"".join(field(1, item) for item in nodes) + field(2, "g") + b"".join(field(5, item) for item in tensors)
    return field(1, 8) + field(2, "shipworthy-test") + field(7, graph) + imports


def keras(*layers: dict[str, object]) -> bytes:
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": None,
        "config": {"layers": list(layers)},
    }
    weights = b"\x89HDF\r\n\x1a\n" + b"\0" * 100
    metadata = json.dumps({"keras_version": "3.9.0"}).encode()
    return zipped(
        ("metadata.json", metadata), ("config.json", json.dumps(config).encode()), ("model.weights.h5", weights)
    )


def joblib_array(raw: bytes, count: int, dtype: str = "f8") -> bytes:
    """A NumpyArrayWrapper with its state, and the raw bytes that joblib puts behind it."""
    description = b"".join(
        (
            b"(",
            text("subclass") + name("numpy", "ndarray"),
            text("shape") + atom(count) + b"\x85",
            text("order") + text("C"),
            text("dtype") + name("numpy", "dtype") + b"(" + text(dtype) + b"\x89\x88tR",
            text("allow_mmap") + b"\x88u",
        )
    )
    return name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}" + description + b"b" + raw
