"""The hub: a catalogue of what the field knows, linked to the stages, checks and controls of the pipelines.

`load(rules)` gives a `Hub`; the rules are handed over, as this package knows no checks.
Nothing is fetched from anywhere.
"""

from shipworthy.hub.library import Hit, Hub, Related, Thing, load
from shipworthy.hub.things import Entry, Framework, Item, Path, Problem, Section, Shelf, Step, Topic, Word

__all__ = [
    "Entry",
    "Framework",
    "Hit",
    "Hub",
    "Item",
    "Path",
    "Problem",
    "Related",
    "Section",
    "Shelf",
    "Step",
    "Thing",
    "Topic",
    "Word",
    "load",
]
