"""Requests made from the OpenAPI document of the service, good and broken, and whether it answers as that says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipworthy.check import Canary, Context, NotApplicable, Skipped, check
from shipworthy.checks.services._client import Answer
from shipworthy.checks.services._fuzz import Case, cases, mismatch
from shipworthy.checks.services._openapi import NoDocument, Operation, operations, read_document
from shipworthy.checks.services._schemathesis import Reported, schemathesis
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine, printable
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.tools import ToolFailed, ToolMissing

__all__ = ["CRASHED", "scan"]

ERROR = Rule(
    "api-server-error",
    "An operation fails on input that its document describes or forbids",
    Severity.MEDIUM,
    "An error that nobody foresaw can leave the service in any state, and floods of it hide an attack.",
    "Check the input before it is used, and answer what is wrong with it with a status from 400 to 422.",
    taxonomy=("CWE-20", "CWE-755", "A.8.29"),
    help="api-testing",
)
STATUS = Rule(
    "api-undocumented-status",
    "An operation answers with a status that is not documented",
    Severity.LOW,
    "Clients that follow the document do not handle it, and reviewers do not know of it.",
    "Document the status, or answer with one that is documented.",
    taxonomy=("CWE-1059",),
    help="api-testing",
)
SCHEMA = Rule(
    "api-broken-schema",
    "An answer is not what the document says",
    Severity.LOW,
    "Clients read it wrongly; more fields than documented can tell what nobody meant to.",
    "Make the answer from the schema, and test it against the document.",
    taxonomy=("CWE-213", "CWE-1059"),
    help="api-testing",
)
CONTENT = Rule(
    "api-undocumented-content",
    "An operation answers with a content type that is not documented",
    Severity.LOW,
    "Clients cannot read it; browsers may take it for a page.",
    "Answer with the documented content type, also for errors.",
    taxonomy=("CWE-1059",),
    help="api-testing",
)
INVALID = Rule(
    "api-accepts-invalid",
    "Input that the document forbids gets a result",
    Severity.LOW,
    "The limits of the document are not checked: what comes after works with values that it was not made for.",
    "Check requests against the document before they are handled.",
    taxonomy=("CWE-20",),
    help="api-testing",
)
AUTHENTICATION = Rule(
    "api-ignored-authentication",
    "An operation that asks for credentials answers without them",
    Severity.HIGH,
    "The document promises a protection that is not there.",
    "Check the credentials of every request to the operation.",
    taxonomy=("CWE-306", "CWE-862"),
    help="authentication",
)

_BY_CHECK: Mapping[str, Rule] = {
    "not_a_server_error": ERROR,
    "status_code_conformance": STATUS,
    "content_type_conformance": CONTENT,
    "response_schema_conformance": SCHEMA,
    "negative_data_rejection": INVALID,
    "ignored_auth": AUTHENTICATION,
}
_DOCUMENT = b"""{"openapi": "3.1.0", "info": {"title": "sample", "version": "1"}, "paths": {"/items": {"get": {
"parameters": [{"name": "limit", "in": "query", "required": true, "schema": {"type": "integer", "maximum": 10}}],
"responses": {"200": {"description": "ok"}, "400": {"description": "no"}}}}}}"""


def _sample(_method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
    if target == "/openapi.json":
        return 200, {"Content-Type": "application/json"}, _DOCUMENT
    return (200 if target.endswith("limit=1") or target == "/" else 500), {"Content-Type": "application/json"}, b"{}"


@check(
    "api-fuzz",
    kinds={"service"},
    options={**OPTIONS, "requests": 1_500, "seconds": 120, "schemathesis": True, "examples": 30},
    canary=Canary(files={}, rule=ERROR.id, standing=standing(_sample, openapi="/openapi.json")),
    timeout=400.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Where the service does not do as its document says; schemathesis is asked as well where it is installed."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    if not session.info.openapi:
        raise NotApplicable("no OpenAPI document is named for the service")
    try:
        document = read_document(session)
    except NoDocument as error:
        yield Skipped(session.artifact, f"{error}: no operation could be tried")
        return
    found: dict[tuple[str, str], Finding] = {}
    for operation in operations(document):
        for case in cases(operation):
            answer = session.ask(case.request)
            if answer is not None and case.good and answer.status in (401, 403) and not session.info.credentials:
                reason = f"{operation.name} needs credentials, which are not known"
                yield Skipped(None, reason, code="limited")
                break
            if answer is not None:
                for rule, message in _judged(session, operation, case, answer):
                    told = f"{operation.name}: {message}"
                    key = (rule.id, operation.name)
                    found.setdefault(key, rule.at(session.artifact, told, field=operation.name, key=operation.name))
    yield from _witnessed(session, document, found)
    yield from found.values()


def _judged(session: Session, operation: Operation, case: Case, answer: Answer) -> Iterator[tuple[Rule, str]]:
    if answer.status >= 500:
        yield ERROR, f"{case.words} is answered with {answer.status}"
        return
    documented = _of_status(operation, answer.status)
    if operation.answers and documented is None and answer.status not in (405, 415):
        yield STATUS, f"{case.words} is answered with {answer.status}, which is not documented"
    if not case.good and 200 <= answer.status < 300:
        yield INVALID, f"{case.words} is answered with {answer.status}"
    if documented and answer.body and answer.status != 304:
        kinds = {kind.partition(";")[0].strip(): schema for kind, schema in documented.items()}
        schema = kinds.get(answer.media_type, kinds.get("*/*"))
        if schema is None:
            yield CONTENT, f"{case.words} is answered with {printable(answer.media_type or 'no content type', 60)}"
        elif "json" in answer.media_type and (wrong := mismatch(answer.body, schema)):
            yield SCHEMA, f"the answer {answer.status} to {case.words} is not as documented: {wrong}"
    if case.anonymous and 200 <= answer.status < 300 and session.info.credentials:
        yield AUTHENTICATION, f"{case.words} is answered with {answer.status}"


def _of_status(operation: Operation, status: int) -> Mapping[str, Any] | None:
    for name in (str(status), f"{status // 100}XX", "DEFAULT"):
        if name in operation.answers:
            return operation.answers[name]
    return None


def _witnessed(
    session: Session, document: Mapping[str, Any], found: dict[tuple[str, str], Finding]
) -> Iterator[Finding | Skipped]:
    """What schemathesis says: a witness of what we saw, or another finding. It is no gap when it is not installed."""
    if not session.context.options.get("schemathesis", True) or session.info.socket:
        return
    try:
        report = schemathesis(session, document, int(session.context.options.get("examples", 30)))
    except ToolMissing:
        return
    except ToolFailed as failure:
        session.still_there("the requests of schemathesis", "unknown")
        yield Skipped(None, str(failure), code="limited")
        return
    for one in report.failures:
        yield from _taken(session, one, found)
    if report.reason:
        yield Skipped(None, f"schemathesis: {report.reason}", code="limited")


def _taken(session: Session, one: Reported, found: dict[tuple[str, str], Finding]) -> Iterator[Finding]:
    rule = _BY_CHECK.get(one.check)
    if rule is None:
        return  # what other checks of ours look at
    key = (rule.id, one.operation)
    if key in found:
        found[key] = found[key].with_(witnesses=("schemathesis",))
        return
    message = f"{one.operation}: {printable(one.message, 160)}"
    found[key] = rule.at(session.artifact, message, field=one.operation, key=one.operation, witness="schemathesis")
    yield from ()
