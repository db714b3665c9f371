"""How much one client, and all of them together, may ask for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from math import ceil

_HEALTH = 16  # places for health checks beside the others


class Rates:
    """A bucket of tokens for each client: `rate` per second flow in, `burst` fit. The least recently seen clients are
    forgotten when there are more than `clients`."""

    def __init__(self, rate: float, burst: int, clients: int) -> None:
        self._rate, self._burst, self._clients = rate, float(max(burst, 1)), clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str, now: float) -> int:
        """Take a token; 0 when there was one, else after how many seconds there will be (at least 1)."""
        if self._rate <= 0:
            return 0
        with self._lock:
            tokens, then = self._buckets.pop(client, (self._burst, now))
            tokens = min(self._burst, tokens + max(now - then, 0.0) * self._rate)
            enough = tokens >= 1
            self._buckets[client] = (tokens - 1 if enough else tokens, now)
            while len(self._buckets) > self._clients:
                self._buckets.popitem(last=False)
        return 0 if enough else max(ceil((1 - tokens) / self._rate), 1)

    def __len__(self) -> int:
        return len(self._buckets)


class Places:
    """How many requests are being answered: those beyond `most` are turned away, apart from health checks."""

    def __init__(self, most: int) -> None:
        self._most, self._active, self._health = most, 0, 0
        self._lock = threading.Lock()

    def enter(self, *, health: bool) -> bool:
        """Take a place; False when there is none."""
        with self._lock:
            if health and self._health < _HEALTH:
                self._health += 1
                return True
            if health or self._active >= self._most:
                return False
            self._active += 1
            return True

    def leave(self, *, health: bool) -> None:
        """Give the place back."""
        with self._lock:
            if health:
                self._health -= 1
            else:
                self._active -= 1

    @property
    def active(self) -> int:
        """Requests that are being answered, without health checks."""
        return self._active
