"""Serve a stored image behind the guard: what the last stage tries out, for as long as it is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipworthy.config import Settings
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.links import ChainResult
from shipworthy.files import new_folder, remove_folder
from shipworthy.serving import Running
from shipworthy.stages.dev.fetched import write_layout
from shipworthy.stages.dev.service import Guarded, guarded, running
from shipworthy.stages.revocations import policy_for
from shipworthy.stages.stored import store_at
from shipworthy.stages.trust import believed
from shipworthy.stages.verification import image_of, verify_stored
from shipworthy.stores import Ref, Store

USUAL_PORT = 8080


@dataclass(frozen=True)
class Up:
    """An image that is served: its release, its chain, and the guard before it."""

    name: str
    version: str
    digest: str
    chain: ChainResult
    guard: Guarded
    service: Running


@contextlib.contextmanager
def serve(target: str, settings: Settings, root: Path, events: Path, usual: int = USUAL_PORT) -> Iterator[Up]:
    """Verify the stored image `target` (`name` or `name@version`; empty: the project's newest) back to the datasets,
    and serve it: on the `usual` port, where the settings leave it open and it is free. The guard's events go to the
    folder `events`.

    Raises EvidenceError for the first link that does not hold: nothing is served then. UsageError when nothing is
    stored under that name, EnvironmentFailure when the service does not get ready.
    """
    target = target or image_of(settings, root)
    store, ref = _find(target, settings, root)
    policy = policy_for(settings, believed(settings, root))
    chain = verify_stored(store, ref, policy, folders=(root,), newest="@" not in target)
    if chain.first_broken is not None:
        first = chain.first_broken
        raise EvidenceError(
            f"nothing is served: {first.step} {first.name}: {first.reason}", where=ref.name, remedy=first.remedy
        )
    if chain.links[0].step != "image":
        raise UsageError("this is a model and no image", where=ref.name, remedy=f"name `{image_of(settings, root)}`")
    folder = new_folder(None, "shipworthy-up-")
    try:
        layout = write_layout(store, chain.target, folder / "image")
        with (
            running(settings, folder, layout, chain.target, "up") as service,
            guarded(settings, root, service, chain.target, events, usual) as guard,
        ):
            yield Up(ref.name, ref.version, chain.target, chain, guard, service)
    finally:
        remove_folder(folder)


def _find(target: str, settings: Settings, root: Path) -> tuple[Store, Ref]:
    name, _, version = target.partition("@")
    for uri in settings.store.to:
        store = store_at(uri, settings.store, root)
        try:
            return store, store.get_ref(name, version or "latest")
        except UsageError:
            continue
    raise UsageError(
        f"nothing is stored as `{target}`",
        where=", ".join(settings.store.to),
        remedy="`shipworthy run dev` builds, tests, signs and stores an image",
    )
