"""Random tar archives: entries of all kinds, headers that override others, numbers that readers take differently.

Written from POSIX (pax) and the GNU tar manual; everything comes from one `random.Random`.
"""

from __future__ import annotations

from collections.abc import Callable

from fuzz.mutations import bytewise
from fuzz.zipsources import NAMES, Source, content
from modelfile_samples import EVIL, PLAIN


def tar_header(name: bytes, size: int | bytes, kind: bytes = b"0", **fields: bytes) -> bytes:
    """A header; `fields` are link, magic, prefix."""
    out = bytearray(512)
    out[: min(len(name), 100)] = name[:100]
    out[100:124] = b"0000644\x000000000\x000000000\0"
    out[124:136] = b"%011o\0" % size if isinstance(size, int) else size[:12].ljust(12, b"\0")
    out[136:148] = b"00000000000\0"
    out[156:157] = kind
    link, magic, prefix = fields.get("link", b""), fields.get("magic", b"ustar\x0000"), fields.get("prefix", b"")
    out[157 : 157 + len(link[:100])] = link[:100]
    out[257 : 257 + len(magic)] = magic
    out[345 : 345 + len(prefix[:155])] = prefix[:155]
    out[148:156] = b" " * 8
    out[148:156] = b"%06o\0 " % sum(out)
    return bytes(out)


def tar_entry(name: bytes, data: bytes, kind: bytes = b"0", **fields: bytes) -> bytes:
    """A header and its blocks."""
    return tar_header(name, len(data), kind, **fields) + data + bytes(-len(data) % 512)


def pax(**records: str) -> bytes:
    """Records with lengths that count themselves; `_` in a keyword stands for a dot."""
    out = b""
    for key, value in records.items():
        body = b" " + key.replace("_", ".").encode() + b"=" + value.encode() + b"\n"
        size = len(body) + 1
        while len(str(size)) + len(body) != size:
            size = len(str(size)) + len(body)
        out += str(size).encode() + body
    return out


def _pax_data(source: Source) -> bytes:
    number = source.choice(("0", "1", "512", str(len(EVIL)), "1024", "-1", " 5", "1_0", "x", "9" * 30, "", "5.5"))
    records = {
        "size": {"size": number},
        "path": {"path": source.choice(("a.pkl", "../up.pkl", "d/", "x.py", "/abs", "a\0b"))},
        "link": {"linkpath": "../etc"},
        "mtime": {"mtime": "1.5"},
        "charset": {"hdrcharset": "BINARY", "path": "a.pkl"},
        "sparse": {"GNU_sparse_major": "1", "GNU_sparse_minor": "0", "GNU_sparse_realsize": number},
        "old": {"GNU_sparse_size": number, "GNU_sparse_offset": "0", "GNU_sparse_numbytes": "9"},
        "map": {"GNU_sparse_map": "0,9", "GNU_sparse_size": number},
    }
    chosen = [records[source.choice(list(records))] for _ in range(source.choice((1, 1, 2)))]
    data = b"".join(pax(**item) for item in chosen)
    return bytewise(source, data, b"30 path=a.pkl\n") if source.random() < 0.2 else data


KINDS = (b"0", b"\0", b"7", b"5", b"1", b"2", b"3", b"6", b"S", b"V", b"X", b"D", b"Z")
SIZES = (
    b"\xff" * 12, b"\x80" + bytes(10) + b"\1", b"-0000000100\0", b"+00\0", b"0000010\x0077", b"1_0\0", b" 10 ", b"0o10",
)  # fmt: skip


def _tar_piece(source: Source) -> bytes:
    """One entry, possibly with what stands in front of it."""
    pick = source.choice
    data, name = content(source), pick(NAMES[7:])
    hidden = tar_entry(pick(NAMES), EVIL)
    magic, prefix = pick((b"ustar  \0", bytes(8), b"ustar")), pick((b"", b"/abs", b"..", b"d"))
    stated = tar_entry(b"h", pax(size=str(len(data))), b"x")
    forms: tuple[Callable[[], bytes], ...] = (
        lambda: tar_entry(b"a.pkl", data),
        lambda: tar_entry(name, data),
        lambda: tar_entry(name, data, pick(KINDS)),
        lambda: tar_entry(pick((b"d/", b"d")), hidden, pick((b"5", b"0", b"\0", b"1", b"2"))),
        lambda: tar_entry(b"h", _pax_data(source), pick((b"x", b"x", b"g", b"X"))),
        lambda: tar_entry(b"h", _pax_data(source), b"x") + tar_entry(b"a.pkl", data),
        lambda: stated + tar_header(b"a.pkl", pick((0, 512, 4096))) + data + bytes(-len(data) % 512),
        lambda: tar_entry(b"././@LongLink", pick(NAMES) + b"\0", pick((b"L", b"K"))),
        lambda: tar_entry(b"././@LongLink", b"d/\0", b"L") + tar_entry(b"a.pkl", data),
        lambda: tar_entry(name, data, magic=magic, prefix=prefix),
        lambda: tar_header(name, pick(SIZES)),
        lambda: tar_entry(b"a.pkl", data) + bytes(512) + hidden,
        lambda: hidden[:512],
    )
    return pick(forms[:2] if source.random() < 0.5 else forms)()


def random_tar(source: Source) -> bytes:
    """A few entries and the end."""
    first = tar_entry(b"first.pkl", PLAIN)
    data = first + b"".join(_tar_piece(source) for _ in range(source.choice((0, 1, 2, 2, 3))))
    data += source.choice((bytes(1024), bytes(1024), bytes(10240), bytes(512), b"", b"\0" * 100))
    return bytewise(source, data, EVIL) if source.random() < 0.15 else data
