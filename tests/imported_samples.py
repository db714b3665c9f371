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


def _zap(n: int) -> Any:
    places = [{"uri": f"http://127.0.0.1/p{i}?token=abc", "method": "GET", "param": "q"} for i in range(n)]
    alert = {
        "pluginid": "40018",
        "name": "SQL Injection",
        "riskcode": "3",
        "confidence": "3",
        "desc": "<p>It may be possible</p>",
        "solution": "<p>Bind</p>",
        "cweid": "89",
        "instances": places,
    }
    site = {"@name": "http://127.0.0.1", "alerts": [alert] if n else []}
    return {"@programName": "ZAP", "@version": "2.16.1", "@generated": "Fri, 2 Jan 2026 10:00:00", "site": [site]}


def _burp(n: int) -> bytes:
    issue = (
        "<issue><type>1049088</type><name>SQL injection</name><host ip='127.0.0.1'>http://127.0.0.1</host>"
        "<path><![CDATA[/basket]]></path><location><![CDATA[/basket [id cookie]]]></location><severity>High</severity>"
        "<confidence>Firm</confidence><vulnerabilityClassifications><![CDATA[<a>CWE-89: x</a>]]>"
        "</vulnerabilityClassifications>"
        "<requestresponse><request base64='true'>UE9TVA==</request></requestresponse></issue>"
    )
    head = "<?xml version='1.0'?><!DOCTYPE issues [<!ELEMENT issues (issue*)>]>"
    return f"{head}<issues burpVersion='2024.1' exportTime='Sat Sep 13 22:00:00 2025'>{issue * n}</issues>".encode()


def _acunetix(n: int) -> bytes:
    item = (
        "<ReportItem id='1'><Name>CSRF</Name><ModuleName>csrf</ModuleName><Affects>/form</Affects><Parameter/>"
        "<IsFalsePositive>False</IsFalsePositive><Severity>medium</Severity><Description>d</Description>"
        "<CWEList><CWE id='352'>CWE-352</CWE></CWEList></ReportItem>"
    )
    items = f"<ReportItems>{item * n}</ReportItems>"
    scan = f"<Scan><StartURL>http://127.0.0.1:80/</StartURL><Aborted>False</Aborted>{items}</Scan>"
    return f"<ScanGroup ExportedOn='1'>{scan}</ScanGroup>".encode()


def _nessus(n: int) -> bytes:
    item = (
        "<ReportItem port='443' svc_name='www' protocol='tcp' severity='2' pluginID='57582' pluginName='Self-signed'>"
        "<synopsis>It is self-signed</synopsis><cwe>295</cwe><risk_factor>Medium</risk_factor></ReportItem>"
    )
    end = "<HostProperties><tag name='HOST_END'>Mon Jan  5 10:00:00 2026</tag></HostProperties>"
    host = f"<ReportHost name='127.0.0.1'>{end}{item * n}</ReportHost>"
    return f"<NessusClientData_v2><Policy/><Report name='r'>{host}</Report></NessusClientData_v2>".encode()


def _openvas(n: int) -> bytes:
    item = (
        "<result id='1'><name>Old TLS</name><host>127.0.0.1<asset/></host><port>443/tcp</port><nvt oid='1.3.6.1'>"
        "<name>Old TLS</name><tags>summary=TLS 1.0|solution=Off</tags>"
        "<refs><ref type='cve' id='CVE-2011-3389'/></refs></nvt>"
        "<threat>Medium</threat><severity>4.3</severity><qod><value>98</value></qod></result>"
    )
    inner = f"<scan_run_status>Done</scan_run_status><hosts><count>1</count></hosts><results>{item * n}</results>"
    return f"<report id='a'><report id='b'>{inner}</report></report>".encode()


def _openscap(n: int) -> bytes:
    space = "xmlns='http://checklists.nist.gov/xccdf/1.2'"
    ident = "xccdf_org.ssgproject.content_rule_no_empty_passwords"
    results = "<rule-result idref='other' severity='low'><result>pass</result></rule-result>"
    results += f"<rule-result idref='{ident}' severity='high'><result>fail</result></rule-result>" * n
    rule = f"<Rule id='{ident}' severity='high'><title>No empty passwords</title></Rule>"
    test = f"<TestResult end-time='2026-01-05T10:00:00'><target>h1</target>{results}</TestResult>"
    return f"<Benchmark {space}>{rule}{test}</Benchmark>".encode()


def _nmap(n: int) -> bytes:
    ports = "".join(
        f"<port protocol='tcp' portid='{22 + i}'><state state='open'/><service name='ssh' product='OpenSSH'/></port>"
        for i in range(n)
    )
    host = f"<host><status state='up'/><address addr='127.0.0.1' addrtype='ipv4'/><ports>{ports}</ports></host>"
    end = "<runstats><finished time='1767607200' exit='success'/><hosts up='1'/></runstats>"
    head = '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap" version="7.93">'
    return f"{head}{host}{end}</nmaprun>".encode()


def _nuclei(n: int) -> Any:
    return [
        {
            "template-id": "default-login",
            "info": {
                "name": "Default login",
                "severity": "critical",
                "description": "d",
                "classification": {"cwe-id": ["cwe-798"], "cve-id": None},
            },
            "type": "http",
            "host": "http://127.0.0.1",
            "matched-at": f"http://127.0.0.1/login{i or ''}",
            "request": "POST /login password=hunter22",
            "timestamp": "2026-01-05T10:00:00Z",
        }
        for i in range(n)
    ]


def _wapiti(n: int) -> Any:
    entry = {"method": "GET", "path": "/a?id=1", "info": "SQL via id", "level": 4, "parameter": "id"}
    about = {"SQL Injection": {"desc": "d", "sol": "Bind", "ref": {"CWE-89: SQL": "https://cwe.mitre.org"}}}
    return {
        "classifications": about,
        "vulnerabilities": {"SQL Injection": [entry] * n},
        "anomalies": {},
        "additionals": {},
        "infos": {"target": "http://127.0.0.1/", "date": "Mon, 05 Jan 2026 10:00:00 +0000", "version": "Wapiti 3.2.3"},
    }


def _nikto(n: int) -> Any:
    item = {"id": "999100", "method": "GET", "url": "/x", "msg": "An uncommon header"}
    return [{"host": "localhost", "ip": "127.0.0.1", "port": "80", "banner": "", "vulnerabilities": [item] * n}]


def _npm_audit(n: int) -> Any:
    via = [
        {
            "source": 1094219 + i,
            "name": "debug",
            "title": "ReDoS",
            "url": f"https://github.com/advisories/GHSA-aaaa-bbbb-000{i}",
            "severity": "moderate",
            "cwe": ["CWE-400"],
            "range": ">=4.0.0 <4.3.1",
        }
        for i in range(n)
    ]
    item = {"name": "debug", "severity": "moderate", "via": [*via, "ms"], "nodes": [], "fixAvailable": True}
    total = {"dependencies": {"total": 97}}
    return {"auditReportVersion": 2, "vulnerabilities": {"debug": item} if n else {}, "metadata": total}


def _pip_audit(n: int) -> Any:
    found = [
        {"id": f"PYSEC-2021-{10 + i}", "fix_versions": ["2.0"], "aliases": ["CVE-2021-1111"], "description": "d"}
        for i in range(n)
    ]
    return {"dependencies": [{"name": "flask", "version": "0.5", "vulns": found}], "fixes": []}


def _safety(n: int) -> Any:
    found = [
        {
            "vulnerability_id": f"3894{i}",
            "package_name": "django",
            "analyzed_version": "2.2",
            "advisory": "bad",
            "CVE": "CVE-2020-2222",
            "severity": {"cvssv3": {"base_score": 9.8}},
            "fixed_versions": ["2.2.9"],
        }
        for i in range(n)
    ]
    meta = {"timestamp": "2026-01-05 10:00:00", "safety_version": "3.2.0", "packages_found": 1}
    return {"report_meta": meta, "scanned_packages": {"django": {}}, "vulnerabilities": found}


def _brakeman(n: int) -> Any:
    found = [
        {
            "warning_type": "SQL Injection",
            "check_name": "SQL",
            "fingerprint": f"f{i}",
            "message": "Possible SQL injection",
            "file": "app/a.rb",
            "line": 12 + i,
            "confidence": "High",
            "cwe_id": [89],
        }
        for i in range(n)
    ]
    info = {"brakeman_version": "6.1", "end_time": "2026-01-05 10:00:00 +0000", "checks_performed": ["SQL"]}
    return {"scan_info": info, "warnings": found, "ignored_warnings": [], "errors": []}


def _retire(n: int) -> Any:
    found = [
        {
            "severity": "medium",
            "identifiers": {"summary": "XSS", "CVE": [f"CVE-2020-1102{i}"]},
            "below": "3.5.0",
            "cwe": ["CWE-79"],
        }
        for i in range(n)
    ]
    results = [{"component": "jquery", "version": "3.0.0", "vulnerabilities": found}]
    return {"version": "5.2.0", "data": [{"file": "static/jquery.js", "results": results}] if n else [], "errors": []}


def _hadolint(n: int) -> Any:
    return [
        {
            "code": "DL3008",
            "message": "Pin versions",
            "level": "warning",
            "file": "Dockerfile",
            "line": 9 + i,
            "column": 1,
        }
        for i in range(n)
    ]


def _kube_bench(n: int) -> Any:
    row = {"test_number": "4.1.1", "test_desc": "File mode", "remediation": "chmod", "scored": True}
    results = [{**row, "status": "FAIL"}] * n + [{**row, "status": "PASS"}]
    control = {"id": "4", "version": "1.6", "node_type": "node", "tests": [{"section": "4.1", "results": results}]}
    return {"Controls": [control], "Totals": {"total_fail": n}}


def _kube_hunter(n: int) -> Any:
    found = {
        "location": "10.0.0.1:10255",
        "vid": "KHV052",
        "severity": "medium",
        "vulnerability": "Exposed pods",
        "description": "d",
        "evidence": "eyJtoken",
        "hunter": "Kubelet Readonly Ports Hunter",
    }
    nodes = [{"type": "Node/Master", "location": "10.0.0.1"}]
    return {"nodes": nodes, "services": [], "vulnerabilities": [found] * n}


def _prowler(n: int) -> Any:
    def item(status: str) -> Any:
        return {
            "metadata": {"event_code": "iam_root_mfa", "product": {"name": "Prowler", "version": "5.4.0"}},
            "status_code": status,
            "status": "New",
            "status_detail": "No MFA",
            "severity": "Critical",
            "finding_info": {"title": "Root has MFA"},
            "resources": [{"uid": "arn:aws:iam::123456789012:root", "region": "us-east-1"}],
        }

    return [item("PASS"), *[item("FAIL") for _ in range(n)]]


def _defectdojo(n: int) -> Any:
    found = {"title": "A flaw", "severity": "High", "description": "d", "cwe": 22, "file_path": "src/a.py", "line": 3}
    return {"name": "own", "findings": [found] * n}


def _cyclonedx(n: int) -> Any:
    found = [
        {
            "id": f"CVE-2018-748{i}",
            "ratings": [{"severity": "critical", "score": 9.8}],
            "cwes": [502],
            "description": "bad",
            "affects": [{"ref": "pkg:maven/a/databind@2.9.4"}],
            "analysis": {"state": "exploitable"},
        }
        for i in range(n)
    ]
    closed = {"id": "CVE-2000-1", "affects": [{"ref": "x"}], "analysis": {"state": "not_affected"}}
    part = {"bom-ref": "pkg:maven/a/databind@2.9.4", "type": "library", "name": "databind", "version": "2.9.4"}
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [part], "vulnerabilities": [*found, closed]}


def _openvex(n: int) -> Any:
    def item(status: str, i: int) -> Any:
        product = {"@id": "pkg:apk/alpine/apk-tools@2.14"}
        return {"vulnerability": {"name": f"CVE-2024-1000{i}"}, "products": [product], "status": status}

    head = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/1", "version": 1}
    return {**head, "statements": [item("not_affected", 9), *[item("affected", i) for i in range(n)]]}


def _garak(n: int) -> list[Any]:
    rows = [
        {
            "entry_type": "eval",
            "probe": f"dan.Dan_{i}",
            "detector": "mitigation.MitigationBypass",
            "passed": 2,
            "total": 10,
        }
        for i in range(n)
    ]
    clean = {"entry_type": "eval", "probe": "lmrc.Slur", "detector": "lmrc.Slur", "passed": 5, "total": 5}
    start = {"entry_type": "start_run setup", "start_time": "2026-01-05T10:00:00"}
    return [start, clean, *rows, {"entry_type": "completion", "end_time": "2026-01-05T10:05:00"}]


def _junit(n: int) -> bytes:
    failure = (
        "<testcase name='No public bucket'><failure message='it is public' type='High'>CWE-732</failure></testcase>"
    )
    cases = "<testcase name='fine'/>" + failure * n
    return f"<testsuites><testsuite name='storage' tests='{n + 1}'>{cases}</testsuite></testsuites>".encode()


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
    "zap": Sample(of_json(_zap), "40018", "high", "http://127.0.0.1/p0", None, ("CWE-89",), "high"),
    "burp": Sample(_burp, "1049088", "high", "http://127.0.0.1/basket", None, ("CWE-89",)),
    "acunetix": Sample(_acunetix, "csrf", "medium", "http://127.0.0.1:80/form", None, ("CWE-352",)),
    "nessus": Sample(_nessus, "57582", "medium", "127.0.0.1", None, ("CWE-295",)),
    "openvas": Sample(_openvas, "1.3.6.1", "medium", "127.0.0.1", None, (), "high"),
    "openscap": Sample(_openscap, "no_empty_passwords", "high", "h1", None, (), "high"),
    "nmap": Sample(_nmap, "open-port", "info", "127.0.0.1", None, (), "high"),
    "nuclei": Sample(
        of_json(_nuclei), "default-login", "critical", "http://127.0.0.1/login", None, ("CWE-798",), "high"
    ),
    "wapiti": Sample(of_json(_wapiti), "SQL Injection", "critical", "http://127.0.0.1/a", None, ("CWE-89",)),
    "nikto": Sample(of_json(_nikto), "999100", "low", "http://localhost:80/x", None, (), "low"),
    "npm-audit": Sample(
        of_json(_npm_audit), "GHSA-aaaa-bbbb-0000", "medium", "package-lock.json", None, ("CWE-400",), "high"
    ),
    "pip-audit": Sample(of_json(_pip_audit), "PYSEC-2021-10", "medium", "pkg:pypi/flask", None, (), "high"),
    "safety": Sample(of_json(_safety), "safety-38940", "critical", "pkg:pypi/django", None, (), "high"),
    "brakeman": Sample(of_json(_brakeman), "SQL", "high", "app/a.rb", 12, ("CWE-89",), "high"),
    "retire": Sample(of_json(_retire), "CVE-2020-11020", "medium", "static/jquery.js", None, ("CWE-79",), "high"),
    "hadolint": Sample(of_json(_hadolint), "DL3008", "medium", "Dockerfile", 9),
    "kube-bench": Sample(of_json(_kube_bench), "4.1.1", "medium", "kubernetes:node", None, (), "high"),
    "kube-hunter": Sample(of_json(_kube_hunter), "KHV052", "medium", "10.0.0.1:10255"),
    "prowler": Sample(
        of_json(_prowler), "iam_root_mfa", "critical", "arn:aws:iam::123456789012:root", None, (), "high"
    ),
    "defectdojo": Sample(of_json(_defectdojo), "A flaw", "high", "src/a.py", 3, ("CWE-22",)),
    "cyclonedx": Sample(
        of_json(_cyclonedx), "CVE-2018-7480", "critical", "pkg:maven/a/databind@2.9.4", None, ("CWE-502",), "high"
    ),
    "openvex": Sample(of_json(_openvex), "CVE-2024-10000", "medium", "pkg:apk/alpine/apk-tools@2.14", None, (), "high"),
    "garak": Sample(of_lines(_garak), "dan.Dan_0", "high", "model"),
    "junit": Sample(_junit, "No public bucket", "high", "storage", None, ("CWE-732",)),
}
