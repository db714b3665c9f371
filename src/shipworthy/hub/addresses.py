"""Where a rule's page lies on a built site; nothing is assumed of a site that nobody has built."""

from __future__ import annotations

import os

from shipworthy.config.text import SITE
from shipworthy.hub.reader import FOLDER
from shipworthy.hub.schema import SLUG
from shipworthy.model import Rule


def has_page(rule: Rule) -> bool:
    """Does the hub have a page for this rule: is the topic that it names written? What other tools' reports brought has
    none, and a rule of a run from elsewhere may name anything."""
    if rule.id.startswith("import-") or not (_slug(rule.id) and _slug(rule.help)):
        return False
    return os.path.isfile(FOLDER / "topics" / f"{rule.help}.md")


def _slug(text: str) -> bool:
    return len(text) <= 100 and SLUG.fullmatch(text) is not None


def rule_address(site: str, rule: Rule) -> str:
    """The address of the rule's page on the site that `shipworthy hub build` made and that lies at `site`; nothing
    without a site, or for a rule that has no page."""
    if not site or not SITE.fullmatch(site) or not has_page(rule):
        return ""
    return f"{site.rstrip('/')}/rule/{rule.id}.html"
