"""Writes the site into a folder, and takes away what an earlier build left there and this one does not have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shipworthy import look
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.hub.schema import KIND_TITLES
from shipworthy.hub.things import Entry
from shipworthy.paths import inside
from shipworthy.site import data
from shipworthy.site.addresses import outside
from shipworthy.site.graph import drawn
from shipworthy.site.pages import NAMES, Site
from shipworthy.site.things import Built, Given

if TYPE_CHECKING:
    from shipworthy.hub import Hub

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MARK = ".shipworthy-site"  # lists what a build wrote
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"
_USED = re.compile(r'href="#(i-[a-z-]+)"')
_ICONS_HERE = "<!-- icons -->"  # in the layout; text of the hub is escaped and cannot have it
_SYMBOL = re.compile(r'<symbol id="(i-[a-z-]+)".*?</symbol>\n?', re.DOTALL)
ASSETS = ("site.js", "search.js", "ranking.js", "browse.js", "graph.js", "icon.svg")


def build(hub: Hub, given: Given, folder: Path) -> Built:
    """Write the site. Raises UsageError for a folder that has files of somebody else."""
    earlier = _earlier(folder)
    site = Site(hub, given)
    written: dict[str, int] = {}
    made: set[Path] = set()
    notes = []
    for name, text in _files(site):
        written[name] = _write(folder, name, text, made)
    if given.url:
        places = [name for name in written if name.endswith(".html") and name != "404.html"]
        for name, text in (("sitemap.xml", data.site_map(site, places)), ("robots.txt", _robots(given.url))):
            written[name] = _write(folder, name, text, made)
    else:
        notes.append("no site map, and addresses in the feed are relative: say --url to have both")
    for name in earlier - set(written):
        _remove(folder, name)
    _write(folder, MARK, "".join(f"{name}\n" for name in sorted(written)), made)
    largest = max(((size, name) for name, size in written.items() if name.endswith(".html")), default=(0, ""))
    return Built(len(written), sum(written.values()), (largest[1], largest[0]), tuple(notes))


def _earlier(folder: Path) -> set[str]:
    """What an earlier build wrote here."""
    mark = folder / MARK
    if mark.is_file():
        return set(mark.read_text(encoding="utf-8", errors="replace").splitlines())
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} has files that no build of the site wrote", remedy="choose an empty or a new folder with --out"
        )
    return set()


def _write(folder: Path, name: str, text: str, made: set[Path]) -> int:
    """Write a file of the site; its size. A folder that somebody else filled may have links to elsewhere: those are not
    followed. Raises UsageError for one, EnvironmentFailure when it cannot be written."""
    file, raw = folder / name, text.encode("utf-8", "backslashreplace")
    try:
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            inside(folder, name)
            made.add(file.parent)
        with open(os.open(file, _NEW, 0o666), "wb") as stream:
            stream.write(raw)
    except OSError as error:
        if file.is_symlink():
            raise UsageError("it is a link", where=str(file), remedy="remove it, or choose another --out") from None
        raise EnvironmentFailure(f"cannot write: {error.strerror or error}", where=str(file)) from None
    return len(raw)


def _remove(folder: Path, name: str) -> None:
    """Take away a file of an earlier build; never anything outside of the folder."""
    file = folder / name
    if ".." in Path(name).parts or Path(name).is_absolute() or not file.is_file():
        return
    if file.resolve().is_relative_to(folder.resolve()):
        file.unlink()


def _robots(url: str) -> str:
    return f"User-agent: *\nAllow: /\nSitemap: {url}sitemap.xml\n"


def page(hub: Hub, given: Given, place: str, template: str, variables: Mapping[str, Any]) -> str:
    """One page by itself, as the site would have it at `place`."""
    site = Site(hub, given)
    return _rendered(_environment(site), site, place, template, variables)


def _files(site: Site) -> Iterator[tuple[str, str]]:
    environment = _environment(site)
    for place, template, variables in site.pages():
        yield place, _rendered(environment, site, place, template, variables)
    yield (
        "graph.html",
        _rendered(environment, site, "graph.html", "graph.html.j2", {"title": "Graph", "graph": drawn(site.hub)}),
    )
    yield "assets/site.css", f"{look.stylesheet()}\n{_asset('site.css')}"
    for name in ASSETS:
        yield f"assets/{name}", _asset(name)
    yield from data.files(site)


def _rendered(environment: Environment, site: Site, place: str, template: str, variables: Mapping[str, Any]) -> str:
    root = "../" * place.count("/")
    if place == "404.html" and site.given.url:  # a server shows it at any address
        root = site.given.url
    about = "What the field knows about securing machine learning and the software around it."
    if "thing" in variables:
        about = site.line(variables["thing"])
    shown = {"place": place, "root": root, "about": about, "page": "", **variables}
    text = environment.get_template(template).render(shown)
    return text.replace(_ICONS_HERE, _icons(environment, frozenset(_USED.findall(text))), 1) + "\n"


@cache
def _icons(environment: Environment, used: frozenset[str]) -> str:
    """The pictures that a page uses, once each."""
    every = str(environment.get_template("_icons.html.j2").module.sprite())  # type: ignore[attr-defined]
    return _SYMBOL.sub(lambda symbol: symbol[0] if symbol[1] in used else "", every)


@cache
def _asset(name: str) -> str:
    return files("shipworthy.site").joinpath("assets", name).read_text(encoding="utf-8")


def _environment(site: Site) -> Environment:
    made = Environment(
        loader=ChoiceLoader([PackageLoader(f"shipworthy.{own}", "templates") for own in ("site", "look")]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {
        "outside": outside,
        "host": _host,
        "coded": _coded,
        "anchor": _anchor,
        "cut": lambda text, most: text if len(text) <= most else text[: most - 1] + "…",
        "urlencode": lambda text: quote(str(text), safe=""),
    }
    made.globals |= {
        "site": site,
        "hub": site.hub,
        "given": site.given,
        "names": NAMES,
        "titles": KIND_TITLES,
        "policy": POLICY,
        "prose": site.prose.html,
        "bar": _bar,
        "Entry": Entry,
    }
    return made


def _finalize(value: object) -> object:
    """Everything that is printed goes through here before it is escaped."""
    return look.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _coded(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    parts = [escape(look.visible(part)) for part in text.split("`")]
    if not len(parts) % 2:  # one is left over
        parts[-2:] = [Markup("`").join(parts[-2:])]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def _anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80]


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "it").removeprefix("www.")
    except ValueError:
        return "it"


def _bar(part: int, whole: int) -> Markup:
    """A bar of how much of the whole there is; the numbers stand beside it."""
    share = round(100 * part / whole) if whole else 0
    return Markup(
        '<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="8"/><rect class="part" width="{}" height="8"/></svg>'
    ).format(share)
