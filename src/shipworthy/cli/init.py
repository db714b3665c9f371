"""Write a shipworthy.toml for this repository, from what is found in it. Nothing that is there is overwritten."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import quiet_option

EXAMPLES = """examples:
  shipworthy init            write shipworthy.toml here
  shipworthy init --print    show it instead
"""
_READ = 4_000_000  # characters of the held-out set
_LABELS = ("label", "target", "class")


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
    label, classes = _binary_label(Path(held)) if held else ("label", [])
    lines += [f"{mark}label = {_quoted(label)}"]
    if classes:
        from shipworthy.evaluation.metrics import positive_of

        known = positive_of(classes, "")
        lines += [
            f"{mark if known else '# '}positive = {_quoted(known or classes[1])}"
            f"  # of {_quoted(classes[0])} and {_quoted(classes[1])}"
        ]
    lines += [
        "",
        "[sign]",
        'key = "file:../keys/release.key"  # made by: shipworthy keys new ../keys/release.key',
    ]
    lines += ["", "[store]", 'to = ["local:.shipworthy/store"]', ""]
    return "\n".join(lines)


def _binary_label(path: Path) -> tuple[str, list[str]]:
    """The label column of a CSV file and its two classes, as far as its first rows tell; no classes when they are not
    two, or are too long to be names."""
    import csv
    from itertools import islice

    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(_READ)
        lines = text.splitlines()
        rows = list(csv.DictReader(islice(lines, len(lines) - (len(text) == _READ))))
    except (OSError, UnicodeDecodeError, csv.Error):
        return "label", []
    for name in _LABELS:
        classes = sorted({row[name].strip() for row in rows if row.get(name)})
        if classes:
            return name, classes if len(classes) == 2 and max(map(len, classes)) <= 40 else []
    return "label", []


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)
