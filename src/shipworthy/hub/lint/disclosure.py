"""Who adds something of their own says so."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from shipworthy.hub.lint.addresses import without_archive
from shipworthy.hub.lint.subject import Catalogue, Contributor, Plain, Said, file_of, squeezed
from shipworthy.patterns import regex

# Where the first part of the path is whose it is. On `<owner>.<host>` it is the first label.
_OWNED = (
    "github.com",
    "raw.githubusercontent.com",
    "gitlab.com",
    "codeberg.org",
    "bitbucket.org",
    "huggingface.co",
    "gist.github.com",
    "medium.com",
    "dev.to",
    "kaggle.com",
    "substack.com",
    "hub.docker.com/r",
    "linkedin.com/in",
)
_PAGES = (".github.io", ".gitlab.io", ".medium.com", ".substack.com", ".readthedocs.io", ".hf.space", ".pages.dev")
_EVERYBODY = frozenset(
    """gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com mac.com aol.com
    gmx.de gmx.net gmx.com web.de mail.com mail.ru yandex.ru yandex.com proton.me protonmail.com pm.me fastmail.com
    hey.com zoho.com qq.com 163.com 126.com tutanota.com tuta.io posteo.de mailbox.org example.com example.org
    users.noreply.github.com github.com gitlab.com""".split()
)
_NOREPLY = regex(r"(?:\d+\+)?([A-Za-z0-9-]{1,60})@users\.noreply\.github\.com")
_SAYS = 2  # words of a disclosure that discloses something
_SHORTEST = 4  # letters from which on a name in common is no accident


def look(catalogue: Catalogue, entry: Plain) -> Said:
    """An entry about a thing of the contributor's own, or of their employer's, has a `disclosure`."""
    if len(entry.get("disclosure", "").split()) >= _SAYS:
        return
    for person in catalogue.contributors.get(file_of(entry), ()):
        if why := _own(entry, person):
            yield (
                "disclosure",
                f"{why}: it seems to be the contributor's own",
                'own projects are welcome and say so: disclosure = "Added by its author." (or vendor); if it is '
                'somebody else\'s: disclosure = "None: …" with a word on why it looks so',
            )
            return


def _own(entry: Plain, person: Contributor) -> str:
    """Why it seems to be theirs; empty when it does not."""
    hosts = _hosts(entry)
    owners = {squeezed(one): one for one in _owners(entry) if len(squeezed(one)) >= _SHORTEST}
    for name, what in _names(person):
        if squeezed(name) in owners:
            return f"its address is of `{owners[squeezed(name)]}`, and so is the contributor's {what}"
    domain = _domain(person.email)
    for host in hosts:
        if domain and (host == domain or host.endswith(f".{domain}")):
            return f"its address is at {domain}, and so is the contributor's e-mail address"
    if domain and squeezed(domain.split(".")[0]) in owners:
        return f"its address is of `{owners[squeezed(domain.split('.')[0])]}`, as is the contributor's e-mail address"
    for author in entry.get("authors", ()):
        if len(squeezed(author)) >= _SHORTEST + 2 and _turned(author) == _turned(person.name):
            return f"`{author}` is among its authors, and is the contributor's name"
    return ""


def _turned(name: str) -> tuple[str, ...]:
    """A name's parts whatever their order: "Lovelace, Ada" is "Ada Lovelace"."""
    return tuple(sorted(squeezed(part) for part in name.replace(",", " ").split() if squeezed(part)))


def _names(person: Contributor) -> Iterator[tuple[str, str]]:
    yield person.login, "login"
    if found := _NOREPLY.fullmatch(person.email):
        yield found[1], "login"
    elif "@" in person.email:
        yield person.email.partition("@")[0].partition("+")[0], "e-mail address"
    yield person.name, "name"


def _domain(email: str) -> str:
    domain = email.rpartition("@")[2].lower().strip()
    return (
        "" if domain in _EVERYBODY or domain.endswith((".edu", ".noreply.github.com")) or "." not in domain else domain
    )


def _urls(entry: Plain) -> Iterator[tuple[str, list[str]]]:
    for url in (entry.get("url", ""), *entry.get("aliases", ())):
        try:
            parts = urlsplit(without_archive(url))
            path = unquote(parts.path, errors="replace")
            yield (parts.hostname or "").lower().removeprefix("www."), [one for one in path.split("/") if one]
        except ValueError:
            continue


def _hosts(entry: Plain) -> list[str]:
    return [host for host, _ in _urls(entry)]


def _owners(entry: Plain) -> Iterator[str]:
    """Whose an address is, by its form."""
    for host, path in _urls(entry):
        for place in _OWNED:
            site, _, under = place.partition("/")
            if host == site and path[: bool(under)] == ([under] if under else []):
                yield from (one.lstrip("@") for one in path[bool(under) :][:1])
        for end in _PAGES:
            if host.endswith(end):
                yield host.removesuffix(end)
        yield host.split(".")[-2] if host.count(".") else host
