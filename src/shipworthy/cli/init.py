"""Write a shipworthy.toml for this repository, from what is found in it. Nothing that is there is overwritten."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import quiet_option

EXAMPLES = """examples:
  shipworthy init            write shipworthy.toml here
  shipworthy init --print    show it instead
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `init`."""
    parser.add_argument("--print", dest="show", action="store_true", help="print the settings, write nothing")
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Discover, write, tell what to do next."""
    from shipworthy.artifacts import discover
    from shipworthy.config import FILE_NAME, find_settings
    from shipworthy.errors import UsageError
    from shipworthy.files import write_atomically

    root = Path()
    text = _settings_text(root.resolve().name, discover(root))
    if options.show:
        print(text, end="")
        return 0
    if (existing := find_settings(root)) is not None:
        raise UsageError("there are settings here already", where=str(existing), remedy="edit them, or use --print")
    write_atomically(root / FILE_NAME, text.encode())
    if not options.quiet:
        print(
            f"wrote {FILE_NAME}: look through it\n"
            "next: shipworthy keys new ../keys/release.key   (a signing key, outside of the repository)\n"
            "      shipworthy run"
        )
    return 0


def _settings_text(name: str, inventory: object) -> str:
    """Settings for what is there; sections that need a decision are written as comments."""
    from shipworthy.artifacts import Inventory
    from shipworthy.model import Kind

    assert isinstance(inventory, Inventory)  # noqa: S101  for the type checker
    uris = {artifact.uri for artifact in inventory.artifacts}
    train = next((uri for uri in sorted(uris) if uri.rpartition("/")[2] == "train.py"), None)
    evaluate = next((uri for uri in sorted(uris) if uri.rpartition("/")[2] in ("evaluate.py", "eval.py")), None)
    datasets = [artifact.uri for artifact in inventory.of(Kind.DATASET)]
    lines = ['pipeline = "ml"', f"project = {_quoted(name)}", ""]
    lines += [
        "[gates.before-train]",
        'fail-on = "high"',
        'require = ["*"]  # every check must have looked at everything',
    ]
    lines += [
        "# While only the embedded advisories are there:",
        '# accept-partial = ["dependency-vulnerabilities:embedded-data-only"]',
        "",
    ]
    lines += [
        "[gates.before-sign]",
        'fail-on = "high"',
        "rules = []  # such as [\"metric('accuracy').low >= 0.80\"]",
        "",
    ]
    data = next((uri for uri in datasets if "train" in uri), datasets[0] if datasets else "data/train.csv")
    mark = "" if train else "# "
    lines += [f"{mark}[train]", f'{mark}command = ["python", {_quoted(train or "train.py")}]']
    lines += [f"{mark}code = [{_quoted(train or 'train.py')}]", f"{mark}inputs = {{ train = {_quoted(data)} }}"]
    lines += [f'{mark}outputs = {{ model = "model/" }}', f'{mark}sandbox = "no-network"', ""]
    held = next((uri for uri in datasets if "holdout" in uri or "test" in uri), "")
    mark = "" if evaluate and held else "# "
    lines += [f"{mark}[evaluate]", f'{mark}command = ["python", {_quoted(evaluate or "evaluate.py")}]']
    lines += [
        f"{mark}code = [{_quoted(evaluate or 'evaluate.py')}]",
        f"{mark}holdout = {_quoted(held or 'data/holdout.csv')}",
    ]
    lines += [
        f'{mark}label = "label"',
        "",
        "[sign]",
        'key = "file:../keys/release.key"  # made by: shipworthy keys new ../keys/release.key',
    ]
    lines += ["", "[store]", 'to = ["local:.shipworthy/store"]', ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)
