"""Reports as each tool writes them, with as many findings as asked for: the shapes of recorded reports, own content."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A report of `n` findings, and what the first of them must be read as."""

    make: Callable[[int], bytes]
    rule: str
    severity: str
    where: str
    line: int | None = None
    cwes: tuple[str, ...] = ()
    confidence: str = "medium"
    empty: str = "read"  # `read`: a report without findings is one; otherwise why it is none


def of_json(make: Callable[[int], Any]) -> Callable[[int], bytes]:
    return lambda n: json.dumps(make(n), indent=1).encode()


def of_lines(make: Callable[[int], list[Any]]) -> Callable[[int], bytes]:
    return lambda n: "".join(json.dumps(item) + "\n" for item in make(n)).encode() or b"\n"


def sarif(driver: str, rule: dict[str, Any], result: dict[str, Any]) -> Callable[[int], Any]:
    def make(n: int) -> Any:
        results = [
            {
                **result,
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "src/a.py", "uriBaseId": "%SRCROOT%"},
                            "region": {"startLine": 7 + i, "startColumn": 3},
                        }
                    }
                ],
            }
            for i in range(n)
        ]
        tool = {"driver": {"name": driver, "version": "1.2.3", "rules": [rule]}}
        return {"version": "2.1.0", "runs": [{"tool": tool, "results": results}]}

    return make


def _trivy(n: int) -> Any:
    found = [
        {
            "VulnerabilityID": f"CVE-2021-{3350 + i}3",
            "PkgName": "urllib3",
            "InstalledVersion": "1.26.3",
            "FixedVersion": "1.26.5",
            "Title": "a slow expression",
            "Severity": "HIGH",
            "CweIDs": ["CWE-400"],
        }
        for i in range(n)
    ]
    result = {"Target": "requirements.txt", "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": found}
    return {"SchemaVersion": 2, "ArtifactName": ".", "ArtifactType": "filesystem", "Results": [result]}


def _grype(n: int) -> Any:
    matches = [
        {
            "vulnerability": {
                "id": f"GHSA-aaaa-bbbb-{1000 + i}",
                "severity": "Critical",
                "description": "bad",
                "fix": {"versions": ["2.0"], "state": "fixed"},
            },
            "relatedVulnerabilities": [{"id": "CVE-2022-12345"}],
            "artifact": {"name": "left", "version": "1.0", "type": "npm", "locations": [{"path": "package-lock.json"}]},
        }
        for i in range(n)
    ]
    return {
        "matches": matches,
        "source": {"type": "directory", "target": "."},
        "descriptor": {"name": "grype", "version": "0.80.0", "timestamp": "2026-01-05T10:00:00Z"},
    }


def _snyk(n: int) -> Any:
    found = [
        {
            "id": f"SNYK-PYTHON-X-{i}",
            "title": "XXE",
            "severity": "medium",
            "packageName": "lxml",
            "version": "4.0",
            "fixedIn": ["4.9"],
            "identifiers": {"CVE": ["CVE-2020-11111"], "CWE": ["CWE-611"]},
        }
        for i in range(n)
    ]
    return {"vulnerabilities": found, "ok": not n, "dependencyCount": 5, "displayTargetFile": "requirements.txt"}


def _gitleaks(n: int) -> Any:
    return [
        {
            "RuleID": "aws-access-token",
            "Description": "AWS",
            "StartLine": 4 + i,
            "EndLine": 4 + i,
            "StartColumn": 2,
            "Match": f"AKIAIOSFODNN7EXAMPL{i}",
            "Secret": f"AKIAIOSFODNN7EXAMPL{i}",
            "File": "conf/a.tf",
            "Commit": "74d53286c550630f80847d0000000000000000ab",
            "Message": "add AKIAIOSFODNN7EXAMPLE",
        }
        for i in range(n)
    ]


def _trufflehog(n: int) -> list[Any]:
    return [
        {
            "SourceMetadata": {"Data": {"Git": {"commit": "fbc14303ffbf8fb1c2c1", "file": "keys", "line": 4 + i}}},
            "SourceName": "trufflehog - git",
            "DetectorName": "AWS",
            "Verified": True,
            "Raw": "AKIAIOSFODNN7EXAMPLE",
            "Redacted": "AKIAIOSFODNN7EXAMPLE",
        }
        for i in range(n)
    ]


def _semgrep(n: int) -> Any:
    results = [
        {
            "check_id": "rules.sql",
            "path": "src/a.py",
            "start": {"line": 9 + i, "col": 5},
            "end": {"line": 9 + i, "col": 20},
            "extra": {
                "message": "SQL from a string",
                "severity": "ERROR",
                "metadata": {"cwe": ["CWE-89: Improper Neutralization"], "confidence": "HIGH"},
                "lines": "requires login",
            },
        }
        for i in range(n)
    ]
    return {"version": "1.97.0", "results": results, "errors": [], "paths": {"scanned": ["src/a.py"]}}


def _checkov(n: int) -> Any:
    failed = [
        {
            "check_id": "CKV_AWS_20",
            "check_name": "S3 must not be public",
            "check_result": {"result": "FAILED"},
            "file_path": "/main.tf",
            "file_line_range": [3 + i, 9 + i],
            "resource": "aws_s3_bucket.a",
            "severity": None,
        }
        for i in range(n)
    ]
    results = {"passed_checks": [], "failed_checks": failed, "skipped_checks": [], "parsing_errors": []}
    summary = {"passed": 2, "failed": n, "checkov_version": "3.3.30"}
    return {"check_type": "terraform", "results": results, "summary": summary}


def _bandit(n: int) -> Any:
    results = [
        {
            "filename": "./src/a.py",
            "test_id": "B602",
            "test_name": "subprocess",
            "issue_text": "shell=True",
            "issue_severity": "HIGH",
            "issue_confidence": "HIGH",
            "issue_cwe": {"id": 78},
            "line_number": 5 + i,
            "line_range": [5 + i],
        }
        for i in range(n)
    ]
    metrics = {"_totals": {"loc": 40}, "./src/a.py": {"loc": 40}}
    return {"errors": [], "generated_at": "2026-01-05T10:00:00Z", "metrics": metrics, "results": results}


def _tfsec(n: int) -> Any:
    results = [
        {
            "rule_id": "AVD-AWS-0107",
            "long_id": "aws-vpc-no-public-ingress",
            "description": "open to all",
            "resolution": "Close it",
            "severity": "CRITICAL",
            "status": 0,
            "resource": "aws_security_group.a",
            "location": {"filename": "main.tf", "start_line": 8 + i, "end_line": 8 + i},
        }
        for i in range(n)
    ]
    return {"results": results or None}


def _kics(n: int) -> Any:
    files = [
        {"file_name": "main.tf", "line": 6 + i, "search_key": "aws_s3_bucket[a]", "expected_value": "private"}
        for i in range(n)
    ]
    query = {"query_id": "q-1", "query_name": "Public bucket", "severity": "HIGH", "cwe": "732", "files": files}
    return {"kics_version": "v2.1.0", "files_scanned": 3, "files_failed_to_scan": 0, "queries": [query] if n else []}


def _tflint(n: int) -> Any:
    place = [
        {"filename": "main.tf", "start": {"line": 4 + i, "column": 1}, "end": {"line": 4 + i, "column": 9}}
        for i in range(n)
    ]
    rule = {"name": "terraform_required_version", "severity": "warning"}
    return {"issues": [{"rule": rule, "message": "no version", "range": r} for r in place], "errors": []}


def _terrascan(n: int) -> Any:
    found = [
        {
            "rule_id": "AC_AWS_0214",
            "rule_name": "public",
            "description": "A public bucket",
            "severity": "HIGH",
            "resource_name": "a",
            "resource_type": "aws_s3_bucket",
            "file": "main.tf",
            "line": 2 + i,
        }
        for i in range(n)
    ]
    summary = {"scanned_at": "2021-05-19 13:17:04.067888 +0000 UTC", "policies_validated": 600}
    return {"results": {"scan_errors": None, "violations": found or None, "scan_summary": summary}}


def _horusec(n: int) -> Any:
    found = [
        {
            "vulnerabilities": {
                "rule_id": "HS-PYTHON-1",
                "file": "src/a.py",
                "line": str(12 + i),
                "column": "3",
                "confidence": "HIGH",
                "severity": "CRITICAL",
                "language": "Python",
                "type": "Vulnerability",
                "code": "eval(x)",
                "details": "(1/1) * Possible vulnerability detected: eval\nSee https://cwe.mitre.org CWE-95",
            }
        }
        for i in range(n)
    ]
    return {"version": "v2.8.0", "status": "success", "errors": "", "analysisVulnerabilities": found or None}


def _sonarqube(n: int) -> Any:
    issues = [
        {
            "key": f"k{i}",
            "rule": "python:S2077",
            "severity": "CRITICAL",
            "component": "proj:src/a.py",
            "line": 21 + i,
            "status": "OPEN",
            "message": "Make sure (CWE-89)",
            "type": "VULNERABILITY",
            "tags": ["cwe-89"],
        }
        for i in range(n)
    ]
    return {"paging": {"pageIndex": 1, "pageSize": 500, "total": n}, "issues": issues, "components": []}


def _dependency_check(n: int) -> Any:
    found = [
        {
            "name": f"CVE-2020-948{i}",
            "severity": "LOW",
            "cvssv3": {"baseScore": 3.7},
            "cwes": ["CWE-295"],
            "description": "bad certificates",
        }
        for i in range(n)
    ]
    package = {"id": "pkg:maven/org.apache/log4j-api@2.12.4", "confidence": "HIGH"}
    item = {"fileName": "log4j-api-2.12.4.jar", "filePath": "lib/log4j-api-2.12.4.jar", "packages": [package]}
    return {
        "scanInfo": {"engineVersion": "9.0.9"},
        "projectInfo": {"reportDate": "2026-01-05T10:00:00Z"},
        "dependencies": [{**item, **({"vulnerabilities": found} if found else {})}],
    }


_RULE = {
    "id": "py/sql",
    "shortDescription": {"text": "SQL injection"},
    "properties": {"security-severity": "8.8", "precision": "high", "tags": ["external/cwe/cwe-089"]},
}
_SCOUT = {
    "id": "CVE-2023-12345",
    "shortDescription": {"text": "bad"},
    "properties": {"security-severity": "9.8", "tags": ["CRITICAL"]},
}

SAMPLES = {
    "sarif": Sample(
        of_json(sarif("CodeQL", _RULE, {"ruleId": "py/sql", "message": {"text": "A query"}})),
        "py/sql",
        "high",
        "src/a.py",
        7,
        ("CWE-89",),
        "high",
    ),
    "docker-scout": Sample(
        of_json(sarif("docker scout", _SCOUT, {"ruleIndex": 0, "message": {"text": "openssl"}})),
        "CVE-2023-12345",
        "critical",
        "src/a.py",
        7,
    ),
    "trivy": Sample(of_json(_trivy), "CVE-2021-33503", "high", "requirements.txt", None, ("CWE-400",), "high"),
    "grype": Sample(of_json(_grype), "GHSA-aaaa-bbbb-1000", "critical", "package-lock.json", None, (), "high"),
    "snyk": Sample(of_json(_snyk), "SNYK-PYTHON-X-0", "medium", "requirements.txt", None, ("CWE-611",), "high"),
    "gitleaks": Sample(of_json(_gitleaks), "aws-access-token", "high", "conf/a.tf", 4, ("CWE-798",)),
    "trufflehog": Sample(
        of_lines(_trufflehog), "AWS", "critical", "keys", 4, ("CWE-798",), "high", empty="it is empty"
    ),
    "semgrep": Sample(of_json(_semgrep), "rules.sql", "high", "src/a.py", 9, ("CWE-89",), "high"),
    "checkov": Sample(of_json(_checkov), "CKV_AWS_20", "medium", "main.tf", 3),
    "bandit": Sample(of_json(_bandit), "B602", "high", "./src/a.py", 5, ("CWE-78",), "high"),
    "tfsec": Sample(of_json(_tfsec), "aws-vpc-no-public-ingress", "critical", "main.tf", 8),
    "kics": Sample(of_json(_kics), "q-1", "high", "main.tf", 6, ("CWE-732",)),
    "tflint": Sample(of_json(_tflint), "terraform_required_version", "medium", "main.tf", 4),
    "terrascan": Sample(of_json(_terrascan), "AC_AWS_0214", "high", "main.tf", 2),
    "horusec": Sample(of_json(_horusec), "HS-PYTHON-1", "critical", "src/a.py", 12, ("CWE-95",), "high"),
    "sonarqube": Sample(of_json(_sonarqube), "python:S2077", "critical", "src/a.py", 21, ("CWE-89",)),
    "dependency-check": Sample(
        of_json(_dependency_check), "CVE-2020-9480", "low", "lib/log4j-api-2.12.4.jar", None, ("CWE-295",), "high"
    ),
}
