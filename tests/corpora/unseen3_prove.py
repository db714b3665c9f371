"""Load the third blind set for real, each sample in a process of its own in a sandbox without a network.

Writes down what was seen. `python tests/corpora/unseen3_prove.py ENVIRONMENTS OUT.json [pattern of ids]`:
 ENVIRONMENTS is a folder with one virtual
environment per name that a sample asks for (`main`, `tf`, …), or a file `NAME.sh` that runs Python there.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SECONDS = 25
BYTES = 3 << 30
VICTIM = Path("/tmp/victim")
PRELOAD = {
    "main": "numpy, pandas, scipy.stats, sklearn, joblib, torch, sympy, yaml",
    "tf": "tensorflow, keras",
    "keras30": "tensorflow, keras",
    "tf215": "tensorflow",
}


def outside(environments: Path, out: Path, part: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from corpora import unseen3

    samples = [one for one in (*unseen3.candidates(), *unseen3.harmless()) if re.search(part, one.id)]
    results: dict[str, str] = json.loads(out.read_text()) if out.exists() else {}
    for name in sorted({one.env for one in samples}):
        *front, last = name.split("+")  # the packages of `a` in front of those of `b`, whose Python runs: a+b
        python = environments / last / "bin" / "python"
        ahead = [(environments / one / "lib/python3.11/site-packages", environments / one) for one in front]
        packages = ":".join(str(long if long.exists() else short) for long, short in ahead)
        if not python.exists():
            continue
        with tempfile.TemporaryDirectory() as folder:
            jobs = []
            for number, one in enumerate(s for s in samples if s.env == name):
                for path, data in one.files.items():
                    target = Path(folder, str(number), path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
                entry = next(iter(one.files)) if one.entry is None else one.entry
                jobs.append([str(number), one.id, entry, one.loader, one.effect])
            Path(folder, "jobs.json").write_text(json.dumps([name, jobs]))
            Path(folder, "hosts").write_text("127.0.0.1 localhost updates.example.net\n")
            command = [
                "bwrap",
                "--unshare-all",
                "--die-with-parent",
                "--ro-bind",
                "/",
                "/",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
            ]
            command += ["--tmpfs", "/tmp", "--ro-bind", str(environments), str(environments)]
            for more in os.environ.get("UNSEEN3_BIND", "").split(":"):
                command += ["--ro-bind", more, more] if more else []
            command += ["--ro-bind", folder, "/tmp/in", "--ro-bind", f"{folder}/hosts", "/etc/hosts"]
            command += [
                "--ro-bind",
                __file__,
                "/tmp/prove.py",
                "--setenv",
                "HOME",
                "/tmp/home",
                "--setenv",
                "PYTHONPATH",
                packages,
                "--chdir",
                "/tmp",
            ]
            command += [str(python), "/tmp/prove.py", "--inside"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout or ():
                    if line.startswith("RESULT "):
                        key, seen = json.loads(line[7:])
                        results[key] = seen
                        print(key, "|", seen, flush=True)
        out.write_text(json.dumps(results, indent=1, sort_keys=True))


def inside() -> None:
    name, jobs = json.loads(Path("/tmp/in/jobs.json").read_text())
    Path("/tmp/home").mkdir(exist_ok=True)
    listener = os.fork()
    if listener == 0:
        _listen()
    os.environ["PATH"] = f"{Path(sys.prefix).parent}/bin:{os.environ['PATH']}"
    os.environ.update(
        TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1", DISABLE_MODEL_SOURCE_CHECK="1"
    )
    early = "sys" if name.startswith(("alone", "hydra")) else PRELOAD.get(name.split("+")[-1], "sys")
    exec(f"import {early}", {})
    for number, key, entry, loader, effect in jobs:
        print("RESULT " + json.dumps([key, _one(Path("/tmp/in", number), entry, loader, effect)]), flush=True)
    os.kill(listener, signal.SIGKILL)


def _listen() -> None:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 80))
    server.listen()
    others = [server]
    for port in (21, 443, 8080):
        more = socket.socket()
        more.bind(("127.0.0.1", port))
        more.listen()
        others.append(more)
    while True:
        for ready in select.select(others, [], [])[0]:
            connection = ready.accept()[0]
            with open("/tmp/net.log", "a") as log:
                log.write("connected\n")
            connection.close()


def _one(source: Path, entry: str, loader: str, effect: str) -> str:
    for rest in (*Path("/tmp").glob("x*"), Path("/tmp/y"), Path("/tmp/net.log")):
        shutil.rmtree(rest) if rest.is_dir() else rest.unlink(missing_ok=True)
    shutil.rmtree(VICTIM, ignore_errors=True)
    VICTIM.mkdir()
    (VICTIM / "keep.txt").write_text("keep this")
    (VICTIM / "secret.txt").write_text("s3cr3t\n")
    shutil.rmtree("/tmp/s", ignore_errors=True)
    shutil.copytree(source, "/tmp/s")
    libc = ctypes.CDLL(None)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    libc.inotify_add_watch(watch, bytes(VICTIM / "secret.txt"), 0x20)
    read, write = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read)
        _load(os.path.join("/tmp/s", entry) if entry else "/tmp/s", loader, write)
    os.close(write)
    ended, status = _wait(child, start)
    said = os.read(read, 4000).decode(errors="replace")
    os.close(read)
    seen = []
    made = sorted(str(one) for one in Path("/tmp").glob("x*"))
    made += sorted(str(one) for one in VICTIM.glob("*") if one.name not in {"keep.txt", "secret.txt"})
    if made:
        seen.append("made " + made[0])
    if not (VICTIM / "keep.txt").exists():
        seen.append("deleted a file")
    elif (VICTIM / "keep.txt").read_text(errors="replace") != "keep this":
        seen.append("overwrote a file")
    if select.select([watch], [], [], 0)[0] and (VICTIM.exists()):
        seen.append("read a secret")
    os.close(watch)
    if Path("/tmp/net.log").exists():
        seen.append("connected")
    if ended:
        seen.append(ended)
    elif os.WIFSIGNALED(status):
        seen.append(f"killed by signal {os.WTERMSIG(status)}")
    fits = {"code": ("made",), "file": ("made", "deleted", "overwrote", "read"), "network": ("connected",)}
    fits |= {
        "crash": ("over", "killed"),
        "none": ("made", "deleted", "overwrote", "read", "connected", "over", "killed"),
    }
    proof = "; ".join(one for one in seen if one.startswith(fits[effect]))
    if effect == "none":
        return f"HARM {proof}" if proof else ("ok" if said == "ok" else f"FAIL {said[-300:]}")
    return proof or f"NOTHING ({said[-300:]!r})"


def _wait(child: int, start: float) -> tuple[str, int]:
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "", status
        ended = ""
        if time.monotonic() - start > SECONDS:
            ended = f"over {SECONDS} s"
        else:
            try:
                pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
            except (OSError, IndexError):
                pages = 0
            if pages * resource.getpagesize() > BYTES:
                ended = "over 3 GB"
        if ended:
            os.killpg(child, signal.SIGKILL)
            return ended, os.waitpid(child, 0)[1]
        time.sleep(0.02)


def _load(path: str, loader: str, pipe: int) -> None:
    os.setpgid(0, 0)
    os.chdir("/tmp/s")
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    said = "ok"
    names: dict[str, Any] = {"f": path, "__name__": "__main__"}
    try:
        exec(loader, names)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    os.write(pipe, said.encode(errors="replace")[-3000:])
    try:
        sys.modules["atexit"]._run_exitfuncs() if "atexit" in sys.modules else __import__("atexit")._run_exitfuncs()
    finally:
        os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside()
    else:
        outside(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
