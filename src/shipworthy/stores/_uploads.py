"""Blobs on their way into a registry: whole, or in parts that go on where the network broke off."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from shipworthy.errors import EnvironmentFailure, EvidenceError
from shipworthy.patterns import regex
from shipworthy.stores._asking import TRIES, Asker, Body, Reply, codes, wait
from shipworthy.stores._http import BrokenError, split_url

_RANGE = regex(r"(?:bytes=)?0-(\d{1,18})")
_CHECKED = 20_000_000  # bytes per second at which a registry is expected to check a blob before it answers
_BYTES = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Source:
    """Bytes to send: `blocks(start)` yields them from there on, as often as it is asked."""

    size: int
    blocks: Callable[[int], Iterator[bytes]]


class _Sent:
    """A source, and the digest of what was really sent of it, however often a part was sent."""

    def __init__(self, source: Source, where: str) -> None:
        self.source, self.where = source, where
        self._hasher, self._hashed = hashlib.sha256(), 0

    def part(self, start: int, count: int) -> Iterator[bytes]:
        at, end = start, start + count
        for block in self.source.blocks(start):
            if at >= end:
                break
            block = block[: end - at]
            if at <= self._hashed < at + len(block):
                self._hasher.update(block[self._hashed - at :])
                self._hashed = at + len(block)
            at += len(block)
            yield block
        if at < end:
            raise EvidenceError("the file shrank while it was sent", where=self.where, remedy="try again")

    def check(self, digest: str) -> None:
        actual = f"sha256:{self._hasher.hexdigest()}"
        if actual != digest:
            raise EvidenceError(
                f"the bytes changed while they were sent: {actual} instead of {digest}",
                where=self.where,
                remedy="make sure that nothing writes to the file, then try again",
            )


def put_blob(asker: Asker, digest: str, source: Source) -> None:
    """Send a blob. Raises EvidenceError when what was sent has another digest."""
    sent = _Sent(source, str(asker))
    if source.size <= asker.options.chunk:
        asker.retried(lambda: _whole(asker, digest, sent))
    else:
        _parts(asker, digest, sent)
    sent.check(digest)


def check_writable(asker: Asker) -> None:
    """Begin an upload, and call it off."""
    _cancel(asker, _begin(asker))


def mount(asker: Asker, digest: str, repository: str) -> bool:
    """Take a blob over from another repository of the registry; whether that could be done."""
    query = urlencode({"mount": digest, "from": repository})
    reply = asker.call("POST", f"{asker.path('blobs', 'uploads')}/?{query}", allowed=(201, 202, 401, 403, 404))
    if reply.status == 202:
        _cancel(asker, _location(asker, reply))
    return reply.status == 201


def _whole(asker: Asker, digest: str, sent: _Sent) -> Reply:
    size = sent.source.size
    headers = {**_BYTES, "Content-Length": str(size)}
    return _finish(asker, _begin(asker), digest, size, headers, lambda: sent.part(0, size))


def _parts(asker: Asker, digest: str, sent: _Sent) -> None:
    location, done, failures, size = _begin(asker), 0, 0, sent.source.size
    while done < size:
        before = done
        try:
            reply = _patch(asker, location, sent, done)
        except BrokenError as error:
            failures += 1
            if failures >= TRIES:
                raise asker.given_up(error) from None
            asker.pause(wait(failures))
            reply = None
        if reply is None or reply.status != 202:  # how much did it get?
            reply = asker.call("GET", location, allowed=(204, 404))
        if reply.status == 404:
            location, done = _begin(asker), 0
        else:
            location, done = _location(asker, reply), _received(asker, reply, size)
        failures = 0 if done > before else failures + 1
        if failures >= TRIES:
            raise EnvironmentFailure("the registry takes no more of the upload", where=str(asker))
    asker.retried(lambda: _finish(asker, location, digest, size, {}, None))


def _patch(asker: Asker, location: str, sent: _Sent, start: int) -> Reply:
    count = min(asker.options.chunk, sent.source.size - start)
    headers = {**_BYTES, "Content-Length": str(count), "Content-Range": f"{start}-{start + count - 1}"}
    return asker.call(
        "PATCH", location, headers, lambda: sent.part(start, count), allowed=(202, 416, 502, 503, 504), once=True
    )


def _begin(asker: Asker) -> str:
    return _location(asker, asker.call("POST", f"{asker.path('blobs', 'uploads')}/", allowed=(202,)))


def _cancel(asker: Asker, location: str) -> None:
    with suppress(EnvironmentFailure):  # the registry forgets it by itself, later
        asker.call("DELETE", location, allowed=(200, 202, 204, 404, 405))


def _finish(asker: Asker, location: str, digest: str, size: int, headers: dict[str, str], body: Body | None) -> Reply:
    target = f"{location}{'&' if '?' in location else '?'}digest={quote(digest, safe='')}"
    allowed = (200, 201, 204, 400, 404, 429, 502, 503, 504)
    reply = asker.call("PUT", target, headers, body, allowed=allowed, once=True, patience=size / _CHECKED)
    if reply.status == 404:  # an earlier try may have come through, and only its answer was lost
        return asker.call("HEAD", asker.path("blobs", digest), allowed=(200,))
    if reply.status != 400:
        return reply
    if "DIGEST_INVALID" in codes(reply):
        raise EvidenceError(
            f"the bytes that arrived are not {digest}",
            where=str(asker),
            remedy="the file changed while it was sent, or something on the way changes it; try again",
        )
    raise asker.refused("PUT", reply)


def _location(asker: Asker, reply: Reply) -> str:
    """Where an upload goes on: at this very registry."""
    try:
        origin, target = split_url(reply.headers.get("Location", ""), f"{asker.base}/")
    except ValueError:
        raise EnvironmentFailure("the registry names no place for an upload", where=str(asker)) from None
    if origin != asker.origin:
        raise EnvironmentFailure(
            f"the registry wants the upload sent to another host, {origin}; refused",
            where=str(asker),
            remedy="if that is where it is, name the store by that host",
        )
    return target


def _received(asker: Asker, reply: Reply, size: int) -> int:
    match = _RANGE.fullmatch(reply.headers.get("Range", ""))
    count = int(match[1]) + 1 if match else -1
    if count == 1 and size > 1 and reply.status == 204:
        return 0  # `0-0` is also what a registry says that has nothing yet
    if not 0 <= count <= size:
        raise EnvironmentFailure("the registry does not say how much of the upload it has", where=str(asker))
    return count
