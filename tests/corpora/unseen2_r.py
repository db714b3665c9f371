"""Held-out attacks: R. The files are written by R (unseen2_write.R)."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

from corpora.unseen_units import BOMB, BROKEN, CALL, HIDDEN, NAME, STATE, Attack, written

ANY = CALL | NAME | STATE | HIDDEN | {"model-dangerous-operator"}
READ = 'x <- readRDS("m.rds"); '
LOAD = 'load("m.RData"); '
NEW = "predict(x, data.frame(x = 1))"


def attacks() -> Iterator[Attack]:
    table = {
        "promise": ("a promise in an environment runs when the value is touched (CVE-2024-27322)", READ + "x$weights"),
        "promise-ascii": ("the same as text", READ + "x$weights"),
        "promise-attribute": ("the promise is in an attribute's environment, xz", READ + "attr(x$b, 'e')$weights"),
        "active-binding": ("an active binding calls its function when it is read", READ + "x$weights"),
        "terms-predvars": ("predict evaluates the predvars of an honest lm's terms", READ + NEW),
        "call-update": ("update evaluates the call that an honest lm keeps", READ + "update(x)"),
        "family-function": ("predict calls the link function of an honest glm", READ + "predict(x, data.frame(x = 1), type = 'response')"),
        "loess-terms": ("predict evaluates the predvars of a loess", READ + "predict(x, data.frame(x = 3))"),
        "nls-predict": ("a model's element predict is a function", READ + "x$predict()"),
        "function-srcref": ("printing the function shows another source than what runs", READ + "x(1)"),
        "function-bytecode": ("the function is byte code", READ + "x()"),
        "expression-eval": ("an expression waits for eval", READ + "eval(x[[1]])"),
        "formula-call": ("a formula's term is a call; model.frame evaluates it", READ + "model.frame(x$formula, data.frame(y = 1, x = 1))"),
        "first": (".RData brings .First, which R runs when it starts in the folder", "system2(file.path(R.home('bin'), 'exec', 'R'), c('--no-save', '--no-echo', '-e', '1'), stdin = '/dev/null')"),
        "last": (".RData brings .Last, which R runs when it ends", 'load(".RData"); q("no", runLast = TRUE)'),
        "mask-predict": ("load puts a function predict before the library's", LOAD + "predict(model)"),
        "mask-print": ("load puts a print method for models in place", LOAD + "print(model)"),
        "mask-paren": ("load puts a function ( in place", LOAD + "(1)"),
        "promise-data": ("load binds a promise", LOAD + "weights"),
        "ascii-data": ("a method for [[ of the model's class, as text", LOAD + "model[['a']]"),
        "s4-package": ("the class of an S4 object names a package to load", READ + "isVirtualClass(class(x)); print(x)", "kept: loads the namespace of a package that is not installed here"),
        "object-environment": ("an R6-like object: an environment with methods of its own", READ + "x$predict(1)"),
        "attribute-function": ("a function in an attribute of a number", READ + "attr(x, 'print')()"),
        "function-namespace": ("a function whose environment is a package's namespace", READ + "x()"),
        "raw-inside": ("a raw vector is serialized R again, as boosters keep themselves", READ + "unserialize(x$raw)$weights"),
        "little-endian": ("the promise in little-endian binary", READ + "x$weights"),
        "twice": ("a second object behind an honest model in one stream", 'f <- gzcon(file("m.rds", "rb")); unserialize(f); unserialize(f)$weights'),
        "dump": ("an R script as dump writes it, which source runs", 'source("m.R"); act()'),
        "lazy-database": ("a lazy-load database whose object holds a promise", 'lazyLoad("m"); model$weights'),
        "deep-lists": ("200,000 lists in lists", READ, "bomb"),
        "compact-bomb": ("a compact sequence of 2 * 10^9 numbers in a few bytes", READ + "x[1] <- 2L", "bomb"),
    }  # fmt: skip
    for what, (does, use, *proof) in table.items():
        rules = BOMB | BROKEN | CALL if proof == ["bomb"] else ANY
        if what == "dump":
            rules = ANY | {"model-foreign-content", "model-config-remote-code"}
        yield Attack(f"r/{what}", "r", written(f"r/{what}"), "R 4.2.2", use, does, rules, "r", *(proof or ["mark"]))
    yield from _assembled()


def _assembled() -> Iterator[Attack]:
    """Items that R's own writer does not write this way; the layout is that of src/main/serialize.c."""
    head = b"X\n" + struct.pack(">iii", 3, 0x40202, 0x30500) + struct.pack(">i", 5) + b"UTF-8"
    old = b"X\n" + struct.pack(">iii", 2, 0x40202, 0x20300)
    i = lambda *v: struct.pack(f">{len(v)}i", *v)  # noqa: E731
    char = lambda s: i(0x40009, len(s)) + s.encode()  # noqa: E731
    sym = lambda s: i(1) + char(s)  # noqa: E731
    nil = i(0xFE)
    text = lambda s: i(16, 1) + char(s)  # noqa: E731
    call = i(6) + sym("system") + i(2) + text("touch /tmp/MARK") + nil
    promise = i(5) + i(0xFC) + call  # PROMSXP without tag: value is missing, then the expression
    tagged = i(5 | 0x400) + i(0xFD) + i(0xFC) + call  # with its environment (the global one)
    package = i(0xF9, 0, 1) + char("package:parallel")
    space = i(0xF8, 0, 2) + char("parallel") + char("4.2.2")
    altrep = i(238) + i(2) + sym("mmap_real") + i(2) + sym("payload") + i(2) + i(13, 1, 14) + nil + nil + nil
    wide = i(13, -1, 1 << 10, 0)
    persist = i(0xF7, 0, 1) + char("x")
    byte_code = i(21, 1) + i(13, 1, 12) + i(0)
    table = {
        "promise-top": ("the promise is the object itself", head + tagged, READ + "x"),
        "promise-list": ("a list of promises; printing evaluates", head + i(19, 1) + tagged, READ + "print(x)"),
        "promise-version-2": ("the same in version 2", old + tagged, READ + "x"),
        "promise-bare": ("a promise without an environment", head + promise, READ + "x"),
        "namespace": ("a reference to a namespace loads that package", head + space, READ + "print(x)", "kept: loads the package parallel, which is installed and honest here"),
        "package": ("a reference to a package's environment attaches it", head + package, READ + "print(x)", "kept: attaches a package that is installed"),
        "altrep-package": ("an ALTREP class of a package that has to be loaded", head + altrep, READ, "kept: the package is not installed here"),
        "long-vector": ("a vector of 2^42 numbers", head + wide, READ, "bomb"),
        "persistent": ("a persistent name, for readers with a hook", head + persist, "x <- readRDS('m.rds', refhook = function(n) system('touch /tmp/MARK'))"),
        "call": ("a call waits for eval", head + call, READ + "eval(x)"),
        "byte-code": ("byte code that no compiler wrote", head + byte_code, READ, "kept: R reads it; whoever calls it jumps into it"),
        "negative": ("a vector of negative length", head + i(14, -7), READ, "kept: R refuses it"),
    }  # fmt: skip
    for what, (does, data, use, *proof) in table.items():
        rules = ANY | BROKEN | (BOMB if what == "long-vector" else frozenset())
        yield Attack(
            f"r/{what}",
            "r",
            {"m.rds": gzip.compress(data, mtime=0)},
            "R 4.2.2",
            use,
            does,
            rules,
            "r",
            *(proof or ["mark"]),
        )
