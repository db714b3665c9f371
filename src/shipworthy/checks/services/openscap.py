"""OpenSCAP over the service's files: which rules of the given SCAP content its image breaks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from shipworthy.check import Canary, Context, NotApplicable, Skipped, Unavailable, check
from shipworthy.checks.services._service import ServiceInfo, Unreadable
from shipworthy.checks.services._session import printable
from shipworthy.checks.services._standing import standing
from shipworthy.checks.services._xccdf import NotXccdf, TestResult, read_results
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.tools import Tool, ToolMissing

BROKEN = Rule(
    "scap-rule-failed",
    "A rule of the security guide is broken",
    Severity.MEDIUM,
    "The guide that the settings name asks for it, and the files of the service do not follow.",
    "Look the rule up in the guide (`oscap xccdf generate guide`), and change the image.",
    taxonomy=("CWE-1188", "A.8.9"),
    help="openscap",
)

OSCAP = Tool("oscap", versions=">=1.3,<2", install="apt install openscap-scanner ssg-debian, or your system's packages")
REPORT = "arf.xml"  # beside the description: the report of a run elsewhere
_SEVERITIES = {"high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW, "info": Severity.INFO}
_PREFIX = "xccdf_org.ssgproject.content_rule_"
_CANARY = b"""<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2" id="t" end-time="2024-01-01T00:00:00">
<rule-result idref="xccdf_org.ssgproject.content_rule_no_empty_passwords" severity="high">
<result>fail</result></rule-result>
</TestResult>"""


def _sample(*_: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"ok"


@check(
    "openscap",
    kinds={"service"},
    options={"content": "", "profile": "xccdf_org.ssgproject.content_profile_standard", "seconds": 240},
    canary=Canary(files={REPORT: _CANARY}, rule=BROKEN.id, standing=standing(_sample)),
    timeout=300.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Rules that are broken: from a report that lies beside the description, or by running oscap on the unpacked files.

    Raises NotApplicable when there is neither a report nor content, Unavailable when oscap or the files are missing,
    ToolFailed when oscap gives no report.
    """
    try:
        if artifact.path is None:
            raise Unreadable("the description of the service is not on this machine")
        info = ServiceInfo.read(artifact.path)
        given = artifact.path / REPORT
        result = _read(given) if given.is_file() and not given.is_symlink() else _run(context, info)
    except (Unreadable, NotXccdf) as error:
        yield Skipped(artifact, str(error))
        return
    yield from _judged(artifact, result)


def _read(path: Path) -> TestResult:
    with path.open("rb") as stream:
        return read_results(stream)


def _run(context: Context, info: ServiceInfo) -> TestResult:
    content = str(context.options.get("content", ""))
    if not content:
        raise NotApplicable("no SCAP content is named in [checks.openscap] content")
    place = Path(content)
    if not place.is_absolute() or not place.is_file():
        raise Unavailable(f"there is no SCAP content at {content[:120]}", "give the absolute path of a data stream")
    if context.root.resolve() in place.resolve().parents:
        raise Unavailable("the SCAP content lies in the workspace: it could pass itself", "take content of your system")
    if not info.rootfs or not Path(info.rootfs).is_dir():
        raise Unavailable("the files of the service are not unpacked on this machine")
    try:
        context.tools.version(OSCAP)
    except ToolMissing as missing:
        raise Unavailable(str(missing), OSCAP.install) from None
    with tempfile.TemporaryDirectory(prefix="shipworthy-oscap-") as folder:
        report = Path(folder) / REPORT
        context.tools.run(
            OSCAP, "xccdf", "eval", "--profile", str(context.options["profile"]), "--results-arf", str(report), content,
            timeout=float(context.options["seconds"]), env={"OSCAP_PROBE_ROOT": info.rootfs}, ok=(0, 2),
        )  # fmt: skip
        if not report.is_file():
            raise NotXccdf("oscap wrote no report")
        return _read(report)


def _judged(artifact: Artifact, result: TestResult) -> Iterator[Finding | Skipped]:
    for one in result.failed:
        name = printable(one.rule.removeprefix(_PREFIX), 120)
        severity = _SEVERITIES.get(one.severity, Severity.MEDIUM)
        yield BROKEN.at(artifact, f"{name} is broken", field=name, key=one.rule, severity=severity, witness="oscap")
    if not result.judged:
        yield Skipped(artifact, "no rule applied to the files of the service: the content is for another system")
    elif result.unjudged:
        yield Skipped(None, f"{result.unjudged} rules could not be judged", code="limited")
    if not result.ended:
        yield Skipped(None, "the report does not say that the evaluation was finished", code="limited")
