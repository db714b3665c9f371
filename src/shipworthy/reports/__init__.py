"""One file, one format. Every format shows the same run and leaves nothing out without saying so.

`render(run, "sarif")` gives the text. A format's module is imported when it is first used.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shipworthy.errors import UsageError
from shipworthy.files import write_atomically
from shipworthy.model import Run
from shipworthy.records import dataclass


@dataclass(frozen=True)
class Format:
    """A way to write a run: the module whose `render(run, **options)` does it, and the file's usual name and type."""

    name: str
    module: str
    filename: str
    media_type: str
    links: bool = False  # to the hub's pages: `render` takes their `site`

    def __call__(self, run: Run, site: str = "", **options: Any) -> str:
        """The run in this format; see the module's `render` for its options. `site` is where the hub's pages are."""
        if self.links:
            options["site"] = site
        written: str = importlib.import_module(self.module).render(run, **options)
        return written


_HERE = "shipworthy.reports"
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        item.name: item
        for item in (
            Format("table", f"{_HERE}.terminal", "report.txt", "text/plain"),
            Format("json", f"{_HERE}.document", "run.json", "application/json"),
            Format("sarif", f"{_HERE}.sarif", "report.sarif", "application/sarif+json", True),
            Format("html", f"{_HERE}.html", "report.html", "text/html", True),
            Format("junit", f"{_HERE}.junit", "junit.xml", "application/xml"),
            Format("markdown", f"{_HERE}.markdown", "report.md", "text/markdown", True),
            Format("cyclonedx", f"{_HERE}.cyclonedx", "bom.cdx.json", "application/vnd.cyclonedx+json"),
        )
    }
)


def render(run: Run, format: str, **options: Any) -> str:  # noqa: A002
    """The run in one of `FORMATS`, as text that UTF-8 can encode. Raises UsageError for a format that is not there."""
    if format not in FORMATS:
        raise UsageError(f"there is no report format {format!r}", remedy=f"use one of {', '.join(FORMATS)}")
    return FORMATS[format](run, **options)


def write_all(run: Run, folder: Path, site: str = "") -> None:
    """Write what a run leaves in its folder: a file for each format but the terminal's. `site` is where the hub's pages
    are, if they are anywhere. Raises EnvironmentFailure."""
    for name, item in FORMATS.items():
        if name != "table":
            write_atomically(folder / item.filename, item(run, site).encode("utf-8", "replace"))


__all__ = ["FORMATS", "Format", "render", "write_all"]
