"""Read from HTTP(S)."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from typing import IO

from shipworthy.errors import EnvironmentFailure

_CHUNK = 1024 * 1024


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects may not leave HTTP(S), nor go from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        old, new = (urllib.parse.urlsplit(url).scheme for url in (req.full_url, newurl))
        if new not in ("http", "https") or (old == "https" and new != "https"):
            raise urllib.error.URLError(f"redirected to {new}:")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def read(uri: str, timeout: float) -> Iterator[bytes]:
    """The bytes in pieces. Raises EnvironmentFailure when the source cannot be reached, or was cut short."""
    opener = urllib.request.build_opener(_SafeRedirects)
    request = urllib.request.Request(uri, headers={"Accept-Encoding": "identity", "User-Agent": "shipworthy"})  # noqa: S310
    try:
        with opener.open(request, timeout=timeout) as answer:
            declared = answer.headers.get("Content-Length")
            received = 0
            for chunk in iter(lambda: answer.read(_CHUNK), b""):
                received += len(chunk)
                yield chunk
        if declared is not None and declared.isdigit() and int(declared) != received:
            raise EnvironmentFailure(f"cut short: {received} of {declared} bytes", where=uri)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise EnvironmentFailure(f"cannot be fetched: {getattr(error, 'reason', error)}", where=uri) from None
