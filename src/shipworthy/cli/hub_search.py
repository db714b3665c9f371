"""Find anything in the hub by words, ids of frameworks, or facets; what is mistyped a little is found too. Facets may
also stand in the query: kind: stage: topic: framework: year: licence: maintained: pipeline: level: language:"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from shipworthy.cli.output import output_file, plain

if TYPE_CHECKING:
    from shipworthy.hub import Hit, Hub

EXAMPLES = """examples:
  shipworthy hub search "someone sent me a pickle model, is it safe?"
  shipworthy hub search AML.T0010 --kind paper --kind case-study
  shipworthy hub search "year:2023- framework:LLM03 supply chain" --limit 5
  shipworthy hub search --stage dast --maintained active
  shipworthy hub search poisoning --format json
"""
_FACETS = {
    "kind": "tool, paper, topic, rule, …",
    "stage": "a shelf of the pipelines: model-scan, sign, …",
    "topic": "a word of the vocabulary, or a topic of the checks",
    "framework": "a framework or one of its ids",
    "year": "2024, >=2023 or 2021-2023",
    "licence": "as in Apache-2.0",
    "maintained": "active, archived, dormant, unknown or not-applicable",
    "pipeline": "ml or dev",
    "level": "newcomer, practitioner or expert",
    "language": "what it is written in",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub search`."""
    parser.add_argument("query", nargs="*", metavar="QUERY", help="words; none: all that has the facets")
    for name, about in _FACETS.items():
        parser.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=about)
    parser.add_argument("--limit", type=_limit, default=10, metavar="N", help="at most so many answers (default: 10)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError("a whole number from 1 to 10000")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Search, and print the answers; exit code 1 when there is none, as `grep` does."""
    from shipworthy.cli.hub import load_hub
    from shipworthy.cli.output import write
    from shipworthy.errors import UsageError

    query = " ".join(options.query)
    given = {name: tuple(getattr(options, name)) for name in _FACETS}
    if not query.strip() and not any(given.values()):
        raise UsageError("there is nothing to look for", remedy="give words, or a facet such as --stage model-scan")
    hub = load_hub()
    hits = hub.search(query, given, options.limit)
    if options.format == "json":
        from shipworthy.model.serial import dumps

        write(dumps([as_dict(hub, hit) for hit in hits]), options)
    elif options.output:
        write("".join(f"{plain(hit.page)}\t{plain(hit.thing.title)}\n" for hit in hits), options)
    else:
        _text(hub, query, given, hits, options.limit)
    return 0 if hits else 1


def as_dict(hub: Hub, hit: Hit) -> dict[str, Any]:
    """An answer as data."""
    from shipworthy.cli.hub_cards import line_of

    thing = hit.thing
    url = getattr(thing, "url", "")
    return {"page": hit.page, "title": thing.title, "score": hit.score, "line": line_of(hub, thing), "url": url}


def _text(hub: Hub, query: str, given: dict[str, tuple[str, ...]], hits: list[Hit], limit: int) -> None:
    from rich.markup import escape

    from shipworthy.cli.hub import printed
    from shipworthy.cli.hub_cards import hit_lines
    from shipworthy.hub import facets

    told = facets.read(query, given).told
    lines = [f"[dim]understood: {escape(', '.join(told))}[/]", ""] if told else []
    for hit in hits:
        lines += [*hit_lines(hub, hit.page), ""]
    if not hits:
        lines += ["nothing found; fewer words or facets find more"]
    elif len(hits) == limit:
        lines += [
            f"[dim]the first {limit}; --limit shows more. `shipworthy hub show {hits[0].page}` opens the first[/]"
        ]
    else:
        lines += [f"[dim]`shipworthy hub show {hits[0].page}` opens the first[/]"]
    printed(lines)
