# ruff: noqa: E501  files are samples of one line each
"""Terraform: every row and every judgement with what breaks it and what does not; modules; the reader."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.checks.infrastructure import terraform
from shipworthy.checks.infrastructure._cloud_rows import ABSENT, TERRAFORM, Row
from shipworthy.checks.infrastructure._hcl import Computed, Template, UnreadHcl, parse
from shipworthy.checks.infrastructure._terraform import Module
from shipworthy.model import Finding, Skipped


def scanned(folder: Path, **files: str) -> list[Finding | Skipped]:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    found = tuple(one for one in discover(folder).artifacts if terraform.scan.check.looks_at(one))
    assert found
    return list(terraform.scan(found))


def rules_of(folder: Path, text: str) -> set[str]:
    found = scanned(folder, main__tf=text)
    assert all(isinstance(one, Finding) for one in found), found
    return {one.rule.id for one in found if isinstance(one, Finding)}


def written(row: Row, value: Any) -> str:
    """A resource with one setting."""
    *outer, last = row.path.split(".")
    inner = "" if value is ABSENT else f"{last} = {json.dumps(value)}\n"
    for name in reversed(outer):
        inner = f"{name} {{\n{inner}}}\n"
    return f'resource "{row.type}" "x" {{\n{inner}}}\n'


@pytest.mark.parametrize("row", TERRAFORM, ids=lambda row: f"{row.type}/{row.path}")
def test_a_row(row: Row, tmp_path: Path) -> None:
    for bad in row.bad:
        found = scanned(tmp_path, main__tf=written(row, bad))
        hit = [one for one in found if isinstance(one, Finding) and one.rule is row.rule and row.path in one.message]
        assert hit, bad
        assert row.path in hit[0].remedy
    good = scanned(tmp_path, main__tf=written(row, row.good))
    assert not [one for one in good if isinstance(one, Finding) and row.path in one.message]


SG = 'resource "aws_security_group" "g" {{\n  ingress {{\n    from_port = {0}\n    to_port = {1}\n    protocol = "tcp"\n    cidr_blocks = ["{2}"]\n  }}\n}}\n'  # fmt: skip
AZ = 'resource "azurerm_network_security_rule" "r" {{\n  direction = "Inbound"\n  access = "Allow"\n  source_address_prefix = "{0}"\n  destination_port_range = "{1}"\n}}\n'  # fmt: skip
FW = 'resource "google_compute_firewall" "f" {{\n  source_ranges = ["{0}"]\n  allow {{\n    protocol = "tcp"\n    ports = ["{1}"]\n  }}\n}}\n'  # fmt: skip
POLICY = 'resource "aws_iam_policy" "p" {{\n  policy = jsonencode({{ Statement = [{{ Effect = "{0}", Action = "{1}", Resource = "{2}" }}] }})\n}}\n'  # fmt: skip
COMMIT = "0123abcd" * 5
SAMPLES = [
    ("cloud-network-open", SG.format(20, 30, "0.0.0.0/0"), SG.format(443, 443, "0.0.0.0/0")),
    ("cloud-network-open", SG.format(0, 0, "0.0.0.0/0"), SG.format(22, 22, "10.0.0.0/8")),
    ("cloud-network-open", 'variable "c" { default = ["::/0"] }\n' + SG.format(22, 22, "x").replace('["x"]', "var.c"), ""),
    ("cloud-network-open", AZ.format("*", "3389"), AZ.format("10.0.0.0/8", "3389")),
    ("cloud-network-open", AZ.format("Internet", "*"), AZ.format("*", "443")),
    ("cloud-network-open", FW.format("0.0.0.0/0", "22"), FW.format("0.0.0.0/0", "443")),
    ("cloud-iam-wildcard", POLICY.format("Allow", "*", "*"), POLICY.format("Deny", "*", "*")),
    ("cloud-iam-wildcard", POLICY.format("Allow", "s3:*", "*"), POLICY.format("Allow", "s3:GetObject", "*")),
    (
        "cloud-iam-wildcard",
        'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["*"]\n    resources = ["*"]\n  }\n}\n',
        'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["s3:ListBucket"]\n    resources = ["*"]\n  }\n}\n',
    ),
    (
        "cloud-iam-wildcard",
        'resource "google_project_iam_member" "m" {\n  role = "roles/owner"\n  member = "user:a@example.org"\n}\n',
        'resource "google_project_iam_member" "m" {\n  role = "roles/viewer"\n  member = "user:a@example.org"\n}\n',
    ),
    (
        "cloud-public-principal",
        'resource "aws_s3_bucket_policy" "p" {\n  policy = <<EOF\n{"Statement": {"Effect": "Allow", "Principal": "*", '
        '"Action": "s3:GetObject", "Resource": "x"}}\nEOF\n}\n',
        'resource "aws_s3_bucket_policy" "p" {\n  policy = <<EOF\n{"Statement": {"Effect": "Allow", "Principal": {"AWS": '
        '"arn:x"}, "Action": "s3:GetObject", "Resource": "x"}}\nEOF\n}\n',
    ),
    (
        "cloud-secret-literal",
        'resource "aws_db_instance" "d" {\n  password = "kT7qLm29xWz"\n}\n',
        'variable "password" { default = null }\nresource "aws_db_instance" "d" {\n  password = var.password\n}\n',
    ),
    ("cloud-secret-literal", 'variable "api_token" {\n  default = "zX81mQp4Lr7Kd90"\n}\n', 'variable "api_token" {}\n'),
    (
        "cloud-secret-literal",
        'resource "aws_instance" "i" {\n  user_data = <<-EOF\n    export K=AKIAQWERTYUIOPASDFGH ${var.x}\n  EOF\n}\n'.replace(
            "${var.x}", ""
        ),
        'variable "x" { default = "user_data" }\n',
    ),
    ("terraform-module-unpinned", 'module "m" {\n  source = "git::https://e.org/a.git?ref=main"\n}\n',
     f'module "m" {{\n  source = "git::https://e.org/a.git?ref={COMMIT}"\n}}\n'),
    ("terraform-module-unpinned", 'module "m" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n',
     'module "m" {\n  source = "terraform-aws-modules/vpc/aws"\n  version = "5.1.0"\n}\nmodule "n" {\n  source = "./n"\n}\n'),
    ("cloud-unencrypted-transit", 'resource "aws_lb_listener" "l" {\n  protocol = "HTTP"\n}\n',
     'resource "aws_lb_listener" "l" {\n  protocol = "HTTP"\n  default_action {\n    type = "redirect"\n  }\n}\n'),
    ("cloud-cluster-public", 'resource "aws_eks_cluster" "e" {\n  vpc_config {\n    public_access_cidrs = ["0.0.0.0/0"]\n    '
     'endpoint_public_access = false\n  }\n}\n',
     'resource "aws_eks_cluster" "e" {\n  vpc_config {\n    endpoint_public_access = false\n  }\n}\n'),
    ("cloud-database-public", 'resource "azurerm_mssql_firewall_rule" "f" {\n  start_ip_address = "0.0.0.0"\n  '
     'end_ip_address = "255.255.255.255"\n}\n', 'resource "azurerm_mssql_firewall_rule" "f" {\n  start_ip_address = "10.0.0.1"\n}\n'),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "bad", "good"), SAMPLES)
def test_a_judgement(rule: str, bad: str, good: str, tmp_path: Path) -> None:
    assert rule in rules_of(tmp_path, bad)
    assert rule not in rules_of(tmp_path, good or "locals {}\n")


def test_every_rule_has_a_sample() -> None:
    assert terraform.RULES.keys() == {row.rule.id for row in TERRAFORM} | {rule for rule, _, _ in SAMPLES}


def test_a_module_is_all_files_of_its_folder(tmp_path: Path) -> None:
    """A bucket's protection stands in another file, the value of a variable in a third."""
    found = scanned(
        tmp_path,
        bucket__tf='resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n',
        rest__tf='resource "aws_s3_bucket_public_access_block" "b" {\n  bucket = aws_s3_bucket.b.id\n'
        + "".join(f"  {name} = true\n" for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"))
        + '}\nvariable "open" { default = false }\nresource "aws_db_instance" "d" {\n  publicly_accessible = var.open\n}\n',
        terraform__tfvars="open = true\n",
    )  # fmt: skip
    ids = {(one.rule.id, one.artifact.uri, one.location.line) for one in found if isinstance(one, Finding)}
    assert not [one for one in ids if one[0] == "cloud-storage-public-not-blocked"]
    assert ("cloud-database-public", "rest.tf", 10) in ids


def test_what_is_computed_is_said(tmp_path: Path) -> None:
    found = scanned(tmp_path, main__tf='resource "aws_db_instance" "d" {\n  publicly_accessible = data.x.y.open\n}\n')
    assert any(
        isinstance(one, Skipped) and one.code == "computed" and "publicly_accessible" in one.reason for one in found
    )


def test_the_json_syntax(tmp_path: Path) -> None:
    text = {"resource": {"aws_security_group_rule": {"r": {"type": "ingress", "from_port": 22, "to_port": 22, "protocol": "tcp",
                                                          "cidr_blocks": ["0.0.0.0/0"]}}}}  # fmt: skip
    found = scanned(tmp_path, main__tf__json=json.dumps(text))
    assert {one.rule.id for one in found if isinstance(one, Finding)} == {"cloud-network-open"}


@pytest.mark.parametrize(
    "text", ["resource {", 'a = "', "a = [", "}", "a = <<EOF\nx", "a b c", 'x = "${', "a = " + "[" * 500]
)
def test_what_cannot_be_read_is_not_clean(text: str, tmp_path: Path) -> None:
    assert [one for one in scanned(tmp_path, main__tf=text) if isinstance(one, Skipped)]


def test_values_are_read_as_they_are_written() -> None:
    body = parse(
        'a = "x\\n\\"${b.c["d"]}\\" $${e}" # c\nb = -1.5\nc = { x = 1, "y" : [true, null,], (z) = 2 }\n'
        "d = a ? {\n  b = 1\n} : 2\ne = [for x in y : x]\nf = <<-EOT\n  ${g}\n  EOT\nh = 1 + 2\ni { j = 1 }\n"
    )
    values = {name: one.value for name, one in body.attributes.items()}
    assert values["a"] == Template('x\n"${}" $${e}', ('b.c["d"]',), 1)
    assert values["b"] == -1.5
    assert values["c"] == {"x": 1, "y": [True, None], "(z)": 2}
    assert isinstance(values["d"], Computed)
    assert isinstance(values["e"], Computed)
    assert values["h"] == Computed("1 + 2", 11)
    assert body.attributes["h"].line == 11
    assert body.blocks[0].attributes["j"].value == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text('ab \\"\n{}é#/', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(JSON)
def test_json_is_a_value(value: Any) -> None:
    """JSON's values are HCL's, but for the escapes of characters."""
    text = json.dumps(value, ensure_ascii=False)
    assert parse(f"a = {text}\n").attributes["a"].value == value


PIECES = ["a", " = ", "{", "}", "[", "]", "(", ")", '"', "${", "\n", "<<EOF\n", "EOF\n", "#", "/*", "*/", "resource ", "1", ",", ":", "?",
          "for ", "jsonencode(", "var.a", "\\", "é", "-", "."]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=50).map("".join))
def test_the_reader_takes_anything(text: str) -> None:
    try:
        body = parse(text)
    except UnreadHcl as error:
        assert error.line >= 1
    else:
        assert body.type == ""


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "a = " + "(" * 50_000, "a {\n" * 20_000, 'a = "' + "${" * 50_000, "/*" * 50_000,
                                  "a = <<E\n" * 20_000, "a = " + "[[1]+" * 30, "a." * 50_000, 'a = "' + "$" * 100_000, "a = 1 +\n" * 50_000,
                                  "a = " + "9" * 100_000, "a = " + "jsonencode(" * 20_000])  # fmt: skip
def test_long_texts_end(text: str) -> None:
    with contextlib.suppress(UnreadHcl):
        parse(text)


@pytest.mark.parametrize("text", [bad for _, bad, _ in SAMPLES])
def test_what_does_not_belong_there_is_no_crash(text: str, tmp_path: Path) -> None:
    """Each attribute in turn is of another type than the provider takes."""
    (tmp_path / "main.tf").write_text("")
    (artifact,) = discover(tmp_path).artifacts
    for odd in (
        "null",
        "0",
        '"x"',
        "[]",
        "[[]]",
        "{}",
        "[{ a = [] }]",
        "var.x",
        "1.5",
        "jsonencode([1])",
        '"${a}"',
        "true",
    ):
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if " = " in line and not line.rstrip().endswith(("{", "EOF")):
                changed = [*lines[:number], f"{line.partition(' = ')[0]} = {odd}", *lines[number + 1 :]]
                module = Module()
                with contextlib.suppress(UnreadHcl):
                    module.add(artifact, parse("\n".join(changed)))
                for placed in module.placed:
                    list(terraform.judge(module, placed, []))


def test_names_of_names_do_not_unfold_without_end(tmp_path: Path) -> None:
    rows = [f"  v{n} = [{', '.join([f'local.v{n + 1}'] * 50)}]" for n in range(20)]
    text = (
        "locals {\n"
        + "\n".join(rows)
        + '\n}\nresource "aws_db_instance" "d" {\n  storage_encrypted = local.v0\n}\nresource {}\n'
    )
    found = scanned(
        tmp_path,
        main__tf=text,
        deep__tf__json='{"resource": {"aws_s3_bucket": {"b": {"acl": ' + "[" * 900 + "]" * 900 + "}}}}",
    )
    assert any(isinstance(one, Skipped) and "storage_encrypted" in one.reason for one in found)
