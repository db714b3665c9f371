"""Write a shipworthy.toml for this repository, from what is found in it. Nothing that is there is overwritten."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import quiet_option
from shipworthy.model import Kind

if TYPE_CHECKING:
    from shipworthy.artifacts import Inventory
    from shipworthy.model import Artifact

EXAMPLES = """examples:
  shipworthy init            write shipworthy.toml here
  shipworthy init --print    show it instead
"""
_READ = 4_000_000  # characters of the held-out set
_LABELS = ("label", "target", "class")
_WHEELS = (
    "# Builds have no network. What this lists, with digests, is fetched into `wheels/` of the context; in the",
    "# Dockerfile: RUN python -m pip install --no-index --find-links wheels --require-hashes -r requirements.txt",
    '# wheels = "requirements.txt"',
)
_NPM = (
    "# Builds have no network, which `npm ci` needs; a node_modules/ that is committed can be copied. To allow it:",
    "# network = true",
)


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
            "next: shipworthy keys new --roles ../keys   (a signing key for each role, outside of the repository)\n"
            "      shipworthy run"
        )
    return 0


def _settings_text(name: str, inventory: Inventory) -> str:
    """Settings for what is there; sections that need a decision are written as comments."""
    uris = sorted(artifact.uri for artifact in inventory.artifacts)
    train = next((uri for uri in uris if uri.rpartition("/")[2] == "train.py"), None)
    recipe = next((uri for uri in uris if uri.rpartition("/")[2] == "Dockerfile"), None)
    pipeline = "all" if train and recipe else "dev" if recipe else "ml"
    lines = [f"pipeline = {_quoted(pipeline)}", f"project = {_quoted(name)}", ""]
    if pipeline != "dev":
        lines += _training(uris, train, [artifact.uri for artifact in inventory.of(Kind.DATASET)])
    if recipe:
        lines += _service(recipe, npm="package.json" in uris and not any(map(_is_python, inventory.artifacts)))
    lines += [
        "[sign]",
        'key = "file:../keys/{role}.key"  # a key for each role, made by: shipworthy keys new --roles ../keys',
        "",
        "[store]",
        'to = ["local:.shipworthy/store"]  # and registries: "oci://registry.example.org/team/project"',
        "",
    ]
    return "\n".join(lines)


def _gate(name: str, require: str, comment: str = "") -> list[str]:
    """A gate, with the words that accept what there is no full database for."""
    return [
        f"[gates.{name}]",
        'fail-on = "high"',
        f"require = {require}{comment}",
        "# While only the embedded advisories are there (`shipworthy db update` fetches all):",
        '# accept-partial = ["dependency-vulnerabilities:embedded-data-only"]',
        "",
    ]


def _training(uris: Sequence[str], train: str | None, datasets: Sequence[str]) -> list[str]:
    """The sections of the pipeline ml."""
    evaluate = next((uri for uri in uris if uri.rpartition("/")[2] in ("evaluate.py", "eval.py")), None)
    lines = _gate("before-train", '["*"]', "  # every check must have looked at everything")
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
    return [*lines, ""]


def _is_python(artifact: Artifact) -> bool:
    return artifact.uri.endswith(".py") or (artifact.kind is Kind.REQUIREMENTS and artifact.uri.endswith(".txt"))


def _service(recipe: str, *, npm: bool) -> list[str]:
    """The sections of the pipeline dev."""
    bases, port = _of_dockerfile(Path(recipe))
    lines = _gate("before-build", '["secrets", "code", "dependencies"]')
    lines += _gate("before-release", '["secrets", "images", "services"]')
    lines[-2] = '# accept-partial = ["image-vulnerabilities:embedded-data-only"]'
    lines += ["[gates.after-deploy]", 'fail-on = "high"', 'require = ["services"]', ""]
    folder, _, file = recipe.rpartition("/")
    lines += ["[image]", f"dockerfile = {_quoted(file)}", f"context = {_quoted(folder or '.')}"]
    lines += [*(_NPM if npm else _WHEELS), ""]
    lines += ["# Nothing is pulled while [scan] offline holds. Name bases that are at hand below, or have them pulled:"]
    lines += ["# [scan]", "# offline = false", "", "# [image.bases]"]
    lines += [f"# {_quoted(base)} = {_base_at_hand(base)}" for base in bases]
    lines += [
        "",
        "[service]",
        f"port = {port or 8080}" + ("" if port else "  # what it listens on; the Dockerfile has no EXPOSE"),
    ]
    lines += ['health = "/healthz"  # a path that answers 200 when it is ready', ""]
    lines += ["# [service.probe]  # a request that it must answer, also behind the guard", '# path = "/predict"']
    return [*lines, '# body = \'{"text": "hello"}\'', ""]


def _base_at_hand(base: str) -> str:
    """What may stand in for a base: for another language's, this machine's Python may not."""
    name = re.split("[:@]", base.rpartition("/")[2])[0]
    if "python" in name:
        return "\"this-python\"  # a trial with this machine's Python; or an OCI layout's folder"
    folder = f"../bases/{name or 'base'}"
    return f"{_quoted(folder)}  # an OCI layout: skopeo copy docker://{base} oci:{folder}"


def _of_dockerfile(path: Path) -> tuple[tuple[str, ...], int]:
    """The bases of a Dockerfile, and the first port that it exposes (0: none), as far as it can be understood."""
    from shipworthy.building import dockerfile
    from shipworthy.errors import ShipworthyError

    try:
        file = dockerfile.read(path)
    except ShipworthyError:
        return (), 0
    exposed = (
        re.match(r"(?i)\s*EXPOSE\s+(\d{1,5})\b", line) for line in path.read_text("utf-8", "replace").splitlines()
    )
    return file.bases(), next((int(found[1]) for found in exposed if found), 0)


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
