"""The site's data: what the search in the browser reads, the JSON interface, the feed, `llms.txt`, the site map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from shipworthy.hub import facets, schema, words
from shipworthy.hub import search as engine
from shipworthy.hub.schema import KIND_TITLES
from shipworthy.hub.things import Entry, Item, Shelf, Topic
from shipworthy.look import visible
from shipworthy.model import Rule
from shipworthy.site.pages import NAMES

if TYPE_CHECKING:
    from shipworthy.hub import Hub
    from shipworthy.site.pages import Site

FEED = 50


def script(name: str, value: Any) -> str:
    """A script that sets `SW.name` to plain data. Nothing in the data can end the script or begin a comment of
    HTML."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return f"(self.SW=self.SW||{{}}).{name}={text};\n"


def files(site: Site) -> Iterator[tuple[str, str]]:
    """Each file that is no page: its name and its text."""
    hub = site.hub
    yield "data/pages.js", script("pages", pages(site))
    yield "data/index.js", script("index", index(hub))
    yield from interface(site)
    yield "new.atom", feed(site)
    yield "llms.txt", llms(site)


def pages(site: Site) -> dict[str, Any]:
    """What a list shows of each page, and its facets; the rows are in the order of the index."""
    hub = site.hub
    number = {page: place for place, page in enumerate(hub.things)}
    stages = {name: place for place, name in enumerate(hub.shelves)}
    rows = []
    for page, thing in hub.things.items():
        has = _facets(hub, thing)
        refers = [one.page for one in site.items(has["ids"])]
        rows.append([
            page, site.href(page), visible(site.name(page)),
            site.line(thing, 170) if not isinstance(thing, Item) else "",
            getattr(thing, "year", None) or 0,
            [schema.PIPELINES.index(one) for one in has["pipeline"] if one in schema.PIPELINES],
            [stages[one] for one in has["stages"] if one in stages],
            list(has["topics"]),
            [number[one] for one in refers],
            getattr(thing, "licence", ""),
            thing.maintained if isinstance(thing, Entry) else "",
            getattr(thing, "level", ""), getattr(thing, "language", ""),
            [number[hub.entries[one].page] for one in getattr(thing, "superseded_by", ()) if one in hub.entries],
        ])  # fmt: skip
    return {
        "rows": rows,
        "kinds": NAMES,
        "pipelines": list(schema.PIPELINES),
        "maintained": list(schema.MAINTAINED),
        "levels": list(schema.LEVELS),
        "stages": [[one.id, one.title] for one in hub.shelves.values()],
        "words": {
            **{one.id: one.title for one in hub.topics.values()},
            **{one.id: one.title for one in hub.words.values()},
        },
        "frameworks": [
            [one.id, one.title, number[one.page], [number[item.page] for item in one.items], [i.id for i in one.items]]
            for one in sorted(hub.frameworks.values(), key=lambda one: one.title.casefold())
        ],
    }


def _facets(hub: Hub, thing: Any) -> dict[str, tuple[str, ...]]:
    """The same facets as the search in the terminal has."""
    if isinstance(thing, Entry):
        return {"pipeline": thing.pipeline, "stages": thing.stages, "topics": (*thing.topics, *thing.help),
                "ids": (*thing.frameworks, *thing.techniques)}  # fmt: skip
    if isinstance(thing, Topic):
        return {"pipeline": (), "stages": thing.stages, "topics": (thing.id,), "ids": thing.frameworks}
    if isinstance(thing, Rule):
        topic = hub.topics.get(thing.help)
        stages = topic.stages if topic else ()
        return {"pipeline": (), "stages": stages, "topics": (thing.help,), "ids": thing.taxonomy}
    if isinstance(thing, Shelf):
        used = tuple(dict.fromkeys(one.partition("/")[0] for one in thing.used_by))
        return {"pipeline": used, "stages": (thing.id,), "topics": (), "ids": ()}
    return {"pipeline": (), "stages": (), "topics": (), "ids": ()}


def index(hub: Hub) -> dict[str, Any]:
    """The search's index, smaller: terms as one text, places as differences. The numbers are those that the search in
    the terminal works with, so that both give the same answers."""
    given = hub.index
    postings = []
    for pairs in given["postings"].values():
        last = 0
        flat: list[int] = []
        for doc, weight in zip(pairs[::2], pairs[1::2], strict=True):
            flat += (doc - last, weight)
            last = doc
        postings.append(flat)
    same = words.synonyms(hub.folder)
    return {
        "terms": " ".join(given["postings"]),
        "postings": postings,
        "weights": given["weights"],
        "titles": given["titles"],
        "texts": [text.strip() for text in given["texts"]],
        "same": [[" ".join(way), [" ".join(other) for other in others]] for way, others in same.items()],
        "stop": sorted(words.STOP),
        "ends": words.ENDS,
        "prior": engine.PRIOR,
        "kinds": facets.KIND_WORDS,
        "only": sorted(facets.ONLY_KIND),
        "more": sorted(facets.SAYS_MORE),
        **_ranking(hub),
    }


def _ranking(hub: Hub) -> dict[str, Any]:
    """What `hub.ranking` knows of the hub, by the rows' numbers: what pages that explain name (as differences), what
    entries are about, the order without words, how ids are looked up."""
    number = {page: place for place, page in enumerate(hub.things)}
    links = {}
    for page in hub.things:
        if page.startswith(("topic/", "item/", "stage/")):
            to = sorted(number[other] for other in hub.links(page))
            links[number[page]] = [after - before for before, after in zip([0, *to], to, strict=False)]
    traits = {trait: place for place, trait in enumerate(sorted(hub.trait_counts))}
    about = {id_: sorted(traits[trait] for trait in own) for id_, own in hub.traits.items()}
    return {
        "links": {page: to for page, to in links.items() if to},
        "traits": {
            "of": [about.get(page.partition("/")[2], 0) for page in hub.things],
            "counts": [hub.trait_counts[trait] for trait in traits],
            "entries": len(about),
        },
        "order": [number[page] for page in hub.in_order(hub.things)],
        "frameworks": list(hub.frameworks),
        "aliases": [
            [old, number[found.page]]
            for one in hub.frameworks.values() for old in one.aliases if (found := hub.resolve(old)) is not None
        ],
        "helps": {id_: number[one.page] for id_, one in hub.topics.items()},
    }  # fmt: skip


def interface(site: Site) -> Iterator[tuple[str, str]]:
    """The JSON interface: an index, and a file for each kind of thing."""
    from dataclasses import asdict

    hub = site.hub
    groups: dict[str, Any] = {
        "entries": [{"page": one.page, **asdict(one)} for one in hub.entries.values()],
        "topics": [{"page": one.page, **asdict(one)} for one in hub.topics.values()],
        "rules": [{"page": f"rule/{one.id}", **_rule(one), "checks": [c.name for c in site.coverage.checks_of(one.id)]}
                  for one in hub.rules.values()],
        "stages": [{"page": one.page, **asdict(one)} for one in hub.shelves.values()],
        "pipelines": [asdict(one) for one in site.given.pipelines],
        "frameworks": [{"page": one.page, **asdict(one)} for one in hub.frameworks.values()],
        "coverage": [
            {"framework": one.id, "id": cover.item.id, "stands": cover.stands, "rules": [r.id for r in cover.rules],
             "checks": [c.name for c in cover.checks], "record": cover.record, "person": cover.person}
            for one in hub.frameworks.values() for cover in site.coverage.of_framework(one) if cover.stands != "gap"
        ],
        "paths": [{"page": one.page, **asdict(one)} for one in hub.paths.values()],
        "words": [asdict(one) for one in hub.words.values()],
        "links": {page: list(hub.links(page)) for page in hub.things if hub.links(page)},
        "places": site.places,
    }  # fmt: skip
    about = {
        "about": "The data of the Shipworthy hub. `page` is the id of a page; `places` says in which file it lies.",
        "version": site.given.version,
        "files": {name: {"file": f"api/{name}.json", "count": len(group)} for name, group in groups.items()},
    }
    yield "api/index.json", json.dumps(about, indent=2) + "\n"
    for name, group in groups.items():
        yield f"api/{name}.json", json.dumps(group, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "description": rule.description,
        "remedy": rule.remedy,
        "taxonomy": rule.taxonomy,
        "topic": rule.help,
    }


def feed(site: Site) -> str:
    """The entries that were added last, as Atom (RFC 4287). Addresses are relative where the site's own is not known;
    ids are names, which do not change with it."""
    url = site.given.url
    newest = site.newest[:FEED]
    latest = max((_day(one) for one in newest), default="1970-01-01")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        "<title>Shipworthy hub: what is new</title>",
        "<id>urn:shipworthy:hub</id>",
        f"<updated>{latest}T00:00:00Z</updated>",
        "<author><name>Shipworthy</name></author>",
        f'<link rel="self" href={quoteattr(url + "new.atom")}/>',
        f"<link href={quoteattr(url + 'new.html')}/>",
    ]
    for one in newest:
        lines += [
            "<entry>",
            f"<title>{escape(_xml(one.title))}</title>",
            f"<id>urn:shipworthy:hub:{escape(site.href(one.page).removesuffix('.html'))}</id>",
            f"<published>{_day(one)}T00:00:00Z</published>",
            f"<updated>{_day(one)}T00:00:00Z</updated>",
            f"<link href={quoteattr(url + site.href(one.page))}/>",
            f"<category term={quoteattr(one.kind)}/>",
            f"<summary>{escape(_xml(site.line(one)))}</summary>",
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def _day(entry: Entry) -> str:
    return escape(entry.added) or "1970-01-01"


def _xml(text: str) -> str:
    return visible(text).replace("\n", " ")


def llms(site: Site) -> str:
    """What is here, for programs that read text (llmstxt.org): a heading, a sentence, lists of links."""
    hub, url = site.hub, site.given.url

    def link(page: str) -> str:
        return f"- [{_md(hub.things[page].title)}]({url}{site.href(page)}): {_md(site.line(hub.things[page], 200))}"

    lines = [
        "# Shipworthy hub",
        "",
        f"> {len(hub.entries)} tools, papers, courses, practices and incidents for MLSecOps and DevSecOps, linked to "
        f"the stages of two pipelines, {len(hub.rules)} rules of checks and {len(hub.frameworks)} frameworks.",
        "",
        "Everything is also there as JSON.",
        "",
        "## Data",
        "",
        f"- [Index of the JSON files]({url}api/index.json): entries, topics, rules, frameworks, coverage, links",
        f"- [Feed]({url}new.atom): what is new",
    ]
    for heading, pages_ in (
        ("Stages", [one.page for one in hub.shelves.values()]),
        ("Topics", [one.page for one in hub.topics.values()]),
        ("Frameworks", [one.page for one in hub.frameworks.values()]),
        ("Learning paths", [one.page for one in hub.paths.values()]),
    ):
        lines += ["", f"## {heading}", "", *(link(page) for page in pages_)]
    lines += ["", "## Catalogue", ""]
    lines += [f"- [{KIND_TITLES[kind]}]({url}kind/{kind}.html): {count} entries" for kind, count in site.counts.items()]
    return "\n".join(lines) + "\n"


def _md(text: str) -> str:
    line = " ".join(visible(text).split())
    return line.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("<", "&lt;")


def site_map(site: Site, places: list[str]) -> str:
    """The site map (sitemaps.org); it needs the site's address."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">']
    lines += [f"<url><loc>{escape(site.given.url + one)}</loc></url>" for one in places]
    return "\n".join([*lines, "</urlset>", ""])
