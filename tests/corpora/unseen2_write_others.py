"""Write files of the second held-out set that need other environments than torch; see unseen2_write.py."""

from __future__ import annotations

import traceback
from collections.abc import Callable


def write(what: str, place: Callable[[str], str]) -> None:
    from unseen2_write_graphs import coreml, executorch, paddle, tflite
    from unseen2_write_tables import boosters, flax, hdf5
    from unseen2_write_tensorflow import savedmodel

    for part in {"main": (coreml, hdf5, executorch, boosters, flax), "tf": (savedmodel, tflite), "pad": (paddle,)}[
        what
    ]:
        try:
            part(place)
        except Exception:
            print("FAILED", part.__name__)
            traceback.print_exc()
