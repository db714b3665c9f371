"""How much the hub holds, and whether it keeps the numbers that it is held to."""

from __future__ import annotations

import argparse

from shipworthy.cli.output import output_file

EXAMPLES = """examples:
  shipworthy hub stats
  shipworthy hub stats --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub stats`."""
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")


def run(options: argparse.Namespace) -> int:
    """Print them; exit code 1 when one is missed."""
    from shipworthy.cli.hub import load_hub
    from shipworthy.cli.output import write
    from shipworthy.hub.numbers import counts, numbers

    hub = load_hub()
    found = numbers(hub)
    if options.format == "json":
        import json
        from dataclasses import asdict

        told = {"numbers": [asdict(one) for one in found], "counts": counts(hub)}
        write(json.dumps(told, indent=2) + "\n", options)
    else:
        width = max(len(one.name) for one in found)
        lines = []
        for one in found:
            lines.append(f"{one.name:<{width}}  {one.value:>12}  goal {one.goal:<8}  {'met' if one.met else 'MISSED'}")
            if not one.met and one.missing:
                more = f" and {len(one.missing) - 5} more" if len(one.missing) > 5 else ""
                lines.append(f"  {', '.join(one.missing[:5])}{more}")
        for name, by in counts(hub).items():
            lines += ["", f"by {name}", "  " + ", ".join(f"{key} {count}" for key, count in by.items())]
        write("\n".join(lines) + "\n", options)
    return 0 if all(one.met for one in found) else 1
