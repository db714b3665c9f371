"""Who may use a registry: credentials reach the registry that they are for, and nobody else, and no message."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from registry_world import Answer, Between, between, docker_registry
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.stores import RegistryOptions
from shipworthy.stores._credentials import Challenge, challenge, find
from shipworthy.stores._http import Origin, Wire, split_url
from shipworthy.stores.oci import OciStore, open_oci
from shipworthy.stores.serve import serve

SECRET = "hunter2-secret"
BASIC = "Basic " + base64.b64encode(f"ci:{SECRET}".encode()).decode()
HASH = "$2b$04$MwSH5o5z72pv6s9x5ZjpouUVL6B.j2rmorZ8ppUigrYy/iep2/VAa"  # bcrypt of SECRET


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[Between]:
    with serve(tmp_path / "registry") as upstream, between(upstream) as found:
        yield found


def reached(address: str, tmp_path: Path, **options: object) -> OciStore:
    store = open_oci(f"oci://{address}/team/spam", RegistryOptions(**options), tmp_path / "cache")  # type: ignore[arg-type]
    store.registry.ask.pause = lambda _seconds: None
    return store


def demanding(liar: Between, header: str, wanted: str) -> None:
    """Answer 401 with the challenge to whoever does not say what is wanted."""

    def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
        if asked.headers.get("Authorization", "") == wanted:
            return answer
        return 401, {"WWW-Authenticate": header}, b""

    liar.tamper = tamper


# ------------------------------------------------------------- real registries


def test_a_real_registry_is_entered_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "htpasswd").write_text(f"ci:{HASH}\n")
    more = f"auth: {{htpasswd: {{realm: tests, path: {tmp_path / 'htpasswd'}}}}}"
    with docker_registry(tmp_path / "docker", more) as address:
        monkeypatch.setenv("REGISTRY_LOGIN", f"ci:{SECRET}@{address}")
        store = reached(address, tmp_path, credentials="env:REGISTRY_LOGIN")
        assert store.read(store.put_bytes(b"hello"), 9) == b"hello"
        store.put_ref("spam", "1", b"one")
        assert store.get_ref("spam").raw == b"one"
        with pytest.raises(EnvironmentFailure, match="wants to know who asks") as caught:
            reached(address, tmp_path).put_bytes(b"hello")
        assert "credentials" in caught.value.remedy
        monkeypatch.setenv("REGISTRY_LOGIN", f"ci:{SECRET}x@{address}")
        with pytest.raises(EnvironmentFailure, match="answers 401") as caught:
            reached(address, tmp_path, credentials="env:REGISTRY_LOGIN").put_bytes(b"hello")
        assert SECRET not in str(caught.value) + caught.value.remedy


def test_a_real_registry_is_entered_with_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tokens(tmp_path) as (service, issued, bundle):
        token = f"{{realm: 'http://{service}/token', service: tests, issuer: tests, rootcertbundle: {bundle}}}"
        with docker_registry(tmp_path / "docker", f"auth: {{token: {token}}}") as address:
            monkeypatch.setenv("REGISTRY_LOGIN", f"ci:{SECRET}@{address}")
            store = reached(address, tmp_path, credentials="env:REGISTRY_LOGIN", token_hosts=(service,))
            assert store.read(store.put_bytes(b"hello"), 9) == b"hello"
            store.put_ref("spam", "1", b"one")
            assert store.get_ref("spam").raw == b"one"
            assert sorted(issued) == [("repository:team/spam:pull", BASIC), ("repository:team/spam:pull,push", BASIC)]
            with pytest.raises(EnvironmentFailure, match=r"get a token from another host.*refused") as caught:
                reached(address, tmp_path, credentials="env:REGISTRY_LOGIN").put_bytes(b"x")
            assert service in caught.value.remedy
            assert len(issued) == 2


@contextmanager
def tokens(folder: Path) -> Iterator[tuple[str, list[tuple[str, str]], Path]]:
    """A token service (distribution's token authentication): its address, what was asked, its certificate's file."""
    key, pem = certificate("127.0.0.1")
    (folder / "issuer.pem").write_bytes(pem)
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    issued: list[tuple[str, str]] = []

    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            issued.append((query["scope"][0], self.headers.get("Authorization", "")))
            kind, name, actions = query["scope"][0].split(":")
            now = int(time.time())
            claims = {"iss": "tests", "sub": "ci", "aud": query["service"][0], "exp": now + 300, "nbf": now - 10}
            access = [{"type": kind, "name": name, "actions": actions.split(",")}]
            header = part({"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]})
            signed = header + b"." + part({**claims, "iat": now, "jti": str(len(issued)), "access": access})
            r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
            signature = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=")
            body = json.dumps({"token": (signed + b"." + signature).decode()}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", issued, folder / "issuer.pem"
        finally:
            server.shutdown()
            thread.join()


def certificate(host: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A key and its own certificate for a host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.DNSName(host) if host == "localhost" else x509.IPAddress(ipaddress.ip_address(host))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, made.public_bytes(serialization.Encoding.PEM)


# ----------------------------------------------------------- who gets them


def test_credentials_go_to_no_host_that_the_registry_points_at(
    liar: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with between(liar.upstream) as other:
        monkeypatch.setenv("REGISTRY_LOGIN", f"ci:{SECRET}@{liar.address}")
        options = {"credentials": "env:REGISTRY_LOGIN", "redirect_to": (other.address,)}
        store = reached(liar.address, tmp_path, **options)
        digest = store.put_bytes(b"hello")

        def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
            if asked.headers.get("Authorization", "") != BASIC:
                return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
            return (
                (307, {"Location": f"http://{other.address}{asked.path}"}, b"") if "/blobs/" in asked.path else answer
            )

        liar.tamper = tamper
        assert store.read(digest, 9) == b"hello"
        assert any(said == BASIC for _, _, said in liar.seen)
        assert [said for _, _, said in other.seen] == [""]
        demanding(other, 'Basic realm="give it to me"', BASIC)
        with pytest.raises(EnvironmentFailure, match="answers 401"):
            reached(liar.address, tmp_path / "again", **options).get(digest)
        assert {said for _, _, said in other.seen} == {""}


def test_who_is_pointed_at_cannot_point_back_with_our_credentials(
    liar: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with between(liar.upstream) as other:
        monkeypatch.setenv("REGISTRY_LOGIN", f"ci:{SECRET}@{liar.address}")
        store = reached(liar.address, tmp_path, credentials="env:REGISTRY_LOGIN", redirect_to=(other.address,))
        digest = store.put_bytes(b"hello")

        def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
            if asked.path == "/secret":
                return 200, {}, b"hello"
            if asked.headers.get("Authorization", "") != BASIC:
                return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
            return 307, {"Location": f"http://{other.address}{asked.path}"}, b""

        liar.tamper = tamper
        other.tamper = lambda _asked, _answer: (307, {"Location": f"http://{liar.address}/secret"}, b"")
        assert store.read(digest, 9) == b"hello"
        assert [said for _, path, said in liar.seen if path == "/secret"] == [""]


def test_a_token_that_expired_is_renewed_and_one_that_never_holds_is_given_up(liar: Between, tmp_path: Path) -> None:
    count = [0]

    def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
        if asked.path.startswith("/token"):
            count[0] += 1
            return 200, {}, json.dumps({"access_token": f"t{count[0]}"}).encode()
        if asked.headers.get("Authorization") == f"Bearer t{count[0]}" and len(liar.seen) % 7:
            return answer
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{liar.address}/token",service="x"'}, b""

    liar.tamper = tamper
    store = reached(liar.address, tmp_path)
    for number in range(5):
        assert store.read(store.put_bytes(b"%d" % number), 9) == b"%d" % number
    assert count[0] > 2
    liar.seen.clear()
    demanding(liar, f'Bearer realm="http://{liar.address}/v2/"', "nothing")
    with pytest.raises(EnvironmentFailure, match="answers 401"):
        reached(liar.address, tmp_path).put_bytes(b"x")
    assert len(liar.seen) < 5


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"token": 3}', b'{"token": ""}', b'{"token": "a b"}', b'{"token": "a\\r\\nX: y"}', b"[" * 60_000],
)
def test_what_is_no_token_is_refused(body: bytes, liar: Between, tmp_path: Path) -> None:
    def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
        if asked.path.startswith("/token"):
            return 200, {}, body
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{liar.address}/token"'}, b""

    liar.tamper = tamper
    with pytest.raises(EnvironmentFailure, match="sent no token"):
        reached(liar.address, tmp_path).put_bytes(b"x")


@pytest.mark.parametrize("realm", ["http://127.0.0.2:9/token", "file:///etc/passwd", "https://example.org/", "x", ""])
def test_a_realm_elsewhere_is_refused(realm: str, liar: Between, tmp_path: Path) -> None:
    demanding(liar, f'Bearer realm="{realm}"', "nothing")
    with pytest.raises(EnvironmentFailure, match=r"another host|no address|not how to log in|who asks"):
        reached(liar.address, tmp_path).put_bytes(b"x")


# ---------------------------------------------------------- where they are from


def test_a_variable_names_the_host_that_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN", f"ci:{SECRET}@with@at@registry.example.org:5000")
    found = find("env:LOGIN", "registry.example.org:5000")
    assert found is not None
    assert (found.user, found.password) == ("ci", f"{SECRET}@with@at")
    assert SECRET not in repr(found)
    for host in ("evil.example.org", "registry.example.org", "org:5000"):
        with pytest.raises(UsageError, match="for another host") as caught:
            find("env:LOGIN", host)
        assert SECRET not in str(caught.value) + caught.value.remedy
    assert find("", "x") is None
    for value in ("", SECRET, f"{SECRET}@x", f":{SECRET}@x", f"a\n:{SECRET}@x"):
        monkeypatch.setenv("LOGIN", value)
        with pytest.raises(UsageError) as caught:
            find("env:LOGIN", "x")
        assert SECRET not in str(caught.value) + caught.value.remedy
    for reference in (SECRET, "env:", "file:x"):
        with pytest.raises(UsageError, match="no place for"):
            find(reference, "x")


def test_what_docker_login_left_is_used_when_the_settings_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert find("docker-config", "a") is None
    entry = base64.b64encode(f"ci:{SECRET}".encode()).decode()
    auths = {"a:5000": {"auth": entry}, "https://index.docker.io/v1/": {"auth": entry}, "b": {"auth": "?"}, "c": {}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths, "credHelpers": {"d": "x"}}))
    for host in ("a:5000", "registry-1.docker.io"):
        found = find("docker-config", host)
        assert found is not None
        assert found.basic() == BASIC
    assert find("docker-config", "a") is None
    for host in "bcd":
        with pytest.raises(UsageError, match=r"damaged|helper program"):
            find("docker-config", host)
    for text in ("[", "[]", '{"auths": []}', "[" * 100_000, '{"credHelpers": 3}'):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UsageError):
            find("docker-config", "a")


@given(st.text(max_size=200) | st.text('Bearer basic="\\,= realmserviz:/', max_size=200))
def test_any_challenge_can_be_read(header: str) -> None:
    found = challenge(header)
    assert all('"' not in value for value in found.parameters.values())


def test_a_challenge_is_read() -> None:
    header = 'Bearer realm="https://auth.example.org/t?a=b",service="r",scope="repository:x:pull,push",error="e"'
    assert challenge(header) == Challenge(
        "bearer",
        {"realm": "https://auth.example.org/t?a=b", "service": "r", "scope": "repository:x:pull,push", "error": "e"},
    )


# --------------------------------------------------------------------- TLS


@pytest.fixture
def secure(tmp_path: Path) -> ssl.SSLContext:
    key, pem = certificate("127.0.0.1")
    kind = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "ca.pem").write_bytes(pem)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *kind))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    return context


def test_tls_is_checked(secure: ssl.SSLContext, tmp_path: Path) -> None:
    with serve(tmp_path / "registry") as upstream, between(upstream, secure) as liar:
        for ca_file, host, said in (
            ("", "127.0.0.1", "not trusted"),
            (str(tmp_path / "ca.pem"), "localhost", "trusted"),
        ):
            origin = Origin("https", host, int(liar.address.rpartition(":")[2]))
            with pytest.raises(EnvironmentFailure, match=said):
                Wire(ca_file).send(origin, "GET", "/v2/", {})
        origin, wire = (
            Origin("https", "127.0.0.1", int(liar.address.rpartition(":")[2])),
            Wire(str(tmp_path / "ca.pem")),
        )
        answer = wire.send(origin, "GET", "/v2/", {})
        assert answer.small(100) == b"{}"
        wire.done(origin, answer)
        with pytest.raises(EnvironmentFailure, match="cannot be read"):
            Wire(str(tmp_path / "nothing")).send(origin, "GET", "/v2/", {})


def test_blobs_may_come_from_another_host_with_tls(
    liar: Between, secure: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_LOGIN", f"ci:{SECRET}@{liar.address}")
    with between(liar.upstream, secure) as blobs:
        store = reached(liar.address, tmp_path, ca_file=str(tmp_path / "ca.pem"), credentials="env:REGISTRY_LOGIN")
        digest = store.put_bytes(b"hello")

        def tamper(asked: BaseHTTPRequestHandler, answer: Answer) -> Answer:
            if asked.headers.get("Authorization", "") != BASIC:
                return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
            return (
                (307, {"Location": f"https://{blobs.address}{asked.path}"}, b"") if "/blobs/" in asked.path else answer
            )

        liar.tamper = tamper
        assert store.read(digest, 9) == b"hello"
        assert [said for _, _, said in blobs.seen] == [""]


def test_http_is_for_this_machine_only() -> None:
    for host in ("registry.example.org", "10.0.0.1"):
        with pytest.raises(EnvironmentFailure, match="refused to speak http"):
            Wire().send(Origin("http", host, 80), "GET", "/v2/", {})
    assert open_oci("oci://registry.example.org/x").registry.ask.origin.scheme == "https"
    assert (
        open_oci("oci://registry.example.org/x", RegistryOptions(plain_http=True)).registry.ask.origin.scheme == "http"
    )
    assert open_oci("oci://[::1]:5000/x").registry.ask.origin == Origin("http", "[::1]", 5000)
    assert open_oci("oci://docker.io/me/x").registry.ask.origin.host == "registry-1.docker.io"


def test_nothing_is_sent_into_a_private_network_for_a_redirect(liar: Between) -> None:
    origin, _ = split_url(f"http://{liar.address}/")
    with pytest.raises(EnvironmentFailure, match="private network"):
        Wire().send(origin, "GET", "/v2/", {}, public_only=True)
    assert liar.seen == []


@given(st.text(max_size=60) | st.text("htps:/@[]#?.%a1 \r\n", max_size=40))
def test_what_is_taken_for_an_address_is_one(text: str) -> None:
    try:
        origin, target = split_url(text, "https://registry.example.org/v2/")
    except ValueError:
        return
    assert origin.scheme in {"http", "https"}
    assert target.startswith("/")
    assert target.isascii()
    assert not set(target) & set(" \r\n")
