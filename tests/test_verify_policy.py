"""What a verifier may demand: a key for each role, so many signatures, evidence that is young enough, a policy that its
owner signed and that cannot be turned back. Each refusal names the link, what was expected and what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence_world import NOW, SETTINGS, World, make, signer
from shipworthy.cli import main
from shipworthy.errors import ExitCode
from shipworthy.evidence.links import ChainResult, Link
from shipworthy.evidence.policy import Policy, StepRule
from shipworthy.evidence.release import write_evidence
from shipworthy.evidence.statement import STEPS
from shipworthy.keys import new_key
from shipworthy.model.roles import ROLE_OF, ROLES


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def local(world: World, **rules: StepRule) -> Policy:
    steps = {**world.policy.steps, "store": replace(world.policy.steps["store"], required=False), **rules}
    return replace(world.policy, steps=steps, now=NOW + timedelta(days=10))


def ruled(world: World, step: str, **changes: object) -> Policy:
    return local(world, **{step: replace(world.policy.steps[step], **changes)})  # type: ignore[arg-type]


def broken(result: ChainResult) -> Link:
    assert result.first_broken is not None
    return result.first_broken


def test_every_step_belongs_to_one_role() -> None:
    assert sorted(ROLE_OF) == sorted(STEPS)
    assert sum(len(steps) for steps in ROLES.values()) == len(STEPS)


def test_a_key_of_one_role_cannot_sign_for_another(tmp_path: Path) -> None:
    world = make(tmp_path)
    keys = {role: signer(tmp_path / "roles", role) for role in ROLES}
    trusted = {role: (one.public_key(),) for role, one in keys.items()}
    honest = {step: [keys[role]] for step, role in ROLE_OF.items()}
    policy = replace(Policy.by_role(trusted), now=NOW)
    write_evidence(world.facts(), honest, world.evidence)
    assert world.verify_folder(policy).ok
    for step in ("ingest", "train", "scan", "gate", "sign"):
        thief = next(role for role in ROLES if role != ROLE_OF[step])
        write_evidence(world.facts(), {**honest, step: [keys[thief]]}, world.evidence)
        found = broken(world.verify_folder(policy))
        assert (found.step, found.failure and found.failure.value) == (step, "policy")
        assert (found.expected, found.actual) == (ROLE_OF[step], thief)


def test_so_many_signatures_of_different_keys(world: World) -> None:
    policy = ruled(world, "gate", signatures=2)
    second = signer(world.root / "keys", "second-gatekeeper")
    both = {**policy.keys, "gate": (*policy.keys["gate"], second.public_key())}
    policy = replace(policy, keys=both)
    world.write()
    found = broken(world.verify_folder(policy))
    assert (found.step, found.expected, found.actual) == ("gate", "2", "1")
    write_evidence(world.facts(), {**world.by_step, "gate": [world.signers["gate"], second]}, world.evidence)
    assert world.verify_folder(policy).ok
    stranger = replace(policy, keys={**both, "gate": world.policy.keys["gate"], "scan": (second.public_key(),)})
    write_evidence(world.facts(), {**world.by_step, "gate": [world.signers["gate"], second]}, world.evidence)
    found = next(link for link in world.verify_folder(stranger).broken if link.step == "gate")
    assert found.actual == "1", "a key of another role does not count"


def test_evidence_that_is_too_old_or_from_the_future(world: World) -> None:
    world.write()
    assert world.verify_folder(ruled(world, "scan", max_age=timedelta(days=10))).ok
    found = broken(world.verify_folder(ruled(world, "scan", max_age=timedelta(days=9))))
    assert (found.step, found.reason, found.expected) == ("scan", "the step scan is 10 days old", "at most 9 days")
    early = replace(ruled(world, "scan", max_age=timedelta(days=9)), now=NOW - timedelta(hours=1))
    assert "has not come yet" in broken(world.verify_folder(early)).reason
    nobody = replace(ruled(world, "scan", max_age=timedelta(days=9)), now=None)
    assert broken(world.verify_folder(nobody)).step == "scan"


def test_what_does_not_say_when_it_was_done_is_of_no_age(world: World) -> None:
    world.write(finished=None)
    found = broken(world.verify_folder(ruled(world, "train", max_age=timedelta(days=9))))
    assert found.step == "train"
    assert "does not say when" in found.reason


def test_a_gate_under_settings_that_do_not_hold_any_more(world: World) -> None:
    world.write()
    assert world.verify_folder(ruled(world, "gate", settings=frozenset({SETTINGS}))).ok
    found = broken(world.verify_folder(ruled(world, "gate", settings=frozenset({"sha256:" + "6" * 64}))))
    assert (found.step, found.actual) == ("gate", SETTINGS)


def test_one_identity_that_signed_everything_is_told_and_can_be_refused(tmp_path: Path) -> None:
    world = make(tmp_path, roles=False)
    world.write()
    policy = replace(Policy.trusting(*world.policy.trusted()), now=NOW)
    result = world.verify_folder(policy)
    assert result.ok
    assert result.one_signer == world.signers["gate"].public_key().keyid
    assert any("one key" in note and "signed everything" in note for note in result.notes)
    found = broken(world.verify_folder(replace(policy, separate=True)))
    assert found.failure is not None
    assert "which the policy keeps apart" in found.reason
    assert world.verify_folder(replace(policy, separate=True)).exit_code == ExitCode.UNTRUSTED


def test_a_chain_of_several_identities_is_not_called_one(world: World) -> None:
    world.write()
    result = world.verify_folder(replace(local(world), separate=True))
    assert result.ok
    assert not result.one_signer
    assert len(result.signers) == 6  # ingest, train, evaluate, scan, gate, sign
    assert not any("signed everything" in note for note in result.notes)


def test_the_exit_code_is_that_of_the_worst(world: World) -> None:
    world.write()
    gate, scan = world.evidence / "gate.sigstore.json", world.evidence / "scan.sigstore.json"
    old = ruled(world, "train", max_age=timedelta(days=1))
    assert world.verify_folder(old).exit_code == ExitCode.UNTRUSTED
    kept = scan.read_bytes()
    scan.unlink()
    assert world.verify_folder(local(world)).exit_code == ExitCode.MISSING
    assert world.verify_folder(old).exit_code == ExitCode.UNTRUSTED
    scan.write_bytes(kept[:-3])
    assert world.verify_folder(old).exit_code == ExitCode.EVIDENCE
    scan.write_bytes(kept)
    gate.chmod(0)
    try:
        gate.read_bytes()
    except PermissionError:
        assert world.verify_folder(local(world)).exit_code in (ExitCode.ENVIRONMENT, ExitCode.MISSING)
    finally:
        gate.chmod(0o644)


# --- policies in files


def policy_file(world: World, **changes: object) -> Path:
    """A policy that believes the world's keys: a role has the keys of all its steps."""
    folder = world.root / "policy"
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"name": "spam", "version": 1, **changes}.items()]
    lines.append("[trust.keys]")
    for role, steps in ROLES.items():
        names = []
        for step in steps:
            (folder / "keys" / f"{step}.pub").write_bytes(world.signers[step].public_key().pem())
            names.append(f"keys/{step}.pub")
        lines.append(f"{role} = {json.dumps(names)}")
    path = folder / "policy.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def verify(world: World, *options: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["verify", str(world.evidence), "-C", str(world.project), *options])
    told = capsys.readouterr()
    return code, told.out + told.err


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.usefixtures("at_home")
def test_a_policy_in_a_file(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(finished=datetime.now(UTC))
    path = policy_file(world)
    assert verify(world, "--policy", str(path), capsys=capsys)[0] == 0
    path.write_text(path.read_text().replace("version = 1", "version = 2") + "[trust.steps.scan]\nsignatures = 2\n")
    code, told = verify(world, "--policy", str(path), capsys=capsys)
    assert code == 6
    assert "needs 2 signatures" in told


@pytest.mark.usefixtures("at_home")
def test_a_policy_cannot_be_turned_back(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write()
    path = policy_file(world, version=3)
    assert verify(world, "--policy", str(path), capsys=capsys)[0] == 0
    older = policy_file(world, version=2)
    code, told = verify(world, "--policy", str(older), capsys=capsys)
    assert code == 4
    assert "version 3 of it was used here before" in told
    weaker = policy_file(world, version=3, expires="2099-01-01")
    weaker.write_text(weaker.read_text().replace('"2099-01-01"', "2099-01-01"))
    code, told = verify(world, "--policy", str(weaker), capsys=capsys)
    assert code == 4
    assert "another version 3" in told


@pytest.mark.usefixtures("at_home")
def test_a_policy_expires(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write()
    path = policy_file(world)
    path.write_text("expires = 2026-01-31\n" + path.read_text())
    code, told = verify(world, "--policy", str(path), capsys=capsys)
    assert code == 4
    assert "held until 2026-01-31" in told


@pytest.mark.usefixtures("at_home")
def test_a_policy_is_signed_by_its_owner(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write()
    path = policy_file(world)
    for name in ("owner", "other"):
        new_key(world.root / f"{name}.key")
    owner, other = (str(world.root / f"{name}.key.pub") for name in ("owner", "other"))
    code, told = verify(world, "--policy", str(path), "--key", owner, capsys=capsys)
    assert (code, "the policy is not signed" in told) == (4, True)
    signature = str(path) + ".sig"
    assert main(["sign", str(path), "--key", str(world.root / "owner.key"), "--output", signature, "-q"]) == 0
    assert verify(world, "--policy", str(path), "--key", owner, capsys=capsys)[0] == 0
    assert verify(world, "--policy", str(path), "--key", other, capsys=capsys)[0] == 4
    path.write_text(path.read_text() + "\n# changed\n")
    assert verify(world, "--policy", str(path), "--key", owner, capsys=capsys)[0] == 4


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a `name`"),
        ('name = "x"\n', "needs a `name`"),
        ('name = "x"\nversion = 0\n', "needs a `name`"),
        ('name = "x"\nversion = 1\n', "trusts no key"),
        ('name = "x"\nversion = 1\n[trust.keys]\nrelaese = ["a"]\n', "did you mean `release`"),
        ('name = "x"\nversion = 1\n[trust.steps.gait]\n', "did you mean `gate`"),
        ('name = "x"\nversion = 1\n[trust.steps.gate]\nsignatures = 0\n', "from 1 to 16"),
        ('name = "x"\nversion = 1\n[trust]\nmax-age-days = -1\n', "from 0"),
        ('name = "x"\nversion = 1\n[trust.keys]\nrelease = ["no.pub"]\n', "there is no such public key"),
        ('name = "x"\nversion = "1"\n', "must be a whole number"),
        ("name = \x00", "not valid TOML"),
    ],
)
def test_what_is_no_policy_is_told(world: World, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    world.write()
    path = world.root / "policy.toml"
    path.write_text(text)
    code, told = verify(world, "--policy", str(path), capsys=capsys)
    assert (code, said in told, "Traceback" in told) == (2, True, False), told


def test_a_key_for_each_role_is_made_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new", "--roles", str(tmp_path / "keys")]) == 0
    assert "{role}.key" in capsys.readouterr().out
    made = sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert made == sorted([f"{role}.key" for role in ROLES] + [f"{role}.key.pub" for role in ROLES])
    (tmp_path / "keys" / "data.key").unlink()
    assert main(["keys", "new", "--roles", str(tmp_path / "keys")]) == 2
    assert not (tmp_path / "keys" / "data.key").exists(), "none is made where one is there already"
