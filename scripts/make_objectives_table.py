"""Makes `src/shipworthy/modelfile/boosters/objectives.txt`: XGBoost's objectives, as the library itself lists them.

pip install xgboost; python scripts/make_objectives_table.py    # once per version: names are added, none removed
"""

from __future__ import annotations

import re
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "shipworthy" / "modelfile" / "boosters" / "objectives.txt"


def main() -> None:
    """Ask for an objective that does not exist: the answer names all that do."""
    import numpy as np
    import xgboost

    try:
        xgboost.train({"objective": "none:such"}, xgboost.DMatrix(np.zeros((4, 1)), np.zeros(4)), 1)
    except xgboost.core.XGBoostError as error:
        names = set(re.findall(r"Objective candidate: (\S+)", str(error)))
    old = TARGET.read_text("utf-8").splitlines() if TARGET.exists() else []
    versions = {
        xgboost.__version__,
        *(word for line in old[1:2] for word in line.removeprefix("# xgboost ").split(", ")),
    }
    names |= {line for line in old if line and not line.startswith("#")}
    head = [
        "# Made by scripts/make_objectives_table.py; not edited by hand.",
        f"# xgboost {', '.join(sorted(versions))}",
    ]
    TARGET.write_text("\n".join([*head, *sorted(names)]) + "\n")


if __name__ == "__main__":
    main()
