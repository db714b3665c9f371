"""Makes `plain_methods.txt`: the methods that `operator.methodcaller` may name in a pickle.

    python scripts/list_methods.py FILE SITE-PACKAGES...

Of texts, arrays and frames the public methods that only compute: what `methodcaller` makes is called with the user's
data, later, and whose method it is nobody knows. So a name is struck when a method of that name in any class of these
libraries reaches files, programs, the network or imports. It may be called without arguments only (`0` behind it) if
one of them takes a path, text to run or a function. What is compiled, or makes memory by a number, is struck by name.
"""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from allow_sources import HIGHER_ORDER, Sources, decorated, takes_callables
from honest_corpus import PACKAGES
from list_called import Methods
from make_allow_table import PATH_LIKE

FRAMES = (
    "pandas.core.frame:DataFrame",
    "pandas.core.series:Series",
    "pandas.core.indexes.base:Index",
    "scipy.sparse._csr:csr_matrix",
    "scipy.sparse._csr:csr_array",
)
# Of texts and arrays: what writes, imports a codec, formats by the text's own rules, or takes memory by a number
COMPILED = frozenset(
    "tofile dump dumps setfield getfield setflags put itemset resize repeat choose byteswap view newbyteorder "
    "partition format format_map encode translate zfill center ljust rjust expandtabs join replace".split()
)
ACTS = re.compile(
    HIGHER_ORDER.pattern + r"|^agg|^transform|^map|^pipe|^query|^to_(?!numpy$|frame$|list$|dict$|flat_index$)|^from_|"
    r"^plot|^hist|^boxplot|^info$|^style$|^resample|^asfreq|^reindex|^sample$|^groupby|^rolling|^expanding|^ewm|^set_|"
    r"^insert|^update|^pop|^rename|^assign|^add_|^drop_|^combine|^corrwith|^interpolate|^filter|^replace|^where|^mask|^tz_"
)
TAKES = re.compile(
    r"^(?:buf|func|function|funcs|expr|regex|pat|engine|rule|freq|code|callback|cb|hook|command)$|_fn$|^aggfunc$"
)


def methods_of(sources: Sources, key: str) -> Methods:
    """The methods of a class and of those above it."""
    found: Methods = {}
    for module, node, _ in sources.mro(key)[0]:
        for item in node.body:
            if getattr(item, "args", None) is not None:
                found.setdefault(item.name, (module, item))
    return found


def names(sources: Sources) -> set[str]:
    """What texts, arrays and frames have, less what acts by its name."""
    found = set(dir(str)) | {name for name in dir(np.ndarray) if callable(getattr(np.ndarray, name))}
    found -= COMPILED
    for key in FRAMES:
        methods = methods_of(sources, key)
        found |= {
            name for name, (_, item) in methods.items() if not decorated(item, "property", "setter", "cache_readonly")
        }
    return {name for name in found if not name.startswith("_") and not ACTS.search(name)} - COMPILED


def takes(item: Any) -> bool:
    """Whether a method is given what it may open, run or call."""
    arguments = [*item.args.posonlyargs, *item.args.args, *item.args.kwonlyargs]
    return takes_callables(item) or any(PATH_LIKE.search(part.arg) or TAKES.search(part.arg) for part in arguments)


def struck(sources: Sources, wanted: set[str], bare: set[str]) -> dict[str, str]:
    """Name -> a class whose method of that name reaches more than its own object; those that take it go into `bare`."""
    found: dict[str, str] = {}
    for module in list(sources.modules.values()):
        for qualname, node in module.classes.items():
            own = [item for item in node.body if getattr(item, "args", None) is not None and item.name in wanted]
            for item in own:
                if item.name not in found and not decorated(item, "property"):
                    key = f"{module.name}:{qualname}"
                    if sources.runs_code(module, item, methods_of(sources, key)):
                        found[item.name] = key
                    elif takes(item):
                        bare.add(item.name)
    return found


def main() -> None:
    """Command line."""
    gc.disable()
    out, *roots = sys.argv[1:]
    every: set[str] = set()
    bad: dict[str, str] = {}
    bare: set[str] = set()
    for root in roots:
        sources = Sources()
        sources.read(Path(root), set(PACKAGES))
        wanted = names(sources)
        every |= wanted
        bad |= struck(sources, wanted, bare)
        gc.collect()
    for name, where in sorted(bad.items()):
        print(f"struck: {name}, for {where}", file=sys.stderr)
    begin = "# Made by scripts/list_methods.py; see there for what it means. Not edited by hand.\n"
    lines = [name + " 0" * (name in bare) for name in sorted(every - set(bad))]
    Path(out).write_text(begin + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
