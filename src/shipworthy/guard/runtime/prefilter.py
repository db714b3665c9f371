"""Is there surely nothing in a request? All of its texts are looked at as one, for what each detector needs to see.

`clean` is never True for a request in which `detectors.examine` finds something (a property test compares the two);
that one says what it is. A detector's `possible(low, words)` gets the texts in lower case, each after a U+0001, and the
set of their words; it is never False when `look` would see something in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.guard.runtime.detectors import Looks, examine
from shipworthy.guard.runtime.fields import Field, Found
from shipworthy.guard.runtime.normalise import EMBEDDED, Text, alone, changes, marked, views

_KNOWN = 8192  # keys, headers and paths that are remembered as clean
_LONGEST = 200  # characters of one
_RUN = 24  # characters that may be base64 inside of another text
_SPACED = bytes(code if chr(code).isalnum() or chr(code) == "_" else 32 for code in range(128)).ljust(256)


class Prefilter:
    """Remembers keys, headers and paths that are clean: most clients send the same ones again and again. Safe from
    several threads."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._known: set[tuple[str, str, str]] = set()

    def clean(self, found: Found) -> bool:
        """Whether there is surely nothing in it."""
        for field in found.others:
            if not self._is_known(field.place, field.name, field.text):
                return False
        for key in found.keys:
            if not self._is_known("key", "", key):
                return False
        return self._nothing("body", found.body, found) and self._nothing("query", found.query)

    def _is_known(self, place: str, name: str, text: str) -> bool:
        key = (place, name, text)
        if key in self._known:
            return True
        if examine([Field(place, name, text)], self._looks):
            return False
        if len(text) <= _LONGEST and name != "cookie":  # secrets are not kept
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known.add(key)
        return True

    def _nothing(self, place: str, texts: Sequence[str], found: Found | None = None) -> bool:
        if not texts:
            return True
        joined = "\x01".join(texts)
        low = joined.lower()
        words = words_of(low)
        if found is not None:
            found.words = words
        long = max(map(len, words), default=0) >= _RUN or "/" in joined or "+" in joined
        if marked(joined) or (long and EMBEDDED.search(joined)):
            changed = [text for text in texts if changes(text)]
        else:
            changed = [text for text in texts if len(text) >= 12 and " " not in text and alone(text)]
        if changed:
            forms = list(texts)
            for text in changed:
                more, whole = views(text)
                if not whole:
                    return False
                forms += more[1:]
            low = "\x01".join(forms).lower()
            words = words_of(low)
            texts = forms
        if low.count("\x01") != len(texts) - 1:
            return False  # one holds what parts them
        low = "\x01" + low
        left = tuple(one for one in self._looks if one[3] is None or one[3](low, words))
        return not left or not any(_seen(place, text, left) for text in texts)


def words_of(low: str) -> frozenset[str]:
    """The words of ASCII that are in a text, and pieces of those that have other letters."""
    return frozenset(low.encode("ascii", "replace").translate(_SPACED).decode("ascii").split())


def _seen(place: str, raw: str, looks: Looks) -> bool:
    low = "\x01" + raw.lower()
    words = words_of(low)
    left = [one for one in looks if one[3] is None or one[3](low, words)]
    if not left:
        return False
    text = Text(raw, "", place, "")  # what was sent is not known here
    return any(look(text) for _, needs, look, _ in left if not needs or text.characters & needs)
