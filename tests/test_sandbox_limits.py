"""Limits bite, at every level, and nothing is left running."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.errors import EnvironmentFailure
from shipworthy.tools import _process_tree
from shipworthy.tools._supervise import LINE_LIMIT, printable
from shipworthy.tools.sandbox import Limits, Sandbox, SandboxResult
from test_sandbox_protection import LEVELS, open_level


@pytest.fixture
def sandbox() -> Sandbox:
    """The strongest that there is: limits are held by the same code at every level."""
    try:
        return Sandbox.open("no-network")
    except EnvironmentFailure:
        return Sandbox.open("none")


@pytest.fixture(params=[*LEVELS, "none"])
def any_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return Sandbox.open("none") if request.param == "none" else open_level(request.param)


def run(sandbox: Sandbox, code: str, folder: Path, limits: Limits, **more: object) -> SandboxResult:
    return sandbox.run(["python", "-c", textwrap.dedent(code)], cwd=folder, limits=limits, **more)  # type: ignore[arg-type]


def test_wall_time_first_asks_then_kills(any_sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("asked", flush=True), sys.exit(0)))
        time.sleep(60)
    """
    polite = run(any_sandbox, code, tmp_path, Limits(wall_seconds=3, grace_seconds=10))
    assert polite.stopped == "wall-time"
    assert polite.stdout_tail == ("asked",)
    assert polite.returncode == 0
    assert not polite.ok

    stubborn = code.replace('(print("asked", flush=True), sys.exit(0))', "None").replace(
        "time.sleep(60)", "while True: pass"
    )
    killed = run(any_sandbox, stubborn, tmp_path, Limits(wall_seconds=3, grace_seconds=0.3))
    assert killed.stopped == "wall-time"
    assert killed.returncode == 128 + signal.SIGKILL


def test_cpu_time(sandbox: Sandbox, tmp_path: Path) -> None:
    result = run(sandbox, "while True: pass", tmp_path, Limits(wall_seconds=30, cpu_seconds=1, grace_seconds=0.5))
    assert not result.ok
    assert result.stopped == "cpu-time" or result.returncode == 128 + signal.SIGXCPU


def test_memory_of_one_process(sandbox: Sandbox, tmp_path: Path) -> None:
    result = run(sandbox, "x = bytearray(600 << 20); print('had it')", tmp_path, Limits(memory_mb=256, wall_seconds=30))
    assert not result.ok
    assert result.stopped == "memory" or "MemoryError" in result.stderr_tail[-1]


def test_memory_of_many_processes(any_sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import os, time
        for _ in range(4):
            if not os.fork():
                x = b"x" * (100 << 20)
                time.sleep(30)
        time.sleep(30)
    """
    result = run(any_sandbox, code, tmp_path, Limits(memory_mb=256, wall_seconds=30))
    assert result.stopped == "memory"
    assert "256 MiB are allowed" in result.detail


def test_file_size(sandbox: Sandbox, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = f"open({str(out / 'big')!r}, 'wb').write(b'0' * (8 << 20))"
    result = run(sandbox, code, tmp_path, Limits(file_mb=2, wall_seconds=30), writable=[out])
    assert not result.ok
    assert (out / "big").stat().st_size <= 2 << 20


def test_many_files_fill_no_disk(sandbox: Sandbox, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = f"""
        import time
        for number in range(30):
            open({str(out)!r} + f"/{{number}}", "wb").write(b"0" * (1 << 20))
        time.sleep(30)
    """
    result = run(sandbox, code, tmp_path, Limits(disk_mb=8, wall_seconds=30), writable=[out])
    assert result.stopped == "disk"


def test_a_flood_of_output(sandbox: Sandbox, tmp_path: Path) -> None:
    log = io.BytesIO()
    code = "import sys\nwhile True: sys.stdout.write('x' * 100000)"
    result = run(sandbox, code, tmp_path, Limits(output_mb=1, wall_seconds=30), log=log)
    assert result.stopped == "output"
    assert len(log.getvalue()) < 2 << 20


def test_a_fork_bomb_is_ended(any_sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import os, time
        for _ in range(400):
            try:
                if not os.fork():
                    os.setsid()
                    time.sleep(60)
            except OSError:
                break
        time.sleep(60)
    """
    result = run(any_sandbox, code, tmp_path, Limits(processes=30, wall_seconds=30), env={"MARKER": str(tmp_path)})
    assert result.stopped == "processes"
    assert not _with_marker(str(tmp_path))


def test_no_orphan_outlives_the_command(any_sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
        import os, time
        if not os.fork():
            os.setsid()
            if not os.fork():
                for handle in range(3):
                    os.close(handle)
                time.sleep(60)
            os._exit(0)
        print("parent ends")
    """
    result = run(any_sandbox, code, tmp_path, Limits(wall_seconds=30), env={"MARKER": str(tmp_path)})
    assert result.stdout_tail == ("parent ends",)
    assert not _with_marker(str(tmp_path))


def test_an_exception_of_ours_leaves_nothing_running(any_sandbox: Sandbox, tmp_path: Path) -> None:
    def interrupt(stream: str, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(
            any_sandbox,
            "import time; print('hello', flush=True); time.sleep(60)",
            tmp_path,
            Limits(wall_seconds=60),
            on_line=interrupt,
            env={"MARKER": str(tmp_path)},
        )
    assert not _with_marker(str(tmp_path))


def test_our_own_death_ends_the_command(any_sandbox: Sandbox, tmp_path: Path) -> None:
    options = next((LEVELS[name] for name in LEVELS if str(name.split()[0]) == any_sandbox.protection.level), {})
    policy = any_sandbox.report.policy
    code = f"""
        from pathlib import Path
        from shipworthy.tools.sandbox import Sandbox
        Sandbox.open({policy!r}, **{options!r}).run(
            ["python", "-c", "import time; print('up', flush=True); time.sleep(60)"],
            cwd=Path({str(tmp_path)!r}), env={{"MARKER": {str(tmp_path)!r}}},
            on_line=lambda *_: print("up", flush=True))
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # what is killed cannot clean up
    line = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, env=environment) as ours:
        assert ours.stdout is not None
        assert ours.stdout.readline() == b"up\n"
        assert _with_marker(str(tmp_path))
        ours.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while _with_marker(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _with_marker(str(tmp_path))


def test_watching_can_end_it(tmp_path: Path) -> None:
    result = run(
        Sandbox.open("none"), "import time; time.sleep(60)", tmp_path, Limits(grace_seconds=1), watch=lambda: "enough"
    )
    assert (result.stopped, result.detail) == ("watch", "enough")
    assert result.returncode == 128 + signal.SIGTERM


def test_output_is_made_harmless(tmp_path: Path) -> None:
    code = r"""print("\x1b[31mred\x1b[0m \x1b]0;title\x07\u202eevil\x00end"); print("y" * 20000)"""
    lines: list[str] = []
    run(Sandbox.open("none"), code, tmp_path, Limits(), on_line=lambda _, text: lines.append(text))
    assert lines[0] == "red evilend"
    assert max(len(line) for line in lines) <= LINE_LIMIT


@given(st.text(max_size=300))
def test_printable_lines_hold_no_controls(text: str) -> None:
    shown = printable(text)
    assert not [char for char in shown if (ord(char) < 32 and char != "\t") or 0x7F <= ord(char) < 0xA0]


def test_our_own_process_is_measured() -> None:
    own = _process_tree.read(os.getpid())
    assert own is not None
    assert own.resident > 1 << 20
    assert _process_tree.tree(os.getpid())[0].pid == os.getpid()
    assert _process_tree.proportional([own]) > 0
    assert _process_tree.read(2**22 + 1) is None


def _with_marker(marker: str) -> list[int]:
    """Processes that were started with the marker in their environment or command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            state = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except OSError:
            continue
        if b"MARKER=" + marker.encode() in environment and state not in "ZX" and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found
