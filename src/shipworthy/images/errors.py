"""What can be wrong with an image, and how much of one is read.

ImageError         it cannot be read: damaged, incomplete, or in a form that is not read here
├── DigestError    its bytes are not those that its digests promise
├── HostileError   it is made to harm who unpacks it: names that lead out, links in circles
└── LimitError     it holds more than the limits allow
"""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.errors import ExitCode, ShipworthyError


class ImageError(ShipworthyError):
    """The image, or a part of it, cannot be read. What was read of it before does not count."""

    exit_code = ExitCode.ENVIRONMENT


class DigestError(ImageError):
    """Bytes differ from the digest or size under which they are kept."""

    exit_code = ExitCode.EVIDENCE


class HostileError(ImageError):
    """No honest tool makes such an image."""

    exit_code = ExitCode.GATE


class LimitError(ImageError):
    """More than the limits allow: the rest was not read."""

    exit_code = ExitCode.COVERAGE


@dataclass(frozen=True)
class Limits:
    """How much of an image is read, at most. Sizes are in bytes, unpacked; `kept` bounds what is held in memory of
    files that are asked for, `kept_file` one of them; `special` is a PAX or GNU header (as Go's reader has it);
    `names` bounds the characters of all names that are held, `steps` the parts of paths that links lead through."""

    layers: int = 512
    entries: int = 1_000_000
    layer_bytes: int = 16 << 30
    total_bytes: int = 32 << 30
    json: int = 8 << 20
    special: int = 1 << 20
    name: int = 4096
    part: int = 255
    names: int = 512 << 20
    steps: int = 50_000_000
    kept: int = 512 << 20
    kept_file: int = 256 << 20
    slow_zstd: int = 512 << 20


DEFAULT = Limits()
