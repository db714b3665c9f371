"""What the scan says of files, each in one line, to be compared between two forms of the package.

    printf '%s\\n' FILE... | PYTHONPATH=FORM python tests/fuzz/answers.py

The first line tells the form: `compiled` or `pure`.
"""

from __future__ import annotations

import sys

from shipworthy.modelfile import Limits, explain, scan
from shipworthy.modelfile.pickles import machine

LIMITS = Limits(output=16 << 20, spool=1 << 20, json=8 << 20)


def answer(path: str) -> str:
    """The report and the explanation, or the error."""
    try:
        return repr((scan(path, limits=LIMITS), explain(path, limits=LIMITS)))
    except Exception as error:
        return repr(error)


def main() -> None:
    """Command line."""
    print("pure" if str(machine.__file__).endswith(".py") else "compiled")
    for line in sys.stdin:
        print(answer(line.removesuffix("\n")).encode("ascii", "backslashreplace").decode())


if __name__ == "__main__":
    main()
