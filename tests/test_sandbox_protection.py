"""What untrusted code in the sandbox cannot do, at every level that this machine offers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.tools import _landlock, _seccomp
from shipworthy.tools.sandbox import Limits, Sandbox, SandboxResult

QUICK = Limits(wall_seconds=20, memory_mb=1024, grace_seconds=1)
LEVELS = {
    "bubblewrap": {},
    "jail": {"bubblewrap": None},
    "jail without namespaces": {"bubblewrap": None, "without": ("namespaces",)},
}


def open_level(name: str) -> Sandbox:
    try:
        sandbox = Sandbox.open("strict", **LEVELS[name])
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))
    if sandbox.protection.level != name.split()[0]:
        pytest.skip(f"{name} is not to be had here: {'; '.join(sandbox.report.notes)}")
    return sandbox


@pytest.fixture(params=LEVELS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return open_level(request.param)


def run(sandbox: Sandbox, code: str, folder: Path, **more: object) -> SandboxResult:
    more.setdefault("limits", QUICK)
    return sandbox.run(["python", "-c", textwrap.dedent(code)], cwd=folder, **more)  # type: ignore[arg-type]


def test_ordinary_work_is_possible(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import json, multiprocessing, numpy, os, subprocess, tempfile, threading
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        open(os.path.expanduser("~/cache"), "w").write("x")
        worker = threading.Thread(target=print, args=("thread",)); worker.start(); worker.join()
        lock = multiprocessing.get_context("fork").Lock() if SHM else None
        child = subprocess.run(["echo", "child"], capture_output=True, text=True)
        print(int(numpy.arange(5).sum()), child.stdout.strip())
        open("out/model.bin", "wb").write(b"model")
    """
    out = tmp_path / "out"
    out.mkdir()
    lines: list[tuple[str, str]] = []
    # without a mount namespace /dev/shm is everybody's, and closed
    code = code.replace("SHM", str(sandbox.protection.namespaces))
    result = run(sandbox, code, tmp_path, writable=[out], on_line=lambda *line: lines.append(line))
    assert result.ok, result.stderr_tail
    assert ("stdout", "thread") in lines
    assert ("stdout", "10 child") in lines
    assert (out / "model.bin").read_bytes() == b"model"
    assert result.report.network == "blocked"
    assert result.report.filesystem == "isolated"


def test_no_connection_arrives_and_the_attempt_is_known(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import socket, sys
        failed = 0
        for address in (("127.0.0.1", PORT), ("192.0.2.7", 443)):
            try:
                socket.create_connection(address, 2).close()
            except OSError:
                failed += 1
        try:
            socket.getaddrinfo("exfiltrate.example.org", 443)
        except OSError:
            failed += 1
        sys.exit(0 if failed == 3 else 9)
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run(sandbox, code.replace("PORT", str(port)), tmp_path)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert result.returncode == 0, result.stderr_tail
    told = {attempt.target for attempt in result.attempts if attempt.kind == "network"}
    assert {f"127.0.0.1:{port}", "exfiltrate.example.org:443"} <= told


def test_programs_that_are_not_python_are_refused_the_network_too(sandbox: Sandbox, tmp_path: Path) -> None:
    if not Path("/bin/bash").exists():
        pytest.skip("needs bash")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected"
        result = sandbox.run(["/bin/bash", "-c", line], cwd=tmp_path, limits=QUICK)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert "connected" not in result.stdout_tail
    assert result.returncode != 0


def test_secrets_of_the_machine_cannot_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere" / "credentials"
    secret.parent.mkdir()
    secret.write_text("aws_secret")
    work = tmp_path / "work"
    work.mkdir()
    code = f"""
        import glob, os
        for path in ({str(secret)!r}, "/etc/shadow", "/proc/{os.getpid()}/environ", {str(Path.home() / ".ssh")!r}):
            try:
                print("READ", path, (os.listdir(path) if os.path.isdir(path) else open(path, "rb").read())[:5])
            except OSError:
                pass
        print(sorted(os.environ))
    """
    result = run(sandbox, code, work)
    assert result.returncode == 0, result.stderr_tail
    assert not [line for line in result.stdout_tail if line.startswith("READ")]


def test_our_environment_stays_ours(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "s3cr3t")
    result = run(sandbox, "import os; print(os.environ)", tmp_path, env={"WANTED": "yes"})
    assert "DEPLOY_TOKEN" not in result.stdout_tail[-1]
    assert "'WANTED': 'yes'" in result.stdout_tail[-1]


def test_nothing_outside_can_be_written(sandbox: Sandbox, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    work = tmp_path / "work"
    work.mkdir()
    (work / "code.py").write_text("trusted = True\n")
    code = f"""
        import os
        def attempt(what):
            try:
                what()
            except OSError:
                return
            print("DONE", what.__name__)
        def append(): open({str(victim)!r}, "a").write("x")
        def truncate(): os.truncate({str(victim)!r}, 0)
        def remove(): os.unlink({str(victim)!r})
        def change_code(): open("code.py", "a").write("trusted = False")
        def system(): open("/usr/local/bin/shipworthy-evil", "w").close()
        def change_mode(): os.chmod("code.py", 0o777); open("code.py", "a").write("x")
        for what in (append, truncate, remove):
            try:
                what()  # may succeed on files of its own /tmp
            except OSError:
                pass
        for what in (change_code, system, change_mode):
            attempt(what)
    """
    result = run(sandbox, code, work)
    assert result.returncode == 0, result.stderr_tail
    assert not [line for line in result.stdout_tail if line.startswith("DONE")]
    assert victim.read_text() == "as it was"
    assert (work / "code.py").read_text() == "trusted = True\n"


def test_the_kernel_tells_of_calls_that_no_note_is_left_of(tmp_path: Path) -> None:
    """Code that wipes the notes, and programs that are not ours to watch."""
    sandbox = open_level("bubblewrap")
    wiped = """
        import contextlib, os, socket
        with contextlib.suppress(OSError):
            socket.create_connection(("192.0.2.1", 80), 1)
        os.truncate(os.environ["SHIPWORTHY_WITNESS"], 0)
    """
    unwatched = """
        import subprocess, sys
        call = "import socket; socket.socket(socket.AF_INET6).connect_ex(('2001:db8::1', 80))"
        subprocess.run([sys.executable, "-I", "-S", "-c", call], check=True)
    """
    for code in (wiped, unwatched):
        result = run(sandbox, code, tmp_path)
        assert result.ok, result.stderr_tail
        assert [(one.kind, one.event) for one in result.attempts if one.kind == "network"] == [("network", "no-route")]
    quiet = "import socket; a, b = socket.socketpair(); s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()"
    assert not [one for one in run(sandbox, quiet, tmp_path).attempts if one.kind == "network"]


def test_a_folder_in_place_of_the_notes_is_no_crash(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import contextlib, os
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.environ["SHIPWORTHY_WITNESS"])
        os.mkdir(os.environ["SHIPWORTHY_WITNESS"])
    """
    assert run(sandbox, code, tmp_path).ok


def test_a_call_behind_many_other_attempts_is_known(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import contextlib, socket, subprocess
        for number in range(300):
            with contextlib.suppress(OSError):
                subprocess.Popen([f"/nonexistent/{number}"])
        with contextlib.suppress(OSError):
            socket.socket().connect(("192.0.2.1", 80))
        with contextlib.suppress(OSError):
            socket.getaddrinfo("192.0.2.1", 80)
    """
    result = run(sandbox, code, tmp_path)
    assert "192.0.2.1:80" in {one.target for one in result.attempts if one.kind == "network"}


def test_the_launcher_cannot_be_taken_over(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import os
        for pid in {1, os.getppid()}:
            for name in ("mem", "environ"):
                try:
                    open(f"/proc/{pid}/{name}", "r+b" if name == "mem" else "rb").close()
                    print("OPENED", pid, name)
                except OSError:
                    pass
    """
    result = run(sandbox, code, tmp_path)
    assert result.returncode == 0, result.stderr_tail
    assert not [line for line in result.stdout_tail if line.startswith("OPENED")]


def test_modes_times_and_attributes_of_inputs_stay(sandbox: Sandbox, tmp_path: Path) -> None:
    """Landlock does not hold them back; copying tools, which ask for them, go on working."""
    given, work = tmp_path / "given.csv", tmp_path / "work"
    given.write_text("as it was")
    given.chmod(0o640)
    work.mkdir()
    before = given.stat()
    code = f"""
        import contextlib, os, shutil
        given = {str(given)!r}
        for attempt in (
            lambda: os.chmod(given, 0o777),
            lambda: os.fchmod(os.open(given, os.O_RDONLY), 0o4777),
            lambda: os.utime(given, (1, 1)),
            lambda: os.setxattr(given, "user.x", b"1"),
            lambda: os.chown(given, os.getuid(), os.getgid()),
        ):
            with contextlib.suppress(OSError):
                attempt()
        shutil.copy2(given, os.environ["TMPDIR"])
    """
    result = run(sandbox, code, work, read_only=(given,))
    assert result.returncode == 0, result.stderr_tail
    after = given.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert os.listxattr(given) == []


def test_dangerous_system_calls_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    numbers = {name: pair[_seccomp.architecture() or 0] for name, pair in _seccomp._REFUSED.items()}
    code = f"""
        import ctypes, errno, socket
        libc = ctypes.CDLL(None, use_errno=True)
        def refused(number, *args):
            return libc.syscall(number, *args) == -1 and ctypes.get_errno() == errno.EPERM
        print("ptrace", refused({numbers["ptrace"]}, 0, 0, 0, 0))
        print("unshare", refused({numbers["unshare"]}, 0x10000000))
        print("mount", refused({numbers["mount"]}, b"none", b"/", None, 0, None))
        print("keyctl", refused({numbers["keyctl"]}, 0, 0))
        print("bpf", refused({numbers["bpf"]}, 0, None, 0))
        print("io_uring", libc.syscall(425, 1, None) == -1 and ctypes.get_errno() == errno.ENOSYS)
        for family in (40, 17, 38):  # vsock, packet, alg
            try:
                socket.socket(family, socket.SOCK_DGRAM if family != 38 else socket.SOCK_SEQPACKET)
                print("family", family, False)
            except OSError:
                pass
    """
    result = run(sandbox, code, tmp_path)
    assert result.returncode == 0, result.stderr_tail
    assert [line for line in result.stdout_tail if line.endswith("False")] == []
    assert len(result.stdout_tail) == 6


def test_other_processes_cannot_be_signalled(sandbox: Sandbox, tmp_path: Path) -> None:
    if not sandbox.protection.namespaces and _landlock.abi() < _landlock.SCOPES_SINCE:
        pytest.skip("this kernel's Landlock does not scope signals")
    with subprocess.Popen(["sleep", "30"]) as other:
        result = run(sandbox, f"import os; os.kill({other.pid}, 9)", tmp_path)
        assert result.returncode != 0
        assert other.poll() is None
        other.kill()


def test_daemons_behind_socket_files_cannot_be_reached(sandbox: Sandbox, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "docker.sock"))
        daemon.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(tmp_path / 'docker.sock')!r})"
        assert run(sandbox, code, work).returncode != 0
        daemon.setblocking(False)
        with pytest.raises(BlockingIOError):
            daemon.accept()


def test_a_command_that_is_not_there_is_refused_not_failed(sandbox: Sandbox, tmp_path: Path) -> None:
    result = sandbox.run(["no-such-program"], cwd=tmp_path, limits=QUICK)
    assert "no-such-program" in result.refused
    assert not result.ok


def test_what_it_opens_of_its_inputs_is_noted(sandbox: Sandbox, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("1")
    result = run(sandbox, f"open({str(data)!r}).read()", tmp_path, inputs=[data])
    assert [attempt.target for attempt in result.attempts if attempt.kind == "read"] == [str(data)]


def test_the_report_says_what_was_tried(sandbox: Sandbox) -> None:
    report = sandbox.report.as_dict()
    assert report["verified"]["tcp"] == "refused"
    assert report["verified"]["read-canary"] == "refused"
    assert report["verified"]["scratch"] == "allowed"
    # what is there now belongs to tests that run at the same time, and goes away; what we left would stay
    found = list(Path.home().glob(".shipworthy-canary-*"))
    deadline = time.monotonic() + 30
    while any(path.exists() for path in found) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [path for path in found if path.exists()]


def test_without_landlock_the_open_file_system_is_admitted() -> None:
    try:
        sandbox = Sandbox.open("no-network", bubblewrap=None, without=("landlock",))
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))
    assert sandbox.report.filesystem != "isolated"
    assert sandbox.report.verified["read-canary"] == "allowed"
    with pytest.raises(EnvironmentFailure, match="strict") as caught:
        Sandbox.open("strict", bubblewrap=None, without=("landlock",))
    assert "bubblewrap" in caught.value.remedy


def test_protection_that_cannot_be_had_is_an_error() -> None:
    with pytest.raises(EnvironmentFailure, match="cannot be satisfied") as caught:
        Sandbox.open("no-network", bubblewrap=None, without=("landlock", "seccomp", "namespaces"))
    assert caught.value.exit_code == 5


def test_a_bubblewrap_that_does_not_work_is_noted_and_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    try:
        sandbox = Sandbox.open("no-network", bubblewrap=str(broken))
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))
    assert sandbox.protection.level == "jail"
    assert any("setting up uid map" in note for note in sandbox.report.notes)


def test_a_bubblewrap_that_protects_from_nothing_is_found_out(tmp_path: Path) -> None:
    liar = tmp_path / "bwrap"
    liar.write_text('#!/bin/sh\nwhile [ "$1" != "--chdir" ]; do shift; done\ncd "$2"; shift 3; exec "$@"\n')
    liar.chmod(0o755)
    try:
        sandbox = Sandbox.open("no-network", bubblewrap=str(liar))
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))
    assert sandbox.protection.level == "jail"
    assert any("bubblewrap" in note and "can be reached" in note for note in sandbox.report.notes)


def test_no_sandbox_only_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="policy"):
        Sandbox.open("off")
    report = run(Sandbox.open("none"), "print(1)", tmp_path).report
    assert (report.level, report.network, report.filesystem) == ("limits", "open", "open")


ORDINARY = """
import sys
from pathlib import Path
from shipworthy.tools.sandbox import Sandbox
for options in ({}, {"bubblewrap": None}, {"bubblewrap": None, "without": ("namespaces",)}):
    sandbox = Sandbox.open("strict", **options)
    result = sandbox.run(["python", "-c", "print(open('/etc/shadow').read())"], cwd=Path(sys.argv[1]))
    assert result.returncode == 1 and not result.refused, result
    print(sandbox.protection.level, sandbox.report.network, sandbox.report.filesystem)
"""


def test_it_works_for_an_ordinary_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    python = next((p for p in ("/usr/bin/python3", sys.executable) if _new_enough(p)), None)
    if os.getuid() != 0 or not shutil.which("setpriv") or python is None:
        pytest.skip("needs root, setpriv and a Python that another user can run")
    import packaging

    import shipworthy

    place = Path("/tmp") / f"shipworthy-test-{os.getpid()}"  # where another user can look
    try:
        for package in (shipworthy, packaging):
            source = Path(package.__file__ or "").parent
            shutil.copytree(source, place / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        (place / "work").mkdir()
        subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run(
            [*user, python, "-c", ORDINARY, str(place / "work")],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(place),
                "HOME": "/nonexistent",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if "EnvironmentFailure" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("blocked isolated") == 3


def _new_enough(python: str) -> bool:
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if shutil.which("setpriv") else []
    ask = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([*user, python, "-c", ask], capture_output=True, cwd="/", check=False).returncode == 0
