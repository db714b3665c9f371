"""CloudFormation templates: storage, databases, networks and rights of AWS that are open or unprotected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks._yaml import Map, Tagged, Unread, as_map, documents, line_of, sequence
from shipworthy.checks.infrastructure import _cloud_rules as rules
from shipworthy.checks.infrastructure._cloud import (
    ANYWHERE,
    Found,
    Resource,
    Unknown,
    policy,
    ports_open,
    secrets,
    settings,
)
from shipworthy.checks.infrastructure._cloud_rows import ABSENT, CLOUDFORMATION
from shipworthy.checks.infrastructure._report import Hit, TooLarge, findings, secret_name, text_of, unread
from shipworthy.model import Artifact, Finding
from shipworthy.patterns import regex

RULES = rules.RULES
__all__ = ["RULES", "scan"]

MEDIA_TYPE = "application/x-cloudformation"
_TYPE = regex(r"(?:AWS|Alexa|Custom)::[\w:.@-]{1,120}\Z")
_POLICIES = ("PolicyDocument", "AssumeRolePolicyDocument", "AccessPolicies", "KeyPolicy", "ResourcePolicy", "Policy",
             "RepositoryPolicyText", "FileSystemPolicy")  # fmt: skip
_FUNCTIONS = frozenset("Ref Condition".split())
_CANARY = (
    b"AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n"
    b"      AccessControl: PublicRead\n"
)


def _accepts(artifact: Artifact) -> bool:
    return artifact.media_type == MEDIA_TYPE


@check(
    "cloudformation",
    kinds={"iac"},
    accepts=_accepts,
    canary=Canary(files={"template.yaml": _CANARY}, rule=rules.STORAGE_PUBLIC.id),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one template."""
    try:
        text = text_of(artifact)
    except TooLarge as error:
        yield Skipped(artifact, str(error))
        return
    unknown: list[tuple[int, str]] = []
    hits: list[Hit] = []
    for document in documents(text):
        if isinstance(document, Unread):
            yield from unread(artifact, [(document.line, f"it could not be read: {document.reason}")])
        else:
            hits += judge(as_map(document.value), unknown)
    yield from findings(artifact, sorted(hits, key=lambda hit: (hit.line, hit.rule.id)))
    yield from unread(artifact, sorted(unknown), code="computed")


def judge(template: Map, unknown: list[tuple[int, str]]) -> Iterator[Hit]:
    """What breaks a rule in a template."""
    parameters = as_map(template.get("Parameters"))
    defaults = {name: one["Default"] for name, one in parameters.items() if isinstance(one, Map) and "Default" in one}
    for name, one in parameters.items():
        if isinstance(one, Map):
            yield from secrets("parameter", [(name, one.get("Default"), one.at("Default"))])
    for name, one in as_map(template.get("Resources")).items():
        kind = as_map(one).get("Type")
        if isinstance(one, Map) and isinstance(kind, str) and _TYPE.match(kind):
            yield from _resource(name[:100], kind, one, defaults, unknown)


def _resource(
    name: str, kind: str, one: Map, defaults: dict[str, Any], unknown: list[tuple[int, str]]
) -> Iterator[Hit]:
    properties = as_map(one.get("Properties"))
    line = one.at("Type")
    resource = Resource(kind, name, line, lambda path: _find(properties, path.split("."), defaults, line))
    yield from settings(resource, [row for row in CLOUDFORMATION if row.type == kind], unknown, ": ")
    yield from secrets(name, _texts(properties))
    yield from _policies(name, kind, properties)
    if kind in ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
        rows = sequence(properties.get("SecurityGroupIngress")) if kind.endswith("Group") else [properties]
        for row in rows:
            yield from _ingress(name, as_map(row), defaults, line)
    if kind == "AWS::ElasticLoadBalancingV2::Listener" and properties.get("Protocol") == "HTTP":
        actions = [as_map(action).get("Type") for action in sequence(properties.get("DefaultActions"))]
        if "redirect" not in actions:
            yield Hit(rules.TRANSIT, f"{name}: Protocol is HTTP", properties.at("Protocol"), f"{name} protocol")
    if kind == "AWS::EC2::Instance":
        for interface in sequence(properties.get("NetworkInterfaces")):
            if as_map(interface).get("AssociatePublicIpAddress") in (True, "true"):
                message = f"{name} has a public address"
                yield Hit(rules.PUBLIC_ADDRESS, message, as_map(interface).line, f"{name} address")


def _ingress(name: str, row: Map, defaults: dict[str, Any], line: int) -> Iterator[Hit]:
    values = {key: _known(row.get(key), defaults) for key in ("CidrIp", "CidrIpv6", "FromPort", "ToPort", "IpProtocol")}
    if {value for value in (values["CidrIp"], values["CidrIpv6"]) if isinstance(value, str)} & ANYWHERE:
        low, high = values["FromPort"], values["ToPort"]
        yield from ports_open(name, low if low is not None else 0, high, values["IpProtocol"], row.line or line)


def _known(value: Any, defaults: dict[str, Any]) -> Any:
    """A value; that of a parameter is its default, that of another function is not known."""
    if isinstance(value, Tagged):
        value = {value.tag: value.value}
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref" and str(argument) in defaults:
            default = defaults[str(argument)]
            return default if isinstance(default, (str, int, bool, float)) else Unknown()
        if function.startswith("Fn::") or function in _FUNCTIONS or isinstance(argument, Tagged):
            return None if str(argument) == "AWS::NoValue" else Unknown()
        if not isinstance(value, Map):
            return None if str(argument) == "AWS::NoValue" else Unknown()
    return value


def _find(value: Any, path: list[str], defaults: dict[str, Any], line: int) -> list[Found]:
    value = _known(value, defaults)
    if isinstance(value, Unknown):
        return [Found(value, line)]
    if isinstance(value, list):
        return [one for item in value[:1000] for one in _find(item, path, defaults, line)] or [Found(ABSENT, line)]
    if not path:
        return [Found(ABSENT if value is None else value, line)]
    if isinstance(value, Map) and path[0] in value:
        return _find(value[path[0]], path[1:], defaults, value.at(path[0]) or line)
    return [Found(ABSENT, line)]


def _plain(value: Any, depth: int = 0) -> Any:
    """A policy without its functions: each is a text that stands for nothing in particular."""
    if isinstance(value, Tagged):
        return f"!{value.tag}"
    if isinstance(value, Map) and depth < 50:
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return "!function"
        made = Map({key: _plain(one, depth + 1) for key, one in value.items()})
        made.lines, made.line = value.lines, value.line
        return made
    return [_plain(one, depth + 1) for one in value] if isinstance(value, list) and depth < 50 else value


def _policies(name: str, kind: str, properties: Map) -> Iterator[Hit]:
    for key in _POLICIES:
        if key in properties:
            attached = not kind.startswith("AWS::IAM::") or key == "AssumeRolePolicyDocument"
            yield from policy(name, _plain(properties[key]), properties.at(key), attached)
    for inline in sequence(properties.get("Policies")):
        document = as_map(inline).get("PolicyDocument", inline if "Statement" in as_map(inline) else None)
        yield from policy(name, _plain(document), line_of(inline, properties.at("Policies")), attached=False)


def _texts(value: Any, key: str = "", line: int = 0, depth: int = 0) -> Iterator[tuple[str, Any, int]]:
    if isinstance(value, str):
        if not value.startswith("{{resolve:"):
            yield key, value, line_of(value, line)
    elif isinstance(value, Tagged):
        if value.tag in ("Sub", "Base64") and isinstance(value.value, str) and not secret_name(key):
            yield key, str(value.value), line_of(value.value, line)
        elif isinstance(value.value, (Tagged, Map, list)) and depth < 50:
            yield from _texts(value.value, "", line, depth + 1)
    elif isinstance(value, Map) and depth < 50:
        for inner, one in value.items():
            function = inner.startswith("Fn::") or inner == "Ref"
            yield from _texts(one, "" if function else inner, value.at(inner) or line, depth + 1)
    elif isinstance(value, list) and depth < 50:
        for one in value:
            yield from _texts(one, key, line, depth + 1)
