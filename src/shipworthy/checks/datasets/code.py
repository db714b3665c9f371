"""Code inside a dataset: pickles in archives (WebDataset shards), in Parquet cells, and in Base64.

Options: `max-rows`, `max-megabytes` (limits). Nothing is unpickled: opcodes are read, as data.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import pickletools
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, cast

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._report import Seen, Tally, plural, redact, show
from shipworthy.checks.datasets._tables import LIMITS, Bounded, open_table
from shipworthy.model import Artifact, Finding, Rule, Severity, Skipped

CODE = Rule(
    "dataset-code",
    title="The dataset holds serialised objects that run code when they are loaded",
    severity=Severity.HIGH,
    description="Unpickling runs whatever the pickle says. WebDataset's default decoder unpickles members that end in "
    ".pyd, .pickle or .pkl, and a cell of pickled bytes is there to be unpickled by somebody.",
    remedy="Store the values in a format without code (JSON, NumPy without objects, safetensors, plain columns).",
    taxonomy=("CWE-502", "AML.T0010.002", "AML.T0011.000", "LLM03:2025"),
    help="unsafe-deserialization",
)

_UNPICKLED = {".pyd": "unpickled by WebDataset", ".pickle": "a pickle", ".pkl": "a pickle", ".joblib": "a pickle"}
_TORCH = {".pth": "read with torch.load", ".pt": "read with torch.load"}
_MEMBERS = 200_000
_HEAD = 64 * 1024
_CALLS = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"})
# Pickles of protocol 2 to 5 in Base64 begin with these letters.
_BASE64 = (
    "gAI",
    "gAJ",
    "gAK",
    "gAL",
    "gAN",
    "gAM",
    "gAO",
    "gAP",
    "gAQ",
    "gAR",
    "gAS",
    "gAT",
    "gAU",
    "gAV",
    "gAW",
    "gAX",
)


def _canary() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("0001.txt", b"a picture"), ("0001.pyd", b"\x80\x04K\x01.")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@check(
    "dataset-code",
    kinds={"dataset"},
    version=1,
    options=dict(LIMITS),
    timeout=180,
    canary=Canary(files={"shard-0001.tar": _canary}, rule="dataset-code"),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Members of an archive by name, cells of a table by content."""
    name = artifact.uri.lower()
    if name.endswith((".tar", ".tar.gz", ".tgz", ".zip")):
        yield from _archive(artifact, name, int(context.options["max-megabytes"]) * 2**20)
        return
    table = open_table(artifact, context.options)
    tally = Tally()
    for row in table:
        for column, value in zip(row.names, row.values, strict=False):
            if (pickle := pickled(value)) is not None:
                tally.add(column, "calls" if calls(pickle) else "data", row.number, redact(str(value), 6))
    for (column, kind), seen in tally.items():
        what = "pickles that call functions" if kind == "calls" else "pickles"
        yield CODE.at(
            artifact,
            f"column {show(column)}: {what} in {plural(seen.count, 'row')}: {seen.where()}",
            evidence=seen.example,
            key=f"{column}|{kind}",
            severity=Severity.HIGH if kind == "calls" else Severity.MEDIUM,
            row=seen.rows[0],
            field=show(column),
        )
    yield from table.skipped()


def pickled(value: object) -> bytes | None:
    """The pickle that a cell holds (its first 64 KiB), as bytes or in Base64; None when it holds none."""
    if isinstance(value, str) and len(value) >= 16 and value.startswith(_BASE64):
        head = value[: _HEAD * 4 // 3 // 4 * 4]
        try:
            value = base64.b64decode(head[: len(head) // 4 * 4], altchars=b"-_" if "-" in head or "_" in head else None)
        except (binascii.Error, ValueError):
            return None
    if not isinstance(value, (bytes, bytearray)) or len(value) < 4 or value[0] != 0x80 or not 2 <= value[1] <= 5:
        return None
    head_bytes = bytes(value[:_HEAD])
    return head_bytes if _opcodes(head_bytes, 2) >= 2 else None


def calls(pickle: bytes) -> bool:
    """Whether a pickle imports or calls something."""
    try:
        return any(opcode.name in _CALLS for opcode, _, _ in pickletools.genops(pickle))
    except Exception:
        return True  # it cannot be read to its end: not known to be harmless


def _opcodes(pickle: bytes, enough: int) -> int:
    count = 0
    try:
        for _ in pickletools.genops(pickle):
            count += 1
            if count >= enough:
                break
    except Exception:
        return count
    return count


def _archive(artifact: Artifact, name: str, limit: int) -> Iterator[Finding | Skipped]:
    seen: dict[str, Seen] = {}
    count = 0
    reason = ""
    try:
        for count, member in enumerate(_members(artifact, name, limit), 1):
            if count > _MEMBERS:
                reason = f"only the first {_MEMBERS:,} members were looked at"
                break
            suffix = PurePosixPath(member.lower()).suffix
            if suffix in _UNPICKLED or suffix in _TORCH:
                seen.setdefault(suffix, Seen()).add(count, member)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        OverflowError,
        NotImplementedError,
    ) as e:
        reason = f"the archive cannot be read to its end: {type(e).__name__}"
    except OSError as e:
        reason = f"it could not be read to the end: {e.strerror or type(e).__name__}"
    for suffix, members in seen.items():
        yield CODE.at(
            artifact,
            f"{plural(members.count, 'member')} with the suffix {suffix} ({(_UNPICKLED | _TORCH)[suffix]}), "
            f"such as {show(members.example)}",
            key=suffix,
            severity=Severity.HIGH if suffix in _UNPICKLED else Severity.MEDIUM,
            member=show(members.example, 200),
        )
    if reason:
        yield Skipped(artifact, reason)


def _members(artifact: Artifact, name: str, limit: int) -> Iterator[str]:
    """Names of the files in an archive. Raises what tarfile and zipfile raise; EOFError where it is cut."""
    with artifact.open() as stream:
        if name.endswith(".zip"):
            with zipfile.ZipFile(stream) as archive:
                yield from archive.namelist()
        elif name.endswith(".tar"):
            yield from _shard(stream)
        else:
            with gzip.GzipFile(fileobj=stream) as packed, tempfile.SpooledTemporaryFile(max_size=2**23) as unpacked:
                bounded = Bounded(cast(IO[bytes], packed), limit)
                shutil.copyfileobj(io.BufferedReader(bounded), unpacked)
                unpacked.seek(0)
                yield from _shard(cast(IO[bytes], unpacked))


def _shard(stream: IO[bytes]) -> Iterator[str]:
    """Names of the files in a tar archive. Raises EOFError when it does not end as an archive does: tarfile stops
    without a word at a member header that is cut or damaged.
    """
    with tarfile.open(fileobj=stream, mode="r:") as shard:
        yield from (member.name for member in shard)
        stream.seek(shard.offset)
        if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise EOFError
