# ruff: noqa: E501  files are samples of one line each
"""CloudFormation: every row and every judgement with what breaks it and what does not, in YAML and in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.checks._yaml import Document, as_map, documents
from shipworthy.checks.infrastructure import cloudformation
from shipworthy.checks.infrastructure._cloud_rows import ABSENT, CLOUDFORMATION, Row
from shipworthy.model import Finding, Kind, Skipped

HEAD = "AWSTemplateFormatVersion: '2010-09-09'\n"


def scanned(folder: Path, text: str, name: str = "template.yaml") -> list[Finding | Skipped]:
    (folder / name).write_text(text)
    (artifact,) = (one for one in discover(folder).artifacts if one.uri == name)
    assert artifact.kind is Kind.IAC
    assert cloudformation.scan.check.looks_at(artifact)
    return list(cloudformation.scan(artifact))


def rules_of(folder: Path, resource: str) -> set[str]:
    found = scanned(folder, HEAD + "Resources:\n  X:\n" + "".join(f"    {line}\n" for line in resource.splitlines()))
    return {one.rule.id for one in found if isinstance(one, Finding)}


def written(row: Row, value: Any) -> str:
    inner: Any = value
    for name in reversed(row.path.split(".")):
        inner = {} if inner is ABSENT else {name: inner}
    return json.dumps({"Resources": {"X": {"Type": row.type, "Properties": inner}}}, indent=1)


@pytest.mark.parametrize("row", CLOUDFORMATION, ids=lambda row: f"{row.type}/{row.path}")
def test_a_row(row: Row, tmp_path: Path) -> None:
    for bad in row.bad:
        found = scanned(tmp_path, written(row, bad), "stack.json")
        assert [
            one for one in found if isinstance(one, Finding) and one.rule is row.rule and row.path in one.message
        ], bad
    good = scanned(tmp_path, written(row, row.good), "stack.json")
    assert not [one for one in good if isinstance(one, Finding) and row.path in one.message]


GROUP = """Type: AWS::EC2::SecurityGroup
Properties:
  SecurityGroupIngress:
  - IpProtocol: {0}
    FromPort: 22
    ToPort: 22
    CidrIp: {1}
"""
ROLE = """Type: AWS::IAM::Role
Properties:
  Policies:
  - PolicyName: p
    PolicyDocument:
      Statement:
      - Effect: Allow
        Action: {0}
        Resource: {1}
"""
SAMPLES = [
    ("cloud-network-open", GROUP.format("tcp", "0.0.0.0/0"), GROUP.format("tcp", "!Ref Network")),
    ("cloud-network-open", GROUP.format("-1", "'::/0'"), GROUP.format("tcp", "10.0.0.0/8")),
    ("cloud-iam-wildcard", ROLE.format("'*'", "'*'"), ROLE.format("['s3:GetObject']", "!Sub 'arn:${X}/*'")),
    (
        "cloud-public-principal",
        "Type: AWS::SQS::QueuePolicy\nProperties:\n  PolicyDocument:\n    Statement:\n      Effect: Allow\n      Principal: '*'\n"
        "      Action: 'sqs:SendMessage'\n      Resource: !GetAtt Q.Arn\n",
        "Type: AWS::SQS::QueuePolicy\nProperties:\n  PolicyDocument:\n    Statement:\n      Effect: Allow\n      Principal: '*'\n"
        "      Action: 'sqs:SendMessage'\n      Condition: {ArnEquals: {'aws:SourceArn': x}}\n",
    ),
    (
        "cloud-secret-literal",
        "Type: AWS::RDS::DBInstance\nProperties:\n  MasterUserPassword: kT7qLm29xWz\n",
        "Type: AWS::RDS::DBInstance\nProperties:\n  MasterUserPassword: '{{resolve:secretsmanager:a:SecretString:b}}'\n",
    ),
    (
        "cloud-secret-literal",
        "Type: AWS::EC2::Instance\nProperties:\n  UserData:\n    Fn::Base64: !Sub |\n      export K=AKIAQWERTYUIOPASDFGH\n",
        "Type: AWS::EC2::Instance\nProperties:\n  UserData:\n    Fn::Base64: !Sub |\n      export K=${K}\n",
    ),
    (
        "cloud-unencrypted-transit",
        "Type: AWS::ElasticLoadBalancingV2::Listener\nProperties:\n  Protocol: HTTP\n",
        "Type: AWS::ElasticLoadBalancingV2::Listener\nProperties:\n  Protocol: HTTP\n  DefaultActions: [{Type: redirect}]\n",
    ),
    (
        "cloud-machine-public",
        "Type: AWS::EC2::Instance\nProperties:\n  NetworkInterfaces: [{AssociatePublicIpAddress: true}]\n",
        "Type: AWS::EC2::Instance\nProperties:\n  NetworkInterfaces: [{AssociatePublicIpAddress: false}]\n",
    ),
]


@pytest.mark.parametrize(("rule", "bad", "good"), SAMPLES)
def test_a_judgement(rule: str, bad: str, good: str, tmp_path: Path) -> None:
    assert rule in rules_of(tmp_path, bad)
    assert rule not in rules_of(tmp_path, good)


def test_every_rule_has_a_sample() -> None:
    assert cloudformation.RULES.keys() == {row.rule.id for row in CLOUDFORMATION} | {rule for rule, _, _ in SAMPLES}


def test_parameters_are_what_they_are_by_default(tmp_path: Path) -> None:
    text = HEAD + (
        "Parameters:\n  Open:\n    Type: String\n    Default: 'true'\n  DbPassword:\n    Type: String\n    Default: kT7qLm29xWz\n"
        "Resources:\n  D:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      PubliclyAccessible: !Ref Open\n"
        "      StorageEncrypted: !If [A, true, false]\n      DeletionProtection: true\n"
    )
    found = scanned(tmp_path, text)
    places = {(one.rule.id, one.location.line) for one in found if isinstance(one, Finding)}
    assert places == {("cloud-database-public", 13), ("cloud-secret-literal", 8)}
    assert [one.code for one in found if isinstance(one, Skipped)] == ["computed"]
    assert "kT7q" not in repr(found)


def test_what_cannot_be_read_is_not_clean(tmp_path: Path) -> None:
    assert any(isinstance(one, Skipped) for one in scanned(tmp_path, HEAD + "Resources:\n  A: [AWS::S3::Bucket\n"))


PIECES = st.sampled_from(["Type: AWS::S3::Bucket\n", "Properties:\n", "  ", "    ", "!Ref A", "!If [", "]", "Fn::Sub: ", "- ", "X:", "\n",
                          "Policies:\n", "PolicyDocument: ", "Statement: ", "{", "}", "*", "'*'", "Action: ", "Resources:\n"])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_template_is_judged(text: str) -> None:
    for document in documents("Resources:\n  A:\n    Type: AWS::IAM::Role\n    Properties:\n      " + text):
        if isinstance(document, Document):
            list(cloudformation.judge(as_map(document.value), []))


@pytest.mark.parametrize(("rule", "bad", "good"), SAMPLES)
def test_what_does_not_belong_there_is_no_crash(rule: str, bad: str, good: str) -> None:
    from test_infrastructure_containers import odd_ones

    (document,) = documents("Resources:\n  X:\n" + "".join(f"    {line}\n" for line in bad.splitlines()))
    assert isinstance(document, Document)
    for _ in odd_ones(document.value):
        list(cloudformation.judge(as_map(document.value), []))
