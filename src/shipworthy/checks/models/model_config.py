"""Configuration beside a model that runs code when it is loaded: YAML that builds objects, templates, foreign code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from shipworthy.check import Canary, Yielded, check
from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Finding, Rule, Severity, Skipped

_LIMIT = 16 * 1024 * 1024
_TAG = re.compile(r"python/(object|module|name)\b[/:]?[\w./:]{0,80}")
# `%TAG ! tag:yaml.org,2002:python/` lets the tags themselves do without the word.
_DIRECTIVE = re.compile(r"(?m)^%TAG[^\n]{0,200}python")
_TEMPLATE_NAMES = frozenset({"tokenizer_config.json", "chat_template.json", "processor_config.json"})
_ESCAPE = re.compile(
    r"__(?:class|globals|subclasses|mro|bases?|builtins|import|getattribute|dict|code|closure)__|\|\s*attr\s*\("
)

YAML_OBJECT = Rule(
    "model-config-yaml-object",
    title="A YAML file builds Python objects when it is loaded",
    severity=Severity.HIGH,
    description="Loaders other than `yaml.safe_load` call what such a tag names, with arguments from the file.",
    remedy="Remove the tag, and read the file with `yaml.safe_load` only.",
    taxonomy=("CWE-502", "AML.T0010.003", "AML.T0011.000", "LLM03:2025"),
    help="unsafe-model-deserialization",
)
TEMPLATE_ESCAPE = Rule(
    "model-config-template-escape",
    title="A template reaches for Python's internals",
    severity=Severity.HIGH,
    description="Chat templates are Jinja programs that run when a prompt is made. Honest ones never ask for classes, "
    "globals or builtins: that is how a template leaves its sandbox and runs commands.",
    remedy="Do not use the model. Find out who made the template.",
    taxonomy=("CWE-1336", "CWE-94", "AML.T0010.003", "LLM03:2025"),
    help="unsafe-model-deserialization",
)
FOREIGN_CODE = Rule(
    "model-config-remote-code",
    title="The model's configuration names Python code of another repository",
    severity=Severity.HIGH,
    description="`auto_map` with `owner/repository--module.Class` makes `trust_remote_code=True` download and run code "
    "that is not beside the model, in whatever state it is then.",
    remedy="Copy the reviewed code beside the model, or use a model that the library supports by itself.",
    taxonomy=("CWE-829", "CWE-494", "AML.T0010.001", "LLM03:2025"),
    help="unsafe-model-deserialization",
)


def _wanted(artifact: Artifact) -> bool:
    name = artifact.uri.rpartition("/")[2]
    return name == "MLmodel" or name.lower().endswith(
        (".yaml", ".yml", "config.json", "template.json", ".jinja", ".j2")
    )


@check(
    "model-config",
    kinds={"text", "requirements", "iac", "workflow", "prompt", "model"},
    accepts=_wanted,
    canary=Canary(files={"MLmodel": b"model: !!python/object/apply:os.system [echo]\n"}, rule=YAML_OBJECT.id),
)
def run(artifact: Artifact) -> Yielded:
    """Look for what loads code in YAML, JSON and Jinja files. Nothing is loaded or rendered."""
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
    if name.endswith(".json"):
        yield from _json(artifact, name, text)
    elif name.endswith((".jinja", ".j2")):
        yield from _template(artifact, text)
    else:
        yield from _yaml(artifact, name, text)


def _yaml(artifact: Artifact, name: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if "!" not in line:
            continue
        shown = unquote(line.partition(" #")[0])
        for found in _TAG.finditer(shown) if "!" in shown else ():
            # MkDocs needs names of functions in its own file, which it reads with a loader of its own.
            if found[1] == "name" and name in ("mkdocs.yml", "mkdocs.yaml"):
                continue
            yield YAML_OBJECT.at(artifact, f"the tag {found[0][:100]} builds a Python object", line=number)
    if _DIRECTIVE.search(unquote(text)):
        yield YAML_OBJECT.at(artifact, "a %TAG directive stands for tags that build Python objects")


def _json(artifact: Artifact, name: str, text: str) -> Iterator[Finding | Skipped]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if name in _TEMPLATE_NAMES or '"auto_map"' in text:
            yield Skipped(artifact, "it is not valid JSON")
        return
    pending, templates = [value], name in _TEMPLATE_NAMES
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += item.values()
            yield from _auto_map(artifact, item.get("auto_map"))
        elif templates and isinstance(item, str):
            yield from _template(artifact, item)


def _auto_map(artifact: Artifact, named: object) -> Iterator[Finding]:
    pending = [named]
    while pending:
        item = pending.pop()
        if isinstance(item, (list, dict)):
            pending += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str) and "--" in item:
            yield FOREIGN_CODE.at(artifact, f"code is taken from {ascii(item)[1:121]}", key=item)


def _template(artifact: Artifact, text: str) -> Iterator[Finding]:
    found = _ESCAPE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        yield TEMPLATE_ESCAPE.at(artifact, f"the template asks for {found[0]}", key=found[0], line=line)
