"""The hub as a website: static pages that work from a folder, without a server, offline.

`build(hub, given, folder)` writes it. Everything in the hub is treated as if a stranger had written it.
"""

from shipworthy.site.build import build, page
from shipworthy.site.things import Built, Checked, Given, Pipeline, Stage

__all__ = ["Built", "Checked", "Given", "Pipeline", "Stage", "build", "page"]
