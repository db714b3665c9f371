"""What is to be built, and what was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipworthy.errors import ExitCode, ShipworthyError


@dataclass(frozen=True)
class Recipe:
    """What is to be built.

    `context` is the folder that COPY takes from; `dockerfile` is in it unless its path is absolute; `arguments` are
    build arguments (they are recorded in provenance: no place for secrets); `secrets` maps the id of a
    `RUN --mount=type=secret` to a file. `network` allows RUN to use the network. `bases` maps references of FROM to
    folders with an OCI image layout, for bases that are at hand; other bases are pulled, if `pull`, by engines that
    can. `epoch` is the time, in seconds since 1970, that the image's files and history get. `name` becomes the
    layout's reference. `work` is where temporary files go: a folder of its own is made in there, and removed.
    """

    context: Path
    output: Path
    dockerfile: Path = Path("Dockerfile")
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    network: bool = False
    pull: bool = False
    bases: Mapping[str, Path] = field(default_factory=dict)
    epoch: int = 0
    name: str = "latest"
    target: str = ""
    work: Path | None = None
    log: Path | None = None
    seconds: float = 1800.0

    @property
    def file(self) -> Path:
        """The path of the Dockerfile."""
        return self.context / self.dockerfile


@dataclass(frozen=True)
class Built:
    """An image that was built: `layout` is its OCI image layout, `digest` that of its manifest (sha256:…), `bases`
    maps each reference of FROM to the digest of its manifest ("" if the engine does not tell), `layers` to the digests
    of what is in its layers, unpacked (not there if the engine does not tell)."""

    layout: Path
    digest: str
    bases: Mapping[str, str]
    engine: str
    version: str
    log: Path
    seconds: float
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class BuildFailed(ShipworthyError):
    """The image was not built: an instruction failed. `log` has all output; `last` its last lines."""

    exit_code = ExitCode.ENVIRONMENT

    def __init__(self, message: str, *, where: str, remedy: str, last: tuple[str, ...] = (), log: Path) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.last, self.log = last, log
