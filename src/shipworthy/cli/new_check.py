"""Write a new check, its test and its page, ready to be filled in. Nothing else needs to be edited: the check is found
by its place."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from shipworthy.cli.output import quiet_option

EXAMPLES = """examples:
  shipworthy new-check dockerfile-user --category images --kind dockerfile
  shipworthy new-check model-card --category compliance --kind text --scope tree
"""

CHECK = '''"""{summary}"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, check
from shipworthy.model import {imports}

{constant} = Rule(
    "{name}",
    title="The file says: replace me",
    severity=Severity.MEDIUM,
    description="Why it matters, in a sentence or two.",
    remedy="What to do about it.",
    taxonomy=(),
    help="{name}",
)


@check(
    "{name}",
    kinds={{"{kind}"}},
    scope="{scope}",
    version=1,
    canary=Canary(files={{"{sample}": b"replace me\\n"}}, rule="{name}"),
)
def scan({parameter}) -> Iterator[Finding]:
    """Every line that says so."""
{body}'''
ONE = """    for number, line in enumerate(artifact.read_text(1_000_000).splitlines(), 1):
        if "replace me" in line:
            yield {constant}.at(artifact, line=number, evidence=line.strip()[:200])
"""
MANY = """    for artifact in artifacts:
        for number, line in enumerate(artifact.read_text(1_000_000).splitlines(), 1):
            if "replace me" in line:
                yield {constant}.at(artifact, line=number, evidence=line.strip()[:200])
"""
TEST = '''"""The check `{name}`, used on real files."""

from pathlib import Path

from shipworthy.artifacts import discover
from shipworthy.check import registry
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.model import CheckResult, Outcome


def look(folder: Path) -> CheckResult:
    with CheckRunner(Settings(), folder, Cache(None), Events()) as runner:
        return runner.run((registry()["{name}"],), discover(folder))[0]


def test_it_finds_what_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "{sample}").write_text("first line\\nreplace me\\n")
    result = look(tmp_path)
    assert result.outcome is Outcome.RAN
    assert [(f.rule.id, f.location.line) for f in result.findings] == [("{name}", 2)]


def test_it_is_quiet_on_honest_files(tmp_path: Path) -> None:
    (tmp_path / "{sample}").write_text("nothing to see\\n")
    assert look(tmp_path).clean
'''
SAMPLES = {
    "code": "sample.py",
    "notebook": "sample.ipynb",
    "dataset": "sample.csv",
    "model": "sample.pkl",
    "requirements": "requirements.txt",
    "dockerfile": "Dockerfile",
    "iac": "main.tf",
    "workflow": ".github/workflows/ci.yml",
    "prompt": "system.prompt",
    "text": "sample.txt",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `new-check`."""
    parser.add_argument("name", help="the check's name, in kebab-case")
    parser.add_argument("--category", default="code", help="the folder that it goes to (default: code)")
    parser.add_argument("--kind", default="text", choices=sorted(SAMPLES), help="what it looks at (default: text)")
    parser.add_argument("--scope", default="artifact", choices=("artifact", "batch", "tree"))
    quiet_option(parser, "write the files, say nothing")


def run(options: argparse.Namespace) -> int:
    """Write the three files; refuse when one of them is there."""
    from shipworthy.errors import UsageError
    from shipworthy.files import write_atomically

    for value in (options.name, options.category):
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value):
            raise UsageError(f"`{value}` is not kebab-case", remedy="such as dockerfile-user")
    if not Path("src/shipworthy/checks").is_dir():
        raise UsageError(
            "this is not a checkout of Shipworthy",
            remedy="go to its folder; a package of your own uses an entry point: docs/writing-a-check.md",
        )
    files = _files(options)
    for path in files:
        if path.exists():
            raise UsageError("is there already", where=str(path), remedy="choose another name")
    for path, text in files.items():
        write_atomically(path, text.encode())
        if not options.quiet:
            print(f"wrote {path}")
    if not options.quiet:
        print(f"next: fill them in, then  make test ARGS={next(p for p in files if p.parent.name == 'tests')}")
    return 0


def _files(options: argparse.Namespace) -> dict[Path, str]:
    module = options.name.replace("-", "_")
    many = options.scope != "artifact"
    imports = ["Artifact", "Finding", "Rule", "Severity"]
    words = {
        "name": options.name,
        "kind": options.kind,
        "scope": options.scope,
        "sample": SAMPLES[options.kind],
        "constant": module.upper(),
        "summary": f"{options.kind.capitalize()} artifacts that say: replace me.",
        "imports": ", ".join(imports),
        "category": options.category,
        "parameter": "artifacts: tuple[Artifact, ...]" if many else "artifact: Artifact",
    }
    body = (MANY if many else ONE).format(**words)
    folder = Path("src/shipworthy/checks") / options.category.replace("-", "_")
    files = {folder / f"{module}.py": CHECK.format(body=body, **words)}
    if not (folder / "__init__.py").exists():
        files[folder / "__init__.py"] = f'"""Checks: {options.category}."""\n'
    files[Path("tests") / f"test_{module}.py"] = TEST.format(**words)
    files[Path("docs/checks") / f"{options.name}.md"] = _page(words)
    return files


def _page(words: dict[str, str]) -> str:
    """The page as `scripts/make_docs.py` would write it."""
    from shipworthy.check import Check
    from shipworthy.cli.pages import check_page
    from shipworthy.model import Kind, Rule, Severity

    rule = Rule(
        words["name"],
        title="The file says: replace me",
        severity=Severity.MEDIUM,
        description="Why it matters, in a sentence or two.",
        remedy="What to do about it.",
        help=words["name"],
    )
    return check_page(
        Check(
            name=words["name"],
            run=lambda *_: (),
            kinds=frozenset({Kind(words["kind"])}),
            version=1,
            scope=words["scope"],  # type: ignore[arg-type]
            category=words.get("category", "code"),
            needs=(),
            rules=(rule,),
            canary=None,
            options={},
            accepts=None,
            cache_on=None,
            cache_beside=None,
            timeout=60.0,
            wants_context=False,
            summary=words["summary"],
            module="",
        )
    )
