"""`docs/tools.md`: no tool of the original proposal without a way in, and nothing in it that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipworthy.check import registry
from shipworthy.cli.pages import tools_page
from shipworthy.cli.proposal import PROPOSED, Named
from shipworthy.tools.catalogue import CATALOGUE
from shipworthy.witnesses import TOOLS, names

STAGES = {"the build stage", "the train and build stages"}
ROOT = Path(__file__).parent.parent


def test_the_page_is_made_from_the_code() -> None:
    assert (ROOT / "docs" / "tools.md").read_text(encoding="utf-8") == tools_page(), "run scripts/make_docs.py"


def test_no_row_is_empty() -> None:
    rows = [line for line in tools_page().splitlines() if line.startswith("| ")]
    assert len(rows) >= len(PROPOSED) + len(names())
    assert all(cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row)[1:-1])
    assert len({named.title for named in PROPOSED}) == len(PROPOSED) >= 44


def test_every_program_is_told_with_who_runs_it() -> None:
    page = tools_page()
    rows = page.partition("## Every program that is run")[2].partition("\n## ")[0]
    for known in CATALOGUE.values():
        assert known.instead or f"| `{known.name}` |" in rows
    for check in registry().values():
        assert all(f"`{check.name}`" in rows and f"| `{tool.name}` |" in rows for tool in check.needs)
    assert {name for known in CATALOGUE.values() for name in known.used} <= {*registry(), *STAGES}


@pytest.mark.parametrize("named", PROPOSED, ids=lambda named: named.title)
def test_what_a_row_names_is_there(named: Named) -> None:
    known = registry()
    assert set(named.checks) <= {*known, *(check.category for check in known.values())}
    assert set(named.reports) <= {*names(), *TOOLS}
    assert named.checks or named.reports or named.built
