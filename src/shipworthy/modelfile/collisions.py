"""Numbers of one hash: a dictionary or a set that is given many of them compares each with all others.

Python's hash of an integer is its remainder by 2^61 - 1, that of a tuple a function of its items' hashes without any
secret (CPython, Objects/tupleobject.c). Of numbers below 2^63 no more than eight share one.
"""

from __future__ import annotations

import sys

MANY = 256
MODULUS = sys.hash_info.modulus
_REMEMBERED = 1 << 16


class Hashes:
    """Counts different values of one hash, as they follow each other."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[object, int]] = {}

    def number(self, value: int) -> bool:
        """Whether this is one of many integers of one hash, told once."""
        return self._add(value % MODULUS if value >= 0 else -(-value % MODULUS), value)

    def items(self, value: tuple[object, ...]) -> bool:
        """Whether this is one of many tuples of numbers of one hash, told once."""
        return self._add(hash(value), value)

    def _add(self, place: int, value: object) -> bool:
        last, count = self.seen.get(place, (None, 0))
        if value == last:
            return False
        if not count and len(self.seen) >= _REMEMBERED:
            self.seen = {key: found for key, found in self.seen.items() if found[1] > 1}
            if len(self.seen) >= _REMEMBERED:
                self.seen.clear()
        self.seen[place] = (value, count + 1)
        return count + 1 == MANY
