"""Plans of Terraform against features, ours and the project's own, when terraform-compliance is installed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shipworthy.check import Canary, Context, NotApplicable, Skipped, check
from shipworthy.checks.external._culprits import sift
from shipworthy.checks.external._plan import LIMIT, PLAN_NAME, NoPlan, addresses
from shipworthy.checks.external._wrapped import optional, renamed, squeezed, whole
from shipworthy.checks.infrastructure._cloud_rules import RULES as CLOUD
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.patterns import regex
from shipworthy.records import dataclass
from shipworthy.tools import ToolFailed

__all__ = ["RULES", "scan"]

PROGRAM = optional("terraform-compliance", ">=1.3.48,<2")
OWN = Path(__file__).parent / "terraform_features" / "cloud.feature"
TIMEOUT = 180.0
_LARGEST = 64_000_000  # bytes of its report
_FEATURE_LIMIT = 1_000_000
_FEATURES = 500
_MEANT = regex(rb"(?m)^[ \t]{0,40}(?:Given|\*)[ \t]+I have [^\n]{1,300}(?:defined|configured)[ \t\r]*$")
_ALIKE = {
    name: name for name in ("cloud-storage-public", "cloud-network-open", "cloud-unencrypted", "cloud-database-public")
}
SCENARIO = Rule(
    "terraform-compliance-scenario",
    "A plan of Terraform breaks a rule that the project has set itself",
    Severity.MEDIUM,
    "The project's features say what its infrastructure must be; what is planned is something else.",
    "Change the resource, or the feature if the rule no longer holds; then plan again.",
    taxonomy=("CWE-693", "CM-6"),
    help="infrastructure-as-code",
)
RULES = MappingProxyType(renamed("terraform-compliance", CLOUD.values(), _ALIKE) | {"other": SCENARIO})
_SEVERITY = {f"@severity-{one.value}": one for one in Severity}
_DONE = {"passed", "failed", "skipped"}
_ESCAPE = regex(r"\x1b\[[0-9;]{0,20}m")
# Every scan asks it first about a plan and a feature of ours that must fail.
_KNOWN_FEATURE = (
    b"Feature: known\n  Scenario: known\n    Given I have terraform_data defined\n    Then it must contain tags\n"
)
_CREATED = {
    "address": "terraform_data.known", "mode": "managed", "type": "terraform_data", "name": "known",
    "provider_name": "terraform.io/builtin/terraform", "schema_version": 0, "values": {"input": "a"},
}  # fmt: skip


def _plan(*resources: Mapping[str, Any]) -> bytes:
    value = {
        "format_version": "1.2", "terraform_version": "1.11.4", "configuration": {"root_module": {}},
        "planned_values": {"root_module": {"resources": resources}}, "resource_changes": [],
    }  # fmt: skip
    return json.dumps(value).encode()


_KNOWN_PLAN = _plan(_CREATED)
_BUCKET = {**_CREATED, "address": "aws_s3_bucket.b", "type": "aws_s3_bucket", "values": {"acl": "public-read"}}


@dataclass(frozen=True)
class _Failure:
    """A step that failed: in which feature, in what scenario with what tags, and what was said."""

    feature: str
    scenario: str
    step: str
    line: int
    tags: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class _Word:
    """What it says of one plan; `undone` are features with steps that were not carried out, with the reason."""

    failures: tuple[_Failure, ...]
    undone: Mapping[str, str]


def _accepts(artifact: Artifact) -> bool:
    return artifact.uri.endswith(".feature") or PLAN_NAME.match(artifact.uri) is not None


@check(
    "terraform-compliance",
    kinds={"text"},
    scope="tree",
    needs=(PROGRAM,),
    accepts=_accepts,
    options={"required": False, "own-features": True},
    canary=Canary(files={"tfplan.json": _plan(_BUCKET)}, rule="terraform-compliance-cloud-storage-public"),
    timeout=900.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of every plan. `@severity-high` before a scenario of the project says how much it weighs (medium
    otherwise); `own-features = false` leaves ours out. Values of the plan are not told: they may be secrets."""
    plans: list[tuple[Artifact, bytes, frozenset[str]]] = []
    features: dict[str, tuple[Artifact | None, bytes]] = {}
    for artifact in artifacts:
        is_feature = artifact.uri.endswith(".feature")
        limit = _FEATURE_LIMIT if is_feature else LIMIT
        data = artifact.read_bytes(limit + 1)
        if len(data) > limit or (is_feature and len(features) >= _FEATURES):
            yield Skipped(artifact, f"the file is larger than {limit:,} bytes, or one of too many")
        elif is_feature:
            if _MEANT.search(data):  # other features test other things
                features[f"f{len(features):04d}.feature"] = (artifact, data)
        else:
            try:
                plans.append((artifact, data, addresses(data)))
            except NoPlan:
                continue
    if context.options.get("own-features", True):
        features["shipworthy.feature"] = (None, OWN.read_bytes())
    if not plans:
        raise NotApplicable("no plan of Terraform as JSON here: `terraform show -json FILE > tfplan.json` makes one")
    if not features:
        raise NotApplicable("no feature here that speaks of a plan, and ours are switched off")
    _check_known(context)
    for artifact, data, known in plans:
        yield from _one_plan(artifact, data, known, features, context)


def _one_plan(
    artifact: Artifact,
    data: bytes,
    known: frozenset[str],
    features: Mapping[str, tuple[Artifact | None, bytes]],
    context: Context,
) -> Iterator[Finding | Skipped]:
    def attempt(names: Sequence[str], timeout: float) -> _Word:
        return _ask(data, {name: features[name][1] for name in names}, context, timeout)

    def without_any(names: Sequence[str], timeout: float) -> _Word:
        return attempt(names, timeout) if names else _check_known(context)

    word, refused = sift(tuple(features), without_any, TIMEOUT, context.tools.stopped)
    if len(refused) == len(features):  # the plan may be to blame
        why = _plain(next(iter(refused.values())))
        yield Skipped(artifact, squeezed(f"{PROGRAM.name} failed on it with every feature: {why}", 200), code="unread")
        return
    for name, why in {**word.undone, **refused}.items():
        feature = features[name][0]
        if feature is None:
            raise ToolFailed(PROGRAM.name, f"cannot hold {artifact.uri} against our features: {why}"[:300])
        yield Skipped(feature, squeezed(f"{PROGRAM.name} failed on the file: {_plain(why)}", 200), code="unread")
    for one in word.failures:
        feature = features[one.feature][0]
        rule = SCENARIO if feature else RULES.get(next(iter(one.tags), "@")[1:], SCENARIO)
        place = f" ({feature.uri}:{one.line})" if feature else ""
        for address in _about(one.said, known) or ("the plan",):
            yield rule.at(
                artifact,
                f"{address}: {squeezed(one.scenario, 100)}: {squeezed(one.step, 100)}{place}",
                key=f"{feature.uri if feature else ''} {one.scenario} {one.step} {address}",
                severity=next((_SEVERITY[tag] for tag in one.tags if tag in _SEVERITY), None) if feature else None,
                field=address,
                witness=PROGRAM.name,
            )


def _about(said: str, known: frozenset[str]) -> list[str]:
    """The addresses that a failure names, of those of the plan; nothing else of it is told."""
    words = {word.strip("().,;:'\"") for word in said.split()}
    named = words & known
    spaced = {name for name in known if " " in name and name in said}  # a key of for_each
    return sorted(named | spaced)


def _check_known(context: Context) -> _Word:
    """Raises ToolFailed if it does not see that our known plan breaks our known feature."""
    word = _ask(_KNOWN_PLAN, {"known.feature": _KNOWN_FEATURE}, context, TIMEOUT)
    if not any("terraform_data.known" in one.said for one in word.failures):
        raise ToolFailed(PROGRAM.name, "did not report the known-bad plan: its silence means nothing")
    return _Word((), {})


def _ask(plan: bytes, features: Mapping[str, bytes], context: Context, timeout: float) -> _Word:
    """One run. Raises ToolFailed when it does not tell of every feature."""
    with tempfile.TemporaryDirectory(prefix="shipworthy-tool-") as place:
        folder = Path(place).resolve()
        (folder / "features").mkdir()
        (folder / "plan.json").write_bytes(plan)
        for name, data in features.items():
            (folder / "features" / name).write_bytes(data)
        done = context.tools.run(
            PROGRAM, "--planfile", "plan.json", "--features", "features", "--silent",
            "--cucumber-json=report.json", timeout=timeout, cwd=folder, ok=(0, 1),
        )  # fmt: skip
        try:
            with (folder / "report.json").open("rb") as stream:
                data = stream.read(_LARGEST + 1)
        except OSError:
            said = done.stdout.decode("utf-8", "replace") + done.stderr
            why = next((line for line in reversed(said.splitlines()) if "ERROR" in line), "")
            raise ToolFailed(PROGRAM.name, f"wrote no report {_plain(why)[:120]}".rstrip()) from None
    return read(data, frozenset(features))


def read(data: bytes, features: frozenset[str]) -> _Word:
    """Its report (Cucumber's JSON). Raises ToolFailed for what is none, or is about other features."""
    failures: list[_Failure] = []
    undone: dict[str, str] = {}
    told = set()
    try:
        for row in whole(json.loads(data), list):
            name = Path(whole(row["uri"], str)).name
            told.add(name)
            for scenario in whole(row["elements"], list):
                for step in whole(scenario["steps"], list):
                    status = whole(step["result"]["status"], str)
                    if status == "failed":
                        failures.append(_failure(name, scenario, step))
                    elif status not in _DONE:
                        undone[name] = f"the step in line {whole(step['line'], int)} is {status}"
            if not row["elements"]:
                undone[name] = "it has no scenario"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ToolFailed(PROGRAM.name, "wrote something that is no report of it, or not all of it") from None
    if told != features:
        raise ToolFailed(PROGRAM.name, "does not tell of every feature, or of others")
    return _Word(tuple(failures), undone)


def _failure(feature: str, scenario: Mapping[str, Any], step: Mapping[str, Any]) -> _Failure:
    said = whole(step["result"]["error_message"], str)
    tags = tuple(whole(tag["name"], str) for tag in whole(scenario["tags"], list))
    name, words, line = whole(scenario["name"], str), whole(step["name"], str), whole(step["line"], int)
    return _Failure(feature, name, words, line, tags, _plain(said))


def _plain(text: str) -> str:
    return " ".join(_ESCAPE.sub("", text).split())
