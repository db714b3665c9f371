"""A dataset turns out to be poisoned: it is revoked, all that rests on it stops verifying, and `impact` lists it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_world import FILES, NOW, World, make, signer
from shipworthy.cli import main
from shipworthy.config import Settings, Store, Trust
from shipworthy.evidence import envelope
from shipworthy.evidence.digest import sha256_file
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import write_evidence
from shipworthy.evidence.revocation import EMPTY, RevocationList, named_in, read_list, revocation
from shipworthy.evidence.statement import Resource, Statement
from shipworthy.keys import PublicKey
from shipworthy.model.roles import ROLE_OF, ROLES
from shipworthy.stages.impact import impact_of
from shipworthy.stages.trust import Believed
from test_evidence_image import ship

POISONED = "rows 100 to 400 were planted"


@dataclass(frozen=True)
class Home:
    """A project with settings, a key for each role and a stored release."""

    world: World

    @property
    def root(self) -> Path:
        return self.world.project

    @property
    def list(self) -> Path:
        return self.root / "revocations.sigstore.json"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    world = make(tmp_path)
    keys = {role: signer(tmp_path / "roles", f"{role}.key") for role in ROLES}
    world = replace(world, signers={step: keys[role] for step, role in ROLE_OF.items()})
    text = '[sign]\nkey = "file:../roles/{role}.key"\n[store]\nto = ["local:../store"]\nname = "spam"\n'
    (world.project / "shipworthy.toml").write_text(text)
    monkeypatch.chdir(world.project)
    (world.evidence).mkdir(exist_ok=True)
    (world.evidence / "predictions.csv").write_bytes(FILES["predictions.csv"])
    world.release()
    return Home(world)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out + said.err


def test_what_rests_on_a_revoked_dataset_does_not_verify(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "verify")[0] == 0
    code, said = told(capsys, "impact", "data/train.csv")
    assert (code, "train.csv → train → model" in said, "1 of 1 release rests" in said) == (0, True, True), said
    code, said = told(capsys, "revoke", "data/train.csv", "--reason", POISONED)
    assert (code, "version 1" in said) == (0, True)
    code, said = told(capsys, "verify", "--format", "json")
    broken = json.loads(said)["broken"]
    assert (code, broken["step"], broken["name"], broken["failure"]) == (6, "ingest", "data/train.csv", "policy")
    assert POISONED in broken["reason"]
    assert broken["actual"] == sha256_file(home.root / "data" / "train.csv")
    code, said = told(capsys, "verify")
    assert "shipworthy impact sha256:" in said
    assert told(capsys, "verify", str(home.world.evidence))[0] == 6
    assert told(capsys, "verify", "model")[0] == 6


@pytest.mark.parametrize(
    ("path", "step"),
    [("data/extra.csv", "ingest"), ("train.py", "code"), ("data/labels.csv", "labels"), ("model", "model")],
)
def test_whatever_is_revoked_is_the_link_that_is_named(
    home: Home, capsys: pytest.CaptureFixture[str], path: str, step: str
) -> None:
    assert told(capsys, "revoke", path, "--reason", "no more")[0] == 0
    code, said = told(capsys, "verify", "--format", "json")
    broken = json.loads(said)["broken"]
    assert (code, broken["step"]) == (6, step)
    assert "was revoked on" in broken["reason"]


def test_the_list_is_shown_grows_and_is_renewed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing is revoked" in told(capsys, "revoke", "--list")[1]
    assert told(capsys, "revoke", "--renew")[0] == 2
    other = "sha256:" + "7" * 64
    words = ("revoke", other, "--reason", "malicious", "--name", "evil.whl", "--instead", "sha256:" + "8" * 64)
    assert told(capsys, *words)[0] == 0
    assert told(capsys, *words) == (2, told(capsys, *words)[1])
    assert "revoked already" in told(capsys, *words)[1]
    assert told(capsys, "revoke", "data/extra.csv", "--reason", "also")[0] == 0
    assert "version 3" in told(capsys, "revoke", "--renew")[1]
    said = told(capsys, "revoke", "--list")[1]
    for word in ("version 3", "evil.whl", "malicious", "instead: sha256:8888", "extra.csv"):
        assert word in said


@pytest.mark.parametrize(
    ("words", "lacking"),
    [
        (("revoke",), "what to revoke"),
        (("revoke", "data/train.csv"), "a reason is missing"),
        (("revoke", "data/train.csv", "--reason", "  "), "a reason is missing"),
        (("revoke", "nothing.csv", "--reason", "x"), "no file or folder"),
        (("revoke", "sha256:12", "--reason", "x"), "no digest"),
        (("revoke", "data/train.csv", "--reason", "x" * 1001), "at most 1000"),
        (("impact", "nothing.csv"), "no file or folder"),
    ],
)
def test_slips_are_told(home: Home, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], lacking: str) -> None:
    code, said = told(capsys, *words)
    assert code in (2, 4)
    assert lacking in said
    assert not home.list.exists()


# --- attacks on the list


def test_a_list_cannot_be_turned_back_or_taken_away(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "revoke", "data/extra.csv", "--reason", "x")[0] == 0
    older = home.list.read_bytes()
    assert told(capsys, "revoke", "data/train.csv", "--reason", POISONED)[0] == 0
    home.list.write_bytes(older)
    code, said = told(capsys, "verify")
    assert (code, "was turned back" in said) == (4, True)
    assert told(capsys, "revoke", "train.py", "--reason", "x")[0] == 4, "nor is an older one built upon"
    home.list.unlink()
    code, said = told(capsys, "verify")
    assert (code, "is gone" in said) == (7, True)


def test_a_list_that_was_changed_or_signed_by_another_is_no_list(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "revoke", "data/extra.csv", "--reason", "x")[0] == 0
    raw = home.list.read_bytes()
    at = raw.index(b'"payload":"') + 40
    home.list.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
    assert told(capsys, "verify")[0] == 4
    stranger = signer(home.world.root / "strangers", "stranger")
    found = read_list(raw, policy_of(home.world))
    home.list.write_bytes(envelope.sign(found.statement().to_bytes(), [stranger]))
    assert told(capsys, "verify")[0] == 6
    home.list.write_bytes(envelope.sign(found.statement().to_bytes(), [home.world.signers["train"]]))
    code, said = told(capsys, "verify")
    assert (code, "may not revoke" in said) == (6, True), "who trains a model does not decide what is revoked"
    home.list.write_bytes((home.world.evidence / "gate.sigstore.json").read_bytes())
    code, said = told(capsys, "verify")
    assert (code, "no list of revocations" in said) == (4, True)


def policy_of(world: World) -> Policy:
    return Policy.by_role({ROLE_OF[step]: (one.public_key(),) for step, one in world.signers.items()})


def test_a_list_that_is_too_old_may_hide_something(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    settings = home.root / "shipworthy.toml"
    settings.write_text(settings.read_text() + "[trust]\nrevocations-max-age-days = 7\n")
    past = datetime.now(UTC) - timedelta(days=8)
    old = EMPTY.with_([revocation("sha256:" + "1" * 64, "x", past)], past)
    home.list.write_bytes(envelope.sign(old.statement().to_bytes(), [home.world.signers["revoke"]]))
    code, said = told(capsys, "verify")
    assert (code, "older than 7 days" in said) == (6, True)
    assert told(capsys, "revoke", "--renew")[0] == 0
    assert told(capsys, "verify")[0] == 0


def test_a_list_that_the_settings_name_must_be_there(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    settings = home.root / "shipworthy.toml"
    settings.write_text(settings.read_text() + '[trust]\nrevocations = "lists/all.sigstore.json"\n')
    code, said = told(capsys, "verify")
    assert (code, "is gone" in said) == (7, True)


def test_a_dependency_that_a_bill_of_materials_names(tmp_path: Path) -> None:
    wheel = "c" * 64
    component = {"name": "evil", "hashes": [{"alg": "SHA-256", "content": wheel}]}
    shipped = ship(tmp_path, bom={"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]})
    assert shipped.verify().ok
    bad = revocation(f"sha256:{wheel}", "a malicious release", NOW, name="evil 0.3")
    result = shipped.verify(replace(shipped.policy, revoked={bad.digest: bad}))
    assert [link.step for link in result.broken] == ["bom"]
    assert result.broken[0].failure is Failure.POLICY
    assert "evil 0.3 was revoked" in result.broken[0].reason


def test_what_is_revoked_in_the_model_breaks_the_image(tmp_path: Path) -> None:
    shipped = ship(tmp_path)
    data = sha256_file(shipped.world.project / "data" / "train.csv")
    bad = revocation(data, POISONED, NOW)
    result = shipped.verify(replace(shipped.policy, revoked={data: bad}))
    assert [(link.step, link.name) for link in result.broken] == [("ingest", "data/train.csv")]


def test_a_release_without_the_revoked_verifies_again(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "revoke", "data/extra.csv", "--reason", "x")[0] == 0
    world = home.world
    facts = world.facts(datasets=(world.resource("data/train.csv", "dataset"),))
    for old in world.evidence.glob("*.json"):
        old.unlink()
    write_evidence(facts, world.by_step, world.evidence)
    assert told(capsys, "verify", str(world.evidence))[0] == 0


def test_the_impact_reaches_the_image_with_the_model_in_it(tmp_path: Path) -> None:
    shipped = ship(tmp_path)
    keys: dict[str, tuple[PublicKey, ...]] = {}
    for step, one in shipped.world.signers.items():
        keys[ROLE_OF[step]] = (*keys.get(ROLE_OF[step], ()), one.public_key())
    settings = Settings(store=Store(to=("local:store",)))
    who = Believed(keys, Trust(), tmp_path)
    data = sha256_file(shipped.world.project / "data" / "train.csv")
    found = impact_of(data, settings, tmp_path, who)
    assert [(one.name, one.verified) for one in found.affected] == [("spam", True), ("spam-service", True)]
    assert [step.step for step in found.affected[1].way] == ["train", "build"]
    assert impact_of("sha256:" + "9" * 64, settings, tmp_path, who).affected == ()
    stranger = {role: (signer(tmp_path / "strangers", "x").public_key(),) for role in ROLES}
    found = impact_of(data, settings, tmp_path, replace(who, keys=stranger))
    assert [(one.name, one.verified) for one in found.affected] == [("spam", False), ("spam-service", False)]
    part = shipped.written.files["model/train.sigstore.json"]
    blob = shipped.world.store.locate(part)
    assert blob is not None
    blob.unlink()
    assert [one.name for one in impact_of(shipped.model.model.digest, settings, tmp_path, who).affected] == [
        "spam",
        "spam-service",
    ]


# --- the list as bytes


@given(
    st.lists(
        st.tuples(st.integers(0, 2**256 - 1), st.text(min_size=1, max_size=40).filter(lambda t: t.strip() != "")),
        min_size=1,
        max_size=6,
    )
)
def test_a_list_comes_back_as_it_was_signed(entries: list[tuple[int, str]]) -> None:
    key = _KEY
    added = [revocation(f"sha256:{number:064x}", reason, NOW) for number, reason in entries]
    made = EMPTY.with_(added, NOW)
    raw = envelope.sign(made.statement().to_bytes(), [key])
    assert read_list(raw, Policy.trusting(key.public_key())) == made
    assert made.with_(added, NOW).revoked == made.revoked


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 0},
        {"version": True},
        {"version": "1"},
        {"revoked": None},
        {"revoked": [7]},
        {"revoked": []},
        {"revoked": [{"digest": "sha256:12", "reason": "x"}]},
        {"revoked": [{"digest": "sha256:" + "2" * 64, "reason": "x"}]},
        {"revoked": [{"digest": "sha256:" + "1" * 64, "reason": ["x"]}]},
    ],
)
def test_a_malformed_list_is_refused(changed: dict[str, object]) -> None:
    honest = EMPTY.with_([revocation("sha256:" + "1" * 64, "x", NOW)], NOW).statement()
    wrong = Statement(honest.subjects, honest.predicate_type, {**honest.predicate, **changed})
    raw = envelope.sign(wrong.to_bytes(), [_KEY])
    with pytest.raises(RefusedError):
        read_list(raw, Policy.trusting(_KEY.public_key()))


def test_rubbish_names_nothing() -> None:
    one = revocation("sha256:" + "1" * 64, "x", NOW)
    assert named_in(b"\x00", {one.digest: one}) == []
    assert RevocationList(1, "", {}).revoked == {}
    assert Resource("x", one.digest).digest == one.digest


def _key() -> envelope.Signer:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return signer(Path(folder), "key")


_KEY = _key()
