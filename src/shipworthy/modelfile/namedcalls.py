"""Names and templates in configurations of any library: what their loaders import, call or render.

Lightning's command line, torchtune, mmengine, AllenNLP, Haystack, Kedro, Rasa and MLServer import what a key such as
`type` or `class_path` names and call it with the values beside it; gluonts, fiddle and jsonpickle do the same with
objects that they wrote. A project's own classes are nobody's business here: only what starts programs, runs code or
reaches around imports is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex

if TYPE_CHECKING:
    from shipworthy.modelfile.templates import Trouble

# Roots that are no words of other programs, as `code`, `http`, `logging` and `requests` are.
_ROOT = (
    r"(?:os|posix|nt|subprocess|_posixsubprocess|pty|builtins|__builtin__|runpy|timeit|cProfile|codeop|pdb|bdb|doctest|"
    r"ctypes|_ctypes|importlib|pkgutil|marshal|cloudpickle|dill|shutil|socket|webbrowser|antigravity|pydoc|multiprocessing|"
    r"platform|operator|smtplib|ftplib|telnetlib|urllib|zipimport|pexpect|plumbum|pip|torch|numpy|pickle)"
)
_NAME = regex(rf"{_ROOT}(?:[.:][A-Za-z_]\w*){{1,6}}")
# Looked for one by one: several times faster than one expression
_MARKS = (
    *(f"{root}{end}".encode() for root in _ROOT[3:-1].split("|") for end in ".:\"'\\"),
    *(b"{{", b"{%", b"\\u00", b"\\x", b"\\U", b'"py/', b"__kind__", b"__gin__", b"%TAG", b"%2", b"%5", b"%6", b"%7"),
)
_PLAIN = regex(
    r"os[.:](?:path|PathLike|environ|getenv|getcwd|cpu_count|makedirs|mkdir|listdir|getpid|sep|fspath)\b.*|"
    r"(?:torch|numpy|operator|platform|urllib\.parse|multiprocessing)\b.*|pickle[.:](?!loads?$).*"
)
_THROUGH = regex(
    r"\w\.((?:os|posix)\.(?:system|popen|(?:exec|spawn)[lv]\w*|posix_spawnp?|startfile|remove|unlink|rmdir|kill)|"
    r"subprocess\.\w+|builtins\.(?:eval|exec|compile|__import__|getattr)|importlib\.import_module|runpy\.\w+)$"
)
_OF_LIBRARY = "an object"  # of gluonts or jsonpickle, whose names can't be words of other programs
_IMPORT = regex(
    rf"(?m)^(?:import|from)[ \t]+((?!torch|numpy|platform|operator){_ROOT})\b(?![ \t]+import[ \t]+path)"
)  # of gin
_TAG_AS = regex(r"(?m)^%TAG[ \t]+(![\w-]*!?)[ \t]+(\S{1,200})")
_DANGEROUS = frozenset(("torch.load", "torch.hub.load", "torch.jit.load", "numpy.load", "platform.popen"))
_KEY = regex(
    r"(?i)_*(?:target|type|types|cls|class|class_?name|class_?path|component|module|\w{0,40}_(?:class|module|fn)|"
    r"func|fn|factory|constructor|implementation|uses|import_path|imports|handler|service|loader|"
    r"entry_?points?|py/\w+|activation|__kind__)_*"
)
_PAIR = regex(r"(?<![\w/])([\w/]{2,60})[\"']?[ \t]*[:=][ \t]*[\"'@]{0,2}([A-Za-z_][\w.:]{3,200})")
_REFERENCE = regex(r"[=\[,(][ \t]*@(?:[\w/]{1,60}/)?([A-Za-z_][\w.]{3,200})")  # of gin
_TAG = regex(r"!(?:new|name|apply|applyref|module|call|factory|partial|class|func|obj):([A-Za-z_][\w.]{2,200})")
_INNER = regex(r"_|attr|\\")
_FEW, _LONG, _HANDLES = 50, 200, 5


def telling(raw: bytes) -> bool:
    """Whether a text may hold any of what is told here. For texts that are not read yet: to walk a value costs less."""
    return any(mark in raw for mark in _MARKS)


def acts(text: str) -> bool:
    """Whether a text, read as YAML, has something that is told here."""
    if not telling(text.encode("utf-8", "replace")):
        return False
    value = _read(text)
    return any(danger(name) for _, name in _named(value)) or any(_rendered(value))


def judge_text(scope: Scope, text: str, format_: str = "") -> None:
    """As `judge`, for a text that is YAML, or else whatever has keys and names."""
    judge(scope, _read(text), format_)


def rough(text: str) -> Iterator[tuple[str, str, str]]:
    """The dangerous names in a text that is no YAML, each once, with its key and why."""
    from shipworthy.modelfile import yamls

    seen: set[str] = set()
    plain = yamls.unescaped(text)
    pairs = [(found[1], found[2]) for found in _PAIR.finditer(plain)]
    for found in _IMPORT.finditer(plain):
        if "__gin__" in plain and found[1] not in seen:
            seen.add(found[1])
            yield "an import", found[1], "gives the values of this file to whatever it names"
    for key, name in [*pairs, *(("target", found[1]) for found in _REFERENCE.finditer(plain))]:
        if name not in seen and len(seen) < _FEW and _KEY.fullmatch(key) and (reason := danger(name)):
            seen.add(name)
            yield shown(key, 60), shown(name, 120), reason


def _read(text: str) -> Any:
    from shipworthy.modelfile import yamls

    plain = yamls.unescaped(text)
    tags = [found[0] for found in _TAG.finditer(unquote(plain))]
    for handle, prefix in _TAG_AS.findall(plain)[:_HANDLES]:
        spelled = (prefix + found[1] for found in re.finditer(re.escape(handle) + r"([\w.%]{0,200})", plain))
        tags += list(islice((tag for tag in map(unquote, spelled) if _TAG.fullmatch(tag)), _FEW))
    tagged = [{"class": tag.partition(":")[2]} for tag in tags]  # of HyperPyYAML
    try:
        return [yamls.document(text).value, *tagged]
    except yamls.UnreadYamlError:
        return [*tagged, *({found[1]: found[2]} for found in _PAIR.finditer(yamls.unescaped(text)))]


def judge(scope: Scope, value: Any, format_: str = "") -> None:
    """Report every name in a configuration that no honest one has there, and templates that leave their sandbox."""
    seen: set[str] = set()
    for key, text in _named(value):
        if key == "_target_" and format_ == "hydra":  # told by its own reader
            continue
        if text not in seen and len(seen) < _FEW and (reason := danger(text, key == _OF_LIBRARY)):
            seen.add(text)
            where = shown(text, 120)
            message = f"{shown(key, 60)} names {where}, which {reason}: what builds objects from this file calls it"
            scope.issue(Code.CODE_EXECUTION, "critical", message, None, where)
    for _, item in _containers(value):
        library = item.get("custom_ops_library") if isinstance(item, dict) else None  # of ONNX Runtime's generation
        if isinstance(library, str) and library:
            message = f"custom_ops_library is {shown(library, 120)}: loading the model loads that native code"
            scope.issue(Code.REMOTE_CODE, "high", message, None, shown(library, 120))
    for key, trouble in _rendered(value):
        message = f"the template of {shown(key, 60)}: {trouble.message}"
        scope.issue(trouble.code, "high", message, None, shown(trouble.asks, 120))


def danger(text: str, written: bool = False) -> str:
    """Why a dotted name is dangerous, or nothing. `written`: a library wrote it, to build an object anew."""
    dotted = text.replace(":", ".")
    inner = _THROUGH.search(dotted)  # whatever module has imported it
    if inner is None and not written and not _NAME.fullmatch(dotted):
        return ""
    dotted = inner[1] if inner else dotted
    if _PLAIN.fullmatch(dotted) and dotted not in _DANGEROUS:
        return ""
    module, _, name = dotted.rpartition(".")
    standing = standing_of(module.replace("__builtin__", "builtins"), name)
    return standing.reason if standing.kind is Kind.DANGEROUS else ""


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """The names that are called, each with the key that it stands under."""
    for key, item in _containers(value):
        if isinstance(item, list):
            if key.startswith("py/") or _KEY.fullmatch(key[:80]):
                yield from ((_key(key), inner) for inner in item if type(inner) is str and len(inner) < _LONG)
            continue
        if item.get("__kind__") and isinstance(item.get("class"), str):
            yield _OF_LIBRARY, item["class"]
        module, name, path = item.get("module"), item.get("name"), item.get("id")
        of_fiddle = key == "type" or item.get("type") == "pyref"
        if of_fiddle and isinstance(module, str) and isinstance(name, str):
            yield "module", f"{module}.{name}"
        if "lc" in item and isinstance(path, list):
            yield "id", ".".join(map(str, path[:20]))  # langchain
        for inner, held in item.items():
            if type(held) is not str or len(held) >= _LONG or type(inner) is not str:
                continue
            if key == "types" or inner.startswith("py/") or _KEY.fullmatch(inner[:80]):
                yield _key(inner), held


def _key(key: str) -> str:
    return _OF_LIBRARY if key.startswith("py/") else key


def _containers(value: Any) -> Iterator[tuple[str, Any]]:
    """Every dictionary and list, with the key that it stands under; a vocabulary's numbers and words cost no step."""
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        key, item = pending.pop()
        if isinstance(item, dict):
            yield key, item
            pending += ((str(inner), held) for inner, held in item.items() if type(held) in (dict, list))
        elif isinstance(item, list):
            yield key, item
            pending += ((key, inner) for inner in item if type(inner) in (dict, list))


def _rendered(value: Any) -> Iterator[tuple[str, Trouble]]:
    """Texts that are templates, of prompts, of catalogues, of references to parts of files, and leave the sandbox."""
    from shipworthy.modelfile import templates

    found = 0
    for key, item in _containers(value):
        pairs = item.items() if isinstance(item, dict) else ((key, inner) for inner in item)
        for name, text in pairs:
            if type(text) is not str or not ("{{" in text or "{%" in text) or not _INNER.search(text):
                continue
            wrong = (trouble for trouble in templates.troubles(text) if templates.leaves_sandbox(trouble))
            if trouble := next(wrong, None):
                found += 1
                yield str(name), trouble
                if found >= _FEW:
                    return
