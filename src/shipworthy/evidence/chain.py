"""Walk the chain of custody from a model, or from an image with a model in it, back to the datasets, and name each
link that does not hold.

    model -> release, model signature, gate -> training -> datasets, code
                                               evaluation -> predictions, labels
                                               scan -> report
    image -> layers, release, signature, gate -> build -> context, base, model (with a chain of its own)
                                                 bill of materials; scan -> report
             protection -> gate -> check of the deployment -> report
                           events of the guard and their summary

Only digests join the links. A file of evidence that was damaged, removed or replaced is named as the link that it
should be; what could not be walked because of it is not guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shipworthy.evidence import demands, oms
from shipworthy.evidence.compare import Comparer, Seen
from shipworthy.evidence.deployed import walk_deployment
from shipworthy.evidence.digest import Entry, Manifest, sha256_bytes
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import EvidenceSet, is_bundle
from shipworthy.evidence.inner import file_of_part, layers, walk_part
from shipworthy.evidence.links import ChainResult, Check, Link, Status
from shipworthy.evidence.names import check_digest
from shipworthy.evidence.opened import Opened, open_all, step_of_name
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.resolve import Resolver, nowhere
from shipworthy.evidence.revocation import named_in
from shipworthy.evidence.statement import Resource

LINKS_LIMIT = 20_000
_MADE_BY = {"dataset": ("ingest",), "model": ("train", "ingest")}
"""The steps whose statement says where a thing of the kind is from."""
_STEPS = {"model": ("train", "evaluate", "scan"), "image": ("build", "bom", "scan")}
"""What a gate must have seen about a thing of the kind."""
_BY_DIGEST = frozenset({"image", "layer", "base", "context"})
"""Kinds whose names are no paths: a file that is called so is another thing."""


def verify_chain(
    target: str,
    evidence: EvidenceSet,
    policy: Policy,
    resolver: Resolver = nowhere,
    *,
    name: str = "model",
    version: str = "",
    kind: str = "model",
) -> ChainResult:
    """Verify all that the policy demands about the model or image (`kind`) whose digest is `target`.

    `resolver` yields where bytes lie; each of them is hashed here. With a `version`, the signed release must be that
    one. Raises RefusedError when `target` is no digest or the chain is endless; whatever else is wrong with the
    evidence is a link of the result, not an exception.
    """
    if kind not in _STEPS:
        raise RefusedError(f"there is no chain of a thing of the kind {kind[:40]!r}")
    walk = _Walk(check_digest(target, f"the {kind}"), evidence, policy, resolver, kind)
    walk.start(name, version)
    links = demands.apart(walk.links) if policy.separate else walk.links
    result = ChainResult(target, tuple(links), tuple(walk.notes), dict(walk.comparer.read))
    return (
        replace(result, notes=(*result.notes, demands.ONE_SIGNER.format(result.one_signer[:16])))
        if result.one_signer
        else result
    )


class _Walk:
    """The state of one walk: links are appended in its order, each after the link that rests on it."""

    def __init__(self, target: str, evidence: EvidenceSet, policy: Policy, resolver: Resolver, kind: str) -> None:
        self.target, self.evidence, self.policy, self.resolver, self.kind = target, evidence, policy, resolver, kind
        self.comparer = Comparer(resolver, evidence)
        self.opened = open_all(evidence, policy)
        self.about = _by_subject(self.opened)
        self.links: list[Link] = []
        self.notes: list[str] = []
        self.file_of: dict[int, str] = {}  # the file of evidence behind a link, by the link's index
        self.accounted: set[str] = set()  # files of evidence that a link speaks for
        self.listed: dict[str, Resource] = {}  # what the release and the gate list, by file name
        self.done: set[tuple[str, str]] = set()

    def start(self, name: str, version: str) -> None:
        root = self.add(self.with_bytes(Link(self.kind, name, self.target, Status.OK), self.kind))
        for item, index in self.statements("store", root):
            self.listed |= {resource.name: resource for resource in item.inputs}
            self.released_as(item, index, version)
            if not self.links[index].holds:
                # it is another release's thing: comparing its bytes, or going on, would blame what is not at fault
                self.links = [Link(self.kind, name, self.target, Status.ATTESTED_ONLY), self.links[index]]
                return
        if self.kind == "image":
            layers(self, root)
            self.statements("sign", root)
        else:
            self.signature(root)
        decided = self.statements("gate", root)
        for item, index in decided:
            self.listed = {resource.name: resource for resource in item.inputs} | self.listed
            self.verdict(item, index)
        pins = frozenset(resource.digest for item, _ in decided for resource in item.inputs)
        for step in _STEPS[self.kind]:
            for item, index in self.statements(step, root, pins if decided else None):
                for resource in item.inputs:
                    self.material(resource, index, (self.target,))
        if self.kind == "image":
            walk_deployment(self, root)
        self.leftover(root)

    # --- links

    def add(self, link: Link, file: str = "") -> int:
        """Append the link, and note the file of evidence that it speaks for; its index."""
        if len(self.links) >= LINKS_LIMIT:
            raise RefusedError(f"the chain has more than {LINKS_LIMIT} links")
        depth = 0 if link.parent is None else self.links[link.parent].depth + 1
        if link.holds and (revoked := self.policy.revoked.get(link.digest)):
            link = link.failed(revoked.problem(), Check("revoked", False, link.digest))
        self.links.append(replace(link, depth=depth))
        if file:
            self.accounted.add(file)
            self.file_of[len(self.links) - 1] = file
        return len(self.links) - 1

    def with_bytes(self, link: Link, kind: str, seen: Seen | None = None) -> Link:
        """The link with the outcome of comparing its bytes, wherever they are."""
        seen = seen or self.comparer.bytes_of("" if kind in _BY_DIGEST else link.name, link.digest)
        if seen.problem:
            return link.failed(seen.problem, Check("bytes", False, seen.problem.reason))
        if seen.places:
            return replace(link, checks=(*link.checks, Check("bytes", True, link.digest)))
        if kind and not self.policy.at_hand.isdisjoint({kind, f"{kind}:{link.name}"}):
            reason, remedy = f"the {kind} is not there to be compared", "say where it is, or restore it"
            return link.failed(Problem(Failure.MISSING, reason, link.digest, "", remedy))
        return replace(link, status=Status.ATTESTED_ONLY)

    def signed(self, item: Opened, subject: str, parent: int, name: str = "") -> Link:
        """The link of a statement that verifies."""
        rule = self.policy.rule(item.step, self.kind)
        signers = []
        for key in item.signers:
            roles = sorted(self.policy.roles_of(key) & rule.roles)
            signers.append(f"{'/'.join(roles) or 'countersigned'} (key {key.keyid[:16]})")
        checks: tuple[Check, ...] = (Check("signature", True), Check("role", True), Check("subject", True, subject))
        time, keys = item.statement.time if item.statement else "", tuple(key.keyid for key in item.signers)
        who = ", ".join(signers)
        if self.policy.logged is not None and (entry := self.policy.logged.get(item.digest)):
            time, checks = entry.time, (*checks, Check("logged", True, f"entry {entry.index}"))
        link = Link(item.step, name or item.name, subject, Status.OK, 0, parent, who, time, keys, checks)
        unmet = demands.unmet(item, rule, self.policy)
        return link.failed(unmet[1], Check(unmet[0], False, unmet[1].actual)) if unmet else link

    # --- steps that speak of the model

    def statements(self, step: str, parent: int, pins: frozenset[str] | None = None) -> list[tuple[Opened, int]]:
        """Link the statements of the step about the model; those whose link holds. `pins` are the digests of the files
        on which the gate decided: no other will do.
        """
        about = [item for item in self.about.get(self.target, ()) if item.step == step]
        good = [item for item in about if item.good]
        if good and pins is not None:
            seen = [item for item in good if item.digest in pins]
            if not seen:
                self.add(self.signed(good[0], self.target, parent).failed(self.not_seen(good[0])), good[0].name)
                return []
            good = seen
        if not good:
            self.no_statement(step, self.target, about, parent)
        linked = [(item, self.add(self.signed(item, self.target, parent), item.name)) for item in good]
        return [(item, index) for item, index in linked if self.links[index].holds]

    def not_seen(self, item: Opened) -> Problem:
        listed = self.listed.get(item.name)
        return Problem(
            Failure.INTEGRITY,
            f"this is not the statement on which the gate decided: {item.name} was replaced",
            listed.digest if listed else "a statement that the gate lists",
            item.digest,
            "get the file back that the gate saw, or run the gate again",
        )

    def verdict(self, item: Opened, index: int) -> None:
        result = item.statement.predicate.get("verificationResult") if item.statement else None
        if result != "PASSED":
            remedy = "correct what the gate named, and run it again"
            problem = Problem(Failure.POLICY, "the gate said no", "PASSED", str(result)[:40], remedy)
            self.links[index] = self.links[index].failed(problem, Check("verdict", False))

    def released_as(self, item: Opened, index: int, version: str) -> None:
        signed = str(item.statement.predicate.get("version"))[:128] if item.statement else ""
        if version and signed != version:
            reason, remedy = f"this is the release {signed}, not {version}", "restore the reference of the release"
            problem = Problem(Failure.INTEGRITY, reason, version, signed, remedy)
            self.links[index] = self.links[index].failed(problem, Check("version", False))

    def no_statement(self, step: str, subject: str, about: list[Opened], parent: int, name: str = "") -> None:
        """Say why there is none about the subject: damaged, signed by the wrong one, removed, or about something else.
        `name` is that of an input; for one of those, a damaged file that cannot be told from others is left to
        `leftover`, which names it.
        """
        same = [item for item in self.opened if item.step == step and item.name not in self.accounted]
        damaged = [item for item in same if item.damaged]
        bad = [item for item in about if item.problem] or ([] if name else damaged)
        if bad and bad[0].problem:
            link = Link(step, name or bad[0].name, subject, Status.BROKEN, parent=parent)
            self.add(link.failed(bad[0].problem), bad[0].name)
        elif self.policy.required(step) and not (name and damaged):
            self.removed(step, subject, same, parent, name)

    def removed(self, step: str, subject: str, same: list[Opened], parent: int, name: str) -> None:
        there = {item.name: item.digest for item in self.opened}
        listed = [(file, r.digest) for file, r in self.listed.items() if _step_of(r) == step]
        gone = [file for file, digest in listed if there.get(file) != digest and file not in self.accounted][:1]
        others = [s.digest for item in same if item.good and item.statement for s in item.statement.subjects]
        why, failure = ", only about something else" if others else "", Failure.MISSING
        if gone:
            why = f": {gone[0]} is gone"
            if gone[0] in self.evidence.bundles:
                why, failure = f": {gone[0]} was replaced", Failure.INTEGRITY
        reason = f"no statement of the step {step} is about {name or f'this {self.kind}'}{why}"
        remedy = "restore the file of evidence" if gone else f"run the step {step} for these very bytes"
        problem = Problem(failure, reason, subject, others[0] if others else "nothing", remedy)
        label = name or (gone[0] if gone else step)
        self.add(Link(step, label, subject, Status.MISSING, parent=parent).failed(problem), gone[0] if gone else "")

    def signature(self, root: int) -> None:
        """Link the OpenSSF model signature whose files are those of this model."""
        items = [item for item in self.opened if item.step == "sign"]
        manifest = self.comparer.manifest(self.target)
        problems = [item.problem or _signs(item, self.target, manifest) for item in items]
        for item, problem in zip(items, problems, strict=True):
            if problem is None:
                self.add(self.signed(item, self.target, root), item.name)
                return
        for item, problem in list(zip(items, problems, strict=True))[:1]:
            link = Link("sign", item.name, self.target, Status.BROKEN, parent=root)
            self.add(link.failed(problem) if problem else link, item.name)
        if not items and self.policy.required("sign"):
            self.no_statement("sign", self.target, [], root)

    # --- what the steps rest on

    def material(self, resource: Resource, parent: int, above: tuple[str, ...]) -> None:
        """Link one input: its bytes and, for a dataset or a model, the statement that says where it is from; then, in
        the same way, what that rests on.
        """
        path = set(above)  # the digests that rest on what is looked at
        todo: list[tuple[Resource, int] | str] = [(resource, parent)]
        while todo:
            step = todo.pop()
            if isinstance(step, str):
                path.discard(step)
                continue
            made, index = self.input(*step, path)
            if made:
                path.add(step[0].digest)
                todo.append(step[0].digest)
                todo += [(deeper, index) for deeper in reversed(made.inputs)]

    def input(self, resource: Resource, parent: int, path: set[str]) -> tuple[Opened | None, int]:
        """Link one input; the statement that says where it is from, if one that holds does, and the link's index."""
        kind, digest = resource.kind or "input", resource.digest
        link = Link(kind, resource.name, digest, Status.OK, parent=parent)
        if digest in path:
            reason, remedy = f"{resource.name}: it rests on itself", "no input of a step may be its result"
            self.add(link.failed(Problem(Failure.POLICY, reason, "", digest, remedy)))
            return None, 0
        if (kind, digest) in self.done:
            return None, 0
        self.done.add((kind, digest))
        if kind == "model" and walk_part(self, resource, parent):
            return None, 0
        made = self.maker(resource)
        if made:
            link = self.signed(made, digest, parent, resource.name)
        elif kind in _MADE_BY:
            before, step = len(self.links), _MADE_BY[kind][-1]
            about = [item for item in self.about.get(digest, ()) if item.step in _MADE_BY[kind]]
            self.no_statement(step, digest, about, parent, resource.name)
            if len(self.links) > before or self.policy.required(step):
                return None, 0  # a link, or the damaged file that `leftover` names, says what is wrong
        if link.holds:
            link = self.with_bytes(link, "" if kind == "model" else kind)
        index = self.add(link, made.name if made else "")
        return made if link.holds else None, index

    def maker(self, resource: Resource) -> Opened | None:
        """The statement that says where a dataset or a base model is from."""
        for step in _MADE_BY.get(resource.kind, ()):
            for item in self.about.get(resource.digest, ()):
                if item.good and item.step == step:
                    return item
        return None

    # --- what no link spoke for

    def leftover(self, root: int) -> None:
        """Name the evidence that is damaged, replaced or gone and that no link named yet, and what is revoked in it."""
        shown = {link.digest for link in self.links}
        for index, file in self.file_of.items():
            inside = named_in(self.evidence.bundles.get(file, b""), self.policy.revoked) if self.policy.revoked else []
            hidden = next((one for one in inside if one.digest not in shown), None)
            if hidden and self.links[index].holds:
                self.links[index] = self.links[index].failed(hidden.problem(), Check("revoked", False, hidden.digest))
        by_name = {item.name: item for item in self.opened}
        for index, file in self.file_of.items():
            listed = self.listed.get(file)
            if listed and self.links[index].holds and by_name[file].digest != listed.digest:
                self.links[index] = self.links[index].failed(_replaced(file, listed, by_name[file].digest))
        linked = {digest for _, digest in self.done}
        for file, listed in sorted(self.listed.items()):
            if file not in self.accounted:
                self.listed_file(file, listed, by_name.get(file), root, linked)
        for item in self.opened:
            if item.name in self.accounted or item.problem is None:
                continue
            if item.damaged:
                link = Link(item.step or "evidence", item.name, item.digest, Status.BROKEN, parent=root)
                self.add(link.failed(item.problem), item.name)
            else:
                self.notes.append(f"{item.name} was not used: {item.problem.reason}")

    def listed_file(self, file: str, listed: Resource, item: Opened | None, root: int, linked: set[str]) -> None:
        """Link a file that the release or the gate lists and that no step needed."""
        link = Link(_step_of(listed) or "evidence", file, listed.digest, Status.OK, parent=root)
        if "/" in file:
            if problem := file_of_part(self.evidence, file, listed.digest):
                self.add(link.failed(problem))
            return
        if self.is_absent(file):
            reason = f"{file} is gone from the evidence"
            problem = Problem(Failure.MISSING, reason, listed.digest, "nothing", "restore the file")
            self.add(link.failed(problem), file)
        elif item is not None:
            if item.digest != listed.digest and not item.damaged:
                self.add(link.failed(_replaced(file, listed, item.digest)), file)
        elif file in self.evidence.manifests:
            actual = sha256_bytes(self.evidence.manifests[file])
            if actual != listed.digest:
                self.add(link.failed(_replaced(file, listed, actual)))
        elif listed.digest not in linked:
            self.add(self.with_bytes(link, listed.kind))

    def is_absent(self, file: str) -> bool:
        """Whether it is a signed file that is not among the evidence."""
        there = file in self.evidence.bundles or file in self.evidence.unreadable
        return is_bundle(file) and not there


def _by_subject(opened: Iterable[Opened]) -> dict[str, list[Opened]]:
    """The statements about each digest, in their order."""
    found: dict[str, list[Opened]] = {}
    for item in opened:
        for digest in dict.fromkeys(s.digest for s in (item.statement.subjects if item.statement else ())):
            found.setdefault(digest, []).append(item)
    return found


def _step_of(listed: Resource) -> str:
    return listed.kind or step_of_name(listed.name)


def _replaced(file: str, listed: Resource, actual: str) -> Problem:
    remedy = "restore the file from where it was made"
    return Problem(Failure.INTEGRITY, f"{file} was replaced", listed.digest, actual, remedy)


def _signs(item: Opened, target: str, manifest: Manifest | None) -> Problem | None:
    """Why the signature is not one of this model; None when it is."""
    if item.statement is None:
        return Problem(Failure.INTEGRITY, "the signature cannot be read")
    try:
        signed = oms.read_signed(item.statement, allow_left_out=frozenset({item.name}), where=item.name)
    except RefusedError as error:
        return Problem.of(error)
    if manifest is None and not signed.single_file:
        reason = "neither the model's files nor its manifest are there, so its signature says nothing about it"
        return Problem(Failure.MISSING, reason, target, "nothing", "restore the manifest of the model")
    found = signed.differences(manifest or Manifest((Entry(oms.SINGLE_FILE, digest=target),)))
    if not found:
        return None
    what = ", ".join(str(difference) for difference in found[:5])
    reason = f"the signature is not one of this model: {what}"
    return Problem(Failure.INTEGRITY, reason, found[0].expected, found[0].actual, "sign the model again")
