"""Full-text search over all of the hub: BM25 over weighted fields, with prefixes, typing errors, synonyms and ids.

The index is plain data (`make_index`): for each term the documents that have it, each with the weight that it has
there. A query is cut into concepts, each of which may be said in several ways; a document's score is the sum over the
concepts of the best way, lowered for concepts that it lacks.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from shipworthy.hub import words
from shipworthy.records import dataclass

_K, _B = 1.2, 0.4
_SCALE = 100  # weights are kept as whole numbers
# What an answer is likely to be: a page that explains comes before one of six hundred rules.
PRIOR = {"topic": 1.2, "stage": 1.0, "framework": 1.2, "item": 0.9, "rule": 0.7, "standard": 1.2, "case-study": 0.9}
_PREFIX, _TYPO, _SYNONYM = 0.75, 0.55, 0.75
_EXPANSIONS = 40
_ALL = 1.5  # how much it counts that a page has all of the query
_LIGHT = 0.4  # how much a word counts that says more of the kind than of the matter
_RARE = 1.0  # how much more a rare word counts when a page lacks it
_FULL = 0.34  # the share of the best page's score for a word with which a page has it in full
_PART = 0.35  # how much it counts that a page has one word of an expression
_PHRASE, _TITLE = 0.6, 0.48
_PIECE = 1.0  # how much a piece of an id counts
_LONGER = 0.35  # of what begins with a word that is known itself
_CLOSER = 80  # pages that are looked at closer
_SAID = ("title", "labels", "summary")


@dataclass(frozen=True)
class Doc:
    """What is searched: a page, its title, its texts by field, and how much others think of it."""

    page: str
    title: str
    fields: Mapping[str, str]
    weight: float = 1.0


# How much a word counts by where it stands.
FIELDS = {
    "title": 3.0,
    "ids": 4.3,
    "also": 1.5,
    "slug": 1.0,
    "labels": 2.05,
    "summary": 1.8,
    "use": 1.6,
    "note": 0.7,
    "body": 0.2,
}


def make_index(docs: Sequence[Doc]) -> dict[str, Any]:
    """The index, as plain data."""
    counts: list[dict[str, float]] = []
    lengths: list[float] = []
    for doc in docs:
        seen: dict[str, float] = defaultdict(float)
        for field, text in doc.fields.items():
            for term, often in Counter(words.terms(text)).items():
                weight = _PIECE if field == "ids" and term.isalnum() else FIELDS[field]
                seen[term] += weight * min(often, 3)  # a long text says a word often
        counts.append(seen)
        lengths.append(sum(seen.values()))
    average = sum(lengths) / max(1, len(lengths)) or 1.0
    spread: dict[str, int] = defaultdict(int)
    for seen in counts:
        for term in seen:
            spread[term] += 1
    postings: dict[str, list[int]] = defaultdict(list)
    for number, seen in enumerate(counts):
        norm = _K * (1 - _B + _B * lengths[number] / average)
        for term, count in seen.items():
            rare = math.log(1 + (len(docs) - spread[term] + 0.5) / (spread[term] + 0.5))
            postings[term] += (number, round(_SCALE * rare * count * (_K + 1) / (count + norm)))
    return {
        "pages": [doc.page for doc in docs],
        "letters": [_letters(term) for term in sorted(postings)],
        "weights": [round(doc.weight, 3) for doc in docs],
        "titles": [" ".join(words.terms(doc.title)) for doc in docs],
        "texts": [_told(doc) for doc in docs],
        "postings": dict(sorted(postings.items())),
    }


def _told(doc: Doc) -> str:
    """The stems of what a page says first, in order, to see what stands side by side."""
    said = (" ".join(word for word in words.stems(doc.fields.get(name, ""))) for name in _SAID)
    return f" {' | '.join(one for one in said if one)} "


class Searcher:
    """Answers queries from an index. Deterministic: the same index and query give the same answer."""

    def __init__(self, index: Mapping[str, Any], same: Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]) -> None:
        self._pages: list[str] = index["pages"]
        self._titles: list[str] = index["titles"]
        self._texts: list[str] = index["texts"]
        self._weights: list[float] = index["weights"]
        self._postings: Mapping[str, list[int]] = index["postings"]
        self._terms = list(self._postings)  # sorted by `make_index`
        self._same = same
        self._longest = max((len(way) for way in same), default=1)
        self._letters: list[int] = index["letters"]  # of each term, to leave out what cannot be near
        self._near: dict[str, dict[str, float]] = {}

    def scores(
        self, query: str, among: frozenset[str] | None = None, light: frozenset[str] = frozenset()
    ) -> list[tuple[str, float]]:
        """Pages with their scores, best first; `among` are the pages that may be answers, `light` are words of the
        query that a page may well lack."""
        lighter = {words.stem(word) for word in light}
        concepts = self._concepts(query)
        if not concepts:
            return []
        total: dict[int, float] = defaultdict(float)
        has: dict[int, float] = defaultdict(float)
        weights = 0.0
        for ways in concepts:
            best = self._best(ways)
            share = _LIGHT if ways[0][0][0] in lighter else 1.0
            most = max(best.values(), default=0.0)
            # A word that nothing has tells little, and so does one that everything has.
            weight = share * (math.log(1 + len(self._pages) / len(best)) ** _RARE if best else 0.5)
            if any(char.isdigit() for char in ways[0][0][0]):
                weight *= 2  # an id is meant
            weights += weight
            for doc, score in best.items():
                total[doc] += score * share
                has[doc] += weight * min(1.0, score / (_FULL * most))
        found = []
        pairs, pieces = self._pairs(concepts), self._pieces(query)
        for doc, score in total.items():
            if among is None or self._pages[doc] in among:
                found.append((score * (has[doc] / weights) ** _ALL * self._prior(doc), doc))
        found.sort(reverse=True)
        asked = " ".join(self._asked(concepts))
        said = {self._meant(term) for ways in concepts for way, _ in ways for term in way}
        near = ((score * self._closeness(doc, pairs, said), doc) for score, doc in found[:_CLOSER])
        rest = found[_CLOSER:]
        named = ((self._pages[doc], self._named(doc, score, asked, query, pieces)) for score, doc in (*near, *rest))
        return sorted(((page, round(score / _SCALE, 4)) for page, score in named), key=lambda one: (-one[1], one[0]))

    def _best(self, ways: list[tuple[tuple[str, ...], float]]) -> dict[int, float]:
        """Documents that have a concept, each with the score of the best way to say it."""
        best: dict[int, float] = {}
        for way, factor in ways:
            for doc, score in self._way(way).items():
                if score * factor > best.get(doc, 0.0):
                    best[doc] = score * factor
        return best

    def _prior(self, doc: int) -> float:
        return PRIOR.get(self._pages[doc].partition("/")[0], 1.0) * self._weights[doc]

    def _pairs(self, concepts: list[list[tuple[tuple[str, ...], float]]]) -> list[str]:
        """What stands side by side in the query."""
        return [f" {one} {other} " for one, other in pairwise(self._asked(concepts))]

    def _asked(self, concepts: list[list[tuple[tuple[str, ...], float]]]) -> list[str]:
        """The terms of the query, each as the index spells it."""
        return [self._meant(term) for ways in concepts for term in ways[0][0]]

    def _meant(self, term: str) -> str:
        near = self._near.get(term) or {}
        return term if term in near or not near else max(near, key=lambda other: (near[other], other))

    def _pieces(self, query: str) -> set[str]:
        return {piece.strip("\"'`,;?!()[]{}") for piece in words.plain(query).split()}

    def _closeness(self, doc: int, pairs: list[str], said: set[str]) -> float:
        """How much it counts that words stand side by side as in the query, and how much of the title was asked for."""
        text, title = self._texts[doc], self._titles[doc].split()
        together = sum(pair in text for pair in pairs) / len(pairs) if pairs else 0.0
        covered = sum(word in said for word in title) / len(title) if title else 0.0
        return 1 + _PHRASE * together + _TITLE * covered

    def _named(self, doc: int, score: float, asked: str, query: str, pieces: set[str]) -> float:
        """The score of a page whose very name the query is, or has."""
        page, title = self._pages[doc], self._titles[doc]
        plain = words.plain(query).strip()
        name = page.partition("/")[2].lower()
        if name == plain:
            score = score * 3.0 + _SCALE
        elif name in pieces or name.partition(":")[0] in pieces:
            score *= 1.5 if name.isalpha() else 4.0
        if title == asked:
            score *= 2.0
        elif title.startswith(asked + " "):
            score *= 1.25
        return score

    def _concepts(self, query: str) -> list[list[tuple[tuple[str, ...], float]]]:
        """What is asked for: for each part of the query, the ways to say it, each with its factor."""
        every = self._ids(query)
        pairs = [one for one in every if one[1] not in words.STOP] or every
        given = [term for term, _ in pairs]
        raw = [word for _, word in pairs]
        concepts: list[list[tuple[tuple[str, ...], float]]] = []
        position = 0
        while position < len(given):
            for length in range(min(self._longest, len(given) - position), 0, -1):
                way = tuple(given[position : position + length])
                if way in self._same:
                    ways = [(way, 1.0), *((other, _SYNONYM) for other in self._same[way])]
                    ways += [((term,), _PART) for term in way if length > 1]
                    break
            else:
                length, ways = 1, [((given[position],), 1.0)]
            if length == 1 and (joined := self._joined(raw[position : position + 2], given[position : position + 2])):
                ways.append(((joined,), 1.2))
            concepts.append(ways)
            position += length
        return list({ways[0][0]: ways for ways in concepts}.values())

    def _joined(self, raw: list[str], given: list[str]) -> str:
        """Two words as one, if the index has them so: "pickle scan" is picklescan too."""
        made = (raw[0] + raw[1], raw[0] + given[1]) if len(raw) == 2 else ()
        return next((one for one in (words.stem(made[0]), *made) if one in self._postings), "") if made else ""

    def _ids(self, query: str) -> list[tuple[str, str]]:
        """The query's terms, each with the word as written; what is an id of the index stays whole."""
        found: list[tuple[str, str]] = []
        for piece in words.plain(query).split():
            bare = piece.strip("\"'`,;?!()[]{}")
            if bare in self._postings and not bare.isalpha():
                found.append((bare, bare))
            else:
                parts = [part[0].partition("'")[0] for part in words.WORD.finditer(bare)]
                found += [(words.stem(part), part) for part in parts]
        return found

    def _way(self, way: tuple[str, ...]) -> dict[int, float]:
        """Documents that have every term of a way, with the sum."""
        parts = [self._term(term) for term in way]
        if len(parts) == 1:
            return parts[0]
        fewest = min(parts, key=len)
        share = (1 + 0.3 * (len(parts) - 1)) / len(parts)  # a phrase counts a little more than a word, not much more
        return {doc: share * sum(part[doc] for part in parts) for doc in fewest if all(doc in part for part in parts)}

    def _term(self, term: str) -> dict[int, float]:
        near = self._near.get(term)
        if near is None:
            near = self._near[term] = self._expanded(term)
        best: dict[int, float] = {}
        for other, factor in near.items():
            pairs = self._postings[other]
            for doc, weight in zip(pairs[::2], pairs[1::2], strict=True):
                if weight * factor > best.get(doc, 0.0):
                    best[doc] = weight * factor
        return best

    def _expanded(self, term: str) -> dict[str, float]:
        """The terms of the index that are meant: itself, what begins with it, else what is nearly it."""
        found = {term: 1.0} if term in self._postings else {}
        if len(term) >= 3:
            known, start = bool(found), bisect_left(self._terms, term)
            for other in self._terms[start : start + _EXPANSIONS]:
                if not other.startswith(term):
                    break
                if other not in found and (other.isalpha() or not term.isalpha()):
                    share = len(term) / len(other)
                    found[other] = (_LONGER if known else _PREFIX) * (0.5 + 0.5 * share) if share < 0.99 else 1.0
        if not found and len(term) >= 4 and term.isalpha():
            found = self._misspelt(term)
            if len(term) > 7 and max(found.values(), default=0.0) < _TYPO:  # injektion is nearly inject
                found = self._misspelt(term.removesuffix("ion")) or found
        return found

    def _misspelt(self, term: str) -> dict[str, float]:
        most = 1 if len(term) < 6 else 2
        mine = _letters(term)
        found: dict[str, float] = {}
        shortest, longest = len(term) - most, len(term) + most
        for number, letters in enumerate(self._letters):
            if (mine ^ letters).bit_count() > 2 * most:
                continue
            other = self._terms[number]
            if not shortest <= len(other) <= longest or not other.isalpha():
                continue
            distance = edits(term, other, most)
            if distance <= most:
                found[other] = _TYPO / distance * (1.0 if other[0] == term[0] else 0.7)
        best = max(found.values(), default=0.0)
        return {other: factor for other, factor in found.items() if factor >= best * 0.6}


def _letters(word: str) -> int:
    made = 0
    for char in word:
        made |= 1 << (ord(char) & 63)
    return made


def edits(one: str, other: str, most: int) -> int:
    """How many letters must be added, left out, exchanged or swapped with their neighbour; `most` + 1 if more than
    `most` (Damerau-Levenshtein in the form of optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, letter in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != letter))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == letter:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) >= most:  # a swap reaches back two rows
            return most + 1
    return row[-1]


def suggestions(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Names near a word that is none of them."""
    import difflib

    known = list(known)
    begins = [name for name in known if name.startswith(word)][:count]
    return list(dict.fromkeys([*begins, *difflib.get_close_matches(word, known, count, 0.6)]))[:count]
