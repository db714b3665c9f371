"""Are the addresses of the catalogue still there? Asks the network, and so only when told to.

`check(urls, client)` gives an outcome for each; `history` remembers them, as one bad day means nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

from shipworthy.hub.links.client import Answer, Client, ForbiddenError, NotPublicError, UnreachableError
from shipworthy.hub.lint.addresses import canonical
from shipworthy.records import dataclass

ARCHIVE = "https://archive.org/wayback/available?url="
_AT_ONCE = 8  # hosts


@dataclass(frozen=True)
class Outcome:
    """What came of asking for an address. `state` is `good`, `moved` (for ever, to `to`), `gone` (404, 410),
    `unreachable`, `not-public`, or `unknown` when the server does not tell us (401, 403, 429, 5xx, robots.txt)."""

    url: str
    state: str
    told: str
    to: str = ""


def check(urls: Iterable[str], client: Client, seen: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """An outcome for each address, in their order. Several hosts are asked at once, each one request at a time."""
    wanted = list(dict.fromkeys(urls))
    hosts: dict[str, list[str]] = {}
    for url in wanted:
        hosts.setdefault(urlsplit(url).netloc, []).append(url)
    found: dict[str, Outcome] = {}

    def one_host(of: list[str]) -> None:
        for url in of:
            found[url] = outcome = _outcome(url, client)
            seen(outcome)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(one_host, hosts.values()))
    return [found[url] for url in wanted]


def _outcome(url: str, client: Client) -> Outcome:
    try:
        answer = client.ask(url)
    except NotPublicError as error:
        return Outcome(url, "not-public", str(error))
    except ForbiddenError as error:
        return Outcome(url, "unknown", str(error))
    except UnreachableError as error:
        return Outcome(url, "unreachable", str(error))
    return _judged(url, answer)


def _judged(url: str, answer: Answer) -> Outcome:
    if 200 <= answer.status < 300:
        if answer.permanent and canonical(answer.url) != canonical(url):
            return Outcome(url, "moved", str(answer.status), answer.url)
        return Outcome(url, "good", str(answer.status))
    if answer.status in (404, 410):
        return Outcome(url, "gone", str(answer.status))
    return Outcome(url, "unknown", f"the server answers {answer.status}")


def archived(url: str, client: Client, service: str = ARCHIVE) -> str:
    """The address of a copy at the Internet Archive; empty when there is none, or when it does not tell."""
    try:
        answer = client.page(service + quote(url, safe=""))
        copy = json.loads(answer.body)["archived_snapshots"]["closest"]["url"] if answer.status == 200 else ""
        parts = urlsplit(copy if isinstance(copy, str) else "")
    except (NotPublicError, ForbiddenError, UnreachableError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != "web.archive.org" or len(copy) > 3000:
        return ""
    return "https" + copy[copy.index(":") :]
