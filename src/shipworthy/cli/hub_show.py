"""Show one page of the hub: an entry, a topic, a rule, a stage, a framework, a control, or a learning path; and what
the newest run here found that it is about."""

from __future__ import annotations

import argparse

from shipworthy.cli.output import output_file

EXAMPLES = """examples:
  shipworthy hub show trivy
  shipworthy hub show topic/unsafe-model-deserialization
  shipworthy hub show LLM03:2025
  shipworthy hub show owasp-llm-2025
  shipworthy hub show trivy --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub show`."""
    parser.add_argument("id", metavar="ID", nargs="+", help="as the search prints it, or the id alone")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")


def run(options: argparse.Namespace) -> int:
    """Show it. An id with a space in it (`AISVS C6.1`) needs no quotation marks."""
    from shipworthy.cli.hub import load_hub, printed
    from shipworthy.cli.hub_cards import card
    from shipworthy.cli.hub_explain import newest_findings, seen_lines
    from shipworthy.hub.seen import seen

    hub = load_hub()
    page = hub.page(" ".join(options.id))
    findings = newest_findings()

    def lines() -> list[str]:
        return [*seen_lines(hub, page, findings), *card(hub, page)]

    if options.format == "json":
        from shipworthy.cli.hub_cards import as_data
        from shipworthy.cli.output import write
        from shipworthy.model.serial import dumps

        found = None if findings is None else [one.fingerprint for one in seen(hub, page, findings).findings]
        write(dumps({**as_data(hub, page), "seen": found}), options)
    elif options.output:
        from rich.text import Text

        from shipworthy.cli.output import write

        write("".join(f"{Text.from_markup(line).plain}\n" for line in lines()), options)
    else:
        printed(lines())
    return 0
