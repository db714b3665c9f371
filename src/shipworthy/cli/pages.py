"""Pages of documentation that are made from the code: a page for each check, and the settings reference."""

from __future__ import annotations

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


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
