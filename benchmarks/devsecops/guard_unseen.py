"""What the guard refuses of lists that nobody looked at while its detectors were written, and of honest texts of other
kinds than those it was tuned with.

    python benchmarks/devsecops/guard_unseen.py --checkouts FOLDER --payloads PayloadsAllTheThings [--gemini PYTHON]

FOLDER holds clones, named `owner+name`, of the repositories below (what is read is at the commits below, whatever is
checked out). The lists and what is made of them were written down here before any of them was read: lines of more than
two characters, once each, without lines that begin with `# ` (notes) and without those that any file of
PayloadsAllTheThings holds, too; `{FILE}` stands for etc/passwd; of a page of Markdown, the lines of its blocks of code;
at most 400 of a class, drawn by a fixed seed. Lists of bare queries, file names and templates are left out.
"""

import argparse
import hashlib
import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from guard import gemini

from shipworthy.guard.runtime import Guard, Policy
from shipworthy.guard.runtime.detectors import detectors, examine
from shipworthy.guard.runtime.fields import Field, parse_json, walk
from shipworthy.guard.runtime.policy import DETECTORS, Limits, Request

FUZZDB = ("fuzzdb-project+fuzzdb", "5656ab25dc6bb43bae32236fab775658a90d7380")
INTRUDER = ("1N3+IntruderPayloads", "9b84328")
SQL = ("payloadbox+sql-injection-payload-list", "6e55457")
ATTACKS: dict[str, tuple[tuple[tuple[str, str], str], ...]] = {
    "SQL": (
        (FUZZDB, "attack/sql-injection/detect/"),
        (FUZZDB, "attack/sql-injection/payloads-sql-blind/"),
        (FUZZDB, "attack/sql-injection/exploit/mysql-injection-login-bypass.txt"),
        (SQL, "Intruder/detect/Generic"),
        (SQL, "Intruder/detect/MSSQL/"),
        (SQL, "Intruder/detect/MySQL/"),
        (SQL, "Intruder/detect/Oracle/"),
        (SQL, "Intruder/detect/xPlatform/"),
        (SQL, "Intruder/exploit/Auth_Bypass.txt"),
    ),
    "NoSQL": (
        (FUZZDB, "attack/no-sql-injection/mongodb.txt"),
        (SQL, "Intruder/detect/NoSQL/no-sql.txt"),
        (("cr0hn+nosqlinjection_wordlists", "4f0d06f"), "mongodb_nosqli.txt"),
    ),
    "shell": (
        (FUZZDB, "attack/os-cmd-execution/command-execution-unix.txt"),
        (FUZZDB, "attack/os-cmd-execution/OSCommandInject.Windows.txt"),
        (FUZZDB, "attack/os-cmd-execution/source-disc-cmd-exec-traversal.txt"),
        (("payloadbox+command-injection-payload-list", "c378188"), "README.md"),
        (("omurugur+OS_Command_Payload_List", "b875fd2"), "OS-Command-Fuzzing.txt"),
    ),
    "traversal": (
        (FUZZDB, "attack/path-traversal/path-traversal-windows.txt"),
        (FUZZDB, "attack/path-traversal/traversals-8-deep-exotic-encoding.txt"),
        (("omurugur+Path_Travelsal_Payload_List", "63a4106"), "Payload/D"),
    ),
    "file inclusion": (
        (FUZZDB, "attack/lfi/JHADDIX_LFI.txt"),
        (("payloadbox+rfi-lfi-payload-list", "e0c5308"), "README.md"),
    ),
    "markup": (
        (FUZZDB, "attack/xss/xss-rsnake.txt"),
        (FUZZDB, "attack/xss/xss-uri.txt"),
        (FUZZDB, "attack/xss/xss-other.txt"),
        (FUZZDB, "attack/xss/XSSPolyglot.txt"),
        (FUZZDB, "attack/html_js_fuzz/HTML5sec_Injections.txt"),
        (FUZZDB, "attack/html_js_fuzz/js_inject.txt"),
        (("payloadbox+xss-payload-list", "d473925"), "Intruder/xss-payload-list.txt"),
    ),
    "LDAP": ((FUZZDB, "attack/ldap/ldap-injection.txt"),),
    "XPath": ((FUZZDB, "attack/xpath/xpath-injection.txt"),),
    "XML": ((FUZZDB, "attack/xml/xml-attacks.txt"),),
    "server-side includes": ((FUZZDB, "attack/server-side-include/server-side-includes-generic.txt"),),
    # Named after all of the others were measured, before more was mended; and the honest ones that begin with `fresh`.
    "fresh: XML": (
        (INTRUDER, "FuzzLists/xml-attacks.txt"),
        (("payloadbox+xxe-injection-payload-list", "7ab1208"), "Intruder/"),
    ),
}
# The first six were measured first, and what was wrongly refused of them was read and mended: they are seen. The others
# were written down after that, and are not.
ART = ("jlevy+the-art-of-command-line", "6b50745")
BASH = ("dylanaraps+pure-bash-bible", "8c19d0b")
LEARN = ("WebDevSimplified+Learn-SQL", "5d15ce0")
BOOKS = ("EbookFoundation+free-programming-books", "5b277d20f")
COUNTRIES = ("mledoze+countries", "HEAD")
RUST = ("rust-lang+book", "917544888")
TLDR = ("tldr-pages+tldr", "08e345f426")
HONEST: dict[str, tuple[tuple[tuple[str, str], str], ...]] = {
    "shell tutorial": ((ART, "README.md"),),
    "shell tutorial, other languages": tuple(
        (ART, f"README-{language}.md") for language in "cs de el es fr id it ja ko pl pt ro ru sl uk zh".split()
    ),
    "code review": ((("google+eng-practices", "3bb3ec2"), "review/"),),
    "SQL teaching": ((("enochtangg+quick-SQL-cheatsheet", "e9e6014"), "README"),),
    "URLs": ((("sindresorhus+awesome", "7cb5c837"), "readme.md"),),
    "names": ((ART, "AUTHORS.md"),),
    "unseen: guides and code review": ((("thoughtbot+guides", "640b2cb"), ""),),
    "unseen: shell book": ((BASH, "README.md"),),
    "unseen: shell book, lines of code": ((BASH, "README.md"),),
    "unseen: SQL course": ((LEARN, "README.md"),),
    "unseen: SQL course, lines of code": ((LEARN, "README.md"),),
    "unseen: other languages": ((BOOKS, "books/free-programming-books-"),),
    "unseen: URLs": ((BOOKS, "books/free-programming-books-subjects.md"),),
    "unseen: names of places": ((COUNTRIES, "countries.json"),),
    "fresh: book on Rust": ((RUST, "src/"),),
    "fresh: book on Rust, lines of code": ((RUST, "src/"),),
    "fresh: book on git": ((("progit+progit2", "55b541e9"), "book/"),),
    "fresh: tables of interfaces": ((("public-apis+public-apis", "c045a2eb"), "README.md"),),
    "fresh: what programs do": ((TLDR, "pages/common/"),),
    "fresh: shell, lines of commands": ((TLDR, "pages/linux/"),),
}
JSONS = {
    "whole documents of JSON": (("kubernetes+examples", "HEAD"), ".json"),
    "unseen: whole documents of JSON": (COUNTRIES, ".json"),
}
MOST = 400
_URL = re.compile(r"https?://[^\s)\]>\"]+")


def git(folder: Path, repository: str, *arguments: str) -> str:
    """What git says of a clone, which may be bare."""
    place = folder / repository
    place = place / "repo" if (place / "repo" / "HEAD").exists() else place
    done = subprocess.run(["git", "-C", str(place), *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def files(folder: Path, repository: str, commit: str, start: str, end: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of the files whose path begins, and ends, so."""
    for path in git(folder, repository, "ls-tree", "-r", "--name-only", commit).splitlines():
        if path.startswith(start) and path.endswith(end or (".txt", ".md")):
            name = path.rpartition("/")[2]
            if name != "README.md" or not start.startswith("attack/"):
                yield path, git(folder, repository, "show", f"{commit}:{path}")


def attacks(folder: Path, known: set[str]) -> dict[str, list[str]]:
    """Class -> texts."""
    found = {}
    for title, sources in ATTACKS.items():
        texts: dict[str, None] = {}
        for (repository, commit), start in sources:
            for path, text in files(folder, repository, commit, start):
                lines = blocks(text) if path.endswith(".md") else text.splitlines()
                lines = [line.strip("\r\n").replace("{FILE}", "etc/passwd") for line in lines]
                texts |= dict.fromkeys(
                    line for line in lines if len(line.strip()) > 2 and not line.startswith("# ") and line not in known
                )
        found[title] = drawn(title, list(texts))
    return found


def blocks(text: str) -> list[str]:
    """The lines of the blocks of code of a page of Markdown."""
    return [line for block in text.split("```")[1::2] for line in block.splitlines()[1:]]


def honest(folder: Path) -> dict[str, list[str]]:
    """Kind -> texts: the paragraphs and items of pages, as they are."""
    found = {}
    for title, sources in HONEST.items():
        texts: dict[str, None] = {}
        for (repository, commit), start in sources:
            end = ".json" if start.endswith(".json") else ".asc" if "git" in title else ""
            for _, text in files(folder, repository, commit, start, end):
                texts |= dict.fromkeys(one.strip() for one in _honest(title, text) if len(one.strip()) > 2)
        found[title] = drawn(title, list(texts))
    return found


def _honest(title: str, text: str) -> list[str]:
    if "URLs" in title:
        return _URL.findall(text)
    if "names of places" in title:
        return [field.text for field in walk(parse_json(text.encode(), Limits(values=10**6)), Limits(values=10**6))]
    if title.endswith("lines of code"):
        return blocks(text)
    if title.endswith("lines of commands"):  # with the words that stand for values as plain words
        return [line.strip("`").replace("{{", "").replace("}}", "") for line in text.splitlines() if line[:1] == "`"]
    if "what programs do" in title:
        return [line.lstrip("->").strip() for line in text.splitlines() if line[:1] in ("-", ">")]
    if title.startswith(("unseen", "fresh")):
        return [line for part in text.split("```")[::2] for line in part.splitlines()]
    return text.splitlines()


def jsons(folder: Path, source: tuple[tuple[str, str], str]) -> list[bytes]:
    """Whole documents of JSON."""
    (repository, commit), end = source
    return [text.encode() for _, text in files(folder, repository, commit, "", end) if len(text) < 1 << 20]


def drawn(title: str, texts: list[str]) -> list[str]:
    """At most MOST of them."""
    return random.Random(title).sample(texts, min(MOST, len(texts)))


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkouts", type=Path, required=True)
    parser.add_argument(
        "--payloads", type=Path, help="a checkout of PayloadsAllTheThings; without it, nothing is dropped"
    )
    parser.add_argument("--gemini", default="", help="the Python of an environment with gemini-self-protector")
    parser.add_argument("--sample", type=int, default=40, help="texts of each row that it is asked about")
    parser.add_argument("--show", default="", help="print what was missed, or wrongly refused, of rows that begin so")
    options = parser.parse_args()
    looks = detectors(DETECTORS)
    known: set[str] = set()
    for path in sorted(options.payloads.rglob("*")) if options.payloads else ():
        if path.suffix in (".txt", ".md") and path.is_file():
            known |= {line.strip("\r\n") for line in path.read_text("utf-8", "replace").splitlines()}
    print("| texts | number | guard refuses | gemini-self-protector refuses |\n|---|---:|---:|---:|")
    rows = []
    for name, texts in attacks(options.checkouts, known).items():
        read = [text for text in texts if hashlib.sha256(text.encode()).digest()[0] % 2 == 0]
        rows += [(f"attacks, read since: {name}", read, True)]
        rows += [(f"attacks, unread: {name}", [text for text in texts if text not in set(read)], True)]
    rows += [(f"honest: {name}", texts, False) for name, texts in honest(options.checkouts).items()]
    for title, texts, attack in rows:
        refused = [bool(examine([Field("body", "text", text)], looks)) for text in texts]
        beside = "not asked"
        if options.gemini and texts:
            part = random.Random(title).sample(texts, min(options.sample, len(texts)))
            answers = gemini(options.gemini, part)
            beside = f"{sum(answers)}/{len(answers)} = {sum(answers) / len(answers):.2f}"
        share = f"{sum(refused)} = {sum(refused) / max(len(texts), 1):.3f}"
        print(f"| {title} | {len(texts)} | {share} | {beside} |", flush=True)
        for text, one in zip(texts, refused, strict=True):
            if options.show and title.startswith(options.show) and one != attack:
                print(f"    {json.dumps(text[:200])}")
    guard = Guard(Policy())
    headers = (("content-type", "application/json"),)
    for title, source in JSONS.items():
        bodies = jsons(options.checkouts, source)
        found = [guard.judge(Request("POST", "/", headers, body, "a")) for body in bodies]
        number = sum(one.reason in ("attack", "too-encoded") for one in found)
        print(f"| honest: {title} | {len(bodies)} | {number} = {number / len(bodies):.3f} | |")


if __name__ == "__main__":
    main()
