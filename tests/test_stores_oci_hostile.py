"""A registry that lies, breaks off, drips or points elsewhere: refused with what happened, and nothing leaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_world import NOW, make
from registry_world import Answer, Between, between
from shipworthy.errors import EnvironmentFailure, EvidenceError, ShipworthyError
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.release import store_release, verify_release
from shipworthy.stores import RegistryOptions, _http, _referrers, _registry
from shipworthy.stores import _manifests as forms
from shipworthy.stores._manifests import canonical
from shipworthy.stores.oci import OciStore, open_oci
from shipworthy.stores.serve import serve

Asked = BaseHTTPRequestHandler


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[Between]:
    with serve(tmp_path / "registry") as upstream, between(upstream) as found:
        yield found


@pytest.fixture
def store(liar: Between, tmp_path: Path) -> OciStore:
    return reached(liar, tmp_path)


def reached(liar: Between, tmp_path: Path, scheme_options: RegistryOptions | None = None) -> OciStore:
    store = open_oci(f"oci://{liar.address}/team/spam", scheme_options, tmp_path / "cache")
    store.registry.ask.pause = lambda _seconds: None
    return store


def on(part: str, change: Callable[[Asked, Answer], Answer | None], method: str = "GET") -> Any:
    """Change the answers to requests of this method for a path with this part."""
    return lambda asked, answer: change(asked, answer) if asked.command == method and part in asked.path else answer


def cached(store: OciStore) -> list[Path]:
    return [path for path in store.cache.root.rglob("*") if path.is_file()]


# ----------------------------------------------------------------- other bytes


def test_other_bytes_under_a_digest_are_refused_and_not_kept(liar: Between, store: OciStore) -> None:
    digest = store.put_bytes(b"hello" * 1000)
    liar.tamper = on("/blobs/", lambda _asked, answer: (answer[0], answer[1], b"jello" * 1000))
    for read in (store.get, store.open, store.locate, lambda digest: store.read(digest, 10_000)):
        with pytest.raises(EvidenceError, match="sent other bytes than") as caught:
            read(digest)
        assert "do not trust this registry" in caught.value.remedy
    assert cached(store) == []


def test_a_shorter_and_a_longer_blob_are_refused(liar: Between, store: OciStore) -> None:
    digest = store.put_bytes(b"hello")
    for body in (b"hell", b"", b"hello!"):
        liar.tamper = on("/blobs/", lambda _asked, answer, body=body: (answer[0], answer[1], body))
        with pytest.raises(EvidenceError, match="sent other bytes than"):
            store.get(digest)
    assert cached(store) == []


def test_another_manifest_under_a_digest_is_refused(liar: Between, store: OciStore) -> None:
    store.put_ref("spam", "1", b"one")
    digest = sha256_bytes(store.registry.manifest("1") or b"")
    liar.tamper = on("/manifests/sha256:", lambda _asked, answer: (answer[0], answer[1], answer[2] + b" "))
    with pytest.raises(EvidenceError, match="sent another manifest than"):
        store.registry.manifest(digest)
    with pytest.raises(EvidenceError, match="sent another manifest than"):
        store.attach(digest, [])


def test_a_registry_that_changes_what_is_pushed_is_noticed(liar: Between, store: OciStore) -> None:
    liar.tamper = on("/manifests/1", lambda _asked, answer: (answer[0], answer[1], answer[2] + b"\n"))
    with pytest.raises(EvidenceError, match="does not lead to what was put"):
        store.put_ref("spam", "1", b"one")
    told = {"Docker-Content-Digest": sha256_bytes(b"other")}
    liar.tamper = on("/manifests/", lambda _asked, answer: (answer[0], {**answer[1], **told}, answer[2]), "PUT")
    with pytest.raises(EvidenceError, match="under another digest"):
        store.put_ref("spam", "2", b"two")


def test_a_moved_tag_is_refused(liar: Between, store: OciStore) -> None:
    store.put_ref("spam", "1", b"one")
    store.put_ref("spam", "2", b"two")
    old, plain = store.registry.manifest("_release-spam_.1") or b"", store.registry.manifest("1") or b""
    assert old
    liar.tamper = on("/manifests/_release-spam_.2", lambda _asked, answer: (answer[0], answer[1], old))
    with pytest.raises(EvidenceError, match=r"_release-spam_.2 was moved: it leads to the release 'spam 1'"):
        store.get_ref("spam", "2")
    with pytest.raises(EvidenceError, match=r"leads to another release"):
        store.get_ref("spam")
    liar.tamper = on("/manifests/2", lambda _asked, answer: (answer[0], answer[1], plain))
    with pytest.raises(EvidenceError, match=r"the tag 2 was moved"):
        store.get_ref("spam", "2")
    liar.tamper = on("/manifests/2", lambda _asked, answer: (404, {}, b""))
    with pytest.raises(EvidenceError, match=r"the tag 2 is gone"):
        store.get_ref("spam", "2")
    liar.tamper = on("/manifests/_release-spam_.2", lambda _asked, answer: (404, {}, b""))
    with pytest.raises(EvidenceError, match=r"release 2 is gone, and it is the latest"):
        store.get_ref("spam")
    liar.tamper = on("/manifests/_latest-spam", lambda _asked, answer: (404, {}, b""))
    with pytest.raises(EvidenceError, match=r"_latest-spam is gone"):
        store.get_ref("spam")


def test_an_older_release_dressed_up_as_a_newer_one_does_not_verify(
    liar: Between, store: OciStore, tmp_path: Path
) -> None:
    world = make(tmp_path / "world")
    for version in ("1.0.0", "1.1.0"):
        written = world.write()
        raw = store_release(store, written, world.project / "model", world.by_step, version=version, stored=NOW)
        store.put_ref("spam", version, raw)
    old = json.loads(store.registry.manifest("_release-spam_.1.0.0") or b"")
    old["annotations"]["dev.shipworthy.version"] = "1.1.0"
    dressed, plain = canonical(old), store.registry.manifest("1.0.0") or b""

    def lie(asked: Asked, answer: Answer) -> Answer:
        if asked.path.endswith(("/_release-spam_.1.1.0", "/_latest-spam")):
            return answer[0], answer[1], dressed
        moved = {**answer[1], "Docker-Content-Digest": sha256_bytes(plain)}
        return (answer[0], moved, plain) if asked.path.endswith("/manifests/1.1.0") else answer

    liar.tamper = lie
    ref = store.get_ref("spam", "1.1.0")  # unverified, as every reference is
    result = verify_release(store, ref.raw, world.policy, version=ref.version, folders=(world.project,))
    assert not result.ok
    assert result.first_broken is not None
    assert result.first_broken.step == "store"


# ------------------------------------------------------- broken and endless


def test_a_blob_that_breaks_off_goes_on_where_it_stopped(liar: Between, store: OciStore) -> None:
    data = bytes(range(256)) * 4096
    digest, cuts = store.put_bytes(data), [300_000, 100_000, 5]

    def cut(asked: Asked, answer: Answer) -> Answer | None:
        if not cuts:
            return answer
        head = f"HTTP/1.1 {answer[0]} OK\r\nContent-Length: {len(answer[2])}\r\n\r\n".encode()
        asked.wfile.write(head + answer[2][: cuts.pop(0)])
        return None

    liar.tamper = on("/blobs/", cut)
    assert store.read(digest, 2_000_000) == data
    assert len(liar.paths("GET", "/blobs/sha256")) == 4


def test_a_blob_that_always_breaks_off_is_given_up(liar: Between, store: OciStore) -> None:
    digest = store.put_bytes(b"hello")

    def cut(asked: Asked, answer: Answer) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")

    liar.tamper = on("/blobs/", cut)
    with pytest.raises(EnvironmentFailure, match="broke off"):
        store.get(digest)
    assert len(liar.paths("GET", "/blobs/")) <= 6
    assert cached(store) == []


def test_an_endless_blob_is_cut(liar: Between, store: OciStore, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = store.put_bytes(b"hello")

    def stream(asked: Asked, answer: Answer) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # until the client has enough
            asked.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")

    liar.tamper = on("/blobs/", stream)
    monkeypatch.setattr(_registry, "UNSIZED_LIMIT", 10_000_000)
    with pytest.raises(EvidenceError, match="longer than 10000000 bytes"):
        store.get(digest)

    def promise(asked: Asked, answer: Answer) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\nhello")

    liar.tamper = on("/blobs/", promise)
    with pytest.raises(EnvironmentFailure, match="no room for"):
        store.get(digest)
    assert cached(store) == []


@pytest.mark.parametrize("chunked", [True, False])
def test_an_endless_manifest_is_cut(liar: Between, store: OciStore, chunked: bool) -> None:
    def stream(asked: Asked, answer: Answer) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
        while True:
            asked.wfile.write((b"10000\r\n" if chunked else b"") + b"[" * 0x10000 + (b"\r\n" if chunked else b""))

    liar.tamper = on("/manifests/", stream)
    with pytest.raises(EnvironmentFailure, match="longer than 4194304 bytes"):
        store.get_ref("spam", "1")


@pytest.mark.parametrize("line", [b"HTTP/1.1 100 Continue\r\n\r\n", b"X-Y: " + b"z" * 900 + b"\r\n", b"\0" * 70_000])
def test_endless_heads_are_cut(liar: Between, store: OciStore, line: bytes) -> None:
    def stream(asked: Asked, answer: Answer) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\n" if line.startswith(b"X") else b"")
        while True:
            asked.wfile.write(line)

    liar.tamper = on("/manifests/", stream)
    with pytest.raises(EnvironmentFailure, match="does not speak HTTP"):
        store.get_ref("spam", "1")


def test_a_registry_that_drips_is_given_up(liar: Between, store: OciStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "PATIENCE", 0.2)

    def drip(asked: Asked, answer: Answer) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            asked.wfile.write(b" ")
            asked.wfile.flush()
            import time

            time.sleep(0.05)

    liar.tamper = on("/manifests/", drip)
    with pytest.raises(EnvironmentFailure, match="does not answer in time"):
        store.get_ref("spam", "1")


def test_only_what_the_network_did_is_tried_again(liar: Between, store: OciStore) -> None:
    busy = [503, 429, 502]
    liar.tamper = on("/tags/", lambda _asked, answer: (busy.pop(), {}, b"") if busy else answer)
    assert store.registry.tags() == ()
    assert len(liar.paths("GET", "/tags/")) == 4
    liar.seen.clear()
    for status in (400, 403, 500, 418):
        body = canonical({"errors": [{"code": "DENIED", "message": "\x1b[31mhunter2"}, {"code": "no code"}]})
        liar.tamper = on("/tags/", lambda _asked, answer, status=status, body=body: (status, {}, body))
        with pytest.raises(EnvironmentFailure, match=rf"answers {status} \(DENIED\) to GET") as caught:
            store.registry.tags()
        assert "hunter2" not in str(caught.value)
    assert len(liar.paths("GET", "/tags/")) == 4


# ------------------------------------------------------------------- lists


def test_a_list_of_referrers_without_end_is_cut(
    liar: Between, store: OciStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_ref("spam", "1", b"one")
    digest = sha256_bytes(store.registry.manifest("1") or b"")
    monkeypatch.setattr(_registry, "PAGES", 20)
    monkeypatch.setattr(_referrers, "MOST", 1000)
    again = {"Link": f'</v2/team/spam/referrers/{digest}?more>; rel="next"'}
    liar.tamper = on("/referrers/", lambda _asked, answer: (200, {**answer[1], **again}, answer[2]))
    with pytest.raises(EnvironmentFailure, match="more than 20 pages"):
        store.attached(digest)
    liar.seen.clear()
    many = [{"mediaType": "x", "digest": sha256_bytes(b"%d" % n), "size": 1} for n in range(2_000)]
    body = canonical({"schemaVersion": 2, "manifests": many})
    liar.tamper = on("/referrers/", lambda _asked, answer: (200, answer[1], body))
    with pytest.raises(EvidenceError, match="more than 1000 referrers"):
        store.attached(digest)
    away = {"Link": f'<http://127.0.0.2:1/v2/team/spam/referrers/{digest}>; rel="next"'}
    liar.tamper = on("/referrers/", lambda _asked, answer: (200, {**answer[1], **away}, answer[2]))
    with pytest.raises(EnvironmentFailure, match="goes on somewhere else"):
        store.attached(digest)
    for body in (b"[]", b"{", b'{"manifests": 3}', b'{"manifests": [{}]}', b'{"a": 1, "a": 2}', b"[" * 100_000):
        liar.tamper = on("/referrers/", lambda _asked, answer, body=body: (200, answer[1], body))
        with pytest.raises(EvidenceError):
            store.attached(digest)


def test_tags_that_are_no_tags_are_no_versions(liar: Between, store: OciStore) -> None:
    store.put_ref("spam", "1", b"one")
    names = ["_release-spam_.1", "_release-spam_.", "_release-spam_.../../x", "_release-spam_._", "latest", "1"]
    liar.tamper = on("/tags/", lambda _asked, answer: (200, answer[1], canonical({"tags": names})))
    assert store.versions("spam") == ("1",)
    for value in ({"tags": "spam"}, {"tags": [1]}):
        liar.tamper = on("/tags/", lambda _asked, answer, value=value: (200, answer[1], canonical(value)))
        with pytest.raises(EnvironmentFailure, match="no list of tags"):
            store.versions("spam")


# --------------------------------------------------------------- elsewhere


def test_a_redirect_to_another_host_is_refused(liar: Between, store: OciStore) -> None:
    store.put_ref("spam", "1", b"one")
    digest = store.put_bytes(b"hello")
    for location in ("http://127.0.0.2:1/x", "https://127.0.0.2:1/x", "//127.0.0.2:1/x", "http://a@127.0.0.2:1/"):
        away = (307, {"Location": location}, b"")
        liar.tamper = on("/manifests/", lambda _asked, answer, away=away: away)
        with pytest.raises(EnvironmentFailure, match="redirects to"):
            store.get_ref("spam", "1")
    for location in ("http://127.0.0.2:1/x", "file:///etc/passwd", "gopher://127.0.0.1/", "http://[", "http://a:x/"):
        away = (307, {"Location": location}, b"")
        liar.tamper = on("/blobs/", lambda _asked, answer, away=away: away)
        with pytest.raises(EnvironmentFailure, match="redirects to"):
            store.get(digest)
    liar.tamper = on("/blobs/", lambda asked, answer: (302, {"Location": asked.path}, b""))
    with pytest.raises(EnvironmentFailure, match="more than 4 redirects"):
        store.get(digest)


def test_an_upload_is_sent_to_no_other_host(liar: Between, store: OciStore) -> None:
    for location in ("http://127.0.0.2:1/x", "https://example.org/", ""):
        away = {"Location": location}
        liar.tamper = on("/uploads/", lambda _asked, answer, away=away: (202, away, b""), "POST")
        if location:
            with pytest.raises(EnvironmentFailure, match="sent to another host"):
                store.put_bytes(b"hello")
        else:
            with pytest.raises(ShipworthyError):
                store.put_bytes(b"hello")


def test_evidence_that_was_exchanged_in_the_registry_is_never_verified(
    liar: Between, store: OciStore, tmp_path: Path
) -> None:
    world = make(tmp_path / "world")
    written = world.write()
    raw = store_release(store, written, world.project / "model", world.by_step, version="1", stored=NOW)
    store.put_ref("spam", "1", raw)
    for name, victim in written.files.items():
        body = b'{"mediaType": "x"}'
        liar.tamper = on(f"/blobs/{victim}", lambda _asked, answer, body=body: (answer[0], answer[1], body))
        fresh = reached(liar, tmp_path / name)
        try:
            result = verify_release(fresh, raw, world.policy, version="1", folders=(world.project,))
        except EvidenceError as error:
            assert "sent other bytes" in error.message, name
        else:
            assert result.first_broken is not None, name
            assert "sent other bytes" in result.first_broken.reason, name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("sha256:" + "0" * 64),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["mediaType", "digest", "size", "layers", "config", "subject", "manifests", "annotations", "dsseEnvelope",
             "payload", "artifactType", "predicate", "evidence", "name", "sha256"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(json_values.map(canonical) | st.binary(max_size=40))
def test_any_answer_is_read_or_refused(raw: bytes) -> None:
    for read in (
        lambda: forms.described(raw, "x"),
        lambda: forms.image_blobs(raw, "x"),
        lambda: forms.only_layer(raw, "x"),
        lambda: forms.subject(raw, "x"),
        lambda: _referrers._listed(raw, "x"),
    ):
        with suppress(EvidenceError):
            read()
    forms.looks("x", raw)
    forms.subject_and_names(raw)


# -------------------------------------------------- one answer for us, another for clusters


def released(store: OciStore, tmp_path: Path) -> tuple[str, Any]:
    world = make(tmp_path / "world", roles=False)
    raw = store_release(store, world.write(), world.project / "model", world.by_step, version="1.0.0", stored=NOW)
    return store.put_ref("spam", "1.0.0", raw).digest, world


def other_digest(_asked: Asked, answer: Answer) -> Answer:
    return answer[0], {**answer[1], "Docker-Content-Digest": "sha256:" + "6" * 64}, answer[2]


def test_a_tag_that_is_another_image_for_who_asks_by_head_is_refused(
    liar: Between, store: OciStore, tmp_path: Path
) -> None:
    """Clusters resolve a tag by HEAD and fetch that digest; we get the manifest at once."""
    digest, _ = released(store, tmp_path)
    assert store.get_ref("spam", "1.0.0").digest == digest
    liar.tamper = on("/manifests/1.0.0", other_digest, "HEAD")
    with pytest.raises(EvidenceError, match="tells others"):
        store.get_ref("spam", "1.0.0")
    liar.tamper = on("/manifests/1.0.0", lambda _asked, answer: (404, {"Content-Length": "0"}, b""), "HEAD")
    with pytest.raises(EvidenceError, match="both that it is there and that it is not"):
        store.get_ref("spam", "1.0.0")
    liar.tamper = on("/manifests/1.0.0", lambda _asked, answer: (405, {"Content-Length": "0"}, b""), "HEAD")
    assert store.get_ref("spam", "1.0.0").digest == digest, "a registry need not know HEAD"


def test_a_blob_that_is_there_by_head_only_is_missed_when_what_was_stored_is_verified(
    liar: Between, store: OciStore, tmp_path: Path
) -> None:
    """The registry says that it has everything, so that nothing is sent; then it has not."""
    liar.tamper = on("/blobs/sha256:", lambda _asked, answer: (200, {"Content-Length": "10"}, b""), "HEAD")
    world = make(tmp_path / "world", roles=False)
    raw = store_release(store, world.write(), world.project / "model", world.by_step, version="1.0.0", stored=NOW)
    with suppress(ShipworthyError):
        store.put_ref("spam", "1.0.0", raw)
    result = verify_release(store, raw, world.policy, version="1.0.0", folders=(world.project,))
    assert not result.ok


def test_a_manifest_that_is_swapped_after_it_was_stored_is_not_deployed(
    liar: Between, store: OciStore, tmp_path: Path
) -> None:
    _, world = released(store, tmp_path)
    another = json.dumps({"schemaVersion": 2, "mediaType": forms.MANIFEST, "layers": []}).encode()
    for reference in ("/manifests/1.0.0", "/manifests/_release-", "/manifests/_latest-"):
        liar.tamper = on(reference, lambda _asked, answer: (answer[0], {}, another))
        fresh = reached(liar, tmp_path / reference.strip("/").replace("/", "-"))
        with pytest.raises(EvidenceError):
            fresh.get_ref("spam")
    assert world.evidence.is_dir()
