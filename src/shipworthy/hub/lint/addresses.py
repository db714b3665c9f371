"""Addresses: when two are the same thing, and which ones do not belong into the catalogue."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from shipworthy.patterns import regex

if TYPE_CHECKING:
    from shipworthy.hub.lint.subject import Catalogue, Plain, Said

_ARXIV = regex(
    r"/(?:abs|pdf|html|format)/((?:[a-z-]{2,20}(?:\.[A-Za-z]{2})?/)?\d[\d.]{3,11}\d)(?:v\d{1,3})?(?:\.pdf)?/?"
)
_ARXIV_HOSTS = frozenset(
    """arxiv.org export.arxiv.org browse.arxiv.org ar5iv.org ar5iv.labs.arxiv.org alphaxiv.org""".split()
)
_VERSION = regex(r"v\d{1,3}\Z", 2)
_PUBLISHED = regex(
    r"/(?:doi|chapter|article|content/pdf)/(?:(?:abs|pdf|epdf|full|fullHtml|book)/)?(10\.\d{4,9}/.+?)(?:\.pdf)?"
)
_PUBLISHERS = frozenset("dl.acm.org link.springer.com onlinelibrary.wiley.com tandfonline.com science.org".split())
_ARCHIVE = regex(r"https?://web\.archive\.org/web/(?:\d{1,14}(?:[a-z]{2}_)?|\*)/(?=https?:)", 2)
_HOST = regex(r"(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OF_A_REPOSITORY = regex(
    r"(/[^/]+/[^/]+)/(?:actions|commits|discussions|forks|issues|packages|pulls|releases(?:/latest)?|stargazers|tags)"
)
_WITHIN = regex(r"https?:|//", 2)
_DEFAULT_FILE = regex(r"/(?:index|default)\.(?:html?|php)\Z")
_BRANCH = regex(r"(/[^/]+/[^/]+)/(?:tree/(?:main|master|HEAD)|blob/(?:main|master|HEAD)/readme(?:\.[a-z]{2,4})?)")
_TRACKING = regex(
    r"utm_[a-z_]{1,30}|fbclid|gclid|dclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_hsenc|_hsmi|mkt_tok|ref|ref_src|ref_url|"
    r"referrer|referralcode|couponcode|affiliate|aff|aff_id|irclickid|si|feature|pp|spm|trk|trackingid|ranmid|raneaid|"
    r"ransiteid|source|cmpid|share_id",
)
_TRACKING_ON = {"source": "medium.com", "feature": "youtube.com"}
SHORTENERS = frozenset(
    """bit.ly buff.ly cutt.ly dub.sh fb.me goo.gl hubs.ly is.gd j.mp lnkd.in ow.ly rb.gy rebrand.ly shorturl.at snip.ly
    t.co t.ly tiny.cc tinyurl.com trib.al v.gd wp.me""".split()
)
_NOT_PUBLIC = frozenset(
    "arpa corp example home internal intranet invalid lan local localdomain localhost onion private test".split()
)
_GITHUB = ("github.com", "gitlab.com", "codeberg.org")


def canonical(url: str) -> str:
    """One form for every way to write the same address: no scheme, `www.`, tracking, default file, end slash; the page
    of a paper for its PDF, a repository for its default branch. Not for opening, only for comparing."""
    try:
        parts = urlsplit(without_archive(url.strip()))
        host = (parts.hostname or "").lower().removeprefix("www.").rstrip(".")
        port = parts.port
    except ValueError:
        return url.strip()
    path = _DEFAULT_FILE.sub("/", _walked(unquote(parts.path, errors="replace"))).rstrip("/")
    if special := _special(host, path, parts):
        return special
    kept = [(key, value) for key, value in parse_qsl(parts.query) if not is_tracking(host, key)]
    query = f"?{urlencode(sorted(kept))}" if kept else ""
    mark = f"#{parts.fragment}" if parts.fragment and not parts.fragment.startswith(":~:") else ""
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    return f"{where}{path}{query}{mark}"


def _special(host: str, path: str, parts: SplitResult) -> str:
    """Addresses of well-known places, where several forms are the same page."""
    if host in _ARXIV_HOSTS and (found := _ARXIV.fullmatch(_VERSION.sub("", path))):
        return f"arxiv.org/abs/{found[1]}"
    if host == "huggingface.co" and path.startswith("/papers/"):
        return f"arxiv.org/abs/{_VERSION.sub('', path.removeprefix('/papers/'))}"
    if host in _PUBLISHERS and (found := _PUBLISHED.fullmatch(path)):
        return f"doi.org/{found[1].lower()}"
    if host in ("doi.org", "dx.doi.org"):
        doi = path.lower().strip("/")
        paper = _VERSION.sub("", doi.partition("/arxiv.")[2])
        return f"arxiv.org/abs/{paper}" if paper else f"doi.org/{doi}"
    if host == "youtu.be":
        return f"youtube.com/watch?v={path.strip('/')}"
    if host in ("youtube.com", "m.youtube.com", "youtube-nocookie.com"):
        if path == "/watch":
            return f"youtube.com/watch?v={dict(parse_qsl(parts.query)).get('v', '')}"
        if path.startswith(("/embed/", "/shorts/", "/live/")):
            return f"youtube.com/watch?v={path.split('/')[2]}"
    if host == "raw.githubusercontent.com" and path.count("/") >= 3:
        owner, name, _, *rest = path.replace("/refs/heads/", "/").strip("/").split("/")
        return f"github.com/{owner}/{name}/{'/'.join(rest)}".lower().removesuffix("/readme.md")
    if host in _GITHUB and path.count("/") >= 1:
        path = path.lower()
        if found := _BRANCH.fullmatch(path):
            path = found[1]
        if found := _OF_A_REPOSITORY.fullmatch(path):
            path = found[1]
        mark = "" if path.count("/") <= 2 or not parts.fragment else f"#{parts.fragment}"
        return f"{host}{path.removesuffix('.git')}{mark}"
    if host in ("pypi.org", "pypi.python.org") and path.count("/") in (2, 3):
        return f"pypi.org/project/{path.split('/')[2].lower().replace('_', '-').replace('.', '-')}"
    return ""


def is_tracking(host: str, key: str) -> bool:
    """Is it a parameter by which readers are followed, rather than one that says what is shown?"""
    low = key.lower()
    only = _TRACKING_ON.get(low, "")
    return bool(_TRACKING.fullmatch(low)) and (not only or host == only or host.endswith(f".{only}"))


def without_archive(url: str) -> str:
    """What an address at the Internet Archive is a copy of; any other as it is."""
    return _ARCHIVE.sub("", url, count=1)


def _walked(path: str) -> str:
    """A path without empty parts and dots, as a browser or server walks it."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return f"/{'/'.join(parts)}{'/' if path.endswith('/') else ''}" if parts else "/"


def look(_catalogue: Catalogue, entry: Plain) -> Said:
    """Scheme, host, tracking, shorteners of every address of an entry."""
    for key, url in (("url", entry.get("url", "")), *(("aliases", one) for one in entry.get("aliases", ()))):
        for told, remedy in wrong(url):
            yield key, f"`{url[:120]}`: {told}", remedy


def wrong(url: str) -> Iterator[tuple[str, str]]:
    """What is wrong with an address, and what to do."""
    if not url.isascii() or any(char <= " " or char in '"<>\\^`{|}' for char in url):
        yield "it holds characters that addresses do not have", "write them percent-encoded (%20)"
        return
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        yield "it is no address", "copy it from the browser's address bar"
        return
    if parts.scheme != "https":
        yield (
            f"its scheme is {parts.scheme or 'missing'}",
            "use its https address, or that of a copy",
        )
    if "@" in parts.netloc:
        yield "it names a user before the host", "leave out all up to the @"
    if _is_number(host) or not _HOST.fullmatch(host) or host.rpartition(".")[2] in _NOT_PUBLIC:
        yield f"`{host}` is no public name", "give the address that everybody can open"
    if any(label.startswith("xn--") for label in host.split(".")):
        yield "its host has letters of another script, which can pose as others", "give an address in plain letters"
    if parts.port not in (None, 443):
        yield f"it names port {parts.port}", "give the address on the usual port"
    if host.removeprefix("www.") in SHORTENERS:
        yield f"{host} shortens addresses: where it leads is not to be seen, and may change", "give where it leads"
    if any(_WITHIN.match(value) for _, value in parse_qsl(parts.query)):
        yield "it leads on to another address", "give where it leads"
    found = [key for key, _ in parse_qsl(parts.query) if is_tracking(host.removeprefix("www."), key)]
    if found:
        yield f"`{', '.join(found)}` tracks readers", "leave it out, up to the next & or the end"


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdigit() or host.startswith("0x")
    return True
