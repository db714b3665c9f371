"""The generated attacks on the name policy, all of them: `python benchmarks/modelfile/redteam.py [SITE-PACKAGES...]`.

1. Every allowed callable with every hostile argument, in five ways. What is accepted (texts given to callables that
   store or convert plain values) is listed with `--accepted FILE`; `--prove FILE`, run with the Python of an
   environment that has the libraries, really calls those under an audit hook and prints what touches files,
   programs, the network or the compiler.
2. 10,000 random callables outside of the table, from the source of the packages given (default: this Python's own).
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import sysconfig
from collections import Counter
from pathlib import Path

_EVENTS = (
    "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "exec", "compile", "urllib.", "ftplib.", "smtplib.", "pty.",
    "webbrowser.", "pickle.", "glob.", "tempfile.", "sqlite3.", "code.__new__", "function.__new__", "marshal.",
)  # fmt: skip


def main() -> None:
    """Command line."""
    if "--prove" in sys.argv:
        prove(Path(sys.argv[sys.argv.index("--prove") + 1]))
        return
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "corpora"))
    import redteam

    from shipworthy.modelfile import scan_bytes

    counts: Counter[str] = Counter()
    accepted: list[str] = []
    for module, qualname, kind in redteam.allowed():
        for label, arguments in redteam.ARGUMENTS.items():
            ways = redteam.WAYS if kind.value in ("call", "v", "d", "p") else ("REDUCE", "NEWOBJ")
            for way in ways:
                report = scan_bytes(redteam.called(module, qualname, way, arguments))
                found = report.worst in ("high", "critical")
                group = "texts" if label in redteam.TEXTS else "callables"
                counts[f"{group}: {'found' if found else 'accepted'}"] += 1
                if not found:
                    accepted.append(f"{module}\t{qualname}\t{label}\t{way}")
    print("allowed names with hostile arguments:", dict(counts))
    if "--accepted" in sys.argv:
        Path(sys.argv[sys.argv.index("--accepted") + 1]).write_text("\n".join(accepted) + "\n", encoding="utf-8")
    roots = [Path(item) for item in sys.argv[1:] if Path(item).is_dir()]
    roots = roots or [Path(sysconfig.get_paths()[key]) for key in ("stdlib", "purelib")]
    outside: Counter[str] = Counter()
    for index, (module, qualname) in enumerate(redteam.callables(roots, 10_000)):
        way = redteam.WAYS[index % len(redteam.WAYS)]
        report = scan_bytes(redteam.called(module, qualname, way, redteam.ARGUMENTS["a path"]))
        found = report.worst in ("high", "critical")
        outside["found" if found else "missed"] += 1
        if not found:
            print("missed:", way, module, qualname)
    print("random callables outside of the table:", dict(outside))


def prove(path: Path) -> None:
    """Call what was accepted, each in a process of its own, and print the events that it raises."""
    values = {"a path": ("/tmp/shipworthy-redteam",), "a path and a mode": ("/tmp/shipworthy-redteam", "w+"),
              "an address": ("https://example.com/x",), "source text": ("__import__('os').system('id')",)}  # fmt: skip
    counts: Counter[str] = Counter()
    seen = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        module, qualname, label, _ = line.split("\t")
        if label not in values or (module, qualname, label) in seen:
            continue
        seen.add((module, qualname, label))
        try:
            item = importlib.import_module(module)
            for part in qualname.split("."):
                item = getattr(item, part)
        except BaseException:
            counts["not in this environment"] += 1
            continue
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            _call(item, values[label], writer)
        os.close(writer)
        with os.fdopen(reader) as stream:
            events = stream.read()
        os.waitpid(child, 0)
        counts["raised events" if events else "inert"] += 1
        if events:
            print(module, qualname, label, events.replace("\n", " ")[:200])
    print("called under the audit hook:", dict(counts))


def _call(item: object, values: tuple[str, ...], writer: int) -> None:
    signal.alarm(10)
    armed = [True]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not armed[0]:
            return
        if event == "open" and "shipworthy-redteam" in str(arguments[0]):
            os.write(writer, f"open {arguments[0]}\n".encode())
        elif event.startswith(_EVENTS) and "shipworthy" in str(arguments) + "shipworthy" * event.startswith(
            ("socket", "subprocess", "urllib")
        ):
            os.write(writer, f"{event} {str(arguments)[:80]}\n".encode())
        elif event in ("compile", "exec") and "system" in str(arguments[0])[:200]:
            os.write(writer, f"{event}\n".encode())

    sys.addaudithook(watch)
    with contextlib.suppress(BaseException):  # most refuse such arguments
        item(*values)  # type: ignore[operator]
    armed[0] = False
    os._exit(0)


if __name__ == "__main__":
    main()
