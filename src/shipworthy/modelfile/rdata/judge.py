"""R's .rds and .RData: what would run when the file is read, looked at or used.

Reading restores promises and active bindings, whose code runs as soon as somebody touches the value
(CVE-2024-27322); functions and formulas run when the model is used.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from shipworthy.modelfile import hints
from shipworthy.modelfile.rdata.database import OBJECT
from shipworthy.modelfile.rdata.stream import CutShortError, opened
from shipworthy.modelfile.rdata.walk import BINDING, CODE, DATA, PROMISE, Found, walk
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

# what these functions do; names that no variable of an honest model has are looked for among arguments as well
_ACTS: dict[str, str] = {
    **dict.fromkeys(("system", "system2", "shell", "shell.exec", "pipe", "popen"), "starts programs"),
    **dict.fromkeys(("dyn.load", "library.dynam", "getNativeSymbolInfo"), "loads native code"),
    **dict.fromkeys((".Internal", ".External2", ".External.graphics", ".C", ".Fortran"), "calls native code"),
    **dict.fromkeys(("source", "sys.source", "attach", "load", "readRDS", "unserialize", "loadRDS", "lazyLoad"),
                    "reads and runs what lies in files"),
    **dict.fromkeys(("download.file", "download.packages", "install.packages", "url", "curlGetHeaders", "url.show",
                     "socketConnection", "serverSocket", "make.socket", "browseURL", "update.packages"),
                    "reaches out to the network"),
    **dict.fromkeys(("unlink", "file.remove", "file.rename", "file.copy", "file.create", "file.append", "file.symlink",
                     "dir.create", "writeLines", "writeBin", "writeChar", "write", "write.table", "write.csv", "dput",
                     "dump", "sink", "saveRDS", "save", "save.image", "Sys.chmod", "file.link", "unz", "gzfile",
                     "bzfile", "xzfile", "file", "fifo", "open", "readLines", "readBin", "scan", "readline",
                     "list.files", "list.dirs", "untar", "unzip", "file.edit", "setwd"), "reads or writes files"),
    **dict.fromkeys(("Sys.setenv", "Sys.unsetenv", "Sys.getenv", "options", "setHook", "addTaskCallback", "trace",
                     "reg.finalizer", "registerS3method", "makeActiveBinding", "delayedAssign", "unlockBinding",
                     "assignInNamespace", "assignInMyNamespace", "environment<-", "body<-", "quit", "q", "Sys.kill",
                     "globalCallingHandlers", "assignInNamespace", "fixInNamespace", ".First.sys", "tools::pskill"),
                    "changes the session"),
}  # fmt: skip
_COMPUTED = frozenset(("eval", "evalq", "eval.parent", "parse", "str2lang", "str2expression", "do.call", "get", "get0",
                       "mget", "match.fun", "dynGet", "exists", "Recall", "assign", "getAnywhere", "getFromNamespace",
                       "getExportedValue", "library", "require", "loadNamespace", "requireNamespace", "as.function",
                       "as.call", "call", "rapply", "outer", "Reduce", "Filter", "Map", ".Call", ".External",
                       "cat", "with", "local", "within", "bquote", "callGeneric"))  # fmt: skip
_STRONG = frozenset(("system", "system2", "shell", "shell.exec", "pipe", "dyn.load", "library.dynam", "sys.source",
                     "download.file", "install.packages", "socketConnection", "unlink", "file.remove", "writeLines",
                     "readRDS", "Sys.setenv", "reg.finalizer", "makeActiveBinding", "delayedAssign"))  # fmt: skip
_DEFERRED = frozenset(("compact_intseq", "compact_realseq", "deferred_string", "wrap_integer", "wrap_real",
                       "wrap_logical", "wrap_complex", "wrap_raw", "wrap_string", "wrap_list"))  # fmt: skip
_MAPPED = frozenset(("mmap_integer", "mmap_real"))
_ADVICE = "do not load it; keep the model in a format without code, such as PMML or ONNX"
_ENVIRONMENT = regex(r"env::\d{1,9}")
# packages that come with R, or are recommended by it
_WITH_R = frozenset(
    ".GlobalEnv compiler grid parallel tools stats4 splines tcltk Matrix MASS lattice nlme mgcv survival boot class "
    "cluster codetools foreign KernSmooth nnet rpart spatial".split()
)
_SHOWN = 8
_LONGEST = 1 << 30


@cache
def _table() -> dict[str, frozenset[str]]:
    text = files("shipworthy.modelfile.rdata").joinpath("functions.txt").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if "\t" in line and not line.startswith("#")]
    return {package: frozenset(names.split(" ")) for package, names in rows}


def read(scope: Scope, format_: str) -> int:
    """Walk the serialization; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    found = opened(view)
    if found is None:
        scope.issue(Code.BROKEN_STREAM, "medium", "the header of R's format does not name one of its spellings", 0)
        return size
    stream, _whole = found
    seen = Found()
    try:
        version = stream.integer()
        stream.integer()
        stream.integer()
        if version == 3:
            stream.text(stream.integer())
        if version not in (2, 3):
            scope.unknown(f"version {version} of R's format is not known to this version")
            return size
        walk(stream, seen)
    except CutShortError as error:
        at = error.args[0] if error.args else None
        scope.issue(Code.BROKEN_STREAM, "high", "the R data is cut short, or an item is none that R writes", at)
    else:
        rest = view.read(stream.at, size)[:65536] if size - stream.at < 8 else b"x"
        if stream.at < size and rest.strip(b"\r\n "):
            message = f"{size - stream.at} bytes follow the R data"
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", message, stream.at)
            rest_view = view.sub(stream.at, size)
            scope.child(f"bytes at {stream.at}", rest_view, _role(rest_view, Role.TRAILER))
    _judge(scope, seen, format_ == OBJECT)
    return size


def _role(view: View, otherwise: Role) -> Role:
    """R's own format inside is read like a file: `unserialize` takes it."""
    return Role.FILE if hints.strong(view.head(64)) == "r" else otherwise


def _judge(scope: Scope, found: Found, kept: bool) -> None:
    if kept and found.promises:  # a database keeps environments as lists, with the promises that functions left
        scope.unknown("it holds promises: their code runs as soon as the values are looked at")
        found.promises.clear()
    _touched(scope, found)
    if kept and found.functions:  # of a database: packages are kept so, and their functions are programs
        scope.unknown("it holds functions: what those of a database do is not judged")
        found.calls = {key: at for key, at in found.calls.items() if key[1] not in (DATA, CODE)}
        found.symbols = {key: at for key, at in found.symbols.items() if key[1] not in (DATA, CODE)}
        found.texts = {key: at for key, at in found.texts.items() if key[1] not in (DATA, CODE)}
    _calls(scope, found)
    _packages(scope, found, kept)
    for low, size in found.raw:
        raw = scope.view.sub(low, size)
        scope.child(f"raw bytes at {low}", raw, _role(raw, Role.BLOB))
    if found.longest > _LONGEST:
        message = f"a sequence of {found.longest} numbers is kept by its ends: whoever changes it fills memory"
        scope.issue(Code.BOMB, "high", message)
    if found.overflow:
        scope.unknown("it holds more different names than are looked at")
    if found.lazy:
        scope.unknown(f"{found.lazy} values in its environments are computed when they are first used")
    if found.compiled:
        scope.unknown(f"it holds {found.compiled} functions in R's byte code, which this version does not verify")
    elif found.functions and not found.promises and not found.active:
        scope.trace_line(f"{found.functions} functions")


def _touched(scope: Scope, found: Found) -> None:
    """Code that runs by itself."""
    for at, place, what in [
        *((at, PROMISE, "a promise where no function has left one: its code runs") for at in found.promises),
        *((at, BINDING, "an active binding: its function runs") for at in found.active[:_SHOWN]),
    ]:
        names = [name for name, where in found.calls if where == place]
        texts = [text for text, where in found.texts if where == place]
        message = f"it holds {what} as soon as the value is looked at (CVE-2024-27322); {_ADVICE}"
        listed = ", ".join(ascii(text)[:80] for text in texts[:_SHOWN])
        head = names[0] if names else ""
        scope.issue(Code.CODE_EXECUTION, "critical", message, at, f"r:{shown(head)}" if head else "", listed)


def _trusted(scope: Scope, name: str) -> bool:
    return any(fnmatchcase(f"r:{name}", pattern) for pattern in scope.trust)


def _calls(scope: Scope, found: Found) -> None:
    known = {name for names in _table().values() for name in names}
    strange: set[str] = set()
    computed: set[str] = set()
    for (name, place), at in found.calls.items():
        label = f"r:{shown(name)}"
        if _trusted(scope, name):
            continue
        if name in _ACTS:
            where = "a function" if place == CODE else "code that runs by itself" if place != DATA else "a call"
            message = f"{where} in the file uses {shown(name)}, which {_ACTS[name]}; {_ADVICE}"
            texts = ", ".join(ascii(text)[:80] for text, spot in list(found.texts)[:_SHOWN] if spot == place)
            scope.issue(Code.CODE_EXECUTION, "high" if place in (DATA, CODE) else "critical", message, at, label, texts)
        elif name in _COMPUTED:
            computed.add(name)
        elif name not in known and name not in found.bound:
            strange.add(name)
    for (name, place), at in {**found.symbols, **found.texts}.items():
        if name in _STRONG and (name, place) not in found.calls and not _trusted(scope, name):
            message = f"code in the file names {name}, which {_ACTS[name]}; {_ADVICE}"
            scope.issue(Code.CODE_EXECUTION, "high", message, at, f"r:{name}")
    if computed:
        scope.unknown(f"its code calls what it computes ({', '.join(sorted(computed)[:_SHOWN])})")
    if strange:
        names = ", ".join(shown(name) for name in sorted(strange)[:_SHOWN])
        scope.unknown(f"its code calls functions that do not come with R: {names}")


def _packages(scope: Scope, found: Found, kept: bool) -> None:
    own = {*_table(), *_WITH_R}
    for (kind, name), at in found.packages.items():
        label = shown(name)
        scope.names([f"r:{label}"])
        if kind == "persistent object" and kept and _ENVIRONMENT.fullmatch(name):
            continue  # another object of the database
        if kind == "persistent object":
            scope.unknown(f"what the outside object {label} is does not follow from the file")
            message = f"it asks for the outside object {label}, which a hook of the loading program provides"
            scope.issue(Code.UNKNOWN_NAME, "medium", message, at, f"r:{label}")
        elif kind == "class":  # the package that defines it is loaded when the object is shown or used
            if name not in own and not _trusted(scope, name):
                scope.unknown(f"the class of an object comes from the R package {label}, which is loaded with it")
        elif name.removeprefix("package:") not in own and not _trusted(scope, name):
            scope.unknown(f"reading it loads the R package {label}")
    for (name, package), at in found.deferred.items():
        if name in _MAPPED:
            message = "it maps a file that it names into memory when it is read"
            paths = ", ".join(ascii(text)[:120] for text, _ in list(found.texts)[:_SHOWN])
            scope.issue(Code.EXTERNAL_DATA, "high", message, at, f"r:{name}", paths)
        elif package != "base" or name not in _DEFERRED:
            label = f"{shown(package)}:{shown(name)}"
            message = f"it is restored by the class {label}, for which R loads a package"
            scope.issue(Code.UNKNOWN_NAME, "medium", message, at, f"r:{label}")
