"""Whose the files of an image are: proved by the wheels that the build itself fetched, or only claimed by the image.

A wheel's digest is pinned in the requirements, and an index has it: what it holds was published before this build. Such
a file is known by its path below the folder that the package was installed to *and* by its digest. Lists in the image
(`RECORD` and its like) prove nothing, because a step of the build can write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from shipworthy.building.wheel_files import Wheel
from shipworthy.model import Artifact
from shipworthy.paths import display_name
from shipworthy.stages.dev.claimed import Claim, claims, fitting, path_in

_DEBIANS = "usr/lib/python3/dist-packages/"  # where pip puts nothing: a package there is a distribution's build of it


class Changed(NamedTuple):
    """A file that is not what the package has at its place."""

    file: Artifact
    wheel: Wheel


class Origins:
    """The origins of `files`, those of the image called `image`. `wheels` are pinned and of an index; `base` has the
    uris of files that were in the base image; `certain`: nothing but these wheels and a known base can have brought
    packages into the image, so that a package that is neither is none."""

    def __init__(
        self,
        image: str,
        files: Iterable[Artifact],
        wheels: Iterable[Wheel] = (),
        base: frozenset[str] = frozenset(),
        certain: bool = False,
    ) -> None:
        self._image, self._files, self._base, self.certain = image, tuple(files), base, certain
        self._archives = {wheel.digest: wheel for wheel in wheels}

    def wheel(self, file: Artifact) -> Wheel | None:
        """The wheel that the file is of, or is."""
        whose = self._installed.get(path_in(file, self._image), {}).get(file.digest)
        return whose or self._archives.get(file.digest)

    @property
    def packages(self) -> tuple[Wheel, ...]:
        """The wheels."""
        return tuple(self._archives.values())

    @property
    def proved(self) -> int:
        """How many files are as a wheel has them."""
        return sum(self.wheel(file) is not None for file in self._files)

    def claim(self, file: Artifact) -> Claim | None:
        """What the image's own lists say of the file. Of several, that which the base image has comes first."""
        told = self._claims.get(path_in(file, self._image))
        found = fitting(file, told) if told else []
        return min(found, key=lambda claim: claim.listed not in self._base, default=None)

    def in_base(self, file: Artifact, claim: Claim | None = None) -> bool:
        """Whether the file, and the list that names it, were in the base image already."""
        return file.uri in self._base and (claim is None or claim.listed in self._base)

    def changed(self) -> Iterator[Changed]:
        """Files of the final tree that lie where a pinned package has a file, and are not that file. One that was in
        the base image is the base's: pip leaves a version alone that is there already, however it was built."""
        start = f"{self._image}: /"
        for file in self._files:
            ours = file.uri.startswith(start) and file.uri not in self._base
            known = self._installed.get(path_in(file, self._image)) if ours else None
            if known and file.digest not in known:
                yield Changed(file, next(iter(known.values())))

    @cached_property
    def _claims(self) -> dict[str, list[Claim]]:
        return claims(self._image, self._files)

    @cached_property
    def _installed(self) -> dict[str, dict[str, Wheel]]:
        """By path, the digests that pinned packages have there. A package is where its own METADATA lies."""
        found: dict[str, dict[str, Wheel]] = {}
        by_metadata = {wheel.metadata: wheel for wheel in self._archives.values()}
        folders = {
            (path.removesuffix(wheel.metadata), wheel.digest)
            for file in self._files
            if (path := path_in(file, self._image)).endswith(".dist-info/METADATA")
            and (wheel := by_metadata.get("/".join(path.split("/")[-2:]))) is not None
            and not path.startswith(_DEBIANS)
        }
        for folder, digest in sorted(folders):
            wheel = self._archives[digest]
            for name, one in wheel.files.items():
                found.setdefault(display_name(folder + name), {}).setdefault(one, wheel)
        return found
