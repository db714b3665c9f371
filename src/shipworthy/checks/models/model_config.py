"""Configuration beside a model that runs code when it is loaded: YAML that builds objects, templates, foreign code."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shipworthy.check import Canary, Yielded, check
from shipworthy.checks.models.model_file import REMOTE_CODE, TEMPLATE_ESCAPE, YAML_OBJECT
from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Finding, Severity, Skipped
from shipworthy.modelfile import Code

_LIMIT = 16 * 1024 * 1024
_TEMPLATE_NAMES = frozenset({"tokenizer_config.json", "chat_template.json", "processor_config.json"})
RULES = (YAML_OBJECT, TEMPLATE_ESCAPE, REMOTE_CODE)


def _wanted(artifact: Artifact) -> bool:
    name = artifact.uri.rpartition("/")[2]
    return name == "MLmodel" or name.lower().endswith(
        (".yaml", ".yml", "config.json", "template.json", ".jinja", ".j2")
    )


@check(
    "model-config",
    version=2,
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
        # Web pages and servers have templates too, which load others and have filters of their own.
        yield from _template(artifact, text, chat="chat" in name)
    else:
        yield from _yaml(artifact, name, text)


def _yaml(artifact: Artifact, name: str, text: str) -> Iterator[Finding]:
    from shipworthy.modelfile import yamls  # here: few files need it

    for kind, tag, line in yamls.python_tags(text):
        # MkDocs needs names of functions in its own file, which it reads with a loader of its own.
        if kind == "name" and name in ("mkdocs.yml", "mkdocs.yaml"):
            continue
        message = tag if kind == "directive" else f"the tag {tag} builds a Python object"
        yield YAML_OBJECT.at(artifact, message, line=line or None)


def _json(artifact: Artifact, name: str, text: str) -> Iterator[Finding | Skipped]:
    from shipworthy.modelfile import huggingface

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if name in _TEMPLATE_NAMES or '"auto_map"' in text:
            yield Skipped(artifact, "it is not valid JSON")
        return
    for named, foreign in huggingface.foreign_code(value):
        # Code beside the model is looked at as code.
        if foreign:
            yield REMOTE_CODE.at(artifact, f"code is taken from {ascii(named)[1:121]}", key=named)
    if name in _TEMPLATE_NAMES:
        for _, template in huggingface.chat_templates(value):
            yield from _template(artifact, template, chat=True)


def _template(artifact: Artifact, text: str, *, chat: bool) -> Iterator[Finding]:
    from shipworthy.modelfile import templates

    for trouble in templates.troubles(text):
        escape = trouble.code is Code.TEMPLATE_ESCAPE and trouble.severity == Severity.HIGH.value
        if escape and (chat or templates.leaves_sandbox(trouble)):
            line = text.count("\n", 0, trouble.at) + 1
            yield TEMPLATE_ESCAPE.at(artifact, f"the template: {trouble.message}", key=trouble.asks, line=line)
            return
