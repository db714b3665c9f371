"""The stores of a project, opened as its settings say."""

from __future__ import annotations

from pathlib import Path

from shipworthy.config.settings import Registry
from shipworthy.config.settings import Store as StoreSettings
from shipworthy.errors import UsageError
from shipworthy.stores import Ref, RegistryOptions, Store, open_store


def store_at(uri: str, settings: StoreSettings, root: Path) -> Store:
    """The store that a URI names, in the workspace `root`. Raises UsageError."""
    return open_store(uri, root, {host: _options(one, root) for host, one in settings.registries.items()})


def known(store: Store, name: str, version: str) -> Ref | None:
    """The release, if it is there: of a run that was stopped after it had put it. Raises EvidenceError for what is no
    release any more."""
    try:
        return store.get_ref(name, version)
    except UsageError:
        return None


def _options(given: Registry, root: Path) -> RegistryOptions:
    return RegistryOptions(
        credentials=given.credentials,
        plain_http=given.plain_http,
        ca_file=str(root / given.ca_file) if given.ca_file else "",
        redirect_to=given.redirect_to,
        token_hosts=given.token_hosts,
    )
