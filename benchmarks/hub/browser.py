"""How fast the search answers in a real browser, with a catalogue as large as the hub may become.

    python benchmarks/hub/browser.py               5,000 entries; prints the table, and writes RESULTS_browser.md
    python benchmarks/hub/browser.py --entries 0   the hub as it is; writes nothing

The entries beyond the hub's own are made of its words: title and summary of one are those of two others, mixed. Each
judged query of `queries.toml` is asked twice: of the search alone, and as a person types it into the page, up to the
list with its facets and counts standing in the document.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import tomllib
from pathlib import Path

from shipworthy import look
from shipworthy.check import all_rules
from shipworthy.cli.hub_build import checks, pipelines
from shipworthy.hub import Hub, load
from shipworthy.hub.writing import as_toml
from shipworthy.site import Given, page
from shipworthy.site import data as site_data
from shipworthy.site.pages import Site

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "tests"))
from chromium import FOUND, Browser  # noqa: E402  (it lies with the tests)

GOAL = 100  # milliseconds
TIMES = 5  # each query is asked so often; the middle one counts, since other programs run too
ASKED = """(queries => {
  const field = document.querySelector("#browse input");
  const facet = document.querySelector("#browse select[name=maintained]");
  const timed = act => { const at = performance.now(); act(); return performance.now() - at; };
  const told = (one, value) => {
    one.value = value;
    one.dispatchEvent(new Event("input", {bubbles: true}));
    return document.getElementById("answers").offsetHeight;
  };
  return queries.map(query => {
    const found = [timed(() => SW.search(query)), timed(() => told(field, query)), timed(() => told(facet, "active"))];
    told(facet, "");
    return found;
  });
})"""


def enlarged(hub: Hub, folder: Path, wanted: int) -> None:
    """Write a hub with `wanted` entries: its own, and more that are mixed of their words. Deterministic."""
    shutil.copytree(hub.folder, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    dice = random.Random(1)
    files = sorted(folder.glob("catalogue/*/*.toml"))
    every = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    for number in range(max(0, wanted - len(files))):
        place = dice.randrange(len(files))
        one, two, three = every[place], dice.choice(every), dice.choice(every)
        entry = {
            key: one[key] for key in ("stages", "help", "frameworks", "maintained", "pipeline", "year") if key in one
        }
        entry["title"] = f"{_mixed(dice, one['title'], two['title'])} {number}"[:300]
        entry["summary"] = _mixed(dice, two["summary"], three["summary"])[:400].strip()
        entry["use-when"] = _mixed(dice, one["use-when"], three["use-when"])[:250].strip()
        entry["topics"] = sorted({*one.get("topics", ()), *two.get("topics", ())})[:5]
        entry["url"] = f"https://example.org/{number}"
        entry["added"] = one["added"]
        (files[place].parent / f"made-{number}.toml").write_text(as_toml(entry), encoding="utf-8")


def _mixed(dice: random.Random, one: str, other: str) -> str:
    """The first words of one text and the last of another."""
    first, last = one.split(), other.split()
    return " ".join((*first[: dice.randint(1, len(first))], *last[dice.randint(0, len(last) - 1) :]))


def searchable(hub: Hub, folder: Path) -> None:
    """Write what the search's page needs of the site."""
    given = Given(pipelines(), checks(), "1")
    shutil.copytree(Path(look.__file__).parents[1] / "site" / "assets", folder / "assets")
    (folder / "assets" / "site.css").write_text(f"{look.stylesheet()}\n{(folder / 'assets' / 'site.css').read_text()}")
    variables = {"title": "Search", "counts": {}}
    (folder / "search.html").write_text(page(hub, given, "search.html", "search.html.j2", variables))
    (folder / "data").mkdir()
    for name, text in itertools.islice(site_data.files(Site(hub, given)), 2):
        (folder / name).write_text(text)


def measured(site: Path, queries: list[str]) -> tuple[float, list[list[float]]]:
    """Milliseconds: until a page that is opened shows answers; of each query by the search alone, as typed, and with a
    facet chosen."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:  # the browser may still be writing there
        browser = Browser(Path(home))
        try:
            browser.go(f"{site.as_uri()}/search.html?q=pickle")
            browser.until("document.querySelectorAll('#answers li').length")
            ready = browser.run("performance.now()")
            rounds = [[browser.run(f"{ASKED}({json.dumps([one])})")[0] for one in queries] for _ in range(TIMES)]
            assert browser.errors == [], browser.errors
        finally:
            browser.close()
    of_query = zip(*rounds, strict=True)
    return ready, [[statistics.median(times) for times in zip(*one, strict=True)] for one in of_query]


def table(hub: Hub, size: int, ready: float, times: list[list[float]]) -> list[str]:
    """The results as Markdown."""
    rows = []
    for name, found in zip(
        ("the search alone", "typed, until the list stands", "a facet chosen, until list and counts stand"),
        zip(*times, strict=True),
        strict=True,
    ):
        high = statistics.quantiles(found, n=20)[-1]
        met = "met" if max(found) <= GOAL else "MISSED"
        rows.append(f"| {name} | {statistics.median(found):.1f} | {high:.1f} | {max(found):.1f} | {met} |")
    return [
        "# The hub's search in a browser",
        "",
        "Made by `python benchmarks/hub/browser.py`.",
        f"{len(hub.entries):,} entries on {len(hub.things):,} pages; {len(times)} queries, each the middle of {TIMES} "
        f"times; headless Chromium on {platform.system()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}.",
        f"Index and rows: {size / 1e6:.1f} MB; opened from a folder, the page shows answers after {ready:.0f} ms.",
        "",
        f"| milliseconds | median | 95 % | largest | goal <= {GOAL} |",
        "|---|---|---|---|---|",
        *rows,
    ]


def main() -> int:
    """Make the catalogue and its site, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=5000, metavar="N")
    options = parser.parse_args()
    if not FOUND:
        print("needs Chromium (Debian package chromium)", file=sys.stderr)
        return 5
    queries = [one["words"] for one in tomllib.loads((HERE / "queries.toml").read_text(encoding="utf-8"))["query"]]
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CACHE_HOME"] = f"{home}/cache"
        hub = load(all_rules())
        if options.entries:
            enlarged(hub, Path(home) / "hub", options.entries)
            hub = load(all_rules(), Path(home) / "hub")
        site = Path(home) / "site"
        searchable(hub, site)
        size = sum((site / "data" / name).stat().st_size for name in ("index.js", "pages.js"))
        lines = table(hub, size, *measured(site, queries))
    print("\n".join(lines))
    if options.entries == 5000:
        (HERE / "RESULTS_browser.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
