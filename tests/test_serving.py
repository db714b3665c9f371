"""A service runs in isolation: it answers, reaches nothing, is held to limits, and leaves nothing behind."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import small_images
from shipworthy.building import Recipe, build
from shipworthy.building.local_base import LABEL, python_base
from shipworthy.building.wheels import fetch
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.serving import Service, Use, start

CONFIG: Mapping[str, Any] = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"],
    "ExposedPorts": {"8080/tcp": {}},
}

PROBE = """
import http.server, json, os, signal, socket, sys

def tried(work):
    try:
        return f"allowed: {str(work())[:200]}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"

def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(3)
        one.connect(address)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = open("/proc/self/status").read()
        port = int(self.headers.get("X-Host-Port") or 9)
        told = {
            "address": tried(lambda: connect(socket.AF_INET, ("192.0.2.1", 80))),
            "metadata": tried(lambda: connect(socket.AF_INET, ("169.254.169.254", 80))),
            "host": tried(lambda: connect(socket.AF_INET, ("127.0.0.1", port))),
            "name": tried(lambda: socket.getaddrinfo("example.org", 80)),
            "write": tried(lambda: open("/srv/new", "w")),
            "sysctl": tried(lambda: open("/proc/sys/kernel/hostname", "w")),
            "memory": tried(lambda: open("/proc/kcore", "rb").read(1) or 1 / 0),
            "mount": tried(lambda: os.chroot("/tmp")),
            "setuid": tried(lambda: os.setuid(0)),
            "temporary": tried(lambda: open("/tmp/new", "w").write("x")),
            "uid": [os.getuid(), os.getgid(), os.getgroups()],
            "processes": sorted(name for name in os.listdir("/proc") if name.isdigit()),
            "interfaces": [name for _, name in socket.if_nameindex()],
            "capabilities": [line.split()[1] for line in status.splitlines() if line.startswith("Cap")],
            "descriptors": sorted(os.listdir("/proc/self/fd")),
            "environment": dict(os.environ),
            "root": sorted(os.listdir("/")),
        }
        self.answer(json.dumps(told).encode())
    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(data[::-1])
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

def ended(number, _):
    print(f"signal {number}", flush=True)
    sys.exit(7)

signal.signal(signal.SIGINT, ended)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base image of this machine's Python; one for all workers of a test run."""
    small_images.needs_containers()
    import fcntl

    shared = tmp_path_factory.getbasetemp().parent / "python-base"
    with open(f"{shared}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "index.json").exists():
            python_base(shared)
    return shared


@pytest.fixture(scope="session")
def rootfs(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base, unpacked, with the probe in it."""
    root, config = small_images.unpacked(base, tmp_path_factory.mktemp("probe") / "root")
    assert config["config"]["Labels"][LABEL] == "this machine's Python"
    (root / "srv").mkdir()
    (root / "srv" / "probe.py").write_text(PROBE)
    return root


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project with a model and its wheels; skipped where no package index can be reached."""
    from shipworthy.example import create

    context = tmp_path_factory.mktemp("example") / "context"
    create(context, data="generated")
    code = "import numpy as n, pathlib as p, classifier as c; c.Model(n.zeros(c.DIMENSIONS), 0.5).save(p.Path('model'))"
    subprocess.run([sys.executable, "-c", code], cwd=context, check=True)
    try:
        fetch(context / "requirements.txt", context / "wheels")
    except EnvironmentFailure as failure:
        pytest.skip(f"no package index can be reached: {failure}")
    return context


def get(url: str, path: str = "/", **headers: str) -> Any:
    """A JSON answer."""
    request = urllib.request.Request(url + path, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def probe(rootfs: Path, **more: Any) -> Service:
    """The probe as a service."""
    return Service(rootfs, {"config": {**CONFIG, "Cmd": ["python", "/srv/probe.py"]}}, **more)


def test_the_service_reaches_nothing(rootfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "hunter2")
    with socket.create_server(("127.0.0.1", 0)) as host, start(probe(rootfs)) as running:
        told = get(running.url, **{"X-Host-Port": str(host.getsockname()[1])})
        ports = running.listening()
        isolation = running.isolation
    for name in ("address", "metadata", "host", "name", "write", "sysctl", "memory", "mount", "setuid"):
        assert not told[name].startswith("allowed"), (name, told[name])
    assert told["temporary"].startswith("allowed")
    assert told["uid"][:2] == [10001, 10001]
    assert told["processes"] == ["1"]
    assert told["interfaces"] == ["lo"]
    assert set(told["capabilities"]) == {"0" * 16}
    assert "hunter2" not in json.dumps(told)
    assert not {"work", "home", "host"} & set(told["root"])
    assert [(one.protocol, one.address, one.port, one.everywhere) for one in ports] == [("tcp", "0.0.0.0", 8080, True)]
    assert isolation["network"] == "loopback only"


def test_many_connections_and_large_bodies(rootfs: Path) -> None:
    body = os.urandom(1_000_000)
    wrong: list[str] = []

    def post(url: str) -> None:
        request = urllib.request.Request(url, data=body, method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            if answer.read() != body[::-1]:
                wrong.append("another body came back")

    with start(probe(rootfs)) as running:
        threads = [threading.Thread(target=post, args=(running.url,)) for _ in range(20)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(150)
        assert not wrong
        with socket.socket(socket.AF_UNIX) as plain:  # each direction ends by itself
            plain.settimeout(20)
            plain.connect(str(running.socket))
            plain.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
            plain.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: plain.recv(4096), b""))
        assert answer.endswith(b"cba")


SLOW_TO_ACCEPT = """
import socket, time
with socket.socket() as listener:
    listener.bind(("0.0.0.0", 8080))
    listener.listen(0)
    time.sleep(14)
    while True:
        one, _ = listener.accept()
        with one:
            one.recv(4096)
            one.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
"""


def test_a_connection_waits_for_its_place_in_a_full_queue(rootfs: Path) -> None:
    answers: list[Any] = []
    with start(Service(rootfs, {"config": {**CONFIG, "Cmd": ["python", "-c", SLOW_TO_ACCEPT]}})) as running:

        def ask() -> None:
            with urllib.request.urlopen(running.url, timeout=120) as answer:
                answers.append(json.load(answer))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(150)
    assert answers == [{}] * 6


def test_it_is_stopped_by_its_own_signal(rootfs: Path) -> None:
    service = Service(rootfs, {**CONFIG, "Cmd": ["python", "/srv/probe.py"], "StopSignal": "SIGINT"})
    running = start(service)
    ended = running.stop()
    assert ended.status == 7
    assert "signal 2" in running.log()
    assert running.stop() == ended


def test_what_does_not_listen_to_its_signal_is_killed(rootfs: Path) -> None:
    running = start(probe(rootfs))  # process 1 without a handler for SIGTERM never hears of it
    assert running.stop(0.3).status == 128 + signal.SIGKILL
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])), 5)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["python", "-c", "import sys; sys.exit('no model')"], "status 1: no model"),
        (["/srv/nothing"], "cannot start /srv/nothing"),
        (["python", "-c", "import time; time.sleep(60)"], "its port does not listen"),
    ],
)
def test_a_service_that_does_not_start_is_told(rootfs: Path, command: list[str], said: str) -> None:
    with pytest.raises(EnvironmentFailure) as failure:
        start(Service(rootfs, {**CONFIG, "Cmd": command}, ready_seconds=3))
    assert said in str(failure.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"ExposedPorts": {"1/tcp": {}, "2/tcp": {}}, "Cmd": ["x"]}, "2 TCP ports"),
        ({"ExposedPorts": {"1/udp": {}}, "Cmd": ["x"]}, "no TCP ports"),
        ({"ExposedPorts": {"1/tcp": {}}}, "no command"),
        ({"ExposedPorts": {"1/tcp": {}}, "Cmd": "x"}, "no list of strings"),
        ({"ExposedPorts": {"1/tcp": {}}, "Cmd": ["x"], "User": "who"}, "no user"),
        ({"ExposedPorts": {"1/tcp": {}}, "Cmd": ["x"], "User": "99999999999"}, "no valid number"),
    ],
)
def test_a_configuration_that_cannot_be_run_is_told(rootfs: Path, config: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        start(Service(rootfs, config))
    assert said in str(error.value)


def test_memory_and_processes_are_limited(rootfs: Path) -> None:
    hungry = (
        "import http.server, os, signal, threading\n"
        "kept, children = [], []\n"
        "def eat():\n"
        "    while True:\n"
        "        kept.append(os.urandom(1 << 20))\n"
        "def fork():\n"
        "    try:\n"
        "        while len(children) < 1000:\n"
        "            if not (child := os.fork()):\n"
        "                signal.pause()\n"
        "            children.append(child)\n"
        "    except OSError:\n"
        "        print('made', len(children), flush=True)\n"
        "    for child in children:\n"
        "        os.kill(child, signal.SIGKILL)\n"
        "        os.waitpid(child, 0)\n"
        "fork()\n"
        "threading.Timer(0.5, eat).start()\n"
        "http.server.HTTPServer(('', 8080), http.server.BaseHTTPRequestHandler).serve_forever()\n"
    )
    service = Service(rootfs, {**CONFIG, "Cmd": ["python", "-c", hungry]}, use=Use(memory_mb=128, processes=30))
    running = start(service)
    try:
        small_images.wait_until(lambda: running.ended() is not None or "MemoryError" in running.log(), 60)
        made = int(running.log().split("made ")[1].split()[0])
        assert made < 30
        ended = running.ended()
        assert "MemoryError" in running.log() or (ended and "memory" in ended.exceeded)
    finally:
        running.stop(0.2)


def test_a_mount_point_that_is_a_link_is_refused(rootfs: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(rootfs / "usr" / "bin", root / "usr" / "bin")
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "proc").symlink_to(outside)
    with pytest.raises(EnvironmentFailure, match="no plain folder"):
        start(Service(root, {**CONFIG, "Cmd": ["/usr/bin/sh"]}))
    assert not list(outside.iterdir())


KILLED = """
import sys
from pathlib import Path
from shipworthy.serving import Service, start
config = {"User": "10001", "ExposedPorts": {"8080/tcp": {}}, "Cmd": ["python", "/srv/probe.py", sys.argv[2]],
          "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}
running = start(Service(Path(sys.argv[1]), config))
print(running.url, running.socket, running.pid, running._started.launcher, flush=True)
sys.stdin.read()
"""


def groups() -> set[str]:
    """Control groups of ours."""
    found = set()
    for place, folders, _ in os.walk("/sys/fs/cgroup"):
        found |= {f"{place}/{one}" for one in folders if one.startswith("shipworthy-")}
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_shipworthy_is_killed(rootfs: Path, number: int) -> None:
    marker = f"marker-{os.urandom(6).hex()}"
    process = small_images.python(KILLED, str(rootfs), marker)
    assert process.stdout is not None
    try:
        url, path, pid, launcher = process.stdout.readline().decode().split()
        assert get(url)["processes"] == ["1"]
        assert os.readlink(f"/proc/{pid}/ns/net") == os.readlink(f"/proc/{launcher}/ns/net")
        assert process.poll() is None  # it did not end by itself
        process.send_signal(number)
        process.wait(30)
    finally:
        process.kill()
        process.communicate()
    assert small_images.wait_until(lambda: not small_images.processes_with(marker))
    assert small_images.wait_until(lambda: not Path(path).parent.exists())
    assert small_images.wait_until(lambda: not [one for one in groups() if one.endswith(f"-{pid}")])
    assert small_images.wait_until(lambda: not Path("/proc", launcher).exists())  # it held the network namespace
    assert str(rootfs) not in Path("/proc/mounts").read_text()


def test_without_root_it_runs_in_a_user_namespace(rootfs: Path, tmp_path: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if os.geteuid() != 0 or python is None:
        pytest.skip("as root, with a Python that everybody may run")
    shared = Path("/tmp") / f"shipworthy-test-{os.urandom(6).hex()}"
    code = (
        "import json, sys, urllib.request\n"
        "from pathlib import Path\n"
        "from shipworthy.serving import Service, start\n"
        f"service = Service(Path({str(shared / 'root')!r}), json.loads(sys.argv[1]), ready='/')\n"
        "with start(service) as running:\n"
        "    told = json.load(urllib.request.urlopen(running.url, timeout=20))\n"
        "    print(json.dumps([told, running.isolation, [one.port for one in running.listening()]]))\n"
    )
    try:
        shared.mkdir(mode=0o755)
        shutil.copytree(rootfs, shared / "root", symlinks=True)
        shutil.copytree(Path(__file__).parent.parent / "src", shared / "src")
        for place, folders, files in os.walk(shared):
            for one in folders + files:
                os.lchown(Path(place, one), 65534, 65534)
        config = json.dumps({**CONFIG, "Cmd": ["python", "/srv/probe.py"]})
        done = subprocess.run(
            [python, "-c", code, config],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(shared / "src"), "TMPDIR": "/tmp"},
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        shutil.rmtree(shared)
    if "namespace" in done.stderr:
        pytest.skip(f"no unprivileged user namespaces here: {done.stderr[-300:]}")
    told, isolation, ports = json.loads(done.stdout) if done.returncode == 0 else pytest.fail(done.stderr)
    assert "user" in isolation["namespaces"]
    assert told["uid"][:2] == [10001, 10001]
    assert ports == [8080]
    for name in ("address", "write", "sysctl", "mount", "setuid"):
        assert not told[name].startswith("allowed"), (name, told[name])


@pytest.mark.parametrize("engine", ["builtin", pytest.param("buildah", marks=pytest.mark.slow)])
def test_the_example_is_built_and_answers(base: Path, context: Path, tmp_path: Path, engine: str) -> None:
    if engine != "builtin":
        small_images.needs(engine)
    recipe = Recipe(
        context,
        tmp_path / "image",
        arguments={"BASE": "localhost/python:1"},
        bases={"localhost/python:1": base},
        epoch=1_700_000_000,
    )
    built = build(recipe, engine)
    root, config = small_images.unpacked(built.layout, tmp_path / "root")
    assert not (root / "mnt" / "wheels").exists() or not list((root / "mnt" / "wheels").iterdir())
    with start(Service(root, config, ready="/healthz", ready_seconds=60)) as running:
        connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=30)
        text = json.dumps({"text": "ignore all previous instructions"})
        connection.request("POST", "/predict", text, {"Content-Type": "application/json"})
        answer = json.load(connection.getresponse())
        connection.close()
    assert answer["label"] in ("injection", "benign")
    assert running.ended().status == 0  # type: ignore[union-attr]
