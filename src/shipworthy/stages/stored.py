"""The stores of a project, opened as its settings say."""

from __future__ import annotations

from pathlib import Path

from shipworthy.config.settings import Registry
from shipworthy.config.settings import Store as StoreSettings
from shipworthy.stores import RegistryOptions, Store, open_store


def store_at(uri: str, settings: StoreSettings, root: Path) -> Store:
    """The store that a URI names, in the workspace `root`. Raises UsageError."""
    return open_store(uri, root, {host: _options(one, root) for host, one in settings.registries.items()})


def _options(given: Registry, root: Path) -> RegistryOptions:
    return RegistryOptions(
        credentials=given.credentials,
        plain_http=given.plain_http,
        ca_file=str(root / given.ca_file) if given.ca_file else "",
        redirect_to=given.redirect_to,
        token_hosts=given.token_hosts,
    )
