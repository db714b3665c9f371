"""The one door to other programs: programs that hang, flood, fork, lie and say half a word."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from shipworthy.tools.command import Completed, Tool, Toolbox, ToolFailed, ToolMissing, run

TIMEOUT = 60.0


def python(code: str, **kept: object) -> Completed:
    return run([sys.executable, "-c", code], timeout=float(kept.pop("timeout", TIMEOUT)), **kept)  # type: ignore[arg-type]


def program(folder: Path, name: str, text: str) -> Path:
    """An executable file."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def alive(mark: str) -> list[int]:
    """The processes on whose command line the mark stands, zombies left out."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            words = Path(f"/proc/{name}/cmdline").read_bytes()
            state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark.encode() in words and state not in "ZX":
            found.append(int(name))
    return found


def gone(mark: str) -> bool:
    """Killed processes take a moment to be reaped."""
    for _ in range(100):
        if not alive(mark):
            return True
        time.sleep(0.05)
    return False


FAMILY = """
import os, subprocess, sys, time
mark = {mark!r}
child = "import time; time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child, mark])
subprocess.Popen([sys.executable, "-c", "import subprocess, sys, time; "
    f"subprocess.Popen([sys.executable, '-c', {{child!r}}, {{mark!r}}]); time.sleep(600)", mark])
print("started", flush=True)
"""


def test_at_the_deadline_the_whole_family_is_killed() -> None:
    mark = f"story-{uuid.uuid4()}"
    with pytest.raises(ToolFailed, match=r"still running after 3 s; stopped"):
        python(FAMILY.format(mark=mark) + "time.sleep(600)", timeout=3)
    assert gone(mark)


def test_what_a_program_leaves_behind_is_killed_when_it_ends() -> None:
    mark = f"story-{uuid.uuid4()}"
    done = python(FAMILY.format(mark=mark))
    assert done.stdout == b"started\n"
    assert gone(mark)


def test_a_program_that_ignores_polite_signals_is_killed_all_the_same() -> None:
    mark = f"story-{uuid.uuid4()}"
    code = (
        f"import signal, time; mark = {mark!r}\n"
        "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)\n"
        "time.sleep(600)"
    )
    with pytest.raises(ToolFailed, match="still running"):
        python(code, timeout=2)
    assert gone(mark)


def test_the_end_of_the_run_ends_the_program() -> None:
    mark, ended = f"story-{uuid.uuid4()}", threading.Event()
    timer = threading.Timer(1.0, ended.set)
    timer.start()
    with pytest.raises(ToolFailed):
        python(f"import time; mark = {mark!r}; time.sleep(600)", ended=ended)
    timer.join()
    assert gone(mark)


def test_interrupting_us_kills_the_program() -> None:
    mark = f"story-{uuid.uuid4()}"
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(2.0, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        python(FAMILY.format(mark=mark) + "time.sleep(600)")
    timer.join()
    assert gone(mark)


def test_a_flood_of_output_is_an_error_and_not_an_answer() -> None:
    with pytest.raises(ToolFailed, match="printed more than 1000000 bytes"):
        python("import sys; sys.stdout.write('x' * 2_000_000)", limit=1_000_000)


def test_a_flood_without_end_is_stopped_before_it_fills_the_disk() -> None:
    code = "import sys\nwhile True: sys.stdout.buffer.write(b'x' * 65536)"
    with pytest.raises(ToolFailed, match="printed more than"):
        python(code, limit=1_000_000, timeout=600)


def test_errors_without_end_are_stopped_too() -> None:
    code = "import sys\nwhile True: sys.stderr.write('x' * 65536)"
    with pytest.raises(ToolFailed, match="printed more than"):
        python(code, limit=1_000_000, timeout=600)


def test_much_on_both_streams_does_not_block() -> None:
    done = python("import sys; sys.stderr.write('e' * 3_000_000 + 'END'); sys.stdout.write('o' * 3_000_000)")
    assert len(done.stdout) == 3_000_000
    assert done.stderr.endswith("END")
    assert len(done.stderr) <= 20_000


def test_the_environment_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "PYTHONPATH",
        "LD_PRELOAD_NOT",
        "HTTPS_PROXY",
        "SSH_AUTH_SOCK",
    ):
        monkeypatch.setenv(name, "from our own environment")
    seen = python(
        "import json, os; print(json.dumps([dict(os.environ), os.listdir(os.environ['HOME'])]))",
        env={"WANTED": "yes"},
    ).json()
    variables, home = seen
    assert "from our own environment" not in variables.values()
    assert variables["WANTED"] == "yes"
    assert variables["HOME"] != os.environ["HOME"]
    assert home == []
    assert not Path(variables["HOME"]).exists(), "its home stayed"
    assert set(variables) <= {
        "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HOME", "TMPDIR", "XDG_CACHE_HOME",
        "NO_COLOR", "PYTHONDONTWRITEBYTECODE", "WANTED",
    }  # fmt: skip


def test_it_gets_its_input_and_no_terminal() -> None:
    done = python("import os, sys; print(sys.stdin.read(), os.isatty(0), os.getsid(0) == os.getpid())", stdin=b"given")
    assert done.stdout == b"given False True\n"


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("", "printed nothing (exit 0): last words"),
        ("  \\n", "printed nothing"),
        ('{"results": [', "printed no complete JSON"),
        ('{"results": []} trailing', "printed no complete JSON"),
        ("[" * 100_000, "printed no complete JSON"),
    ],
    ids=["nothing", "blank", "half", "more than JSON", "nested without end"],
)
def test_what_is_no_answer_is_never_taken_for_one(printed: str, says: str) -> None:
    code = f"import sys; sys.stdout.write('{printed}'); sys.stderr.write('first\\nlast words\\n')"
    if len(printed) > 1000:
        code = f"import sys; sys.stdout.write('[' * {len(printed)})"
    with pytest.raises(ToolFailed) as failed:
        python(code, name="scanner").json()
    assert says in str(failed.value)
    assert str(failed.value).startswith("scanner: ")


def test_bytes_that_are_no_text_are_no_json() -> None:
    with pytest.raises(ToolFailed, match="no complete JSON"):
        python('import sys; sys.stdout.buffer.write(b\'{"a": "\\xff\\xfe"}\')').json()


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="cannot be started: No such file"):
        run([str(tmp_path / "nothing")], timeout=TIMEOUT)
    with pytest.raises(ToolFailed, match="cannot be started"):
        run([str(program(tmp_path, "text", "no program at all"))], timeout=TIMEOUT)
    with pytest.raises(ToolFailed, match="cannot be started"):
        run([sys.executable, "-V"], timeout=TIMEOUT, cwd=tmp_path / "nowhere")


def test_an_exit_status_that_was_not_expected_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    path = program(tmp_path, "scanner", "#!/bin/sh\necho '{}'\necho 'config broken' >&2\nexit 7\n")
    box, tool = Toolbox({"scanner": str(path)}), Tool("scanner")
    with pytest.raises(ToolFailed, match="exit status 7: config broken"):
        box.run(tool)
    assert box.run(tool, ok=(7,)).json() == {}


def test_a_program_that_kills_itself_is_a_failure(tmp_path: Path) -> None:
    path = program(tmp_path, "scanner", "#!/bin/sh\necho '{}'\nkill -9 $$\n")
    with pytest.raises(ToolFailed, match="exit status -9"):
        Toolbox({"scanner": str(path)}).run(Tool("scanner"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#!/bin/sh\necho scanner 3.1.4\n", ""),
        ("#!/bin/sh\necho scanner 9.0\n", "is version 9.0; >=3,<4 is needed"),
        ("#!/bin/sh\nexit 0\n", "does not tell its version"),
        ("#!/bin/sh\necho scanner 3.1.4\nexit 1\n", "does not tell its version (exit 1)"),
        ("not executable code", "does not tell its version"),
    ],
    ids=["good", "another", "silent", "fails", "broken"],
)
def test_only_a_version_that_we_can_read_is_used(tmp_path: Path, text: str, says: str) -> None:
    path = program(tmp_path, "scanner", text)
    box, tool = Toolbox({"scanner": str(path)}), Tool("scanner", versions=">=3,<4", install="pip install scanner")
    if not says:
        assert box.version(tool) == "3.1.4"
        return
    with pytest.raises(ToolMissing) as missing:
        box.version(tool)
    assert says in str(missing.value)
    assert missing.value.remedy == "pip install scanner"


def test_a_program_that_is_not_there_is_missing_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="is not installed") as missing:
        Toolbox().locate(Tool("no-such-scanner", install="pip install it"))
    assert missing.value.remedy == "pip install it"
    with pytest.raises(ToolMissing, match="the path in the settings is no program"):
        Toolbox({"scanner": str(tmp_path)}).locate(Tool("scanner"))


def test_numbers_and_words_come_back_as_they_were() -> None:
    value = {"a": [1, 2.5, None, True], "b": "äöü \u202e"}
    assert python(f"print({json.dumps(json.dumps(value))})").json() == value
