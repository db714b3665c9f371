"""Programs in the system folders of images that no package of the distribution installed."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, NotApplicable, Skipped, check
from shipworthy.checks.images._reading import DAMAGED, HOSTILE, opened, told
from shipworthy.checks.images._sample import NAME, archive
from shipworthy.errors import ShipworthyError
from shipworthy.images import Image, Tree
from shipworthy.images.packages import Inventory, read
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.paths import display_name

UNOWNED = Rule(
    "image-unowned-program",
    "A program in a system folder belongs to no package",
    Severity.LOW,
    "Nobody publishes advisories for it, no list of packages names it, and no update will replace it. It is also how a"
    " program is exchanged for another one of the same name.",
    "Install it as a package, or put it where programs of one's own are kept (`/usr/local`, `/opt`), with a record of"
    " its version and digest.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-1104", "CWE-506", "nist-ssdf-1.1/PS.3.2"),
    help="image-integrity",
)
RULES = (UNOWNED, DAMAGED, HOSTILE)
_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin")
_SHOWN = 10


def _canary() -> bytes:
    status = b"Package: bash\nStatus: install ok installed\nVersion: 5\n"
    files = {"var/lib/dpkg/status": status, "var/lib/dpkg/info/bash.list": b"/bin/bash\n", "usr/bin/nc": b"x"}
    return archive({}, files, {"usr/bin/nc": 0o755})


@check(
    "image-packages",
    kinds={"image"},
    scope="tree",
    version=1,
    canary=Canary(files={NAME: _canary}, rule=UNOWNED.id),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...]) -> Iterator[Finding | Skipped]:
    """Of dpkg and apk, which list their files. Raises NotApplicable when no image has packages of a distribution."""
    without = 0
    for artifact in artifacts:
        try:
            image = opened(artifact)
            tree, found = read(image)
        except ShipworthyError as error:
            yield from told(artifact, error)
            continue
        without += not found.managers
        yield from _look(artifact, image, tree, found)
    if artifacts and without == len(artifacts):
        raise NotApplicable("no image has packages of a distribution")


def _look(artifact: Artifact, image: Image, tree: Tree, found: Inventory) -> Iterator[Finding | Skipped]:
    if "rpm" in found.managers:
        yield Skipped(artifact, "which files rpm installed is not read here")
        return
    if found.managers and not found.owned:
        yield Skipped(artifact, "the image has no list of the files that its packages installed")
        return
    if not found.managers:
        return
    strangers = []
    for path, node in tree.walk():
        folder = path.rpartition("/")[0]
        if folder in _FOLDERS and node.kind == "file" and node.mode & 0o111 and not found.owner_of(path):
            strangers.append((path, image.layers[node.layer].index + 1))
    for path, number in strangers[:_SHOWN]:
        shown = display_name(path)
        yield UNOWNED.at(artifact, f"No package installed /{shown} (layer {number})", member=shown, key=shown)
    if len(strangers) > _SHOWN:
        rest = len(strangers) - _SHOWN
        yield UNOWNED.at(artifact, f"No package installed {rest} more programs in system folders", key="more")
