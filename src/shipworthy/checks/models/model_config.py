"""Configuration beside a model that runs code when it is loaded: YAML that builds objects, templates, foreign code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from shipworthy.check import Canary, Context, Yielded, check
from shipworthy.checks.models import _started
from shipworthy.checks.models._unjudged import NO_MODEL
from shipworthy.checks.models.model_file import _RULES, TEMPLATE_ESCAPE, YAML_OBJECT, findings_of
from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Finding, Severity, Skipped
from shipworthy.modelfile import Code, pointers, scan, scan_bytes
from shipworthy.patterns import regex
from shipworthy.records import replace

_LIMIT = 16 * 1024 * 1024
_SOURCE, _SOURCES, _COMPILED = 2 << 20, 5_000, 8
_TEMPLATE_NAMES = frozenset({"tokenizer_config.json", "chat_template.json", "processor_config.json"})
_TEMPLATES = (".jinja", ".jinja2", ".j2", ".prompty")
_LISTS = ("modules.json", "model_index.json", "config.json", "template.json")  # of the Hugging Face libraries
_NAMING = (*_LISTS, ".yaml", ".yml", ".json", ".gin")
_INNER_HOST = regex(r"\w+://(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|\[|0\.|\d+[/:])")
_INCLUDED = regex(r"!include:[ \t]*[\"']?([^\s\"',}\]]{1,300})")
_SET_FOR_R = regex(
    r"(?m)^[ \t]*(?:export[ \t]+)?(R_PROFILE(?:_USER)?|R_ENVIRON(?:_USER)?|LD_PRELOAD|R_DEFAULT_PACKAGES)[ \t]*="
)
_TELLING = frozenset(
    {
        Code.REMOTE_CODE,
        Code.TEMPLATE_ESCAPE,
        Code.YAML_OBJECT,
        Code.CODE_EXECUTION,
        Code.BOMB,
        Code.UNKNOWN_CALLABLE,
        Code.UNKNOWN_NAME,
        Code.KERAS_FOREIGN_CLASS,
        Code.KERAS_LAMBDA,
        Code.PATH_TRAVERSAL,
        Code.EXTERNAL_DATA,
        Code.FOREIGN_CONTENT,
    }
)
RULES = tuple(rule for code, rule in _RULES.items() if code in _TELLING)


def judges(artifact: Artifact) -> bool:
    """Whether its name is one of configurations that this check looks at."""
    name = artifact.uri.rpartition("/")[2]
    if name in ("MLmodel", _started.PROJECT, _started.ENVIRONMENT) or name in _started.PROFILES:
        return True
    if name == "README.md":
        return True
    known = name.lower().endswith((".yaml", ".yml", *_TEMPLATES, *_LISTS))
    return known or bool(_started.started(artifact) or _started.unusual(artifact)) or _started.is_dumped(artifact)


def code_beside(context: Context) -> str:
    """A digest of the Python files in a tree that has such lists: what is said of a list depends on them."""
    sources: list[Path] = []
    lists = False  # or files that decide which code is run
    for folder, folders, files in os.walk(context.root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "node_modules")))
        lists = lists or any(_started.decides(name, folder) or name.lower().endswith(_NAMING) for name in files)
        sources += (Path(folder, name) for name in sorted(files) if name.endswith((".py", ".pyc", ".so", ".pyd")))
        if len(sources) > _SOURCES:
            return str(time.time_ns())  # nothing is kept
    digest = hashlib.sha256()
    for path in sources if lists else ():
        with contextlib.suppress(OSError):
            if (path.suffix != ".py" or path.stat().st_size <= _SOURCE) and stat.S_ISREG(path.stat().st_mode):
                with path.open("rb") as stream:  # of what is compiled, only what kind it is counts
                    raw = stream.read(-1 if path.suffix == ".py" else _COMPILED)
                digest.update(f"{path}\0".encode("utf-8", "replace") + hashlib.sha256(raw).digest())
    return digest.hexdigest()


def bases(artifact: Artifact) -> str:
    """A digest of what a configuration of mmengine is made of, which may lie outside of the tree."""
    from shipworthy.modelfile import mmengine

    path = artifact.path
    if path is None or path.suffix.lower() not in (".py", ".json", ".yaml", ".yml"):
        return ""
    digest = hashlib.sha256()
    found = mmengine.bases(path)
    for file in found:
        with contextlib.suppress(OSError), file.open("rb") as stream:
            digest.update(f"{file}\0".encode("utf-8", "replace") + hashlib.sha256(stream.read(_SOURCE)).digest())
    return digest.hexdigest() if found else ""


@check(
    "model-config",
    version=16,
    kinds={"code", "text", "requirements", "iac", "workflow", "prompt", "model"},
    accepts=judges,
    cache_on=code_beside,
    cache_beside=bases,
    canary=Canary(files={"MLmodel": b"model: !!python/object/apply:os.system [echo]\n"}, rule=YAML_OBJECT.id),
)
def run(artifact: Artifact, context: Context) -> Yielded:
    """Look for what loads code in YAML, JSON and Jinja files. Nothing is loaded or rendered."""
    if artifact.path is not None and (runs := _started.started(artifact)):
        from shipworthy.modelfile import localcode

        if artifact.path.suffix != ".py":
            yield _RULES[Code.REMOTE_CODE].at(artifact, f"{runs} this as Python code, which its name hides")
            return
        yield from findings_of(artifact, localcode.run(artifact.path, runs, (*context.trust, *_started.SERVERS)))
        return
    if artifact.path is not None and (runs := _started.unusual(artifact)):
        from shipworthy.modelfile import localcode, mmengine

        more = mmengine.scripts(artifact.path) if runs.startswith("mmengine") else []
        for path in dict.fromkeys((artifact.path, *more)):
            yield from findings_of(artifact, localcode.run(path, runs, context.trust, foreign=False))
        return
    if artifact.size > _LIMIT:
        yield Skipped(artifact, f"larger than {_LIMIT >> 20} MiB")
        return
    try:
        with artifact.open() as stream:
            raw = stream.read()
    except (OSError, ShipworthyError):
        yield Skipped(artifact, "it cannot be read")
        return
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    name = artifact.uri.rpartition("/")[2].lower()
    if name.endswith(".r") or artifact.uri.rpartition("/")[2] in _started.PROFILES:
        yield from _r(artifact, text)
    elif name == _started.ENVIRONMENT.lower():
        for match in _SET_FOR_R.finditer(text):
            message = f"R sets {match[1]} at each start in this folder, which has it run or load what that names"
            yield _RULES[Code.CODE_EXECUTION].at(artifact, message, key=match[1], severity=Severity.HIGH)
    elif name == "readme.md":
        yield from _card(artifact, text)
    elif name == _started.PROJECT.lower():
        yield from _project(artifact, text)
    elif name.endswith(".json") and pointers.is_pointer(raw):
        yield Skipped(artifact, pointers.REASON)
    elif name.endswith(".json"):
        yield from _json(artifact, name, raw, context.trust)
    elif name.endswith(_TEMPLATES):
        # Web pages and servers have templates too, which load others and have filters of their own.
        yield from (
            _chat(artifact, text)
            if "chat" in artifact.uri.lower().rpartition("/")[0][-40:] + name
            else _template(artifact, text)
        )
    elif name == "mlmodel":
        yield from _mlmodel(artifact, raw, text, context.trust)
    else:
        yield from _yaml(artifact, name, text, context.trust)


def _r(artifact: Artifact, text: str) -> Iterator[Finding | Skipped]:
    """R source that is run to be read, or whenever R starts in its folder."""
    from shipworthy.modelfile.rdata import source

    name = artifact.uri.rpartition("/")[2]
    profile = name in _started.PROFILES
    who = "R runs this at each start in its folder" if name[-2:] != ".R" else "R runs this when it is read"
    told = source.judge(text)
    for what, line in told.acts:
        message = f"{who}, and it {what}: review it first"
        yield _RULES[Code.CODE_EXECUTION].at(artifact, message, key=what, line=line, severity=Severity.HIGH)
    if told.unsure and not profile and source.is_dump(text):
        yield Skipped(artifact, f"a value as R source, which is run to be read: {told.unsure}")


def _card(artifact: Artifact, text: str) -> Iterator[Finding]:
    """The head of a data set's card, by which `datasets` finds the files to read."""
    from shipworthy.modelfile import yamls
    from shipworthy.modelfile.paths import escapes

    head = text[4:].partition("\n---")[0] if text.startswith("---\n") else ""
    if "data_files" not in head:
        return
    try:
        value = yamls.document(head).value
    except yamls.UnreadYamlError:
        return
    configs = value.get("configs") if isinstance(value, dict) else None
    pending = (
        [item.get("data_files") for item in configs if isinstance(item, dict)] if isinstance(configs, list) else []
    )
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending.append(item.get("path"))
        elif isinstance(item, str) and escapes(item) and not item.startswith("hf://"):
            local = "://" not in item or item.startswith("file:")
            does = "lies outside of the folder" if local else "is fetched from elsewhere"
            rule = _RULES[Code.PATH_TRAVERSAL if local else Code.EXTERNAL_DATA]
            severity = Severity.HIGH if local or _INNER_HOST.match(item) else Severity.MEDIUM
            message = f"`datasets` reads {ascii(item)[:120]}, which {does}, as data of this set"
            yield rule.at(artifact, message, key=item[:100], severity=severity)


def _project(artifact: Artifact, text: str) -> Iterator[Finding | Skipped]:
    """The commands of an MLproject."""
    from shipworthy.modelfile import mlflow, yamls

    try:
        value = yamls.document(text).value
    except yamls.UnreadYamlError as error:
        yield Skipped(artifact, f"its YAML is of a kind that this version does not read ({ascii(str(error))[1:80]})")
        return
    for volume in mlflow.mounts(value):
        message = f"`mlflow run` gives the container the volume {volume}: what is there is no part of the project"
        yield _RULES[Code.PATH_TRAVERSAL].at(artifact, message, key=volume, severity=Severity.HIGH)
    for name, does in mlflow.commands(value):
        message = f"`mlflow run` starts a shell for the entry point {name}, which {does}: review it first"
        yield _RULES[Code.CODE_EXECUTION].at(artifact, message, key=name, severity=Severity.HIGH)


def _yaml(artifact: Artifact, name: str, text: str, trust: Sequence[str]) -> Iterator[Finding | Skipped]:
    from shipworthy.modelfile import View, hydra, yamlfiles, yamls
    from shipworthy.modelfile.engine import scan_view
    from shipworthy.modelfile.paths import escapes

    for kind, tag, line in yamls.python_tags(text):
        # MkDocs needs names of functions in its own file, which it reads with a loader of its own.
        if yamls.is_plain(tag) or (kind == "name" and name in ("mkdocs.yml", "mkdocs.yaml")):
            continue
        message = tag if kind == "directive" else f"the tag {tag} builds a Python object"
        yield YAML_OBJECT.at(artifact, message, line=line or None)
    for found in _INCLUDED.finditer(text):
        if escapes(found[1]):
            message = f"the tag !include reads {ascii(found[1])[:80]}, outside of the folder"
            yield _RULES[Code.PATH_TRAVERSAL].at(artifact, message, key=found[1], severity=Severity.HIGH)
    if wrong := yamls.unfolds(text):
        yield _RULES[Code.BOMB].at(artifact, f"{wrong}: whoever walks or prints it runs out of time or memory")
        return
    view = View.of(text.encode("utf-8", "replace"))
    if kind := yamlfiles.kind(view, _LIMIT):
        report = scan_view(view, trust=trust, path=artifact.path)
        # a project's own classes are nobody's business here
        acting = (Code.CODE_EXECUTION, Code.TEMPLATE_ESCAPE)
        told = tuple(
            i
            for i in report.issues
            if i.code in acting
            or i.callable == hydra.UNSEEN
            or (i.severity == "high" and (i.where.member or i.code is Code.REMOTE_CODE))
        )
        yield from findings_of(artifact, replace(report, issues=told))
        if report.unknowns and not told and kind == "hydra":
            yield Skipped(artifact, f"it names what is to be built by `_target_`: {report.unknowns[0]}")


def _json(artifact: Artifact, name: str, raw: bytes, trust: Sequence[str]) -> Iterator[Finding | Skipped]:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        from shipworthy.modelfile import namedcalls

        if name in _TEMPLATE_NAMES or b'"auto_map"' in raw:
            yield Skipped(artifact, "it is not valid JSON")
        for key, called, reason in namedcalls.rough(raw.decode("utf-8", "replace")):  # libraries read more than JSON
            message = f"{key} names {called}, which {reason}: what builds objects from this file calls it"
            yield _RULES[Code.CODE_EXECUTION].at(artifact, message, key=called, severity=Severity.CRITICAL)
        return
    yield from _judged(artifact, raw, "json", trust)


def _mlmodel(artifact: Artifact, raw: bytes, text: str, trust: Sequence[str]) -> Iterator[Finding | Skipped]:
    """MLflow takes a file for a model's by its name, however its keys are spelled."""
    from shipworthy.modelfile import yamls

    report = scan_bytes(raw, trust=trust)
    if report.format in ("mlflow", "yaml", "json"):
        yield from _judged(artifact, raw, "mlflow", trust)
        return
    try:
        value = yamls.document(text).value
    except yamls.UnreadYamlError as error:
        yield Skipped(artifact, f"its YAML is of a kind that this version does not read ({ascii(str(error))[1:80]})")
        return
    if isinstance(value, dict) and "flavors" in value:
        yield Skipped(artifact, "its keys are spelled as MLflow does not write them")


def _judged(artifact: Artifact, raw: bytes, format_: str, trust: Sequence[str]) -> Iterator[Finding | Skipped]:
    """What loading a model by this file would run. Other programs have files of these names too: what is not known is
    left alone.
    """
    report = scan_bytes(raw, trust=trust) if artifact.path is None else scan(artifact.path, trust=trust)
    if report.format in (format_, "yaml", "json"):
        yield from (found for found in findings_of(artifact, report) if found.rule in RULES)
        unread = [reason for reason in report.unknowns if report.format == "mlflow" or not NO_MODEL.match(reason)]
        if unread and report.format != "yaml":
            yield Skipped(artifact, unread[0])


def _chat(artifact: Artifact, text: str) -> Iterator[Finding | Skipped]:
    from shipworthy.modelfile import templates

    for trouble in templates.troubles(text):
        rule = _RULES[trouble.code]
        if rule not in RULES:
            yield Skipped(artifact, f"the template: {trouble.message}")
            continue
        line = text.count("\n", 0, trouble.at) + 1
        severity = Severity(trouble.severity)
        message = f"the template: {trouble.message}"
        yield rule.at(artifact, message, key=trouble.asks or trouble.message, line=line, severity=severity)


def _template(artifact: Artifact, text: str) -> Iterator[Finding]:
    from shipworthy.modelfile import templates

    for trouble in templates.troubles(text):
        escape = trouble.code is Code.TEMPLATE_ESCAPE and trouble.severity == Severity.HIGH.value
        if escape and templates.leaves_sandbox(trouble):
            line = text.count("\n", 0, trouble.at) + 1
            yield TEMPLATE_ESCAPE.at(artifact, f"the template: {trouble.message}", key=trouble.asks, line=line)
            return
