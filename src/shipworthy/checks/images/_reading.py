"""Open an image for a check, and say what is wrong with one that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Skipped
from shipworthy.errors import ShipworthyError
from shipworthy.images import DigestError, HostileError, Image, ImageError, open_image
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.paths import display_name

DAMAGED = Rule(
    "image-digest-mismatch",
    "The image's bytes are not those of its digests",
    Severity.CRITICAL,
    "An image is named by digests so that nobody can exchange a layer or the configuration. Here one was: by a damaged"
    " disk, or by somebody. What was examined and signed is then not what would run.",
    "Do not run this copy. Fetch or build the image again, and find out where the copy comes from.",
    taxonomy=("CWE-354", "CWE-345", "CICD-SEC-9", "PS.2"),
    help="image-integrity",
)
HOSTILE = Rule(
    "image-hostile-layer",
    "A layer is made to harm whoever unpacks it",
    Severity.CRITICAL,
    "Names with `..`, links in circles and headers beyond all measure are in no layer that an honest tool makes. They"
    " aim at programs that unpack the image, on the machines that build, scan or run it.",
    "Do not unpack or run the image. Find out where it comes from.",
    taxonomy=("CWE-22", "CWE-59", "CICD-SEC-3"),
    help="image-integrity",
)


def opened(artifact: Artifact) -> Image:
    """The image. Raises ShipworthyError."""
    if artifact.path is None:
        raise ImageError("the image is not on this machine")
    return open_image(artifact.path)


def told(artifact: Artifact, error: ShipworthyError) -> Iterator[Finding | Skipped]:
    """What an error means: tampering and attacks are findings; whatever it is, the rest was not looked at."""
    if isinstance(error, (DigestError, HostileError)):
        rule = DAMAGED if isinstance(error, DigestError) else HOSTILE
        where = f" ({display_name(error.where)[:120]})" if error.where else ""
        yield rule.at(artifact, f"{rule.title}: {error.message}{where}", key=f"{error.message}{where}")
    yield Skipped(artifact, display_name(str(error)))
