"""Pages of documentation that are made from the code: a page for each check, and the settings reference."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.check import Check
from shipworthy.config.reference import reference

SCOPES = {
    "artifact": "each artifact by itself",
    "batch": "many artifacts at once; results are kept for each",
    "tree": "the workspace as a whole",
}


def check_page(check: Check) -> str:
    """The page of one check, in Markdown."""
    kinds = ", ".join(sorted(kind.value for kind in check.kinds)) if check.scope != "tree" else "everything"
    lines = [f"# {check.name}", "", check.summary, "", f"- category: {check.category}", f"- looks at: {kinds}"]
    lines += [f"- scope: {check.scope} ({SCOPES[check.scope]})", f"- version: {check.version}"]
    if check.needs:
        lines.append("- wraps: " + ", ".join(f"{tool.name} {tool.versions}".strip() for tool in check.needs))
    lines += ["", "## Rules", ""]
    for rule in check.rules:
        lines += [
            f"### {rule.id}",
            "",
            f"**{rule.title}** ({rule.severity.value}, confidence {rule.confidence.value})",
            "",
        ]
        lines += [rule.description, "", f"What to do: {rule.remedy}", ""]
        if rule.taxonomy:
            lines += [f"See: {', '.join(rule.taxonomy)}", ""]
    lines += ["## Options", ""]
    if check.options:
        lines += [f"In `[checks.{check.name}]`:", ""]
        lines += [f"- `{name}` (default `{_toml(default)}`)" for name, default in check.options.items()]
    else:
        lines.append("None.")
    return "\n".join(lines).rstrip() + "\n"


def settings_page() -> str:
    """The settings reference, in Markdown."""
    lines = ["# Settings", "", "`shipworthy.toml`, or `[tool.shipworthy]` in `pyproject.toml`. No file is needed.", ""]
    lines += ["This page is made from the code by `scripts/make_docs.py`.", "", "| key | type | default | meaning |"]
    lines.append("|---|---|---|---|")
    for name, kind, default, text in reference():
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{name}` | {kind} | {shown} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


_NAMES = "abcdefghijklmnopqrstuvwxyz-0123456789"
_TRIED = {
    "real": "the program itself was run",
    "recorded": "reports that others recorded",
    "documented": "its documentation",
}
_TOOLS_HEAD = """# Tools

There are four ways in for a tool. **Built in**: checks of our own look at the same. **Wrapped**: a check runs the
program when it is installed. **Imported**: the tool is run by whoever likes, and its report is taken in.
**Instead**: what to use for a tool that is dead, or that is no scanner.

This page is made from the code by `scripts/make_docs.py`.

## Reports that are taken in

```sh
shipworthy import trivy trivy.json .
```

looks at the same files with our own checks, takes the report in, and decides as a gate does. For `shipworthy run`
and `shipworthy scan` to take reports in, name them in the settings:

```toml
[import]
reports = [
  { tool = "trivy", path = "reports/trivy.json", max-age-days = 7 },
  { tool = "zap", path = "reports/zap.json" },
]

[gates.before-build]
require = ["*", "import:trivy"]
```

- A finding of ours at the same line of the same weakness (CWE), or of the same advisory and package, gets the tool
  as its witness and a high confidence. What only the tool says is a finding `import-TOOL-RULE`; it can be waived
  like any other.
- A report that is empty, cut short, another tool's, about other files, or that says itself that the scan failed is
  `failed`. One that is older than `max-age-days`, or that names what it could not look at, is `partial`. Neither is
  clean, and gates stop. A file of JSON lines that was cut exactly at the end of a line cannot be told from a whole
  one.
- Nothing in a report vouches for a file: it adds findings, and never takes one of ours away. That a VEX document
  calls something not affected is told in the note, and waives nothing.
- Secrets, requests, answers and evidence are not kept. Severities, CWE ids and confidences are the tool's where it
  has them; what it does not rate counts as medium.
- Paths are those of the workspace. For a tool that ran in a container, `base` (or `--base`) says where its paths
  begin.
- Some tools write an empty file when they find nothing. An empty file proves nothing, so it is refused: have them
  write JSON.

"""


def tools_page() -> str:
    """Every tool of the original proposal with its way in, and every report that is taken in, in Markdown."""
    from shipworthy.cli.proposal import PROPOSED
    from shipworthy.witnesses import TOOLS, names, source

    wraps = _wraps()
    lines = ["## The tools of the original proposal", "", "| tool | for | way in |", "|---|---|---|"]
    for named in PROPOSED:
        ways = []
        if named.checks or named.built:
            own = ", ".join(filter(None, (*(f"`{name}`" for name in named.checks), named.built)))
            ways.append(f"built in: {own}")
        program = named.program or named.title.lower()
        ways += [f"wrapped: {', '.join(f'`{name}`' for name in wraps[program])}"] if program in wraps else []
        ways += [f"imported: {', '.join(f'`{name}`' for name in named.reports)}"] if named.reports else []
        ways += [f"instead: {named.instead}"] if named.instead else []
        lines.append(f"| {named.title} | {named.purpose} | {'; '.join(ways)} |")
    lines += ["", "## Every program that is run", "", *_programs(wraps)]
    lines += [
        "",
        "## Every report that is taken in",
        "",
        "`modelscan`, `picklescan`, `fickling` and `modelaudit` are told by",
    ]
    lines += ["`shipworthy import --help`. The others:", ""]
    lines += [
        "| `TOOL` | tool | reads | made by | beside our | in | reader tried on |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names():
        found = source(name)
        made = (found.title, found.form, f"`{found.command}`", found.category, found.stage, _TRIED[found.tried])
        lines.append("| " + " | ".join(text.replace("|", "\\|") for text in (f"`{name}`", *made)) + " |")
    assert set(TOOLS) == {"modelscan", "picklescan", "fickling", "modelaudit"}  # noqa: S101  the sentence above
    return _TOOLS_HEAD + "\n".join(lines) + "\n"


def _wraps() -> dict[str, list[str]]:
    """The checks that run a program, by its command."""
    from shipworthy.check import registry
    from shipworthy.tools.catalogue import CATALOGUE

    wraps = {known.command: [name for name in known.used if name in registry()] for known in CATALOGUE.values()}
    for check in registry().values():
        for tool in check.needs:
            wraps.setdefault(tool.name, []).append(check.name)
    return {name: sorted(checks) for name, checks in wraps.items() if checks}


def _programs(wraps: Mapping[str, list[str]]) -> list[str]:
    from shipworthy.check import registry
    from shipworthy.tools.catalogue import BUNDLED, CATALOGUE, INSTALLED

    versions = {tool.name: tool.versions for check in registry().values() for tool in check.needs}
    lines = [
        "A program that is missing is never clean: a second witness beside checks of ours then does not apply, and",
        "says so; one that is named in the settings, `required`, or installed by `shipworthy tools install NAME` is",
        "unavailable, and stops the gate. Every run of a scanner holds a known-bad file of ours that must be reported.",
        "A file on which one crashes is found by halves: it alone is unread. `shipworthy doctor` fires every canary.",
        "",
        "| program | for | comes by | versions | run by | tried on |",
        "|---|---|---|---|---|---|",
    ]
    for known in sorted(CATALOGUE.values(), key=lambda one: one.name):
        if known.instead:
            continue
        way = f"`{INSTALLED} {known.name}`" if known.way == INSTALLED else known.way
        way = "PATH" if way == "PATH" else "the package" if way == BUNDLED else way
        users = [f"`{name}`" for name in wraps.get(known.command, ())]
        users += [name for name in known.used if f"`{name}`" not in users]
        read = versions.get(known.command) or known.versions or known.requirement.lstrip(_NAMES)
        cells = (f"`{known.name}`", known.about, way, read or "any", ", ".join(users), _TRIED[known.tried])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
