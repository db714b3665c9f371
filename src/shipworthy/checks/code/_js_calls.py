"""Calls of JavaScript that are weak, or that are handed what a stranger sent."""

# ruff: noqa: E501  (regular expressions)

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipworthy.checks.code._js_names import Call, Names, Part, fields, texts
from shipworthy.model import Confidence, Severity
from shipworthy.patterns import regex

# rule, line, column, what is called, severity, confidence
Hit = tuple[str, int, int, str, Severity | None, Confidence | None]

_SQL = regex(
    r"(?is)^\s*(?:select\b.{0,2000}\bfrom|insert\s+into|update\b.{0,500}\bset|delete\s+from|drop\s+|alter\s+|create\s+|with\b.{0,500}\bas|exec(?:ute)?\s|call\s)\b"
)
_QUERY = frozenset(
    "query execute raw queryRaw run all get each exec prepare whereRaw havingRaw orderByRaw joinRaw selectRaw literal none one many any oneOrNone manyOrNone".split()
)
_UNSAFE_QUERY = frozenset({"$queryRawUnsafe", "$executeRawUnsafe"})
_SHELL = frozenset(
    {
        "child_process.exec",
        "child_process.execSync",
        "shelljs.exec",
        "execa.command",
        "execa.execaCommand",
        "execa.execaCommandSync",
    }
)
_SPAWN = frozenset(f"child_process.{n}" for n in ("spawn", "spawnSync", "execFile", "execFileSync", "fork"))
_FILES = regex(
    r"(?:^|\.)(?:readFile|readFileSync|createReadStream|writeFile|writeFileSync|createWriteStream|appendFile|appendFileSync|"
    r"unlink|unlinkSync|readdir|readdirSync|rmdir|rm|rmSync|open|openSync|stat|copyFile|rename|sendFile|sendfile|download|access)\Z"
)
_FETCH = regex(
    r"(?:^|\.)fetch\Z|^(?:axios|got|needle|superagent|undici|request|request-promise|node-fetch|ky|http|https|phin|bent)"
    r"(?:\.(?:get|post|put|delete|patch|head|request|default|stream))?\Z"
)
_FIND = frozenset(
    "find findOne findMany findOneAndUpdate findOneAndDelete updateOne updateMany deleteOne deleteMany count countDocuments aggregate remove".split()
)
_SECRET_NAME = regex(r"(?i)token|secret|passw|nonce|salt|session|otp|csrf|apikey|api_key|\bkey\b|\bpin\b|reset")
_TEMPLATES = regex(
    r"^(?:ejs|pug|jade|handlebars|Handlebars|nunjucks|mustache|eta|dot|lodash|_|underscore|swig|twig)\.(?:render|compile|renderString|template|renderAsync|precompile)\Z"
)
_UNSERIALIZE = frozenset(
    {
        "node-serialize.unserialize",
        "serialize-to-js.deserialize",
        "funcster.deepDeserialize",
        "cryo.parse",
        "v8.deserialize",
    }
)
_WEAK_CIPHER = regex(r"(?i)^(?:des|des3|rc2|rc4|bf|blowfish|seed)\b|-ecb\Z|^des-")
_ELECTRON = {
    "nodeIntegration": "true",
    "contextIsolation": "false",
    "webSecurity": "false",
    "sandbox": "false",
    "enableRemoteModule": "true",
    "allowRunningInsecureContent": "true",
}


def detect(names: Names) -> Iterator[Hit]:
    """What the calls of a file say."""
    for call in names.calls:
        for rule, severity, confidence in _judge(names, call):
            yield rule, call.line, call.column, call.raw, severity, confidence


_Verdict = tuple[str, Severity | None, Confidence | None]
_LOWER: tuple[Severity, Confidence] = (Severity.MEDIUM, Confidence.LOW)


def _judge(names: Names, call: Call) -> Iterator[_Verdict]:
    first: Part = call.arguments[0] if call.arguments else ()
    last = call.name.rpartition(".")[2]
    if first:
        yield from _code(names, call, first, last)
        yield from _commands(names, call, first)
        yield from _queries(names, call, first, last)
        yield from _sinks(names, call, first, last)
    yield from _cryptography(names, call, first, last)
    yield from _web(names, call, first, last)


def _by_input(names: Names, rule: str, part: Part) -> Iterator[_Verdict]:
    """High for what a stranger sent, less for what is merely not fixed, nothing for a literal."""
    if names.is_theirs(part):
        yield rule, None, Confidence.HIGH
    elif not names.is_literal(part):
        yield rule, *_LOWER


def _code(names: Names, call: Call, first: Part, last: str) -> Iterator[_Verdict]:
    if call.name in ("eval", "window.eval", "globalThis.eval", "global.eval", "execScript") or (
        call.name in ("Function", "GeneratorFunction", "AsyncFunction")
    ):
        yield from _by_input(names, "eval", [t for one in call.arguments for t in one])
    elif last in ("setTimeout", "setInterval", "setImmediate"):
        if first[0].kind in ("text", "template") or names.is_theirs(first):
            yield from _by_input(names, "eval", first)
    elif call.name.startswith(("vm.run", "vm.compileFunction", "vm.Script", "vm2.")):
        yield from _by_input(names, "vm", first)
    elif call.name in _UNSERIALIZE and not names.is_literal(first):
        yield "deserialisation", None, Confidence.HIGH if names.is_theirs(first) else None
    elif call.name in ("require", "import") and names.is_theirs(first):
        yield "dynamic-require", None, None
    elif call.name == "RegExp" and names.is_theirs(first):
        yield "regex-from-input", None, None
    elif _TEMPLATES.match(call.name) and names.is_theirs(first):
        yield "template-injection", None, None
    if last in ("parseXml", "parseXmlString", "parseXML", "parseXmlAsync"):
        for argument in call.arguments[1:]:
            if any(k.lower() == "noent" and v[0].value == "true" for k, v in fields(argument).items()):
                yield "xxe", None, None


def _commands(names: Names, call: Call, first: Part) -> Iterator[_Verdict]:
    if call.name in _SHELL:
        yield from _by_input(names, "command", first)
    elif call.name in _SPAWN:
        shell = any(
            fields(one).get("shell", ()) and fields(one)["shell"][0].value != "false" for one in call.arguments[1:]
        )
        if shell:
            yield from _by_input(names, "command", [t for one in call.arguments[:2] for t in one])
        elif names.is_theirs(first):
            yield "command", None, None


def _objects(whole: Mapping[str, Part]) -> Iterator[Part]:
    """The values of a query that can be objects: what `String` or a template makes is none."""
    for value in whole.values():
        made = value[0].value if value else ""
        if not (made == "String" and len(value) > 1 and value[1].value == "(") and (
            value and value[0].kind != "template"
        ):
            yield value


def _queries(names: Names, call: Call, first: Part, last: str) -> Iterator[_Verdict]:
    if last in _UNSAFE_QUERY and not names.is_literal(first):
        yield "sql", None, Confidence.HIGH if names.is_theirs(first) else None
    elif last in _QUERY and "." in call.raw and _is_statement(names, first):
        yield from _by_input(names, "sql", first)
    elif last in _FIND and "." in call.raw:
        whole = fields(first)
        direct = names.is_theirs(first) and (not whole or any(map(names.is_theirs, _objects(whole))))
        if "$where" in whole and not names.is_literal(whole["$where"]):
            yield "nosql", Severity.HIGH, None
        elif direct:
            yield "nosql", None, Confidence.LOW if whole else None
    if last in ("create", "build", "insertOne", "insertMany", "assign", "insert") and "." in call.raw:
        if call.name == "Object.assign":
            if any(names.is_theirs(one) for one in call.arguments[1:]):
                yield "prototype-pollution", Severity.LOW, None
        elif call.raw[0].isupper() and _whole_request(names, first):
            yield "mass-assignment", None, None
    if call.new and _whole_request(names, first) and call.raw[0].isupper():
        yield "mass-assignment", None, None
    if (
        last in ("merge", "mergeWith", "defaultsDeep", "set", "setWith", "extend", "deepmerge")
        and len(call.arguments) > 1
    ):
        known = call.name.startswith(("lodash", "_.", "jQuery.", "$.", "deepmerge", "merge", "deep-extend"))
        if known and any(names.is_theirs(one) for one in call.arguments[1:]):
            yield "prototype-pollution", None, Confidence.MEDIUM


def _is_statement(names: Names, part: Part) -> bool:
    """Whether it is a statement of SQL put together here, or a name that was given one."""
    if len(part) == 1 and part[0].kind == "name":
        return part[0].value in statements(names)
    return bool(_SQL.match(texts(part)))


def statements(names: Names) -> frozenset[str]:
    """The names that were given a statement with values in it."""
    found: frozenset[str] | None = getattr(names, "_statements", None)
    if found is None:
        found = frozenset(
            one for given, value, _ in names.assignments() for one in given
            if _SQL.match(texts(value)) and not names.is_literal(value)
        )  # fmt: skip
        names._statements = found  # type: ignore[attr-defined]
    return found


def _whole_request(names: Names, part: Part) -> bool:
    said = [t.value for t in part]
    return len(said) == 3 and said[0] in names.requests and said[1:] in ([".", "body"], [".", "query"])


def _sinks(names: Names, call: Call, first: Part, last: str) -> Iterator[_Verdict]:
    if _FILES.search(call.name) and not call.name.startswith("*") and names.is_theirs(first):
        rooted = last.lower() == "sendfile" and any("root" in fields(one) for one in call.arguments[1:])
        if not rooted:
            yield "path-traversal", None, None
    elif _FETCH.search(call.name):
        target = fields(first).get("url", first) if fields(first) else first
        if names.is_theirs(target) and not _fixed_host(target):
            yield "ssrf", None, None
    elif last == "redirect" and "." in call.raw:
        if names.is_theirs(call.arguments[-1]):
            yield "open-redirect", None, None
    elif call.name in (
        "window.open",
        "location.assign",
        "location.replace",
        "window.location.assign",
        "window.location.replace",
    ):
        if names.is_theirs(first):
            yield "open-redirect", None, None
    elif last in ("send", "write", "end") and call.raw.partition(".")[0] in ("res", "response", "reply", "*", "resp"):
        if any(t.value in ("stack",) and t.kind == "name" for t in first):
            yield "error-details", None, None
        elif first[0].value != "{" and names.is_theirs(first):
            yield "reflected-xss", None, Confidence.HIGH if "<" in texts(first) else None
    elif last == "json" and any(t.kind == "name" and t.value == "stack" for t in first):
        yield "error-details", None, None
    elif call.name in ("document.write", "document.writeln"):
        yield from _html(names, first)
    elif last in ("insertAdjacentHTML", "createContextualFragment", "setHTMLUnsafe", "parseHTML"):
        yield from _html(names, call.arguments[-1])
    elif (last in ("html", "append", "prepend", "after", "before") and call.raw.startswith("*.")) or (
        last == "html" and call.raw.startswith("$")
    ):
        if names.is_theirs(first) or (last == "html" and "<" in texts(first) and not names.is_literal(first)):
            yield from _html(names, first)
    elif last == "postMessage" and len(call.arguments) > 1 and texts(call.arguments[1]) == "*":
        yield "message-origin", None, None
    elif last == "addEventListener" and texts(first) == "message" and len(call.arguments) > 1:
        handler = call.arguments[1]
        if len(handler) > 3 and not any(t.value == "origin" for t in handler):
            yield "message-origin", None, None


def _html(names: Names, part: Part) -> Iterator[_Verdict]:
    if names.is_theirs(part):
        yield "dom-xss", Severity.HIGH, Confidence.HIGH
    elif not names.is_literal(part) and not _cleaned(part):
        yield "dom-xss", None, Confidence.LOW


def _cleaned(part: Part) -> bool:
    return any(t.kind == "name" and ("saniti" in t.value.lower() or "escape" in t.value.lower()) for t in part)


def _fixed_host(part: Part) -> bool:
    """Whether the address begins with a scheme and a host that stand here."""
    said = part[0].value.partition("${}")[0] if part and part[0].kind in ("text", "template") else ""
    return said.count("/") >= 3 and "://" in said


def _cryptography(names: Names, call: Call, first: Part, last: str) -> Iterator[_Verdict]:
    said = texts(first).strip().lower()
    if last in ("createHash", "createHmac") and said in ("md5", "md4", "sha1", "sha", "ripemd160"):
        yield "weak-hash", Severity.LOW if last == "createHmac" else None, None
    elif last in ("createCipher", "createDecipher") and "crypto" in call.name:
        yield "weak-cipher", None, None
    elif last in ("createCipheriv", "createDecipheriv"):
        if _WEAK_CIPHER.search(said):
            yield "weak-cipher", None, None
        if len(call.arguments) > 1 and _key(call.arguments[1]):
            yield "hard-coded-key", None, None
    elif last == "createHmac" and len(call.arguments) > 1 and _key(call.arguments[1]):
        yield "hard-coded-key", None, None
    elif call.name.startswith(("jsonwebtoken.", "jwt.", "jose.")):
        yield from _tokens(names, call, last)
    elif call.name.startswith(("express-session", "cookie-session")) or call.raw in ("session", "cookieSession"):
        given = fields(first)
        if _key(given.get("secret", ())):
            yield "hard-coded-key", None, None


def _key(part: Part) -> bool:
    return len(part) == 1 and part[0].kind in ("text", "template") and not part[0].inner and len(part[0].value) >= 4


def _tokens(names: Names, call: Call, last: str) -> Iterator[_Verdict]:
    options = [fields(one) for one in call.arguments[1:]]
    if any(
        "none" in texts(one.get(k, ())).lower().split() for one in options for k in ("algorithm", "algorithms", "alg")
    ):
        yield "jwt-none", None, None
    if (
        last in ("sign", "verify")
        and len(call.arguments) > 1
        and _key(call.arguments[1])
        and not call.arguments[1][0].value.startswith("-----BEGIN PUBLIC")
    ):
        yield "hard-coded-key", None, None
    if last == "decode" and not any(other.name.endswith((".verify", "jwtVerify")) for other in names.calls):
        yield "jwt-decoded", None, None


def _web(names: Names, call: Call, first: Part, last: str) -> Iterator[_Verdict]:
    if call.name in ("cors", "*.cors", "@fastify/cors", "@koa/cors") or last == "enableCors":
        given = fields(first)
        origin, credentials = given.get("origin", ()), given.get("credentials", ())
        if credentials and credentials[0].value == "true" and origin and origin[0].value in ("*", "true"):
            yield "cors", None, None
    elif (
        last in ("setHeader", "header", "set", "append")
        and texts(first).lower() == "access-control-allow-origin"
        and len(call.arguments) > 1
    ):
        if names.is_theirs(call.arguments[1]):
            yield "cors", None, None
    elif (
        last == "cookie" and call.raw.partition(".")[0] in ("res", "response", "reply", "*") and len(call.arguments) > 1
    ):
        given = fields(call.arguments[2]) if len(call.arguments) > 2 else {}
        if len(call.arguments) == 2:
            yield "cookie-flags", Severity.LOW, None
        elif any(given.get(name, ()) and given[name][0].value == "false" for name in ("httpOnly", "secure")):
            yield "cookie-flags", None, Confidence.HIGH
    elif call.name == "helmet" and any(one and one[0].value == "false" for one in fields(first).values()):
        yield "security-header", None, None
    elif call.name.endswith("BrowserWindow"):
        inner = fields(fields(first).get("webPreferences", ()))
        if any(inner.get(k, ()) and inner[k][0].value == v for k, v in _ELECTRON.items()):
            yield "electron", None, None
