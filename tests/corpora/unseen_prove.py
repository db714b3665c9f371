"""Prove that the attacks of unseen.py act: load each with the real loader, in a namespace without network and disk.

    python tests/corpora/unseen_prove.py --envs FOLDER [--only TEXT] [--json FILE]

FOLDER holds one virtual environment per `env` of the attacks (see unseen.ENVIRONMENTS). Not run by the tests.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

JOB = Path("/tmp/job")
HERE = JOB / "a" / "b" / "model"
OUTSIDE = Path("/tmp/outside")
WARM = {
    "main": "import numpy, pickle, pandas, torch, joblib, sklearn.linear_model, scipy, torch._export.serde.serialize",
    "pad": "import paddle",
    "tf": "import tensorflow, keras, h5py",
    "tf215": "import tensorflow, keras, h5py",
    "keras30": "import tensorflow, keras",
    "keras35": "import tensorflow, keras",
}
SECONDS = 15


def snapshot() -> dict[str, tuple[int, int, int]]:
    """Every file that does not belong to the model's own folder or to the process's home."""
    found = {}
    for root in (OUTSIDE, JOB, *Path("/tmp").glob("MARK*")):
        for path in [root, *root.rglob("*")] if root.is_dir() else [root]:
            if HERE in [path, *path.parents] or JOB / "home" in [path, *path.parents]:
                continue
            try:
                info = path.lstat()
            except FileNotFoundError:
                continue
            found[str(path)] = (info.st_size, info.st_mode, 0 if path.is_dir() else info.st_mtime_ns)
    return found


def tidy(canaries: dict[str, str]) -> None:
    for root in (OUTSIDE, JOB, *Path("/tmp").glob("MARK*")):
        with contextlib.suppress(FileNotFoundError):
            if root.is_dir() and not root.is_symlink():
                shutil.rmtree(root)
            else:
                root.unlink()
    HERE.mkdir(parents=True)
    (JOB / "home").mkdir()
    OUTSIDE.mkdir()
    for name, data in canaries.items():
        (OUTSIDE / name).write_bytes(bytes.fromhex(data))


def listen(port: int, hits: list[str]) -> None:
    server = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            peer, _ = server.accept()
            hits.append("connected")
            with contextlib.suppress(OSError):
                peer.settimeout(2)
                peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n1\n")
                peer.close()

    threading.Thread(target=serve, daemon=True).start()


def child(job: dict[str, object], log: int) -> None:
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.chdir(HERE)
    os.environ["HOME"] = str(JOB / "home")
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 31, 1 << 31))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if job["env"] == "r":
        home = os.environ["R_HOME"]
        os.execv(f"{home}/bin/exec/R", ["R", "--vanilla", "--no-echo", "-e", str(job["call"])])
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    sys.path.insert(0, "")
    place = {"D": ".", "F": str(job["first"]), "__name__": "__main__"}
    try:
        exec(compile(str(job["call"]), "<loader>", "exec"), place)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    sys.exit(0)


def run(job: dict[str, object], source: Path, canaries: dict[str, str], hits: list[str], token: str) -> tuple[str, str]:
    """(how it acted or "", what it printed)."""
    tidy(canaries)
    shutil.copytree(source / str(job["folder"]), HERE, symlinks=True, dirs_exist_ok=True)
    before = snapshot()
    hits.clear()
    with tempfile.TemporaryFile() as log:
        pid = os.fork()
        if not pid:
            try:
                child(job, log.fileno())
            except SystemExit:
                import atexit

                sys.stdout.flush()
                atexit._run_exitfuncs()
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                os._exit(0)
        end, status, usage = time.monotonic() + SECONDS, None, None
        while time.monotonic() < end:
            done, code, used = os.wait4(pid, os.WNOHANG)
            if done:
                status, usage = code, used
                break
            time.sleep(0.02)
        time.sleep(0.3 if "Timer" in str(job["call"]) else 0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        if status is None:
            os.wait4(pid, 0)
        log.seek(0)
        output = log.read(1 << 20).decode("utf-8", "replace")
    after = snapshot()
    if job["proof"] == "bomb":
        if status is None:
            return "time limit", output
        if os.WIFSIGNALED(status):
            return f"killed by signal {os.WTERMSIG(status)}", output
        signs = (
            "MemoryError",
            "bad_alloc",
            "cannot allocate",
            "Cannot allocate",
            "Unable to allocate",
            "not enough memory",
        )
        signs += (
            "out of memory",
            "OutOfMemory",
            "ResourceExhausted",
            "OOM",
            "File too large",
            "RecursionError",
            "stack overflow",
        )
        if any(sign in output for sign in signs):
            return "memory limit", output
        big = usage.ru_maxrss > job["base"] + (1 << 20) if usage else False
        return ("over 1 GiB" if big else ""), output
    if before != after:
        changed = sorted(set(before) ^ set(after)) or [k for k in before if before[k] != after.get(k)]
        return f"changed {changed[0]}", output
    if hits:
        return "connected", output
    if token in output:
        return "read", output
    return "", output


def inside(plan: Path) -> None:
    data = json.loads(plan.read_text())
    hits: list[str] = []
    listen(data["port"], hits)
    exec(WARM.get(data["env"], "pass"), {})
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for job in data["jobs"]:
        start = time.monotonic()
        acted, output = run({**job, "base": base}, plan.parent, data["canaries"], hits, data["token"])
        answer = {"id": job["id"], "acted": acted, "seconds": time.monotonic() - start, "output": output[-1500:]}
        print("RESULT " + json.dumps(answer), flush=True)


def outside() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from corpora import unseen_units

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envs", type=Path, required=True)
    parser.add_argument("--set", default="unseen", help="the module of the set: unseen, unseen2")
    parser.add_argument("--only", default="")
    parser.add_argument("--env", default="")
    parser.add_argument("--json", type=Path)
    parser.add_argument("-v", action="store_true", help="print what loaders that did not act said")
    options = parser.parse_args()
    unseen = importlib.import_module(f"corpora.{options.set}")
    attacks = [
        a
        for a in unseen.attacks()
        if any(o in a.id for o in options.only.split(",")) and (not options.env or a.env == options.env)
    ]
    results = {a.id: a.proof for a in attacks if a.proof.startswith("kept")}
    canaries = {key: value.hex() for key, value in unseen.canaries().items()}
    for env in dict.fromkeys(a.env for a in attacks):
        mine = [a for a in attacks if a.env == env and a.id not in results]
        if not mine:
            continue
        with tempfile.TemporaryDirectory() as folder:
            root, jobs = Path(folder), []
            for index, attack in enumerate(mine):
                write(root / str(index), attack.files, attack.links)
                jobs.append({"id": attack.id, "env": env, "call": attack.call, "proof": attack.proof})
                jobs[-1] |= {"folder": str(index), "first": next(iter(attack.files))}
            common = {"env": env, "port": unseen_units.PORT, "token": unseen_units.CANARY, "canaries": canaries}
            (root / "plan.json").write_text(json.dumps({**common, "jobs": jobs}))
            for answer in sandboxed(env, root, options.envs):
                results[answer["id"]] = answer["acted"]
                print(f"{answer['acted'] or 'NOTHING':40.40s} {answer['seconds']:5.1f} s  {answer['id']}", flush=True)
                if options.v and not answer["acted"]:
                    print("    " + answer["output"].strip()[-900:].replace("\n", "\n    "), flush=True)
        for attack in mine:
            results.setdefault(attack.id, "")
    table(attacks, results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def table(attacks: list, results: dict[str, str]) -> None:
    families: dict[str, list[str]] = {}
    for attack in attacks:
        families.setdefault(attack.family, []).append(results[attack.id])
    print(f"\n{'family':30s} attacks acted kept nothing")
    families["all"] = list(results.values())
    for family, answers in families.items():
        kept = sum(a.startswith("kept") for a in answers)
        nothing = sum(not a for a in answers)
        print(f"{family:30s} {len(answers):7d} {len(answers) - kept - nothing:5d} {kept:4d} {nothing:7d}")


def write(folder: Path, files: dict[str, bytes], links: dict[str, str]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name, target in links.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)


def sandboxed(env: str, root: Path, envs: Path) -> object:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    environment |= {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "tensorflow", "HOME": "/tmp", "CUDA_VISIBLE_DEVICES": ""}
    python = envs / env / "bin" / "python"
    if env == "r":
        base = envs / "rroot"
        libraries = [*sorted({str(p.parent) for p in base.rglob("*.so*")})]
        environment |= {"R_HOME": f"{base}/usr/lib/R", "LD_LIBRARY_PATH": ":".join(libraries)}
        environment |= {"R_SHARE_DIR": f"{base}/usr/share/R/share", "EDITOR": "vi", "PAGER": "cat"}
        python = Path(sys.executable)
    sandbox = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"]
    sandbox += [
        "--die-with-parent",
        "--clearenv",
        "--ro-bind",
        str(envs),
        str(envs),
        "--ro-bind",
        str(root),
        "/tmp/plan",
    ]
    for key, value in environment.items():
        sandbox += ["--setenv", key, value]
    command = [*sandbox, str(python), str(Path(__file__).resolve()), "--inside", "/tmp/plan/plan.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or []:
            if line.startswith("RESULT "):
                yield json.loads(line[7:])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]))
    else:
        outside()
