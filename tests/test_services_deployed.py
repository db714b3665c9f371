"""How a service is deployed: its ports, its container, its certificate, and what OpenSCAP said of it."""

from __future__ import annotations

import datetime
import io
import os
import shutil
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from services_world import look, raw_server
from shipworthy.check import Context, NotApplicable, Skipped, Unavailable, registry
from shipworthy.checks.services import open_ports
from shipworthy.checks.services._nmap import parse_nmap
from shipworthy.checks.services._service import ServiceInfo
from shipworthy.checks.services._standing import serving
from shipworthy.checks.services._xccdf import NotXccdf, read_results
from shipworthy.model import Artifact, Finding, Kind, Severity
from shipworthy.tools import Toolbox, ToolFailed


def ports(folder: Path, **info: object) -> tuple[dict[str, Severity], list[Skipped]]:
    found, skipped = look(folder, "open-ports", 1, **info)  # type: ignore[arg-type]
    return {f"{f.location.field} {f.rule.id}": f.severity for f in found}, skipped


def test_what_listens_inside_and_is_not_expected_is_found(tmp_path: Path) -> None:
    seen = [["0.0.0.0", 8080], ["127.0.0.1", 5678], ["::", 4000], ["127.0.0.1", 4001]]
    found, skipped = ports(tmp_path, listening=seen, expected_ports=[8080])
    assert found == {
        "port 5678 open-debug-port": Severity.HIGH,
        "port 4000 open-unexpected-port": Severity.MEDIUM,
        "port 4001 open-unexpected-port": Severity.LOW,
    }
    assert not skipped
    assert ports(tmp_path, listening=[["0.0.0.0", 8080]], expected_ports=[8080]) == ({}, [])


def test_without_a_view_from_inside_or_outside_nothing_is_clean(tmp_path: Path) -> None:
    assert "nobody looked inside" in ports(tmp_path)[1][0].reason


def test_every_port_of_an_address_of_its_own_is_tried(tmp_path: Path) -> None:
    """On an address of the loopback network that nobody else uses."""
    host = "127.45.67.89"
    with socket.create_server((host, 0)) as one, socket.create_server((host, 0)) as two:
        numbers = one.getsockname()[1], two.getsockname()[1]
        every, left = open_ports.open_ports(host, 60, 2.0)
        assert set(numbers) <= set(every), "others may listen on every address of the machine"
        assert not left
        assert open_ports.open_ports(host, 0.0, 2.0)[1] > 65_000
        found, skipped = look(
            tmp_path, "open-ports", 1, scan_host=host, expected_ports=[p for p in every if p != numbers[1]]
        )
    assert {f.location.field for f in found} == {f"port {numbers[1]}"}
    assert not skipped
    if shutil.which("nmap"):
        assert found[0].witnesses == ("nmap",)


HEAD = '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap">'
END = '<runstats><finished exit="success"/><hosts up="1"/></runstats></nmaprun>'


def port(number: int, state: str = "open") -> str:
    return f'<port protocol="tcp" portid="{number}"><state state="{state}" reason="syn-ack"/></port>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [("", ()), (port(22), (22,)), ("".join(port(n) for n in (9, 1, 5)) + port(7, "filtered"), (1, 5, 9))],
)
def test_nmap_reports_of_none_one_and_many(inner: str, expected: tuple[int, ...]) -> None:
    text = f'{HEAD}<host><status state="up"/><ports>{inner}</ports></host>{END}'
    assert parse_nmap(text.encode()).ports == expected


def test_nmap_reports_that_are_cut_unfinished_or_odd_are_refused() -> None:
    whole = f"{HEAD}<host><ports>{port(22)}</ports></host>{END}"
    for cut in range(len(whole) - 1):
        with pytest.raises(ToolFailed):
            parse_nmap(whole[:cut].encode())
    for text in (
        whole.replace("success", "error"),
        "<html/>",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + whole[21:],
    ):
        with pytest.raises(ToolFailed):
            parse_nmap(text.encode())
    assert parse_nmap(f"{HEAD}{END}".encode()).reason
    assert parse_nmap(whole.replace("<host>", '<host timedout="true">').encode()).reason


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_nmap_reports(data: bytes) -> None:
    with pytest.raises(ToolFailed):
        parse_nmap(data)


# --- the container --------------------------------------------------------------------------------------------------

SAFE = {
    "user": 10001,
    "root": "read-only",
    "capabilities": [],
    "no-new-privileges": True,
    "seccomp": True,
    "network": "loopback only",
    "limits-by-control-groups": [],
    "limits-by-rlimits": ["memory", "processes"],
}
CONFIG = {"config": {"User": "10001", "Env": ["PATH=/usr/bin", "TOKEN_FILE=/run/x", "API_KEY="]}}


def hardening(folder: Path, config: object = CONFIG, **changes: object) -> tuple[dict[str, Finding], list[Skipped]]:
    run = {key: value for key, value in {**SAFE, **changes}.items() if value is not None}
    found, skipped = look(folder, "container-hardening", 1, image_config=config, runtime=run)  # type: ignore[arg-type]
    return {f.rule.id: f for f in found}, skipped


def test_a_hardened_container_is_clean(tmp_path: Path) -> None:
    assert hardening(tmp_path) == ({}, [])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"user": 0}, "running-root"),
        ({"root": "writable"}, "running-writable-root"),
        ({"capabilities": ["CAP_NET_ADMIN"]}, "running-capabilities"),
        ({"no-new-privileges": False}, "running-new-privileges"),
        ({"seccomp": False}, "running-no-seccomp"),
        ({"network": "host"}, "running-host-network"),
        ({"limits-by-rlimits": []}, "running-no-limits"),
    ],
)
def test_each_hole_in_how_it_is_run_is_found(tmp_path: Path, changes: dict[str, object], rule: str) -> None:
    found, skipped = hardening(tmp_path, **changes)
    assert set(found) == {rule}
    assert not skipped


def test_the_images_configuration(tmp_path: Path) -> None:
    found, _ = hardening(tmp_path, {"config": {"Env": ["DB_PASSWORD=hunter2secret"]}}, user=None)
    assert set(found) == {"running-root", "running-secret-in-environment"}
    assert "hunter2" not in repr(found)
    found, _ = look(tmp_path, "container-hardening", 1, image_config={"config": {"User": "1"}}, runtime=SAFE, health="")
    assert [f.rule.id for f in found] == ["running-no-health-check"]


def test_what_is_not_known_of_the_container_is_skipped(tmp_path: Path) -> None:
    found, skipped = look(tmp_path, "container-hardening", 1)
    assert not found
    assert len(skipped) == 3


# --- TLS ------------------------------------------------------------------------------------------------------------


def certificate(
    folder: Path, *, days: tuple[int, int] = (-1, 90), size: int = 2048, names: tuple[str, ...] = ("localhost",)
) -> ssl.SSLContext:
    """A context with a certificate of its own, signed by an authority made for it."""
    now = datetime.datetime.now(datetime.UTC)
    authority, key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, size)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "service")]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(authority, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    (folder / "key.pem").write_bytes(data)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.set_ciphers("ECDHE+AESGCM")
    return context


def tls(folder: Path, context: ssl.SSLContext, **info: object) -> tuple[set[str], list[Skipped]]:
    def talk(wire: socket.socket) -> None:
        with context.wrap_socket(wire, server_side=True) as secure:
            secure.recv(10_000)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with raw_server(talk) as port:
        given = {"url": f"https://127.0.0.1:{port}", "tls": True, **info}
        ServiceInfo(**given).write(folder)  # type: ignore[arg-type]
        check = registry()["tls"]
        artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0, path=folder)
        items = list(check.call(artifact, Context(folder, {**check.options, "name": "api.example.com"})))
    return {i.rule.id for i in items if isinstance(i, Finding)}, [i for i in items if isinstance(i, Skipped)]


def test_good_tls_is_clean(tmp_path: Path) -> None:
    for names in (("api.example.com",), ("*.example.com",)):
        assert tls(tmp_path, certificate(tmp_path, names=names)) == (set(), [])


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"days": (-90, -1)}, "tls-certificate-dates"),
        ({"days": (-90, 5)}, "tls-certificate-dates"),
        ({"days": (3, 90)}, "tls-certificate-dates"),
        ({"size": 1024}, "tls-certificate-weak"),
        ({"names": ("other.example.com", "*.com", "*.api.example.com")}, "tls-certificate-name"),
    ],
)
def test_certificates(tmp_path: Path, given: dict[str, tuple[int, int]], rule: str) -> None:
    made = certificate(tmp_path, **{"names": ("api.example.com",), **given})  # type: ignore[arg-type]
    assert tls(tmp_path, made) == ({rule}, [])


def test_old_versions_and_weak_ciphers(tmp_path: Path) -> None:
    old = certificate(tmp_path, names=("api.example.com",))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
    assert "tls-old-version" in tls(tmp_path, old)[0]
    weak = certificate(tmp_path, names=("api.example.com",))
    weak.set_ciphers("NULL-SHA256:ECDHE+AESGCM:@SECLEVEL=0")
    assert tls(tmp_path, weak) == ({"tls-weak-cipher"}, [])
    weak.set_ciphers("AECDH-AES128-SHA:ECDHE+AESGCM:@SECLEVEL=0")
    assert tls(tmp_path, weak) == ({"tls-weak-cipher"}, [])


def test_no_tls_is_a_finding_only_where_it_is_public(tmp_path: Path) -> None:
    with serving(lambda *_: (200, {}, b"ok")) as port:
        with pytest.raises(NotApplicable):
            look(tmp_path, "tls", port)
        found, _ = look(tmp_path, "tls", port, environment="deploy", public=True)
        assert [f.rule.id for f in found] == ["tls-missing"]
        _, skipped = look(tmp_path, "tls", port, tls=True)
        assert "not looked at" in skipped[0].reason


# --- OpenSCAP -------------------------------------------------------------------------------------------------------


def xccdf(*results: tuple[str, str, str], ended: str = 'end-time="2024-01-01T00:00:00"') -> str:
    rows = "".join(
        f'<rule-result idref="{PREFIX}{name}" severity="{severity}"><result>{result}</result></rule-result>'
        for name, severity, result in results
    )
    test = f'<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2" id="t" {ended}>{rows}</TestResult>'
    return f'<arf:reports xmlns:arf="http://scap.nist.gov/schema/asset-reporting-format/1.1">{test}</arf:reports>'


PREFIX = "xccdf_org.ssgproject.content_rule_"


def scap(folder: Path, text: str) -> tuple[dict[str, Severity], list[str]]:
    folder.mkdir(exist_ok=True)
    (folder / "arf.xml").write_text(text)
    found, skipped = look(folder, "openscap", 1)
    return {str(f.location.field): f.severity for f in found}, [s.reason for s in skipped]


def test_reports_of_openscap_of_none_one_and_many(tmp_path: Path) -> None:
    good = ("a", "high", "pass")
    assert scap(tmp_path, xccdf(good, ("b", "low", "notselected"))) == ({}, [])
    assert scap(tmp_path, xccdf(good, ("b", "high", "fail"))) == ({"b": Severity.HIGH}, [])
    many = xccdf(good, ("b", "high", "fail"), ("c", "low", "fail"), ("d", "unknown", "fail"))
    assert scap(tmp_path, many) == ({"b": Severity.HIGH, "c": Severity.LOW, "d": Severity.MEDIUM}, [])


def test_nothing_applicable_is_no_pass(tmp_path: Path) -> None:
    found, reasons = scap(tmp_path, xccdf(("a", "high", "notapplicable"), ("b", "low", "notapplicable")))
    assert not found
    assert "another system" in reasons[0]
    assert "could not be judged" in scap(tmp_path, xccdf(("a", "low", "pass"), ("b", "low", "error")))[1][0]
    assert "finished" in scap(tmp_path, xccdf(("a", "low", "pass"), ended=""))[1][0]


def test_reports_of_openscap_that_are_cut_or_odd_are_skipped(tmp_path: Path) -> None:
    whole = xccdf(("a", "high", "pass"))
    for text in (*(whole[:cut] for cut in range(0, len(whole), 9)), "<x/>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'):
        found, reasons = scap(tmp_path, text)
        assert not found
        assert reasons


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_xccdf(data: bytes) -> None:
    with pytest.raises(NotXccdf):
        read_results(io.BytesIO(data))


OSCAP = os.environ.get("SHIPWORTHY_OSCAP", "") or shutil.which("oscap") or ""
CONTENT = os.environ.get("SHIPWORTHY_SCAP_CONTENT", "")


def with_content(folder: Path, content: str, rootfs: str = "/") -> list[Finding | Skipped]:
    ServiceInfo("http://127.0.0.1:1", rootfs=rootfs).write(folder)
    check = registry()["openscap"]
    artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0, path=folder)
    tools = Toolbox({"oscap": OSCAP or str(folder / "missing")})
    (folder / "root").mkdir(exist_ok=True)
    return list(check.call(artifact, Context(folder / "root", {**check.options, "content": content}, tools=tools)))


def test_what_openscap_needs_is_said_when_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable):
        with_content(tmp_path, "")
    content = tmp_path / "ds.xml"
    with pytest.raises(Unavailable, match="no SCAP content at"):
        with_content(tmp_path, str(content))
    content.write_text("<x/>")
    with pytest.raises(Unavailable, match="not unpacked"):
        with_content(tmp_path, str(content), rootfs="")
    (tmp_path / "root" / "ds.xml").write_text("<x/>")
    with pytest.raises(Unavailable, match="in the workspace"):
        with_content(tmp_path, str(tmp_path / "root" / "ds.xml"))
    if not OSCAP:
        with pytest.raises(Unavailable, match="oscap"):
            with_content(tmp_path, str(content))


@pytest.mark.skipif(not (OSCAP and CONTENT), reason="needs oscap, and SHIPWORTHY_SCAP_CONTENT with a data stream")
def test_the_real_openscap(tmp_path: Path) -> None:
    found = with_content(tmp_path, CONTENT)
    assert found
    assert all(isinstance(one, Finding) for one in found)
