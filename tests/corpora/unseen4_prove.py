"""Load the fourth blind set for real, each sample in a process of its own in a sandbox without a network.

`python tests/corpora/unseen4_prove.py ENVIRONMENTS OUT.json [pattern of ids]`, as `unseen3_prove`, whose inner half
this uses: what is tried and what counts as seen is the same there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HOSTS = "127.0.0.1 localhost updates.example.net pypi.org"


def outside(environments: Path, out: Path, part: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from corpora import unseen4

    samples = [one for one in (*unseen4.candidates(), *unseen4.harmless()) if re.search(part, one.id)]
    results: dict[str, str] = json.loads(out.read_text()) if out.exists() else {}
    for name in sorted({one.env for one in samples}):
        *front, last = name.split("+")  # the packages of `a` in front of those of `b`, whose Python runs: a+b
        python = environments / last / "bin" / "python"
        ahead = [(environments / one / "lib/python3.11/site-packages", environments / one) for one in front]
        packages = ":".join(str(long if long.exists() else short) for long, short in ahead)
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
            Path(folder, "hosts").write_text(HOSTS + "\n")
            command = [*_sandbox(environments, folder, packages), str(python), "/tmp/prove.py", "--inside"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout or ():
                    if line.startswith("RESULT "):
                        key, seen = json.loads(line[7:])
                        results[key] = seen
                        print(key, "|", seen, flush=True)
        out.write_text(json.dumps(results, indent=1, sort_keys=True))


def _sandbox(environments: Path, folder: str, packages: str) -> list[str]:
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    command += ["--tmpfs", "/tmp", "--ro-bind", str(environments), str(environments)]
    for more in os.environ.get("UNSEEN4_BIND", "").split(":"):
        command += ["--ro-bind", more, more] if more else []
    command += ["--ro-bind", folder, "/tmp/in", "--ro-bind", f"{folder}/hosts", "/etc/hosts"]
    command += ["--ro-bind", __file__, "/tmp/prove.py"]
    command += ["--ro-bind", str(Path(__file__).with_name("unseen3_prove.py")), "/tmp/unseen3_prove.py"]
    return [*command, "--setenv", "HOME", "/tmp/home", "--setenv", "PYTHONPATH", packages, "--chdir", "/tmp"]


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        import unseen3_prove

        unseen3_prove.PRELOAD.update(torchnew="numpy, torch, sklearn", families="numpy, pandas, sklearn")
        unseen3_prove.inside()
    else:
        outside(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
