"""Write the pages that are made from the code: docs/settings.md, docs/tools.md, docs/checks/*.md, the table in
docs/model-formats.md, and the schema of the hub's entries for editors."""

import json
import re
from pathlib import Path

from shipworthy.check import all_rules, registry
from shipworthy.cli.pages import check_page, settings_page, tools_page
from shipworthy.hub.json_schema import entry_schema
from shipworthy.hub.reader import Reading
from shipworthy.modelfile.support import table

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Write them; a page whose check is gone goes too."""
    (DOCS / "checks").mkdir(parents=True, exist_ok=True)
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
    (DOCS / "tools.md").write_text(tools_page(), encoding="utf-8")
    formats = DOCS / "model-formats.md"
    page = re.sub(r"(?m)^\| format \|.*\n(?:\|.*\n)*", lambda _: table(), formats.read_text("utf-8"))
    formats.write_text(page, encoding="utf-8")
    schema = entry_schema(Reading().data, {rule.help for rule in all_rules().values()})
    (DOCS / "hub-entry.schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    known = registry()
    for check in known.values():
        (DOCS / "checks" / f"{check.name}.md").write_text(check_page(check), encoding="utf-8")
    for page in (DOCS / "checks").glob("*.md"):
        if page.stem not in known:
            page.unlink()


if __name__ == "__main__":
    main()
