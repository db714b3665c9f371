"""Models where they lie: only the ranges that tell what they are, and never a mix of two versions."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from range_server import Served, serving
from shipworthy.artifacts import remote, s3
from shipworthy.artifacts.remote import Bounds, RemoteFile
from shipworthy.cli import main
from shipworthy.engine import apart
from shipworthy.engine.apart import StoppedError, scan_apart
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.modelfile import Code, Report, Verdict, scan_bytes, scan_view
from shipworthy.modelfile.far import Blocks, FarView
from shipworthy.modelfile.view import View

GIB = 1 << 30


RANGES = Bounds(whole=0)  # what is small is read by ranges too


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as found:
        yield found


def put(served: Served, name: str, data: bytes) -> str:
    (served.folder / name).write_bytes(data)
    return served.url(name)


def look(url: str, bounds: Bounds = RANGES) -> tuple[Report, RemoteFile]:
    with RemoteFile(url, {}, bounds) as file:
        return scan_view(file.view), file


# --- what it costs ---------------------------------------------------------------------------------------------------


def ten_gigabytes(path: Path) -> int:
    """A sparse safetensors file of 10 GiB: a real header, tensors of zeros that take no disk."""
    size, count = GIB // 2, 20
    header = {
        f"layer.{n}": {"dtype": "F16", "shape": [size // 2], "data_offsets": [n * size, (n + 1) * size]}
        for n in range(count)
    }
    raw = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(raw)) + raw)
        stream.truncate(8 + len(raw) + size * count)
    return 8 + len(raw) + size * count


def test_ten_gigabytes_of_safetensors_cost_their_header(served: Served) -> None:
    size = ten_gigabytes(served.folder / "m.safetensors")
    report, file = look(served.url("m.safetensors"))
    assert size > 10 * GIB
    assert report.verdict is Verdict.CLEAN
    assert (report.size, report.explained) == (size, size)
    assert served.sent <= 192 << 10  # and its last bytes, where the directory of a hidden archive would be
    assert 0 < file.received <= served.sent  # a range may be left before its end
    assert file.digest == ""


def test_the_command_tells_what_was_not_read(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    size = ten_gigabytes(served.folder / "m.safetensors")
    url = served.url("m.safetensors")
    assert main(["scan", url + "?token=hunter2", "--format", "json"]) == 0
    told = capfd.readouterr().out
    run = json.loads(told)
    (artifact,) = run["artifacts"]
    assert (artifact["uri"], artifact["size"], artifact["digest"]) == (url, size, "")
    checks = {check["check"]: check for check in run["stages"][0]["checks"]}
    assert checks["model-file"]["outcome"] == "ran"
    assert "no digest was computed" in checks["model-file"]["note"]
    assert f"of {size:,} bytes were read" in checks["model-file"]["note"]
    assert "hunter2" not in told
    assert main(["scan", url]) == 0
    assert "no digest was computed" in capfd.readouterr().out


def test_of_gguf_the_metadata_is_read(served: Served) -> None:
    words = b"".join(text(f"word {number}") for number in range(20_000))
    vocabulary = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 20_000) + words
    name = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    tensor = text("w") + struct.pack("<IQIQ", 1, 1 << 22, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + name + vocabulary + tensor
    data = head.ljust(-(-len(head) // 32) * 32, b"\0") + bytes(1 << 24)
    near = scan_bytes(data)
    report, file = look(put(served, "m.gguf", data))
    assert (near.format, near.verdict) == ("gguf", Verdict.CLEAN)
    assert (report.format, report.verdict) == ("gguf", Verdict.CLEAN)
    assert len(head) < file.received < len(head) + (1 << 20)
    assert file.requests < 20


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def test_a_hole_in_the_tensors_is_found_from_the_header(served: Served) -> None:
    header = {"a": {"dtype": "F32", "shape": [4], "data_offsets": [64, 80]}}
    url = put(served, "m.safetensors", make.safetensors(header, make.EVIL.ljust(64, b"\0") + bytes(16)))
    report, _ = look(url)
    assert {issue.code for issue in report.issues} >= {Code.HIDDEN_PAYLOAD}


def test_of_a_torch_archive_the_directory_and_the_pickle_are_read(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    elements = 5 << 20
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + make.atom(elements) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + make.atom(elements) + b"\x85K\x01\x85\x89}tR."
    honest = make.zipped(("m/data.pkl", b"\x80\x02" + tensor), ("m/data/0", bytes(4 * elements)), ("m/version", b"3\n"))
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    report, file = look(put(served, "m.pt", honest))
    assert report.verdict is Verdict.CLEAN
    assert (report.left, report.loose) == (4 * elements, 0)
    assert file.received < len(honest) / 10
    hostile = make.zipped(("m/data.pkl", make.EVIL), ("m/data/0", bytes(4 * elements)), ("m/version", b"3\n"))
    report, _ = look(put(served, "h.pt", hostile))
    assert report.worst == "critical"

    monkeypatch.chdir(tmp_path)
    assert main(["scan", served.url("m.pt")]) == 0
    assert "raw data by the layout" in " ".join(capfd.readouterr().out.split())
    assert main(["scan", served.url("h.pt")]) == 1

    # A storage that no tensor has is a gap that a gate has to accept by name.
    put(
        served,
        "l.pt",
        make.zipped(("m/data.pkl", make.PLAIN), ("m/data/0", bytes(4 * elements)), ("m/version", b"3\n")),
    )
    assert main(["scan", served.url("l.pt")]) == 3
    assert "of raw data in members" in " ".join(capfd.readouterr().out.split())
    (tmp_path / "shipworthy.toml").write_text('[gates.scan]\naccept-partial = ["model-file:raw-data"]\n')
    assert main(["scan", served.url("l.pt")]) == 0


def test_other_formats_are_read_whole_and_have_a_digest(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    report, file = look(put(served, "m.pkl", make.PLAIN))
    assert report.verdict is Verdict.CLEAN
    assert file.digest.startswith("sha256:")
    assert main(["scan", put(served, "evil.pkl", make.EVIL), "--format", "json"]) == 1
    run = json.loads(capfd.readouterr().out)
    assert run["artifacts"][0]["digest"].startswith("sha256:")
    assert {finding["rule"] for finding in run["findings"]} == {"model-code-execution"}


SAMPLES = {
    "plain": make.PLAIN,
    "evil": make.EVIL,
    "torch": make.torch_zip(make.PLAIN),
    "torch-evil": make.torch_zip(make.EVIL),
    "prefixed": b"prefix" + make.torch_zip(make.PLAIN),
    "zip-evil": make.zipped(("a", make.EVIL), method=8),
    "cut": make.torch_zip(make.PLAIN)[:-9],
    "tar": make.tarred(("a", make.EVIL)),
    "safetensors": safetensors.numpy.save({"a": np.ones(3)}),
    "cut safetensors": safetensors.numpy.save({"a": np.ones(3)})[:-1],
    "onnx": make.onnx((make.node("Relu"),)),
    "text": b"hello\n",
    "empty": b"",
}


class Counted:
    """Bytes that play the far side."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def get(self, low: int, high: int) -> bytes:
        assert 0 <= low < high <= self.size
        return self.data[low:high]

    def near(self, low: int, high: int) -> View:
        return View.of(self.data[low:high])


@pytest.mark.parametrize("name", SAMPLES)
def test_far_and_near_say_the_same(name: str) -> None:
    near, far = scan_bytes(SAMPLES[name]), scan_view(FarView(Blocks(Counted(SAMPLES[name]))))
    assert (far.format, far.verdict, far.worst) == (near.format, near.verdict, near.worst)
    assert [i.code for i in far.issues] == [i.code for i in near.issues]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 4000), st.integers(0, 255), st.booleans())
def test_no_damage_makes_a_far_file_cleaner_than_a_near_one(name: str, at: int, byte: int, cut: bool) -> None:
    data = bytearray(SAMPLES[name])
    if cut:
        del data[at:]
    elif data:
        data[at % len(data)] ^= byte
    near, far = scan_bytes(bytes(data)), scan_view(FarView(Blocks(Counted(bytes(data)))))
    assert far.verdict is not Verdict.CLEAN or near.verdict is Verdict.CLEAN or far.left


@given(st.binary(min_size=1, max_size=70_000), st.data())
@settings(max_examples=60, deadline=None)
def test_a_far_view_reads_as_a_near_one(data: bytes, draw: st.DataObject) -> None:
    near, far = View.of(data), FarView(Blocks(Counted(data)))
    low, size = draw.draw(st.integers(-2, len(data) + 2)), draw.draw(st.integers(-2, len(data) + 2))
    assert far.read(low, size) == near.read(low, size)
    assert far.tail(100) == near.tail(100)
    assert far.sub(low, size).all() == near.sub(low, size).all()
    needle = data[len(data) // 2 :][:3]
    assert far.find(needle, low) == near.find(needle, low)
    with pytest.raises(AttributeError):
        _ = far.buffer


# --- servers that do not behave --------------------------------------------------------------------------------------


def big_zip() -> bytes:
    return make.zipped(("a.npy", b"\x93NUMPY" + bytes(100_000)), ("b.npy", bytes(100_000)))


def test_an_object_that_changes_between_reads_is_refused(served: Served) -> None:
    url = put(served, "m.zip", big_zip())

    def change(number: int) -> None:
        if number == 2:
            put(served, "m.zip", big_zip()[:-1] + b"x")
            os.utime(served.folder / "m.zip", ns=(1, 1))

    served.before = change
    with pytest.raises(EnvironmentFailure, match="changed while it was read"):
        look(url)


@pytest.mark.parametrize(
    ("lie", "message"), [("range", "another range"), ("short", "cut short|broke"), ("encoding", "changes the bytes")]
)
def test_a_server_that_lies_is_refused(served: Served, lie: str, message: str) -> None:
    url, served.lie = put(served, "m.zip", big_zip()), lie
    with pytest.raises(EnvironmentFailure, match=message):
        look(url)


@pytest.mark.parametrize("lie", ["drip", "drip of headers"])
def test_a_server_that_sends_a_byte_now_and_then_ends_with_the_time(served: Served, lie: str) -> None:
    url, served.lie = put(served, "m.zip", big_zip()), lie
    with pytest.raises(EnvironmentFailure, match="not read within 1 seconds"):
        look(url, Bounds(whole=0, seconds=1))


def test_an_answer_without_end_is_cut(served: Served) -> None:
    url, served.lie, served.ranges = put(served, "m.zip", big_zip()), "endless", False
    with pytest.raises(EnvironmentFailure, match="more than 1000000 bytes"):
        look(url, Bounds(whole=0, bytes=1_000_000))


def test_a_proxy_that_is_not_used_is_told() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        RemoteFile("http://127.0.0.1:9/m", {"HTTPS_PROXY": "http://user:secret@proxy:3128"})
    assert "the proxy of the environment is not used" in str(caught.value.remedy)
    assert "secret" not in f"{caught.value} {caught.value.remedy}"


@pytest.mark.parametrize(("ranges", "etag"), [(False, True), (True, False), (False, False)])
def test_without_ranges_or_versions_the_whole_is_read_once(served: Served, ranges: bool, etag: bool) -> None:
    served.ranges, served.etag = ranges, etag
    report, file = look(put(served, "m.pt", make.torch_zip(make.EVIL)))
    assert report.worst == "critical"
    assert file.digest
    url = put(served, "big.zip", big_zip())
    with pytest.raises(EnvironmentFailure, match="more than 100000 bytes"):
        look(url, Bounds(whole=0, bytes=100_000))


def test_bounds(served: Served) -> None:
    url = put(served, "m.pkl", make.PLAIN + bytes(100_000))
    with pytest.raises(EnvironmentFailure, match="more than 20000 bytes"):
        look(url, Bounds(whole=0, bytes=20_000))
    with pytest.raises(EnvironmentFailure, match="more than 1 requests"):
        look(url, Bounds(whole=0, requests=1))
    with pytest.raises(EnvironmentFailure, match="not read within"):
        look(url, Bounds(whole=0, seconds=-1))
    served.before = lambda _number: time.sleep(1)
    with pytest.raises(EnvironmentFailure, match=r"cannot be reached|broke"):
        look(url, Bounds(whole=0, silence=0.2))


def test_redirects_are_followed_a_little(served: Served) -> None:
    url = put(served, "m.pkl", make.EVIL)
    served.redirects = {"a": "/b", "b": url, "loop": "/loop", "file": "file:///etc/passwd", "nowhere": ""}
    assert look(served.url("a"))[0].worst == "critical"
    with pytest.raises(EnvironmentFailure, match="more than 5 redirects"):
        look(served.url("loop"))
    with pytest.raises(EnvironmentFailure, match="redirected to file:"):
        look(served.url("file"))
    with pytest.raises(EnvironmentFailure, match="no such object"):
        look(served.url("absent"))


def test_a_public_host_cannot_lead_inside(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is public, its server (here, on loopback all the same) redirects to the metadata service."""
    served.redirects = {"m": "http://169.254.169.254/latest/meta-data"}
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *more: int, **options: int) -> list[object]:
        if host == "models.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]
        return list(real(host, port, *more, **options))

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(RemoteFile, "_socket", lambda *_: socket.create_connection(("127.0.0.1", served.port)))
    with pytest.raises(EnvironmentFailure, match="plain http"):
        look("http://models.example/m")
    monkeypatch.setattr(remote.ssl, "create_default_context", lambda: NoTls())
    with pytest.raises(EnvironmentFailure, match="redirected to http:"):
        look("https://models.example/m")
    served.redirects = {"m": "https://169.254.169.254/latest/meta-data"}
    with pytest.raises(EnvironmentFailure, match="a host inside of the network"):
        look("https://models.example/m")


class NoTls:
    def wrap_socket(self, sock: socket.socket, **_: str) -> socket.socket:
        return sock


def test_certificates_are_verified(served: Served) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot be reached"):
        look(served.url("m").replace("http:", "https:"))


@pytest.mark.parametrize("uri", ["https://user:pw@host/m", "http://:80/x", "https:///x"])
def test_what_is_no_address(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        RemoteFile(uri, {})
    assert "pw" not in str(caught.value)


def test_options_that_make_no_sense_are_refused(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = put(served, "m.pkl", make.PLAIN)
    assert main(["scan", url, "--since", "main"]) == 2
    assert main(["scan", url, "--check", "secrets"]) == 2
    assert "only the check `model-file`" in capfd.readouterr().err
    assert not (tmp_path / ".shipworthy").exists()


# --- parsed apart ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranges", [True, False])
def test_a_worker_says_the_same(served: Served, ranges: bool) -> None:
    served.ranges = ranges
    for name in ("torch-evil", "tar", "safetensors"):
        url = put(served, name, SAMPLES[name])
        with RemoteFile(url, {}, RANGES) as file:
            there = scan_apart(file, (), 512, 60)
        assert there == look(url)[0], name


def test_what_needs_too_much_memory_or_time_is_stopped(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    header = b'{"' + b"a" * (90 << 20)  # a header that the format allows
    url = put(served, "m.safetensors", struct.pack("<Q", len(header)) + header)
    with RemoteFile(url, {}, RANGES) as file, pytest.raises(StoppedError, match=r"memory|died"):
        scan_apart(file, (), 96, 60)
    with RemoteFile(put(served, "m.pkl", make.PLAIN), {}) as file, pytest.raises(StoppedError, match="longer than 0 s"):
        scan_apart(file, (), 512, 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shipworthy.toml").write_text("[scan]\nmemory-mb = 96\n")
    assert main(["scan", url, "--format", "json"]) == 1
    run = json.loads(capfd.readouterr().out)
    assert [finding["rule"] for finding in run["findings"]] == ["check-stopped"]


def test_a_worker_that_asks_and_does_not_read_holds_nobody(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = apart._bound_sending
    monkeypatch.setattr(apart, "_serve", _ask_only)
    monkeypatch.setattr(apart, "_bound_sending", lambda connection, _: bound(connection, 1))
    with (
        RemoteFile(put(served, "m.bin", bytes(64 << 20)), {}) as file,
        pytest.raises(StoppedError, match="did not take what it had asked for"),
    ):
        scan_apart(file, (), 512, 60)


def _ask_only(connection: Connection, *_: object) -> None:
    connection.send(struct.pack("<QQ", 0, 64 << 20))
    time.sleep(300)


def test_what_the_source_fails_with_is_told_and_the_worker_is_gone(served: Served) -> None:
    url, served.lie = put(served, "m.zip", big_zip()), "short"
    before = set(multiprocessing.active_children())
    with RemoteFile(url, {}, RANGES) as file, pytest.raises(EnvironmentFailure, match=r"cut short|broke"):
        scan_apart(file, (), 512, 60)
    assert set(multiprocessing.active_children()) <= before


# --- S3 --------------------------------------------------------------------------------------------------------------

KEY = s3.Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
ENV = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret", "AWS_REGION": "us-east-1"}


def test_the_signature_is_that_of_amazons_own_example() -> None:
    """`GET Object` of "Signature Calculations for the Authorization Header" in the S3 documentation."""
    headers = s3.signed(
        "https://examplebucket.s3.amazonaws.com/test.txt",
        {"Range": "bytes=0-9"},
        KEY,
        datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert headers["authorization"].endswith(
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        " Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    assert "wJalr" not in repr(KEY)


@pytest.mark.parametrize(
    ("uri", "env", "expected"),
    [
        ("s3://b/k/m.pt", {}, "https://b.s3.us-east-1.amazonaws.com/k/m.pt"),
        ("s3://b/a b+ü%.pt", {"AWS_REGION": "eu-west-1"}, "https://b.s3.eu-west-1.amazonaws.com/a%20b%2B%C3%BC%25.pt"),
        ("s3://a.b/k", {}, "https://s3.us-east-1.amazonaws.com/a.b/k"),
        ("s3://b/k?versionId=x/y", {"AWS_ENDPOINT_URL": "http://h:9000/"}, "http://h:9000/b/k?versionId=x%2Fy"),
        ("s3://b/k", {"AWS_ENDPOINT_URL_S3": "http://h:9000"}, "http://h:9000/b/k"),
    ],
)
def test_where_an_object_is(uri: str, env: dict[str, str], expected: str) -> None:
    assert s3.address(uri, env) == expected


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://bucket/", "s3://b@d/k", "s3://b/k?x=1"])
def test_what_is_no_object(uri: str) -> None:
    with pytest.raises(UsageError):
        s3.address(uri, {})


def test_half_a_key_is_refused() -> None:
    with pytest.raises(UsageError, match="only one of"):
        s3.credentials({"AWS_ACCESS_KEY_ID": "x"})


def test_the_signature_goes_to_the_endpoint_only(served: Served, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with serving(tmp_path / "other") as other:
        url = put(other, "m.pkl", make.EVIL)
        served.redirects = {"bucket/m.pkl": url}
        with RemoteFile("s3://bucket/m.pkl", ENV | {"AWS_ENDPOINT_URL": served.url("")}) as file:
            assert scan_view(file.view).worst == "critical"
        assert all("authorization" in headers for headers in served.headers)
        assert other.headers
        assert not any(name.startswith(("authorization", "x-amz")) for headers in other.headers for name in headers)


@pytest.mark.filterwarnings("ignore")
def test_a_bucket_of_an_s3_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "6"}
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], env=env, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        account = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        client, users = (boto3.client(name, endpoint_url=endpoint, **account) for name in ("s3", "iam"))
        users.create_user(UserName="reader")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        users.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
        key = users.create_access_key(UserName="reader")["AccessKey"]
        client.create_bucket(Bucket="models")
        body = safetensors.numpy.save({"w": np.ones(3_000_000)})
        for name, data in (("dir/a b+ü.safetensors", body), ("evil.pkl", make.EVIL)):
            client.put_object(Bucket="models", Key=name, Body=data)
        # from here on, the server verifies every signature
        given = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_ENDPOINT_URL": endpoint,
        }
        for wrong in ({"AWS_SECRET_ACCESS_KEY": "another"}, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}):
            with pytest.raises(EnvironmentFailure, match="access is denied"):
                RemoteFile("s3://models/evil.pkl", given | wrong)
        with RemoteFile("s3://models/dir/a b+ü.safetensors", given) as file:
            report = scan_view(file.view)
            assert report.verdict is Verdict.CLEAN
            assert (file.size, file.digest) == (len(body), "")
            assert file.received <= 192 << 10
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        assert main(["scan", "s3://models/evil.pkl"]) == 1
        assert main(["scan", "s3://models/absent"]) == 5
    finally:
        server.terminate()
        server.wait()
