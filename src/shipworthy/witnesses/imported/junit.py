"""JUnit XML: failed tests of what has no other report, such as terraform-compliance, Schemathesis and Dastardly."""

from __future__ import annotations

from shipworthy.model import Kind, Severity
from shipworthy.witnesses.documents import Node, parse_xml
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    address,
    cwes,
    graded,
    guarded,
    name,
    number,
    plain,
)


def read(raw: bytes) -> Report:
    """`testsuites` or `testsuite`. A failure is a finding of the severity that it names, else medium; what ended in an
    error or was skipped was not tested: a gap."""
    root = parse_xml(raw, "testsuites", "testsuite")
    suites = root.every("testsuite")
    said, gaps, looked = list[Statement](), list[str](), 0
    for suite in suites:
        for case in suite.all("testcase"):
            looked += 1
            said += [_statement(suite, case, failure) for failure in case.all("failure")]
            for kind in ("error", "skipped"):
                for problem in case.all(kind):
                    why = guarded(problem.get("message") or problem.text)
                    gaps.append(f"{plain(case.get('name'), 120)}: {kind}: {why}".rstrip(": "))
    made = name(suites[0].get("timestamp"), 40) if suites else ""
    return Report(tuple(said), made=made, looked=looked, gaps=tuple(gaps), tool=plain(root.get("name"), 60))


def _statement(suite: Node, case: Node, failure: Node) -> Statement:
    title = plain(case.get("name"), 150) or "a test"
    place, path = suite.get("name"), name(case.get("file") or suite.get("file"), 1000)
    about = address(place) if "://" in place else name(case.get("classname")) or name(place)
    why = guarded(failure.get("message"), 300)
    return Statement(
        rule=name(title, 100),
        message=f"{title}: {why}" if why and why != title else title,
        severity=graded(failure.get("type"), Severity.MEDIUM),
        title=title,
        path=path,
        line=number(case.get("line")),
        subject="" if path else about or "test",
        kind=Kind.SERVICE if "://" in place else Kind.OTHER,
        cwes=cwes(plain(failure.text, 2000)),
    )


SOURCE = Source(
    title="JUnit XML",
    form="XML",
    command="any program that writes JUnit XML",
    category="infrastructure",
    read=read,
    tried="recorded",
)
