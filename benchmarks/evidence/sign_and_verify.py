"""What evidence costs: signing a large model, and verifying chains, beside what others need for the same bytes.

    python benchmarks/evidence/sign_and_verify.py [--gigabytes 5] [--work FOLDER]

Prints the tables and writes RESULTS_evidence.md. The signing of a model is measured beside `sha256sum`, a loop of
`hashlib.sha256` (the least that has to be done) and `model_signing` in its fastest form (key, files), one after another
over the same files. Chains are made in memory and verified in this process: the hashing of artifacts is left aside.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from measure import Measured, measure  # noqa: E402

from shipworthy import __version__  # noqa: E402
from shipworthy.evidence import envelope  # noqa: E402
from shipworthy.evidence import statement as statements  # noqa: E402
from shipworthy.evidence.chain import verify_chain  # noqa: E402
from shipworthy.evidence.files import EvidenceSet  # noqa: E402
from shipworthy.evidence.policy import Policy  # noqa: E402
from shipworthy.evidence.statement import Resource  # noqa: E402
from shipworthy.keys import Signer, new_key, open_signer  # noqa: E402

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLAIN = (
    "import hashlib, pathlib, sys\n"
    "for path in sorted(p for p in pathlib.Path(sys.argv[1]).rglob('*') if p.is_file()):\n"
    "    with path.open('rb') as stream: print(hashlib.file_digest(stream, 'sha256').hexdigest())\n"
)
MODEL_SIGNING = (
    "import sys, pathlib, model_signing\n"
    "config = model_signing.signing.Config().use_elliptic_key_signer(private_key=pathlib.Path(sys.argv[2]))\n"
    "config.sign(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3]))\n"
)


def model(folder: Path, gigabytes: float) -> int:
    """Four large files that do not compress, and twenty small ones; the bytes in them."""
    import random

    source = random.Random(6)
    block, size = source.randbytes(1 << 24), int(gigabytes * (1 << 30)) // 4
    for number in range(4):
        with (folder / f"weights-{number}.bin").open("wb") as stream:
            for at in range(0, size, len(block)):
                stream.write(block[: min(len(block), size - at)])
    for number in range(20):
        (folder / f"part-{number}.json").write_bytes(block[number * 4096 : (number + 1) * 4096])
    return sum(path.stat().st_size for path in folder.iterdir())


def signing(work: Path, gigabytes: float) -> list[str]:
    folder = work / "model"
    folder.mkdir()
    whole = model(folder, gigabytes)
    new_key(work / "key", "ecdsa-p256-sha256")
    ours = [sys.executable, "-m", "shipworthy", "sign", str(folder), "--key", str(work / "key"), "--quiet", "--output"]
    runs = {
        "read once, so that all find it in memory": ["cat", *sorted(str(path) for path in folder.iterdir())],
        "`hashlib.sha256`, one file after another": [sys.executable, "-c", PLAIN, str(folder)],
        f"shipworthy {__version__} `sign`": [*ours, str(work / "model.sig")],
    }
    peer = installed("model-signing")
    if peer:
        command = [sys.executable, "-c", MODEL_SIGNING, str(folder), str(work / "key"), str(work / "peer.sig")]
        runs[f"model_signing {peer}"] = command
    if shutil.which("sha256sum"):
        runs["`sha256sum`"] = ["sha256sum", *sorted(str(path) for path in folder.iterdir())]
    found: dict[str, Measured] = {}
    for name, command in runs.items():
        found[name] = measure(command, log=work / "log")
        if found[name].code:
            raise SystemExit(f"{name}: exit code {found[name].code}: {(work / 'log').read_text()[-400:]}")
    del found["read once, so that all find it in memory"]
    lines = [
        f"{whole / 1e9:.2f} GB in 24 files, in the page cache.",
        "",
        "| what | CPU s | wall s | peak MB |",
        "|---|---|---|---|",
    ]
    lines += [f"| {name} | {m.cpu:.2f} | {m.wall:.2f} | {m.main_mb:.0f} |" for name, m in found.items()]
    plain, own = (next(m for name, m in found.items() if word in name) for word in ("hashlib", "shipworthy"))
    share = own.cpu / plain.cpu
    lines += [
        "",
        f"- CPU to that of plain SHA-256: **{share:.3f}** (goal: at most 1.1; {verdict(share <= 1.1)})",
        f"- memory, MB: **{own.main_mb:.0f}** (goal: at most 100; {verdict(own.main_mb <= 100)})",
    ]
    return lines


def chain(length: int, signer: Signer, *, deep: bool) -> tuple[EvidenceSet, str]:
    """A model with so many links: datasets side by side, or each made from the one before."""
    names = [Resource(f"data/{number}.csv", f"sha256:{number + 1:064x}", "dataset") for number in range(length)]
    files: dict[str, bytes] = {}
    for number, dataset in enumerate(names):
        before = names[number + 1 : number + 2] if deep else []
        made = statements.provenance("ingest", [dataset], dependencies=before, finished=NOW)
        files[f"ingest-{number + 1}.sigstore.json"] = envelope.sign(made.to_bytes(), [signer])
    target = Resource("model", "sha256:" + "f" * 64, "model")
    code = Resource("train.py", "sha256:" + "e" * 64, "code")
    trained = statements.provenance(
        "train", [target], dependencies=[*(names[:1] if deep else names), code], finished=NOW
    )
    files["train.sigstore.json"] = envelope.sign(trained.to_bytes(), [signer])
    return EvidenceSet.from_files(files), target.digest


def verifying(work: Path) -> list[str]:
    new_key(work / "chain-key")
    signer = open_signer(f"file:{work / 'chain-key'}")
    absent = ("store", "sign", "gate", "evaluate", "scan", "train")
    base = Policy.trusting(signer.public_key(), optional=absent)
    policy = Policy(base.keys, base.steps, frozenset())
    lines = ["| links | form | ms | ms for each link |", "|---|---|---|---|"]
    each: dict[tuple[int, bool], float] = {}
    for deep in (False, True):
        for length in (8, 98, 998):
            evidence, target = chain(length, signer, deep=deep)
            times = []
            for _ in range(5):
                started = time.perf_counter()
                result = verify_chain(target, evidence, policy)
                times.append(time.perf_counter() - started)
            assert result.ok, result.first_broken
            links = len(result.links)
            each[length, deep] = min(times) * 1000 / links
            form = "each made from the one before" if deep else "side by side"
            lines.append(f"| {links} | {form} | {min(times) * 1000:.1f} | {each[length, deep]:.3f} |")
    ten = max(each[8, False], each[8, True]) * 11
    growth = max(each[998, deep] / each[98, deep] for deep in (False, True))
    return [
        *lines,
        "",
        f"- about ten links, ms: **{ten:.1f}** (goal: at most 20; {verdict(ten <= 20)})",
        f"- a link of 1,000 to one of 100: **{growth:.2f}** (goal: linear, about 1; {verdict(growth < 1.3)})",
    ]


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--work", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work = Path(folder)
        lines = [
            "# What evidence costs",
            "",
            f"Made by `python benchmarks/evidence/sign_and_verify.py` on {datetime.now(UTC).date()}, CPython "
            f"{platform.python_version()}. CPU seconds are those of the whole process tree.",
            "",
            "## Signing a model",
            "",
            *signing(work, options.gigabytes),
            "",
            "## Verifying a chain",
            "",
            "Signatures, statements and the walk; the hashing of artifacts is left aside. The best of five.",
            "",
            *verifying(work),
            "",
        ]
    text = "\n".join(lines)
    print(text)
    if options.gigabytes >= 5:
        (HERE / "RESULTS_evidence.md").write_text(text)


if __name__ == "__main__":
    main()
