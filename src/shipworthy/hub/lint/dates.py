"""Dates that can be, and that agree."""

from __future__ import annotations

from shipworthy.hub.lint.subject import Catalogue, Plain, Said
from shipworthy.patterns import regex

_ENDED = regex(r"\b(?:archived|deprecated|unmaintained|abandoned|discontinued|end of life)\b", 2)
_YEAR = regex(r"(?<!\d)(?:19|20)\d\d(?!\d)", 256)
_STILL = 3  # years for which something without a change may be called active


def _not_active(basis: Plain) -> str:
    said, of = str(basis.get("maintained", "")), str(basis.get("as-of", ""))
    if ended := _ENDED.search(said):
        return f"`{ended[0]}`"
    years = [int(year) for year in _YEAR.findall(said)]
    return f"that the last change was in {max(years)}" if years and of and int(of[:4]) - max(years) >= _STILL else ""


def look(catalogue: Catalogue, entry: Plain) -> Said:
    """Nothing of the future; `date`, `year` and the arXiv id tell of the same time; a state is of a day.
    `added` is what the list of what is new goes by."""
    year, date, today = entry.get("year"), str(entry.get("date", "")), catalogue.today
    if year and today and year > int(today[:4]):
        yield "year", f"{year} is in the future", "give the year in which it came out"
    if date and today and date > today[: len(date)]:
        yield "date", f"{date} is in the future", "give the day on which it came out"
    if date and year and date[:4] != str(year):
        yield "date", f"the date is of {date[:4]}, `year` says {year}", "correct the one that is wrong"
    arxiv = entry.get("arxiv", "")
    if arxiv[:4].isdigit() and year and year < 2000 + int(arxiv[:2]):
        yield "year", f"arXiv {arxiv} is of 20{arxiv[:2]}, `year` says {year}", "correct the one that is wrong"
    added = entry.get("added", "")
    if not added:
        yield "added", "it does not say on which day it was added", f"add a line `added = {today or '2026-11-23'}`"
    elif today and added > today:
        yield "added", f"{added} is in the future", "give the day on which the entry was added"
    basis = entry.get("basis", {})
    of = str(basis.get("as-of", ""))
    if of and today and of > today[: len(of)]:
        yield "as-of", f"{of} is in the future", "give the day on which the facts were looked up"
    if entry.get("maintained") == "active" and (told := _not_active(basis)):
        yield "maintained", f"it is called active, and its basis says {told}", "give the state that the basis shows"
    if entry.get("maintained") not in ("unknown", "not-applicable", None) and not (of and basis.get("maintained")):
        yield (
            "maintained",
            f"`{entry['maintained']}` does not say since when, and how that is known",
            'add to [basis]: maintained = "last commit 2026-11-02" and as-of = 2026-11-22 (that day)',
        )
