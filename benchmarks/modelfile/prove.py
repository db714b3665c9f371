"""Really loads what the scan accepts of the generated attacks: `prove.py PYTHON ACCEPTED [PACKAGE...]`.

PYTHON is that of an environment with the libraries (3.8 or newer; nothing else is needed there), ACCEPTED what
`redteam.py --accepted` wrote. Each name gets a process of its own, forked from one that has imported its module, inside
of bwrap: no network, nothing writable but an empty /tmp, no privileges, 10 s and 512 MiB for each pickle. An audit
hook, a watch on the folder that the arguments name (for files that compiled code opens) and a function put in place of
`math.hypot` say what a pickle does. Printed: one line for each event (`open`: of a pickle that the scan accepts;
`refused`: of one that it only accepted under other names), then what was loaded, for each package.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import importlib
import json
import mmap
import os
import pickle
import re
import resource
import signal
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))
from corpora import redteam_cases  # noqa: E402 - they lie beside the tests
from corpora import redteam_loads as loads  # noqa: E402

SECONDS, ROOM, LARGE = 10, 512 << 20, 256 << 20
DEATHS, HANGS = 12, 3
# What no pickle may do, whatever its argument; the other events count when they show the argument's mark.
FORBIDDEN = (
    "os.", "subprocess.", "socket.", "shutil.", "ctypes.dlopen", "urllib.", "ftplib.", "smtplib.", "pty.", "http.",
    "webbrowser.", "glob.", "tempfile.", "sqlite3.", "code.__new__", "function.__new__", "marshal.", "mmap.", "syslog.",
)  # fmt: skip
_WATCHED = 0x1 | 0x2 | 0x20 | 0x40 | 0x80 | 0x100 | 0x200  # read, written, opened, moved, created, deleted

armed = [False]
events: list[str] = []


def main() -> None:
    """Command line."""
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), set(sys.argv[3:]))
        return
    python, accepted, *packages = sys.argv[1:]
    root = str(Path(python).absolute().parents[1])
    here = str(REPOSITORY)
    held = str(Path(accepted).absolute())
    command = ["bwrap", "--unshare-all", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--die-with-parent",
               "--new-session", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
               "--tmpfs", "/tmp"]  # fmt: skip
    for path in (root, here, held):
        command += ["--ro-bind", path, path]
    settings = {"HOME": "/tmp", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin", "MPLBACKEND": "Agg"}
    command += ["--clearenv"]
    for key, value in {**settings, "PYTHONDONTWRITEBYTECODE": "1"}.items():
        command += ["--setenv", key, value]
    command += [python, "-s", "-W", "ignore", __file__, "--inside", held, *packages]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        judge(process.stdout or [])
    sys.exit(process.returncode)


def judge(lines: Iterable[str]) -> None:
    """Of what happened: was the pickle one that the scan accepts? The class's own attributes were known inside only."""
    from shipworthy.modelfile import scan_bytes

    counts = {"open": 0, "refused": 0}
    for line in lines:
        head, _, rest = line.partition("\t")
        if head == "event":
            raw, _, rest = rest.partition("\t")
            head = "refused" if raw and scan_bytes(base64.b64decode(raw)).worst in ("high", "critical") else "open"
            counts[head] += 1
            line = f"{head}\t{rest}"
        print(line, end="", flush=True)
    print("events", json.dumps(counts))


def inside(path: Path, only: set[str]) -> None:
    """One process for each package."""
    os.mkdir(loads.FOLDER)
    os.chdir(loads.FOLDER)
    Path(loads.PATH).write_bytes(b"\x80\x04N.")
    for module in ("sklearn.pipeline", "pandas", "decimal", "pathlib", "io"):  # what the arguments are made of
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    by_package: dict[str, dict[str, list[tuple[str, str, set[str]]]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        module, qualname, kind, refused = line.split("\t")
        package = by_package.setdefault(module.partition(".")[0], {})
        package.setdefault(module, []).append((qualname, kind, set(refused.split("|"))))
    total: dict[str, int] = {}
    for package, modules in sorted(by_package.items()):
        if only and package not in only:
            continue
        counts = shared(lambda modules=modules: prove_package(modules))
        if counts.get("names"):
            print(package, json.dumps(counts), flush=True)
        for key, value in counts.items():
            total[key] = total.get(key, 0) + value
    print("in all", json.dumps(total), flush=True)


def shared(work: Any) -> dict[str, int]:
    """What a function returns, run in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            result = work()
        except BaseException as error:
            result = {"stopped": 1}
            print("stopped:", repr(error)[:200], flush=True)
        os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        raw = stream.read()
    _, status = os.waitpid(child, 0)
    return json.loads(raw) if raw else {f"package ended by {status}": 1}


def prove_package(modules: dict[str, list[tuple[str, str, set[str]]]]) -> dict[str, int]:
    """Import the modules, then load every case of every name."""
    counts: dict[str, int] = {}

    def count(key: str, number: int = 1) -> None:
        counts[key] = counts.get(key, 0) + number

    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    sys.addaudithook(watch)
    import math

    math.hypot = spy
    warnings.simplefilter("ignore")
    for module, names in sorted(modules.items()):
        del events[:]
        armed[0] = True
        try:
            home = importlib.import_module(module)
        except BaseException:
            count("modules not here")
            continue
        finally:
            armed[0] = False
        count("modules")
        for event in dict.fromkeys(events):
            report(out, b"", "import", module, "", event)
        gc.freeze()
        for qualname, kind, refused in names:
            try:
                item: Any = home
                for part in qualname.split("."):
                    item = getattr(item, part)
            except BaseException:
                count("names not here")
                continue
            count("names")
            for key, number in prove_name(out, module, qualname, kind, refused, item).items():
                count(key, number)
    return counts


def report(out: int, raw: bytes, where: str, module: str, qualname: str, event: str) -> None:
    """One line, with the pickle that did it."""
    held = base64.b64encode(raw).decode()
    os.write(out, f"event\t{held}\t{module}\t{qualname}\t{where}\t{event}\n".encode("utf-8", "replace"))


def prove_name(out: int, module: str, qualname: str, kind: str, refused: set[str], item: Any) -> dict[str, int]:
    """Load the cases of one name; a process that dies is followed by another, behind the pickle that killed it."""
    progress = mmap.mmap(-1, 16)
    counts = {"pickles": 0, "events": 0}
    listed = list(redteam_cases.cases(module, qualname, kind, refused, item))
    start = deaths = hangs = 0
    skipped: set[str] = set()
    while True:
        progress[:16] = struct.pack("<qq", start, 0)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            try:
                prove_cases(writer, progress, listed, start, skipped)
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "r", errors="replace") as stream:
            lines = stream.read().splitlines()
        _, status = os.waitpid(child, 0)
        for line in dict.fromkeys(lines):
            index, _, event = line.partition("\t")
            label, raw = listed[int(index)] if index.isdigit() else (index, b"")
            counts["events"] += 1
            report(out, raw, label, module, qualname, event)
        done, raised = struct.unpack("<qq", progress[:16])
        counts["raised"] = counts.get("raised", 0) + raised
        if not os.WIFSIGNALED(status):
            counts["pickles"] += done - start
            return counts
        ended = os.WTERMSIG(status)
        label, raw = listed[done]
        report(out, raw, label, module, qualname, "hang" if ended == signal.SIGALRM else f"signal {ended}")
        counts["events"] += 1
        counts["pickles"] += done + 1 - start
        start = done + 1
        deaths += 1
        hangs += ended == signal.SIGALRM
        skipped.add(label.rpartition(": ")[2])
        if deaths >= DEATHS or hangs >= HANGS:
            counts["names given up"] = 1
            return counts


def prove_cases(
    writer: int, progress: mmap.mmap, found: list[tuple[str, bytes]], start: int, skipped: set[str]
) -> None:
    """Load each pickle under the watch."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    base = size_of("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (base + ROOM, base + ROOM))
    peak = size_of("VmPeak")
    files = folder_watch()
    raised = 0
    for index in range(start, len(found)):
        label, raw = found[index]
        if label.rpartition(": ")[2] in skipped:
            continue
        progress[:16] = struct.pack("<qq", index, raised)
        del events[:]
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        began = time.monotonic()
        armed[0] = True
        try:
            pickle.loads(raw)
        except MemoryError:
            events.append("memory\tit runs out")
            raised += 1
        except BaseException as error:
            raised += 1
            if re.search(r"(?i)unable to allocate|not allocate|allocate memory", str(error)[:400]):
                events.append("memory\t" + str(error)[:80])
        finally:
            armed[0] = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        if time.monotonic() - began > 2:
            events.append(f"slow\t{time.monotonic() - began:.0f} s")
        if index % 8 == 7:
            now = size_of("VmPeak")
            if now > peak + LARGE:
                events.append(f"memory\t{(now - peak) >> 20} MiB, here or in the seven before")
                peak = now
        events.extend(opened(files))
        for event in dict.fromkeys(events):
            os.write(
                writer, f"{index}\t{event[:160]}\n".replace("\n", " ", event.count("\n")).encode("utf-8", "replace")
            )
    progress[:16] = struct.pack("<qq", len(found), raised)
    armed[0] = True
    del events[:]
    gc.collect()
    armed[0] = False
    for event in dict.fromkeys(events):
        os.write(writer, f"collected\t{event[:160]}\n".encode("utf-8", "replace"))


def size_of(key: str) -> int:
    """A line of /proc/self/status, in bytes."""
    with open("/proc/self/status") as stream:
        for line in stream:
            if line.startswith(key + ":"):
                return int(line.split()[1]) << 10
    return 0


def folder_watch() -> int:
    """A descriptor that tells what happens in the folder that the arguments name."""
    library = ctypes.CDLL(None, use_errno=True)
    watched = library.inotify_init1(os.O_NONBLOCK)
    library.inotify_add_watch(watched, loads.FOLDER.encode(), _WATCHED)
    return int(watched)


def opened(files: int) -> list[str]:
    """What happened there since."""
    try:
        raw = os.read(files, 1 << 16)
    except BlockingIOError:
        return []
    found, at = [], 0
    while at < len(raw):
        _, mask, _, size = struct.unpack_from("<iIII", raw, at)
        label = raw[at + 16 : at + 16 + size].rstrip(b"\0").decode("utf-8", "replace")
        at += 16 + size
        if not mask & 0x40000000 and label:
            found.append(f"file\t{label}")
    return found


def spy(*_values: Any, **_named: Any) -> float:
    """In place of a function that may only be referred to."""
    if armed[0]:
        events.append("called\ta function that the file chose")
    return 0.0


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if not armed[0] or event in ("pickle.find_class", "object.__getattr__", "builtins.id", "sys._getframe"):
        return
    armed[0] = False
    try:
        shown = ascii(arguments)[:300] if event not in ("exec",) else ""
        marked = "swred" in shown and (event != "compile" or "swred_module" in shown)
        if event == "import":
            if "swred" in str(arguments[0]):
                events.append("import\t" + str(arguments[0])[:80])
        elif not importing():
            written = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
            looked = event in ("os.listdir", "os.scandir", "glob.glob") and not marked
            if marked or written or (event.startswith(FORBIDDEN) and not looked):
                events.append(f"{event}\t{shown[:120]}")
    except BaseException as error:
        events.append(f"{event}\t{type(error).__name__}")
    finally:
        armed[0] = True


def importing() -> bool:
    """Whether a library is importing a module of its own."""
    frame = sys._getframe(2)
    while frame is not None:
        if "importlib._bootstrap" in frame.f_code.co_filename:
            return frame.f_code.co_filename != __file__
        frame = frame.f_back
    return False


if __name__ == "__main__":
    main()
