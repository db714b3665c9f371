"""Whoever changes one byte anywhere between the datasets and the store is named, exactly."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_world import NOW, SETTINGS, World, flip, make, signer
from shipworthy.errors import EnvironmentFailure, ExitCode, UsageError
from shipworthy.evidence import envelope, statement
from shipworthy.evidence.chain import verify_chain
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.files import EvidenceSet
from shipworthy.evidence.links import ChainResult, Status
from shipworthy.evidence.policy import Policy, StepRule
from shipworthy.evidence.resolve import places
from shipworthy.evidence.statement import Resource, Statement
from shipworthy.keys import Signer
from shipworthy.model import GateDecision


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def names(result: ChainResult) -> list[tuple[str, str, str]]:
    return [(link.step, link.name, str(link.failure)) for link in result.broken]


def resign(world: World, name: str, change: Callable[[Statement], Statement], by: Signer) -> None:
    """Replace a statement by another one that its signer really signed."""
    path = world.evidence / name
    changed = change(statement.parse(envelope.read(path.read_bytes()).payload))
    path.write_bytes(envelope.sign(changed.to_bytes(), [by]))


def regate(world: World) -> None:
    """Have the gate decide again on the evidence as it is now."""
    seen = [Resource(p.name, statement_digest(p)) for p in sorted(world.evidence.glob("*.sigstore.json"))]
    seen = [r for r in seen if r.name not in {"gate.sigstore.json", "release.sigstore.json"}]

    def change(old: Statement) -> Statement:
        decision = GateDecision("before-sign", True)
        return statement.gate(old.subjects[0], decision, evidence=seen, policy_digest=SETTINGS, decided=NOW)

    resign(world, "gate.sigstore.json", change, world.signers["gate"])


def statement_digest(path: Path) -> str:
    from shipworthy.evidence.digest import sha256_file

    return sha256_file(path)


def local(world: World) -> Policy:
    """The policy without a store."""
    steps = {**world.policy.steps, "store": replace(world.policy.steps["store"], required=False)}
    return replace(world.policy, steps=steps)


def test_an_untouched_release_holds_from_the_store_back_to_the_datasets(world: World) -> None:
    world.release()
    result = world.verify()
    assert result.ok, names(result)
    steps = [(link.step, link.name) for link in result.links]
    assert steps[0] == ("model", "model")
    assert {step for step, _ in steps} >= {"store", "sign", "gate", "train", "ingest", "code", "evaluate", "scan"}
    assert {name for step, name in steps if step == "ingest"} == {"data/train.csv", "data/extra.csv"}
    dataset = next(link for link in result.links if link.name == "data/train.csv")
    assert dataset.parent is not None
    assert result.links[dataset.parent].step == "train"
    assert dataset.depth == 2
    assert dataset.signer.startswith("ingest (key ")
    assert dataset.time == "2026-11-22T12:00:00Z"
    # the settings are known by digest only: that is said, and is not taken for having looked
    unread = [link.name for link in result.links if link.status is Status.ATTESTED_ONLY]
    assert "settings" in unread
    assert not result.complete
    assert json.loads(json.dumps(result.as_dict()))["firstBroken"] is None
    assert str(world.root) not in json.dumps(result.as_dict())


def test_verification_tells_the_digests_that_it_really_read(world: World) -> None:
    world.release()
    read = world.verify().read
    assert read[str(world.project / "data/train.csv")] == world.resource("data/train.csv", "dataset").digest
    assert str(world.blob("model/weights.bin")) in read


TAMPERED = {
    "dataset": (lambda w: w.project / "data/train.csv", ("ingest", "data/train.csv")),
    "code": (lambda w: w.project / "train.py", ("code", "train.py")),
    "predictions": (lambda w: w.project / "predictions.csv", ("predictions", "predictions.csv")),
    "labels": (lambda w: w.project / "data/labels.csv", ("labels", "data/labels.csv")),
    "model file": (lambda w: w.project / "model/weights.bin", ("model", "model")),
    "stored model file": (lambda w: w.blob("model/weights.bin"), ("model", "model")),
    "stored manifest": (lambda w: w.blob("model.manifest.json"), ("model", "model")),
    "stored model signature": (lambda w: w.blob("model.sig"), ("sign", "model.sig")),
    "stored training statement": (lambda w: w.blob("train.sigstore.json"), ("train", "train.sigstore.json")),
    "stored evaluation": (lambda w: w.blob("evaluate.sigstore.json"), ("evaluate", "evaluate.sigstore.json")),
    "stored scan": (lambda w: w.blob("scan.sigstore.json"), ("scan", "scan.sigstore.json")),
    "stored gate": (lambda w: w.blob("gate.sigstore.json"), ("gate", "gate.sigstore.json")),
    "stored scan report": (lambda w: w.blob("scan-report.json"), ("report", "scan-report.json")),
    "reference": (lambda w: w.ref_path, ("store", "release.sigstore.json")),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("at", [5, 0.5, -2])
def test_one_changed_byte_names_exactly_its_link(world: World, what: str, at: float) -> None:
    world.release()
    find, expected = TAMPERED[what]
    path = find(world)
    flip(path, int(path.stat().st_size * at) if isinstance(at, float) else at)
    raw = world.ref_path.read_bytes()
    from shipworthy.evidence.release import verify_release

    result = verify_release(world.store, raw, world.policy, version="1.0.0", folders=(world.project,))
    assert not result.ok
    found = [(link.step, link.name) for link in result.broken]
    if what == "stored manifest":  # the same bytes are the folder's manifest and a file of the evidence
        assert found[0] == expected
        assert set(found) <= {expected, ("manifest", "model.manifest.json")}
    elif what == "reference":
        # without its reference the store cannot say where the rest of the evidence is
        assert found[0] == expected
    else:
        assert found == [expected]
    first = result.first_broken
    assert first is not None
    assert first.failure is Failure.INTEGRITY
    assert first.remedy


ENVELOPES = ["ingest-1", "train", "evaluate", "scan", "gate"]


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("part", ["payload", "sig", "keyid", "hint", "whitespace"])
def test_a_changed_part_of_an_envelope_names_exactly_that_statement(world: World, name: str, part: str) -> None:
    world.write()
    path = world.evidence / f"{name}.sigstore.json"
    bundle = json.loads(path.read_bytes())
    dsse = bundle["dsseEnvelope"]
    if part == "payload":
        payload = base64.b64decode(dsse["payload"]).replace(b"2026-11-22", b"2026-11-23")
        dsse["payload"] = base64.b64encode(payload).decode()
    elif part == "sig":
        value = bytearray(base64.b64decode(dsse["signatures"][0]["sig"]))
        value[7] ^= 1
        dsse["signatures"][0]["sig"] = base64.b64encode(value).decode()
    elif part == "keyid":
        dsse["signatures"][0]["keyid"] = "0" * 64
    elif part == "hint":
        bundle["verificationMaterial"]["publicKey"]["hint"] = ""
    if part == "whitespace":
        path.write_bytes(json.dumps(bundle, indent=1).encode())
    else:
        path.write_bytes(json.dumps(bundle, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    result = world.verify_folder(local(world))
    step = "ingest" if name == "ingest-1" else name
    label = "data/train.csv" if name == "ingest-1" else path.name
    assert names(result) == [(step, label, "integrity")]


def test_the_workspace_can_be_verified_before_anything_is_stored(world: World) -> None:
    world.write()
    assert world.verify_folder(local(world)).ok
    flip(world.evidence / "model.sig")
    assert names(world.verify_folder(local(world))) == [("sign", "model.sig", "integrity")]


def test_a_changed_model_file_is_named_with_both_digests(world: World) -> None:
    world.write()
    (world.project / "model/config.json").write_bytes(b'{"layers": 9}\n')
    (world.project / "model/evil.py").write_bytes(b"import os\n")
    link = world.verify_folder(local(world)).first_broken
    assert link is not None
    assert link.reason == "model was changed: config.json changed, evil.py (extra)"
    assert link.expected != link.actual
    assert link.expected == link.digest


@pytest.mark.parametrize("name", ["train", "evaluate", "scan", "gate", "ingest-2"])
def test_a_removed_statement_is_missing_evidence(world: World, name: str) -> None:
    world.write()
    (world.evidence / f"{name}.sigstore.json").unlink()
    result = world.verify_folder(local(world))
    step = "ingest" if name == "ingest-2" else name
    assert [(link.step, link.status, link.failure) for link in result.broken] == [
        (step, Status.MISSING, Failure.MISSING)
    ]


def test_evidence_removed_from_the_store_is_missed(world: World) -> None:
    world.release()
    world.blob("ingest-1.sigstore.json").unlink()
    result = world.verify()
    assert [(link.step, link.name, link.status) for link in result.broken] == [
        ("ingest", "data/train.csv", Status.MISSING)
    ]
    assert "ingest-1.sigstore.json is gone" in result.broken[0].reason


def test_a_signature_of_the_model_that_was_removed_is_missing(world: World) -> None:
    world.write()
    (world.evidence / "model.sig").unlink()
    assert names(world.verify_folder(local(world))) == [("sign", "sign", "missing")]


def test_a_statement_of_a_stranger_is_refused_as_policy(world: World, tmp_path: Path) -> None:
    world.write()
    resign(world, "train.sigstore.json", lambda old: old, signer(tmp_path / "keys", "mallory"))
    result = world.verify_folder(local(world))
    assert names(result) == [("train", "train.sigstore.json", "policy")]
    assert "not trusted" in result.broken[0].reason


def test_a_statement_signed_by_the_key_of_another_role_is_refused_as_policy(world: World) -> None:
    world.write()
    resign(world, "train.sigstore.json", lambda old: old, world.signers["ingest"])
    link = world.verify_folder(local(world)).first_broken
    assert link is not None
    assert (link.step, link.failure, link.expected, link.actual) == ("train", Failure.POLICY, "train", "ingest")


def test_training_that_does_not_tell_of_its_datasets_is_refused(world: World) -> None:
    world.write(datasets=())
    result = world.verify_folder(local(world))
    assert names(result) == [("train", "train.sigstore.json", "policy")]
    assert result.broken[0].expected == "dataset"


def test_a_policy_can_name_the_dataset_that_training_must_tell_of(world: World) -> None:
    world.write(datasets=(world.resource("data/train.csv", "dataset"),))
    policy = local(world)
    rule = StepRule(frozenset({"train"}), frozenset({"dataset:data/train.csv", "dataset:data/extra.csv"}))
    result = world.verify_folder(replace(policy, steps={**policy.steps, "train": rule}))
    assert [(link.step, link.expected) for link in result.broken] == [("train", "dataset:data/extra.csv")]


def test_a_scan_cannot_be_replayed_as_provenance(world: World) -> None:
    world.write()
    (world.evidence / "train.sigstore.json").write_bytes((world.evidence / "scan.sigstore.json").read_bytes())
    result = world.verify_folder(local(world))
    assert [(link.step, link.status) for link in result.broken] == [("train", Status.BROKEN)]


def test_one_key_for_everything_still_binds_the_step_to_the_statement(tmp_path: Path) -> None:
    world = make(tmp_path, roles=False)
    world.write()
    policy = Policy.trusting(world.signers["train"].public_key())
    assert world.verify_folder(policy).ok
    (world.evidence / "evaluate.sigstore.json").write_bytes((world.evidence / "scan.sigstore.json").read_bytes())
    assert [link.step for link in world.verify_folder(policy).broken] == ["evaluate"]


def test_the_same_name_with_another_digest_is_not_the_model(world: World) -> None:
    world.write()
    other = "sha256:" + "a" * 64
    resign(
        world,
        "train.sigstore.json",
        lambda old: replace(old, subjects=(Resource("model", other, "model"),)),
        world.signers["train"],
    )
    result = world.verify_folder(local(world))
    assert [(link.step, link.status, link.actual) for link in result.broken] == [("train", Status.BROKEN, other)]
    assert result.broken[0].reason.endswith("train.sigstore.json was replaced")
    regate(world)
    result = world.verify_folder(local(world))
    assert [(link.step, link.status, link.actual) for link in result.broken] == [("train", Status.MISSING, other)]
    assert "only about something else" in result.broken[0].reason


def test_evidence_of_another_model_does_not_help_this_one(world: World, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    (other.project / "model/weights.bin").write_bytes(b"other weights")
    other = World(other.root, world.signers, world.policy)
    other.write()
    world.write()
    for path in other.evidence.iterdir():
        (world.evidence / path.name).write_bytes(path.read_bytes())
    result = world.verify_folder(local(world))
    assert [(link.step, link.failure) for link in result.broken] == [("model", Failure.INTEGRITY)]
    assert "weights.bin changed" in result.broken[0].reason


def test_a_statement_replaced_after_the_gate_is_named_although_it_is_genuine(world: World) -> None:
    world.write()
    resign(
        world,
        "evaluate.sigstore.json",
        lambda old: replace(old, predicate={**old.predicate, "metrics": []}),
        world.signers["evaluate"],
    )
    result = world.verify_folder(local(world))
    assert names(result) == [("evaluate", "evaluate.sigstore.json", "integrity")]
    assert "on which the gate decided" in result.broken[0].reason
    regate(world)
    assert world.verify_folder(local(world)).ok


def test_an_ingestion_replaced_after_the_release_is_named_although_it_is_genuine(world: World) -> None:
    world.write()
    resign(
        world,
        "ingest-1.sigstore.json",
        lambda old: replace(old, predicate={**old.predicate, "runDetails": {}}),
        world.signers["ingest"],
    )
    assert names(world.verify_folder(local(world))) == [("ingest", "data/train.csv", "integrity")]


def test_a_model_that_rests_on_itself_is_refused(world: World) -> None:
    written = world.write()
    itself = replace(written.model, kind="model")

    def change(old: Statement) -> Statement:
        return statement.provenance("train", old.subjects, dependencies=(*old.resources(*DEPENDENCIES), itself))

    resign(world, "train.sigstore.json", change, world.signers["train"])
    regate(world)
    result = world.verify_folder(local(world))
    assert names(result) == [("model", "model", "policy")]
    assert "rests on itself" in result.broken[0].reason


DEPENDENCIES = ("buildDefinition", "resolvedDependencies")


def test_datasets_that_rest_on_each_other_are_refused(world: World) -> None:
    world.write()
    first, second = world.resource("data/train.csv", "dataset"), world.resource("data/extra.csv", "dataset")
    for number, made, source in ((1, first, second), (2, second, first)):
        derived = statement.provenance("ingest", [made], dependencies=[source])
        resign(world, f"ingest-{number}.sigstore.json", lambda _, s=derived: s, world.signers["ingest"])
    regate(world)
    result = world.verify_folder(local(world))
    assert result.broken
    assert all(link.failure is Failure.POLICY and "rests on itself" in link.reason for link in result.broken)


def test_a_gate_that_said_no_is_no_gate(world: World) -> None:
    world.write()

    def refuse(old: Statement) -> Statement:
        return replace(old, predicate={**old.predicate, "verificationResult": "FAILED"})

    resign(world, "gate.sigstore.json", refuse, world.signers["gate"])
    assert names(world.verify_folder(local(world))) == [("gate", "gate.sigstore.json", "policy")]


def test_a_gate_that_did_not_see_the_scan_is_refused(world: World) -> None:
    world.write()

    def forget(old: Statement) -> Statement:
        seen = [item for item in old.predicate["inputAttestations"] if not item["uri"].startswith("scan")]
        return replace(old, predicate={**old.predicate, "inputAttestations": seen})

    resign(world, "gate.sigstore.json", forget, world.signers["gate"])
    link = world.verify_folder(local(world)).first_broken
    assert link is not None
    assert (link.step, link.failure, link.expected) == ("gate", Failure.POLICY, "scan")


def test_a_release_cannot_pass_for_another_version(world: World) -> None:
    world.release("1.0.0")
    path = world.ref_path.with_name("2.0.0.json")
    path.write_bytes(world.ref_path.read_bytes())
    link = world.verify(version="2.0.0").first_broken
    assert link is not None
    assert (link.step, link.expected, link.actual) == ("store", "2.0.0", "1.0.0")


def test_what_cannot_be_read_is_infrastructure_and_never_clean(world: World) -> None:
    world.write()
    evidence = EvidenceSet.from_dir(world.evidence)
    model = statement.parse(envelope.read((world.evidence / "gate.sigstore.json").read_bytes()).payload).subjects[0]

    def broken_mount(name: str, digest: str) -> list[Path]:
        raise EnvironmentFailure("the mount is gone", where=name)

    result = verify_chain(model.digest, evidence, local(world), broken_mount)
    assert not result.ok
    assert {link.failure for link in result.broken} == {Failure.INFRASTRUCTURE}
    assert result.exit_code == ExitCode.ENVIRONMENT


def test_a_model_whose_bytes_are_not_there_is_not_verified(world: World) -> None:
    written = world.write()
    evidence = EvidenceSet.from_dir(world.evidence)
    result = verify_chain(written.model.digest, evidence, local(world))
    assert [(link.step, link.status) for link in result.broken] == [("model", Status.MISSING)]
    trusting = replace(local(world), at_hand=frozenset())
    attested = verify_chain(written.model.digest, evidence, trusting)
    assert attested.ok
    assert not attested.complete
    assert attested.links[0].status is Status.ATTESTED_ONLY


def test_a_dataset_swapped_for_a_link_is_not_followed(world: World, tmp_path: Path) -> None:
    world.write()
    path = world.project / "data/train.csv"
    aside = tmp_path / "aside.csv"
    path.rename(aside)
    path.symlink_to(aside)
    result = world.verify_folder(local(world))
    assert names(result) == [("ingest", "data/train.csv", "integrity")]
    assert "links are not followed" in result.broken[0].reason


def test_a_name_in_a_statement_leads_to_no_file_outside(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    resolver = places(world.project)
    for name in ("../secret", str(secret), "data/../../secret", "a\0b"):
        assert list(resolver(name, "sha256:" + "0" * 64)) == []


def test_an_unneeded_statement_of_a_stranger_is_noted_and_does_not_count(world: World, tmp_path: Path) -> None:
    world.write()
    raw = envelope.read((world.evidence / "scan.sigstore.json").read_bytes()).payload
    mallory = signer(tmp_path / "keys", "mallory")
    (world.evidence / "scan-other.sigstore.json").write_bytes(envelope.sign(raw, [mallory]))
    result = world.verify_folder(local(world))
    assert result.ok
    assert result.notes == ("scan-other.sigstore.json was not used: signed by a key that is not trusted",)


def test_rubbish_in_the_evidence_fails_closed(world: World) -> None:
    world.write()
    (world.evidence / "extra.sigstore.json").write_bytes(b"\x00\xff")
    assert names(world.verify_folder(local(world))) == [("evidence", "extra.sigstore.json", "integrity")]


def test_without_trusted_keys_nothing_verifies(world: World) -> None:
    world.write()
    result = world.verify_folder(Policy.by_role({}))
    assert not result.ok
    assert result.first_broken is not None
    assert "trusted" in result.first_broken.remedy


def test_a_pretrained_model_needs_no_training_when_the_policy_says_so(world: World) -> None:
    key = {step: (s.public_key(),) for step, s in world.signers.items()}
    world.write(training=None, datasets=())
    assert world.verify_folder(
        Policy.by_role(key, optional=("store", "train"), role_of={step: step for step in key})
    ).ok
    assert [link.step for link in world.verify_folder(local(world)).broken] == ["gate", "train"]


def test_a_refused_or_changed_model_is_never_signed(world: World) -> None:
    with pytest.raises(UsageError, match="said no"):
        world.write(decision=GateDecision("before-sign", False))
    with pytest.raises(RefusedError, match="changed after it was scanned"):
        world.write(model_digest="sha256:" + "0" * 64)
    assert not world.evidence.exists()


def test_a_model_that_is_one_file_is_signed_stored_and_verified(tmp_path: Path) -> None:
    from shipworthy.evidence.release import store_release, verify_release

    world = make(tmp_path)
    model = world.project / "model.safetensors"
    model.write_bytes(b"weights")
    written = world.write(model=model, model_name="model.safetensors")
    raw = store_release(world.store, written, model, world.by_step, version="1", stored=NOW)
    assert verify_release(world.store, raw, world.policy, version="1", folders=(world.project,)).ok
    flip(model)
    result = verify_release(world.store, raw, world.policy, version="1", folders=(world.project,))
    assert names(result) == [("model", "model.safetensors", "integrity")]


def test_a_deployed_copy_is_verified_where_it_lies(world: World, tmp_path: Path) -> None:
    from shipworthy.evidence.release import verify_release

    written = world.release()
    deployed = tmp_path / "deployed"
    world.store.get_tree(written.manifest, deployed)
    raw = world.store.get_ref("spam").raw
    assert verify_release(world.store, raw, world.policy, model=deployed).ok
    flip(deployed / "weights.bin")
    result = verify_release(world.store, raw, world.policy, model=deployed)
    assert names(result) == [("model", "model", "integrity")]
    assert result.exit_code == ExitCode.EVIDENCE
    missing = verify_release(world.store, raw, world.policy, model=tmp_path / "nowhere")
    assert [(link.step, link.status) for link in missing.broken] == [("model", Status.MISSING)]


def test_importing_the_evidence_needs_no_cryptography() -> None:
    import subprocess
    import sys

    code = "import sys, shipworthy.evidence, shipworthy.stores, shipworthy.keys; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
