"""`docs/tools.md`: no tool of the original proposal without a way in, and nothing in it that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipworthy.check import registry
from shipworthy.cli.pages import tools_page
from shipworthy.cli.proposal import PROPOSED, Named
from shipworthy.witnesses import TOOLS, names

ROOT = Path(__file__).parent.parent


def test_the_page_is_made_from_the_code() -> None:
    assert (ROOT / "docs" / "tools.md").read_text(encoding="utf-8") == tools_page(), "run scripts/make_docs.py"


def test_no_row_is_empty() -> None:
    rows = [line for line in tools_page().splitlines() if line.startswith("| ")]
    assert len(rows) >= len(PROPOSED) + len(names())
    assert all(cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row)[1:-1])
    assert len({named.title for named in PROPOSED}) == len(PROPOSED) >= 44


@pytest.mark.parametrize("named", PROPOSED, ids=lambda named: named.title)
def test_what_a_row_names_is_there(named: Named) -> None:
    known = registry()
    assert set(named.checks) <= {*known, *(check.category for check in known.values())}
    assert set(named.reports) <= {*names(), *TOOLS}
    assert named.checks or named.reports or named.built
