"""Text of the hub as HTML: Markdown without HTML or pictures, and code in colour."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shipworthy.look import visible
from shipworthy.site.addresses import outside

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from pygments.formatters import HtmlFormatter

_LONGEST = 200_000
_NAMES = {"py": "python", "sh": "bash", "shell": "bash", "dockerfile": "docker", "yml": "yaml", "ts": "typescript"}


class Prose:
    """Turns Markdown into HTML. `own` gives the address of a page of the site by its id, or nothing."""

    def __init__(self, own: Callable[[str], str]) -> None:
        self._own = own
        self._markdown = _markdown()

    def html(self, text: str, root: str, lower: int = 0) -> Markup:
        """The text as HTML, its headings `lower` levels down. A link leads to an address of https or to a page of the
        site (`topic/secrets-in-code`); any other is only its text."""
        tokens = self._markdown.parse(visible(text[:_LONGEST]))
        for token in tokens:
            if token.type in ("heading_open", "heading_close") and lower:
                token.tag = f"h{min(6, int(token.tag[1]) + lower)}"
            if token.type == "inline" and token.children:
                self._links(token.children, root)
        # What scrolls sideways must be reachable with a keyboard.
        html = self._markdown.renderer.render(tokens, self._markdown.options, {})
        html = html.replace("<pre>", '<pre tabindex="0">')
        return Markup(html)  # noqa: S704 (made by the renderer, which escapes all text)

    def _links(self, tokens: list[Any], root: str) -> None:
        ends: list[bool] = []
        for token in tokens:
            if token.type == "link_open":
                given = str(token.attrs.get("href", ""))
                own = self._own(given)
                address = root + own if own else outside(given)
                token.attrs = {"href": address} if address else {}
                if address and not own:
                    token.attrs |= {"rel": "noopener noreferrer"}
                ends.append(bool(address))
                token.tag = "a" if address else "span"
            elif token.type == "link_close":
                token.tag = "a" if ends.pop() else "span"


def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "highlight": highlighted, "maxNesting": 20})
    made.enable("table").disable(["image", "html_block", "html_inline"])
    made.validateLink = lambda url: len(url) < 2000  # type: ignore[method-assign]  # `_links` decides what is linked
    made.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table>')
    made.add_render_rule("table_close", lambda *_: "</table></div>")
    return made


@lru_cache(maxsize=4096)
def highlighted(code: str, language: str, _attributes: str = "") -> str:
    """Code as HTML with classes for its parts; nothing for a language that is not known."""
    from pygments import highlight
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    name = language.strip().lower()
    try:
        lexer = get_lexer_by_name(_NAMES.get(name, name))
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, _formatter()))


@cache
def _formatter() -> HtmlFormatter[str]:
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(nowrap=True, classprefix="k-")
