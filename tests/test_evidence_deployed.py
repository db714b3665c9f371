"""What is said of an image after its release, of its deployment and its guard, is signed and verified as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evidence_world import NOW, SETTINGS, flip, signer
from shipworthy.evidence import statement
from shipworthy.evidence.deployed import PART, REPORT_NAME, reference_of
from shipworthy.evidence.failures import Failure
from shipworthy.evidence.links import ChainResult
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import verify_folder, verify_release
from shipworthy.evidence.statement import STEPS, Resource
from shipworthy.evidence.writer import Signers, Writer
from shipworthy.guard.runtime.events import Events
from shipworthy.guard.runtime.summary import today, write_summary
from shipworthy.model import GateDecision
from test_evidence_image import Shipped, broken, ship

REPORT = b'{"checks": []}\n'
EVENTS = f"{PART}/guard-events.jsonl"


@dataclass
class Deployed:
    """A shipped image whose deployment is recorded in the store and in the folder of its evidence."""

    shipped: Shipped
    raw: bytes
    digests: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.shipped.written.folder / PART

    def blob(self, name: str) -> Path:
        return self.shipped.blob(self.digests[name])

    def verify(self, policy: Policy | None = None, raw: bytes | None = None) -> ChainResult:
        store, policy = self.shipped.world.store, policy or self.shipped.policy
        release = store.get_ref("spam-service", "1.0.0").raw
        folders = (self.shipped.world.project,)
        return verify_release(store, release, policy, folders=folders, deployment=raw or self.raw)


def deploy(shipped: Shipped, *, release: str = "", passed: bool = True, signers: Signers | None = None) -> Deployed:
    """As stages 10 to 12 do."""
    world, image = shipped.world, shipped.written.image
    folder = shipped.written.folder / PART
    writer = Writer(folder, signers or world.by_step)
    writer.put("deploy-report.json", REPORT)
    about = Resource("1.0.0", release or world.store.get_ref("spam-service", "1.0.0").digest, "store")
    report = Resource(REPORT_NAME, writer.files["deploy-report.json"], "report")
    checked = statement.deployment(image, releases=[about], report=report, checks=(), counts={}, facts={}, finished=NOW)
    writer.sign("deploy", "deploy", checked)
    seen = [Resource("deploy.sigstore.json", writer.files["deploy.sigstore.json"])]
    decision = GateDecision("after-deploy", passed)
    writer.sign("gate", "gate", statement.gate(image, decision, evidence=seen, policy_digest=SETTINGS, decided=NOW))
    events = Events(folder / "guard-events.jsonl")
    events.write("blocked", {"reason": "sql"})
    events.close()
    writer.put("guard-events.jsonl", (folder / "guard-events.jsonl").read_bytes())
    by = writer.signers_of("guard")
    summary = write_summary(folder / "guard-events.jsonl", today(), by, folder)
    writer.put(summary.name, summary.read_bytes())
    listed = [
        report,
        Resource("deploy.sigstore.json", writer.files["deploy.sigstore.json"], "deploy"),
        Resource("gate.sigstore.json", writer.files["gate.sigstore.json"], "gate"),
        Resource(summary.name, writer.files[summary.name], "guard"),
        Resource(EVENTS, writer.files["guard-events.jsonl"], "events"),
    ]
    protected = statement.protection(image, evidence=listed, facts={"mode": "block"}, finished=NOW)
    raw = writer.sign("protect", "protect", protected)
    for name, digest in writer.files.items():
        world.store.put_file(folder / name, digest)
    digests = {"summary" if name == summary.name else name.partition(".")[0]: d for name, d in writer.files.items()}
    return Deployed(shipped, raw, digests)


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    return deploy(ship(tmp_path))


def test_stages_ten_to_twelve_are_links_of_the_image(deployed: Deployed) -> None:
    result = deployed.verify()
    assert result.ok, broken(result)
    ways = {}
    for link in result.links:
        way, at = [link.step], link
        while at.parent is not None:
            at = result.links[at.parent]
            way.append(at.step)
        ways[link.name] = way
    assert ways[REPORT_NAME] == ["report", "deploy", "gate", "protect", "image"]
    assert ways[EVENTS] == ["events", "protect", "image"]
    summary = next(link for link in result.links if link.step == "guard")
    assert (summary.signer.split()[0], summary.depth) == ("guard", 2)
    assert sum(link.step == "gate" and "deployment" not in link.name for link in result.links) == 3, (
        "of the model, of the image, and of its deployment"
    )


def test_the_folder_of_a_run_is_verified_with_them(deployed: Deployed) -> None:
    shipped = deployed.shipped
    blob = shipped.blob(shipped.written.image.digest)
    paths = {"image": blob}

    def verified() -> ChainResult:
        policy = replace(shipped.policy, at_hand=frozenset({"report", "events"}))
        return verify_folder(shipped.written.folder, policy, folders=(shipped.world.project,), paths=paths)

    def deployments(result: ChainResult) -> list[tuple[str, str]]:
        return [(one.step, one.name) for one in result.broken if one.step in ("deploy", "protect", "events", "report")]

    assert verified().ok, "`model/` in the folder is the evidence of the model, and not the model"
    flip(deployed.folder / "guard-events.jsonl")
    assert ("events", EVENTS) in deployments(verified())
    (deployed.folder / "protect.sigstore.json").unlink()
    assert ("protect", "protect") in deployments(verified())


@pytest.mark.parametrize(
    ("what", "expected"),
    [("deploy",) * 2, ("gate",) * 2, ("deploy-report", "report"), ("guard-events", "events"), ("summary", "guard")],
)
@pytest.mark.parametrize("change", ["flip", "remove"])
def test_one_changed_or_removed_file_is_named(deployed: Deployed, what: str, expected: str, change: str) -> None:
    path = deployed.blob(what)
    policy = replace(deployed.shipped.policy, at_hand=frozenset({"report", "events", "image", "layer"}))
    assert deployed.verify(policy).ok
    if change == "flip":
        flip(path, 5)
    else:
        path.unlink()
    result = deployed.verify(policy)
    assert expected in {step for step, _ in broken(result)}
    assert result.first_broken is not None
    assert result.first_broken.parent is not None, "the image itself holds"


def test_a_reference_that_is_another_thing_is_refused(deployed: Deployed) -> None:
    release = deployed.shipped.world.store.get_ref("spam-service", "1.0.0").raw
    result = deployed.verify(raw=release)  # genuine, and no deployment
    assert result.first_broken is not None
    assert result.first_broken.step == "protect"
    assert deployed.verify(raw=b"{}").first_broken is not None


def test_the_deployment_of_another_release_says_nothing_about_this_one(tmp_path: Path) -> None:
    result = deploy(ship(tmp_path), release="sha256:" + "7" * 64).verify()
    assert result.first_broken is not None
    assert (result.first_broken.step, result.first_broken.failure) == ("deploy", Failure.INTEGRITY)
    assert "another release" in result.first_broken.reason


def test_the_deployment_of_another_image_says_nothing_about_this_one(tmp_path: Path) -> None:
    own, other = deploy(ship(tmp_path / "own")), ship(tmp_path / "other")
    elsewhere = replace(other.written, image=Resource("spam-service", "sha256:" + "1" * 64, "image"))
    foreign = deploy(replace(other, written=elsewhere), signers=own.shipped.world.by_step)
    result = own.verify(raw=foreign.raw)
    assert result.first_broken is not None
    assert result.first_broken.step == "protect"


def test_a_gate_that_said_no_is_no_gate(tmp_path: Path) -> None:
    result = deploy(ship(tmp_path), passed=False).verify()
    assert result.first_broken is not None
    assert (result.first_broken.step, result.first_broken.reason) == ("gate", "the gate said no")


@pytest.mark.parametrize("step", ["deploy", "protect", "guard"])
def test_each_statement_is_signed_by_the_key_of_its_role(tmp_path: Path, step: str) -> None:
    shipped = ship(tmp_path)
    wrong = {**shipped.world.by_step, step: shipped.world.by_step["scan"]}
    result = deploy(shipped, signers=wrong).verify()
    assert step in {name for name, _ in broken(result)}


def test_a_stranger_cannot_record_a_deployment(tmp_path: Path) -> None:
    shipped = ship(tmp_path)
    stranger = signer(tmp_path / "strangers", "stranger")
    result = deploy(shipped, signers={step: [stranger] for step in STEPS}).verify()
    assert result.first_broken is not None
    assert result.first_broken.step == "protect"


def test_a_deployment_that_a_gate_refused_is_told_as_one_without_guard(deployed: Deployed) -> None:
    for name in ("gate.sigstore.json", "protect.sigstore.json"):
        (deployed.folder / name).unlink()
    for path in deployed.folder.glob("guard-*"):
        path.unlink()
    result = verify_folder(deployed.shipped.written.folder, deployed.shipped.policy)
    assert "its deployment was checked, and not put behind the guard" in result.notes


def test_it_is_kept_under_a_name_of_its_own(deployed: Deployed) -> None:
    store = deployed.shipped.world.store
    store.put_ref(reference_of("spam-service"), "1.0.0", deployed.raw)
    assert store.versions("spam-service") == ("1.0.0",), "a deployment is no release of the image"
