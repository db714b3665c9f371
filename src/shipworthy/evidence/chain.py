"""Walk the chain of custody from a model back to its datasets, and name each link that does not hold.

model -> release, model signature, gate -> training -> datasets, code; evaluation -> predictions, labels; scan -> report.
Only digests join the links. A file of evidence that was damaged, removed or replaced is named as the link that it
should be; what could not be walked because of it is not guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, ShipworthyError, UsageError
from shipworthy.evidence import oms
from shipworthy.evidence.digest import Entry, Manifest, sha256_bytes, sha256_file
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import EvidenceSet, is_bundle
from shipworthy.evidence.links import ChainResult, Check, Link, Status
from shipworthy.evidence.names import check_digest
from shipworthy.evidence.opened import Opened, open_all, step_of_name
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.resolve import Resolver, nowhere
from shipworthy.evidence.statement import Resource, Statement

DEPTH_LIMIT = 32
LINKS_LIMIT = 20_000
_MADE_BY = {"dataset": ("ingest",), "model": ("train", "ingest")}
_AGAIN = "make it again from the true inputs, or get the true file back"
_INPUTS_AT = {
    "ingest": ("buildDefinition", "resolvedDependencies"),
    "train": ("buildDefinition", "resolvedDependencies"),
    "evaluate": ("inputs",),
    "scan": ("report",),
    "gate": ("inputAttestations",),
    "store": ("evidence",),
}


def verify_chain(
    target: str, evidence: EvidenceSet, policy: Policy, resolver: Resolver = nowhere, *, name: str = "model"
) -> ChainResult:
    """Verify all that the policy demands about the model whose digest is `target`.

    `resolver` yields where bytes lie; each of them is hashed here. Raises RefusedError when `target` is no digest;
    whatever is wrong with the evidence is a link of the result, not an exception.
    """
    walk = _Walk(check_digest(target, "the model"), evidence, policy, resolver)
    walk.start(name)
    return ChainResult(target, tuple(walk.links), tuple(walk.notes), dict(walk.read))


@dataclass(frozen=True)
class _Bytes:
    """What became of looking for bytes: `found` of them were compared; `problem` is the first that is wrong."""

    found: int = 0
    problem: Problem | None = None


class _Walk:
    """The state of one walk."""

    def __init__(self, target: str, evidence: EvidenceSet, policy: Policy, resolver: Resolver) -> None:
        self.target, self.evidence, self.policy, self.resolver = target, evidence, policy, resolver
        self.opened = open_all(evidence, policy)
        self.links: list[Link] = []
        self.notes: list[str] = []
        self.read: dict[str, str] = {}
        self.manifests: dict[str, Manifest] = {}
        self.accounted: set[str] = set()  # files of evidence that a link speaks for
        self.listed: dict[str, Resource] = {}  # by the release and the gate
        self.done: set[tuple[str, str]] = set()

    def start(self, name: str) -> None:
        root = self.add(self.model_link(name))
        for step in ("store", "sign", "gate"):
            chosen = self.signature(root) if step == "sign" else self.step(step, self.target, root)
            for item, index in chosen:
                if step != "sign":
                    self.listed |= {r.name: r for r in _inputs(item)}
                if step == "gate":
                    self.verdict(item, index)
        pins = self.pins("gate")
        for step in ("train", "evaluate", "scan"):
            for item, index in self.step(step, self.target, root, pins):
                self.materials(item, index, ((self.target, "model"),))
        self.leftover(root)

    # --- links

    def add(self, link: Link) -> int:
        """Append the link; its index."""
        if len(self.links) >= LINKS_LIMIT:
            raise RefusedError(f"the chain has more than {LINKS_LIMIT} links")
        depth = 0 if link.parent is None else self.links[link.parent].depth + 1
        self.links.append(replace(link, depth=depth))
        return len(self.links) - 1

    def fail(self, link: Link, problem: Problem, *, status: Status = Status.BROKEN) -> int:
        """Append the link as one that does not hold."""
        return self.add(_failed(link, problem, status))

    def model_link(self, name: str) -> Link:
        link = Link("model", name, self.target, Status.OK)
        seen = self.bytes_of(name, self.target)
        return self.with_bytes(link, seen, "model")

    def with_bytes(self, link: Link, seen: _Bytes, kind: str) -> Link:
        """The link with the outcome of comparing its bytes."""
        if seen.problem:
            return _failed(link, seen.problem, Status.BROKEN, Check("bytes", False, seen.problem.reason))
        if seen.found:
            return replace(link, checks=(*link.checks, Check("bytes", True, link.digest)))
        if kind in self.policy.at_hand:
            remedy = "say where it is, or restore it"
            problem = Problem(Failure.MISSING, f"the {kind} is not there to be compared", link.digest, "", remedy)
            return _failed(link, problem, Status.MISSING)
        return replace(link, status=Status.ATTESTED_ONLY)

    # --- steps

    def step(
        self, step: str, subject: str, parent: int, pins: frozenset[str] | None = None, name: str = ""
    ) -> list[tuple[Opened, int]]:
        """Link the statements of the step about the subject; those that hold. `pins` are the digests of files that
        the gate saw.
        """
        about = [item for item in self.opened if item.step == step and item.is_about(subject)]
        good = [item for item in about if item.good]
        if good and pins is not None:
            seen = [item for item in good if item.digest in pins]
            if not seen:
                self.replaced(step, good[0], parent)
                return []
            good = seen
        if good:
            return [(item, index) for item in good if (index := self.accept(item, subject, parent, name)) is not None]
        self.no_statement(step, subject, about, parent, name)
        return []

    def accept(self, item: Opened, subject: str, parent: int, name: str) -> int | None:
        """Link a statement that holds; None when it lacks an input that the policy demands."""
        self.accounted.add(item.name)
        link = self.link_of(item, subject, parent, name)
        try:
            inputs = _inputs(item)
        except RefusedError as error:
            self.fail(link, Problem.of(error))
            return None
        if lacking := self.lacking(item.step, inputs):
            remedy = f"run the step {item.step} again with it, or change the policy"
            reason = f"the step {item.step} does not name what it must rest on: {', '.join(lacking)}"
            kinds = ", ".join(sorted({r.kind or r.name for r in inputs})) or "nothing"
            self.fail(link, Problem(Failure.POLICY, reason, ", ".join(lacking), kinds, remedy))
            return None
        return self.add(link)

    def lacking(self, step: str, inputs: tuple[Resource, ...]) -> list[str]:
        rule = self.policy.steps.get(step)
        kinds = {r.kind or step_of_name(r.name) for r in inputs}
        have = kinds | {f"{r.kind}:{r.name}" for r in inputs}
        return sorted(rule.inputs - have) if rule else []

    def link_of(self, item: Opened, subject: str, parent: int | None, name: str = "") -> Link:
        checks = (Check("signature", True), Check("role", True), Check("subject", True, subject))
        roles = sorted({role for key in item.signers for role in self.policy.roles_of(key)})
        rule = self.policy.steps.get(item.step)
        roles = [role for role in roles if rule and role in rule.roles]
        signer = ", ".join(f"{'/'.join(roles)} (key {key.keyid[:16]})" for key in item.signers)
        time = item.statement.time if item.statement else ""
        return Link(item.step, name or item.name, subject, Status.OK, 0, parent, signer, time, checks)

    def replaced(self, step: str, item: Opened, parent: int) -> None:
        self.accounted.add(item.name)
        listed = self.listed.get(item.name)
        self.fail(
            Link(step, item.name, item.digest, Status.BROKEN, parent=parent),
            Problem(
                Failure.INTEGRITY,
                f"this is not the statement on which the gate decided: {item.name} was replaced",
                listed.digest if listed else "a statement that the gate lists",
                item.digest,
                "get the file back that the gate saw, or run the gate again",
            ),
        )

    def no_statement(self, step: str, subject: str, about: list[Opened], parent: int, name: str) -> None:
        """Say why there is none: damaged, signed by the wrong one, removed, or about something else."""
        same = [item for item in self.opened if item.step == step and item.name not in self.accounted]
        bad = [item for item in about if item.problem] or ([item for item in same if item.damaged] if not name else [])
        if bad and bad[0].problem:
            self.accounted.add(bad[0].name)
            self.fail(Link(step, name or bad[0].name, subject, Status.BROKEN, parent=parent), bad[0].problem)
            return
        if not self.policy.required(step):
            return
        if name and any(item.damaged for item in same):
            return  # one of the damaged files is this one: `leftover` names them
        gone = [n for n, r in self.listed.items() if self.step_of(r) == step and self.absent(n)]
        self.accounted.update(gone[:1])
        others = [s.digest for item in same if item.good and item.statement for s in item.statement.subjects]
        reason = f"no statement of the step {step} is about {name or 'this model'}"
        reason += f": {gone[0]} is gone" if gone else ", only about something else" if others else ""
        remedy = "restore the file of evidence" if gone else f"run the step {step} for these very bytes"
        problem = Problem(Failure.MISSING, reason, subject, others[0] if others else "nothing", remedy)
        label = name or (gone[0] if gone else step)
        self.fail(Link(step, label, subject, Status.MISSING, parent=parent), problem, status=Status.MISSING)

    def verdict(self, item: Opened, index: int) -> None:
        result = item.statement.predicate.get("verificationResult") if item.statement else None
        if result != "PASSED":
            remedy = "correct what the gate named, and run it again"
            problem = Problem(Failure.POLICY, "the gate said no", "PASSED", str(result)[:40], remedy)
            self.links[index] = _failed(self.links[index], problem, Status.BROKEN, Check("verdict", False))

    def pins(self, step: str) -> frozenset[str] | None:
        """The digests of the evidence that the statements of the step list; None when there is no such statement."""
        good = [item for item in self.opened if item.step == step and item.good and item.is_about(self.target)]
        linked = {link.name for link in self.links if link.step == step and link.holds}
        chosen = [item for item in good if item.name in linked]
        return frozenset(r.digest for item in chosen for r in _inputs(item)) if chosen else None

    # --- what the steps rest on

    def materials(self, item: Opened, parent: int, above: tuple[tuple[str, str], ...]) -> None:
        for resource in _inputs(item):
            self.material(resource, parent, above)

    def material(self, resource: Resource, parent: int, above: tuple[tuple[str, str], ...]) -> None:
        """Link one input: its bytes and, for a dataset or a model, the statement that says where it is from."""
        kind, digest = resource.kind or "input", resource.digest
        link = Link(kind, resource.name, digest, Status.OK, parent=parent)
        if any(digest == other for other, _ in above) or len(above) > DEPTH_LIMIT:
            reason = "it rests on itself" if len(above) <= DEPTH_LIMIT else "the chain is too long"
            problem = Problem(
                Failure.POLICY, f"{resource.name}: {reason}", "", digest, "no input may be its own result"
            )
            self.fail(link, problem)
            return
        if (kind, digest) in self.done:
            return
        self.done.add((kind, digest))
        made = self.maker(resource, parent) if kind in _MADE_BY else None
        if kind in _MADE_BY and made is None:
            return  # the missing statement is a link already
        if made:
            self.accounted.add(made.name)
            link = self.link_of(made, digest, parent, resource.name)
        index = self.add(self.with_bytes(link, self.bytes_of(resource.name, digest), kind if kind != "model" else ""))
        if made and self.links[index].holds:
            self.materials(made, index, (*above, (digest, kind)))

    def maker(self, resource: Resource, parent: int) -> Opened | None:
        """The statement that says where a dataset or a base model is from."""
        steps = _MADE_BY[resource.kind]
        for step in steps:
            for item in self.opened:
                if item.good and item.step == step and item.is_about(resource.digest):
                    return item
        before = len(self.links)
        self.no_statement(steps[-1], resource.digest, self.claims(steps[-1], resource), parent, resource.name)
        if len(self.links) == before and not self.policy.required(steps[-1]):
            link = Link(resource.kind, resource.name, resource.digest, Status.OK, parent=parent)
            self.add(self.with_bytes(link, self.bytes_of(resource.name, resource.digest), ""))
        return None

    def claims(self, step: str, resource: Resource) -> list[Opened]:
        return [item for item in self.opened if item.step == step and item.is_about(resource.digest)]

    # --- bytes

    def bytes_of(self, name: str, digest: str) -> _Bytes:
        """Hash the bytes wherever the resolver says that they lie."""
        try:
            paths = list(self.resolver(name, digest))
        except (OSError, ShipworthyError) as error:
            return _Bytes(0, _unreadable(error))
        seen = _Bytes()
        for path in dict.fromkeys(paths):
            problem = self.compare(path, name, digest)
            seen = _Bytes(seen.found + 1, seen.problem or problem)
        return seen

    def compare(self, path: Path, name: str, digest: str) -> Problem | None:
        try:
            manifest = Manifest.of(path) if path.is_dir() and not path.is_symlink() else None
            actual = manifest.digest if manifest else sha256_file(path)
        except RefusedError as error:
            return Problem.of(error)
        except (EnvironmentFailure, UsageError) as error:
            return _unreadable(error)
        self.read[str(path)] = actual
        if manifest and actual == digest:
            self.manifests[digest] = manifest
        if actual == digest:
            return None if manifest else self.stored_folder(digest)
        changed = self.what_changed(manifest, digest)
        return Problem(Failure.INTEGRITY, f"{name or path.name} was changed{changed}", digest, actual, _AGAIN)

    def what_changed(self, actual: Manifest | None, digest: str) -> str:
        try:
            attested = self.evidence.manifest(digest)
        except RefusedError:
            attested = None
        if actual is None or attested is None:
            return ""
        found = attested.differences(actual)
        return f": {', '.join(str(d) for d in found[:5])}" + (f" and {len(found) - 5} more" if len(found) > 5 else "")

    def stored_folder(self, digest: str) -> Problem | None:
        """A folder in a store is its manifest there, and each file by its digest."""
        manifest = self.manifest_of(digest)
        for entry in manifest.files if manifest else ():
            paths = self.resolver("", entry.digest)
            problems = [self.compare_file(path, entry) for path in paths]
            if not problems:
                reason = f"{entry.path} is not in the store"
                return Problem(Failure.MISSING, reason, entry.digest, "nothing", "store the release again")
            for problem in problems:
                if problem:
                    return problem
        return None

    def compare_file(self, path: Path, entry: Entry) -> Problem | None:
        try:
            actual = sha256_file(path)
        except RefusedError as error:
            return Problem.of(error)
        except (EnvironmentFailure, UsageError) as error:
            return _unreadable(error)
        self.read[str(path)] = actual
        if actual == entry.digest:
            return None
        return Problem(Failure.INTEGRITY, f"the stored {entry.path} was changed", entry.digest, actual, _AGAIN)

    def manifest_of(self, digest: str) -> Manifest | None:
        """The folder's manifest: as it was read here, or from the evidence."""
        if digest not in self.manifests:
            try:
                found = self.evidence.manifest(digest)
            except RefusedError:
                found = None
            if found is None:
                return None
            self.manifests[digest] = found
        return self.manifests[digest]

    # --- the model signature, and what is left

    def signature(self, root: int) -> list[tuple[Opened, int]]:
        """Link the OpenSSF model signature whose files are those of this model."""
        items = [item for item in self.opened if item.step == "sign"]
        manifest = self.manifest_of(self.target) or Manifest((Entry(oms.SINGLE_FILE, digest=self.target),))
        problems: list[tuple[Opened, Problem]] = []
        for item in items:
            problem = item.problem or _signs(item, manifest)
            if problem is None:
                self.accounted.add(item.name)
                return [(item, self.add(self.link_of(item, self.target, root)))]
            problems.append((item, problem))
        if problems:
            item, problem = problems[0]
            self.accounted.add(item.name)
            self.fail(Link("sign", item.name, self.target, Status.BROKEN, parent=root), problem)
        elif self.policy.required("sign"):
            self.no_statement("sign", self.target, [], root, "")
        return []

    def leftover(self, root: int) -> None:
        """Name the evidence that no link spoke for and that is damaged, replaced or gone."""
        by_name = {item.name: item for item in self.opened}
        for name, listed in sorted(self.listed.items()):
            if name in self.accounted and name in by_name and by_name[name].digest != listed.digest:
                self.mismatch(name, listed, by_name[name].digest)
            elif name not in self.accounted:
                self.listed_file(name, listed, by_name.get(name), root)
        for item in self.opened:
            if item.name in self.accounted or item.problem is None:
                continue
            if item.damaged:
                link = Link(item.step or "evidence", item.name, item.digest, Status.BROKEN, parent=root)
                self.fail(link, item.problem)
            else:
                self.notes.append(f"{item.name} was not used: {item.problem.reason}")

    def listed_file(self, name: str, listed: Resource, item: Opened | None, root: int) -> None:
        link = Link(self.step_of(listed), name, listed.digest, Status.BROKEN, parent=root)
        if self.absent(name):
            problem = Problem(
                Failure.MISSING, f"{name} is gone from the evidence", listed.digest, "nothing", "restore the file"
            )
            self.fail(link, problem, status=Status.MISSING)
        elif item is not None and item.digest != listed.digest and not item.damaged:
            self.accounted.add(name)
            problem = Problem(Failure.INTEGRITY, f"{name} was replaced", listed.digest, item.digest, "restore the file")
            self.fail(link, problem)
        elif name in self.evidence.manifests and sha256_bytes(self.evidence.manifests[name]) != listed.digest:
            actual = sha256_bytes(self.evidence.manifests[name])
            self.fail(link, Problem(Failure.INTEGRITY, f"{name} was changed", listed.digest, actual, _AGAIN))

    def mismatch(self, name: str, listed: Resource, actual: str) -> None:
        """Break the link that rests on a file which is genuine, but is not the one that is listed."""
        problem = Problem(Failure.INTEGRITY, f"{name} was replaced", listed.digest, actual, "restore the file")
        for index, link in enumerate(self.links):
            if link.name == name and link.holds:
                self.links[index] = _failed(link, problem, Status.BROKEN)

    def absent(self, name: str) -> bool:
        evidence = self.evidence
        known = name in evidence.bundles or name in evidence.manifests or name in evidence.unreadable
        return is_bundle(name) and not known

    def step_of(self, listed: Resource) -> str:
        return listed.kind or step_of_name(listed.name) or "evidence"


def _inputs(item: Opened) -> tuple[Resource, ...]:
    statement: Statement | None = item.statement
    place = _INPUTS_AT.get(item.step)
    return statement.resources(*place) if statement is not None and place else ()


def _signs(item: Opened, manifest: Manifest) -> Problem | None:
    """Why the signature is not one of this model; None when it is."""
    if item.statement is None:
        return Problem(Failure.INTEGRITY, "the signature cannot be read")
    try:
        signed = oms.read_signed(item.statement, allow_left_out=frozenset({item.name}), where=item.name)
    except RefusedError as error:
        return Problem.of(error)
    found = signed.differences(manifest)
    if not found:
        return None
    what = ", ".join(str(difference) for difference in found[:5])
    reason = f"the signature is not one of this model: {what}"
    return Problem(Failure.INTEGRITY, reason, found[0].expected, found[0].actual, "sign the model again")


def _failed(link: Link, problem: Problem, status: Status, *checks: Check) -> Link:
    return replace(
        link,
        status=status,
        checks=(*link.checks, *checks),
        failure=problem.failure,
        reason=problem.reason,
        expected=problem.expected,
        actual=problem.actual,
        remedy=problem.remedy,
    )


def _unreadable(error: Exception) -> Problem:
    message = error.message if isinstance(error, ShipworthyError) else str(error)
    return Problem(Failure.INFRASTRUCTURE, f"cannot be read: {message}", "", "", "restore the access, then try again")
