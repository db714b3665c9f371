"""What the writers of the second held-out set share."""

from __future__ import annotations

import os

CANARY = "/tmp/outside/canary"
MARK = "/tmp/MARK"


class Evil:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/MARK",)
