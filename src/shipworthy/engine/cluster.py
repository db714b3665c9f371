"""`--executor dask://host:port`: batches go to the workers of a Dask cluster."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shipworthy.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from shipworthy.engine.remote import Remote

_WAIT = 15


@contextmanager
def cluster(address: str) -> Iterator[Remote | None]:
    """The cluster whose scheduler has this address; None for no address.

    Raises UsageError for an address that is none or when Dask is not installed, EnvironmentFailure when no scheduler
    answers or it has no worker.
    """
    if not address:
        yield None
        return
    import logging

    from shipworthy.engine.remote import Remote

    place = _scheduler(address)
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        remedy = "pip install 'shipworthy[dask]', here and on every worker"
        raise UsageError("Dask is not installed", where="--executor", remedy=remedy) from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a lost scheduler ends in an error of ours
    try:
        client = distributed.Client(place, timeout=_WAIT, set_as_default=False, name="shipworthy")
    except (OSError, TimeoutError):
        remedy = "start a scheduler, or correct the address"
        raise EnvironmentFailure("no Dask scheduler answers", where=address, remedy=remedy) from None
    try:
        try:
            client.wait_for_workers(1, timeout=_WAIT)
        except TimeoutError:
            raise EnvironmentFailure("the Dask cluster has no worker", where=address, remedy="start workers") from None
        yield Remote(client.get_executor(pure=False), max(1, sum(client.nthreads().values())))
    finally:
        client.close()


def _scheduler(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or address.rstrip("/") not in (f"dask://{host}:{port}", f"dask://[{host}]:{port}"):
        raise UsageError(
            f"`{address}` is no address of a Dask scheduler", where="--executor", remedy="write dask://host:8786"
        )
    return "tcp://" + address.rstrip("/").removeprefix("dask://")
