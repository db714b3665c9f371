"""Terraform: storage, databases, networks and rights of AWS, Azure and Google Cloud that are open or unprotected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.infrastructure import _cloud_rules as rules
from shipworthy.checks.infrastructure._cloud import ANYWHERE, Resource, Unknown, policy, ports_open, secrets, settings
from shipworthy.checks.infrastructure._cloud_rows import ABSENT, TERRAFORM
from shipworthy.checks.infrastructure._hcl import Block, UnreadHcl
from shipworthy.checks.infrastructure._report import Hit, TooLarge, findings, shown, text_of, unread
from shipworthy.checks.infrastructure._terraform import Module, Placed, read, texts
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.patterns import regex

RULES = {**rules.RULES, rules.MODULE.id: rules.MODULE}
__all__ = ["RULES", "scan"]

_FILE = regex(r".*\.(?:tf|tofu|tf\.json|tofu\.json|tfvars|tfvars\.json)\Z")
_FIRST = "0.0.0.0"  # noqa: S104  an address that is looked for
_COMMIT = regex(r"[?&]ref=[0-9a-f]{40}\b")
_CANARY = b'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n  acl    = "public-read"\n}\n'


def _accepts(artifact: Artifact) -> bool:
    return _FILE.match(artifact.uri) is not None


@check(
    "terraform",
    kinds={"iac"},
    scope="tree",
    accepts=_accepts,
    canary=Canary(files={"main.tf": _CANARY}, rule=rules.STORAGE_PUBLIC.id),
    timeout=300.0,
)
def scan(artifacts: tuple[Artifact, ...]) -> Iterator[Finding | Skipped]:
    """Findings of all modules: the files of one folder are one, as Terraform takes them."""
    folders: dict[str, list[Artifact]] = {}
    for artifact in artifacts:
        folders.setdefault(artifact.uri.rpartition("/")[0], []).append(artifact)
    for _, inside in sorted(folders.items()):
        yield from _module(sorted(inside, key=lambda one: one.uri))


def _module(inside: list[Artifact]) -> Iterator[Finding | Skipped]:
    module = Module()
    variables: list[Block] = []
    hits: dict[str, list[Hit]] = {artifact.uri: [] for artifact in inside}
    for artifact in inside:
        try:
            root = read(text_of(artifact), artifact.uri.endswith(".json"))
        except (UnreadHcl, TooLarge) as error:
            yield from unread(artifact, [(getattr(error, "line", 0), f"it could not be read: {error}")])
            continue
        except RecursionError:
            yield from unread(artifact, [(0, "it is nested too deeply")])
            continue
        if ".tfvars" in artifact.uri.rpartition("/")[2]:
            hits[artifact.uri] += secrets("variables", texts(root))
            if artifact.uri.rpartition("/")[2].startswith("terraform.") or ".auto." in artifact.uri:
                variables.append(root)
        else:
            module.add(artifact, root)
    for root in variables:
        module.set_variables(root)
    unknown: dict[str, list[tuple[int, str]]] = {artifact.uri: [] for artifact in inside}
    for placed in module.placed:
        uri = placed.artifact.uri
        try:
            hits[uri] += judge(module, placed, unknown[uri])
        except RecursionError:
            unknown[uri].append((placed.block.line, "a value is nested too deeply"))
    for artifact in inside:
        yield from findings(artifact, sorted(hits[artifact.uri], key=lambda hit: (hit.line, hit.rule.id)))
        yield from unread(artifact, sorted(unknown[artifact.uri]), code="computed")


def judge(module: Module, placed: Placed, unknown: list[tuple[int, str]]) -> Iterator[Hit]:
    """What breaks a rule in one block of a module."""
    block = placed.block
    kind = block.type
    label = ".".join(block.labels)[:120] or kind
    if kind in ("resource", "provider", "module", "locals"):
        yield from secrets(label, texts(block))
    if kind == "variable":
        name = block.labels[0] if block.labels else ""
        if "default" in block.attributes:
            default = block.attributes["default"]
            yield from secrets("variable", [(name, default.value, default.line)])
    if kind == "module":
        yield from _source(module, block, label)
    if kind == "data" and block.labels[:1] == ("aws_iam_policy_document",):
        yield from _document(module, block, label)
    if kind == "resource" and len(block.labels) == 2:
        resource = module.resource(placed)
        table = [row for row in TERRAFORM if row.type == resource.type]
        yield from settings(resource, table, unknown, " = ")
        if resource.type in _JUDGES:
            yield from _JUDGES[resource.type](module, resource, block)
        for name in ("policy", "assume_role_policy", "access_policies", "inline_policy.policy"):
            for found in resource.find(name):
                attached = not resource.type.startswith("aws_iam_") or name == "assume_role_policy"
                yield from policy(resource.name, found.value, found.line, attached)


def _source(module: Module, block: Block, name: str) -> Iterator[Hit]:
    source = module.setting(block, "source")[0]
    if not isinstance(source.value, str) or source.value.startswith((".", "/")):
        return
    remote = "::" in source.value or "://" in source.value or ".git" in source.value or "github.com" in source.value
    if remote and not _COMMIT.search(source.value):
        yield Hit(rules.MODULE, f"{name}: {shown(source.value)} names no commit", source.line, f"{name} source")
    elif not remote and "version" not in block.attributes:
        yield Hit(rules.MODULE, f"{name}: {shown(source.value)} has no version", source.line, f"{name} version")
    if source.value.startswith("http://"):
        yield Hit(rules.TRANSIT, f"{name}: {shown(source.value)}", source.line, f"{name} http")


def _document(module: Module, block: Block, name: str) -> Iterator[Hit]:
    for statement in (one for one in block.blocks if one.type == "statement"):
        made: dict[str, Any] = {}
        for key, to in (
            ("effect", "Effect"),
            ("actions", "Action"),
            ("resources", "Resource"),
            ("not_actions", "NotAction"),
        ):
            if key in statement.attributes:
                made[to] = module.known(statement.attributes[key].value)
        for inner in statement.blocks:
            if inner.type == "condition":
                made["Condition"] = True
            if inner.type == "principals" and module.setting(inner, "type")[0].value in ("*", "AWS"):
                identifiers = inner.attributes.get("identifiers")
                made["Principal"] = {"AWS": module.known(identifiers.value) if identifiers else []}
        yield from policy(name, {"Statement": [made]}, statement.line, "Principal" in made)


def _values(module: Module, block: Block, *names: str) -> list[Any]:
    found = []
    for name in names:
        one = block.attributes.get(name)
        value = module.known(one.value) if one else None
        found += [module.known(item) for item in value] if isinstance(value, list) else [value]
    return found


def _value(module: Module, block: Block, name: str) -> Any:
    one = block.attributes.get(name)
    return module.known(one.value) if one else None


def _is_open(values: list[Any]) -> bool:
    return any(isinstance(value, str) and value in ANYWHERE for value in values)


def _security_group(module: Module, resource: Resource, block: Block) -> Iterator[Hit]:
    for inner in (one for one in block.blocks if one.type == "ingress"):
        if _is_open(_values(module, inner, "cidr_blocks", "ipv6_cidr_blocks")):
            low, high, protocol = (_value(module, inner, name) for name in ("from_port", "to_port", "protocol"))
            yield from ports_open(resource.name, low, high, protocol, inner.line)


def _group_rule(module: Module, resource: Resource, block: Block) -> Iterator[Hit]:
    if block.labels[0] == "aws_security_group_rule" and "egress" in _values(module, block, "type"):
        return
    if _is_open(_values(module, block, "cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")):
        low, high = _value(module, block, "from_port"), _value(module, block, "to_port")
        protocol = _values(module, block, "protocol") + _values(module, block, "ip_protocol")
        yield from ports_open(resource.name, low, high, next((p for p in protocol if p is not None), ""), block.line)


def _azure_rule(module: Module, resource: Resource, block: Block) -> Iterator[Hit]:
    for one in [block, *(inner for inner in block.blocks if inner.type == "security_rule")]:
        if "Inbound" not in _values(module, one, "direction") or "Allow" not in _values(module, one, "access"):
            continue
        if _is_open(_values(module, one, "source_address_prefix", "source_address_prefixes")):
            for ports in _values(module, one, "destination_port_range", "destination_port_ranges"):
                low, _, high = str(ports).partition("-")
                whole = low == "*"
                yield from ports_open(resource.name, 0 if whole else low, 65535 if whole else high or low, "", one.line)


def _firewall(module: Module, resource: Resource, block: Block) -> Iterator[Hit]:
    if "EGRESS" in _values(module, block, "direction") or not _is_open(_values(module, block, "source_ranges")):
        return
    for allow in (one for one in block.blocks if one.type == "allow"):
        protocol = _value(module, allow, "protocol")
        for ports in _values(module, allow, "ports"):
            low, _, high = str(ports if ports is not None else "0-65535").partition("-")
            yield from ports_open(resource.name, low, high or low, protocol, allow.line)


def _bucket(module: Module, resource: Resource, block: Block) -> Iterator[Hit]:
    """What a bucket has may stand in resources of its own."""
    name = block.labels[1]
    others = {
        one.block.labels[0]
        for one in module.of("resource")
        if one.block.labels and one.block.labels[0].startswith("aws_s3_bucket_") and _refers(one.block, name, block)
    }
    if "aws_s3_bucket_public_access_block" not in others:
        message = f"{resource.name} has no aws_s3_bucket_public_access_block"
        yield Hit(rules.NO_PUBLIC_BLOCK, message, block.line, f"{resource.name} block")
    if "aws_s3_bucket_versioning" not in others and resource.find("versioning.enabled")[0].value in (ABSENT, False):
        yield Hit(rules.NO_BACKUP, f"{resource.name} has no versions", block.line, f"{resource.name} versioning")
    if "aws_s3_bucket_logging" not in others and resource.find("logging")[0].value is ABSENT:
        yield Hit(rules.NO_LOGGING, f"{resource.name} has no logging", block.line, f"{resource.name} logging")


def _refers(other: Block, name: str, bucket: Block) -> bool:
    """Whether a resource is about the bucket of this name."""
    one = other.attributes.get("bucket")
    text = getattr(one.value, "text", one.value) if one else ""
    own = bucket.attributes.get("bucket")
    parts = getattr(one.value, "parts", ()) if one else ()
    named = own is not None and isinstance(own.value, str) and text == own.value
    return named or any(str(part).startswith(f"aws_s3_bucket.{name}.") or str(part) == f"aws_s3_bucket.{name}" or
                        str(part).startswith(f"aws_s3_bucket.{name}[") for part in (text, *parts))  # fmt: skip


def _listener(_module: Module, resource: Resource, _block: Block) -> Iterator[Hit]:
    protocol, redirect = resource.find("protocol")[0], resource.find("default_action.type")[0]
    if protocol.value == "HTTP" and redirect.value != "redirect" and not isinstance(redirect.value, Unknown):
        yield Hit(rules.TRANSIT, f"{resource.name}: protocol is HTTP", protocol.line, f"{resource.name} protocol")
    version = resource.find("ssl_policy")[0]
    if isinstance(version.value, str) and any(old in version.value for old in ("2015", "2016", "TLS-1-0", "TLS-1-1")):
        yield Hit(rules.OLD_TLS, f"{resource.name}: {shown(version.value)}", version.line, f"{resource.name} tls")


def _google_role(module: Module, resource: Resource, block: Block) -> Iterator[Hit]:
    role = resource.find("role")[0]
    if role.value in ("roles/owner", "roles/editor"):
        severity = Severity.HIGH if role.value == "roles/owner" else Severity.MEDIUM
        message = f"{resource.name}: role is {role.value}"
        yield Hit(rules.IAM_WILDCARD, message, role.line, f"{resource.name} role", severity=severity)
    if {"allUsers", "allAuthenticatedUsers"} & {
        v for v in _values(module, block, "member", "members") if isinstance(v, str)
    }:
        yield Hit(
            rules.PUBLIC_PRINCIPAL, f"{resource.name}: the member is everybody", block.line, f"{resource.name} member"
        )


def _azure_role(_module: Module, resource: Resource, _block: Block) -> Iterator[Hit]:
    for name in ("actions", "permissions.actions"):
        for found in resource.find(name):
            if found.value == "*":
                yield Hit(rules.IAM_WILDCARD, f"{resource.name}: every action", found.line, f"{resource.name} actions")
    role = resource.find("role_definition_name")[0]
    if role.value == "Owner":
        yield Hit(rules.IAM_WILDCARD, f"{resource.name}: the role is Owner", role.line, f"{resource.name} role")


def _open_ranges(_module: Module, resource: Resource, _block: Block) -> Iterator[Hit]:
    for name in ("vpc_config.public_access_cidrs", "master_authorized_networks_config.cidr_blocks.cidr_block"):
        for found in resource.find(name):
            if found.value in ("0.0.0.0/0", "::/0"):
                yield Hit(
                    rules.CLUSTER_PUBLIC, f"{resource.name}: {found.value}", found.line, f"{resource.name} {name}"
                )


def _address_range(_module: Module, resource: Resource, _block: Block) -> Iterator[Hit]:
    first, last = resource.find("start_ip_address")[0], resource.find("end_ip_address")[0]
    if (first.value, last.value) == (_FIRST, "255.255.255.255"):
        yield Hit(rules.DATABASE_PUBLIC, f"{resource.name}: every address", first.line, f"{resource.name} addresses")


_Judge = Callable[[Module, Resource, Block], Iterator[Hit]]
_JUDGES: Mapping[str, _Judge] = {
    "aws_security_group": _security_group, "aws_default_security_group": _security_group,
    "aws_security_group_rule": _group_rule, "aws_vpc_security_group_ingress_rule": _group_rule,
    "azurerm_network_security_group": _azure_rule, "azurerm_network_security_rule": _azure_rule,
    "google_compute_firewall": _firewall, "aws_s3_bucket": _bucket, "aws_lb_listener": _listener,
    "aws_alb_listener": _listener, "google_project_iam_member": _google_role,
    "google_project_iam_binding": _google_role,
    "google_organization_iam_member": _google_role, "google_cloud_run_service_iam_member": _google_role,
    "google_cloudfunctions_function_iam_member": _google_role, "google_storage_bucket_iam_binding": _google_role,
    "google_service_account_iam_member": _google_role, "azurerm_role_definition": _azure_role,
    "azurerm_role_assignment": _azure_role, "azurerm_mssql_firewall_rule": _address_range,
    "azurerm_postgresql_firewall_rule": _address_range, "azurerm_mysql_firewall_rule": _address_range,
    "aws_eks_cluster": _open_ranges, "google_container_cluster": _open_ranges,
}  # fmt: skip
