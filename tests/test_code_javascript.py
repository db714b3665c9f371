"""JavaScript and TypeScript: each rule sees its bad sample, and is silent on the mended one."""

# ruff: noqa: E501  (a table of code)

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.check import registry
from shipworthy.checks.code._js_names import Names
from shipworthy.checks.code._js_tokens import Token, tokens
from shipworthy.model import Confidence, Severity, Skipped
from workflow_runs import found, results

EXEC = "import { exec, spawn } from 'node:child_process';\n"
FS = "const fs = require('fs');\n"
JWT = "const jwt = require('jsonwebtoken');\n"
SAMPLES = {
    "eval": (
        "app.get('/', (q, r) => { eval(q.query.code) });",
        "app.get('/', (q, r) => { JSON.parse(q.query.code) });",
    ),
    "eval#function": (
        "const f = new Function('a', 'return ' + req.body.x);",
        "const f = new Function('a', 'return a');",
    ),
    "eval#timer": ("setTimeout('go(' + id + ')', 10)", "setTimeout(() => go(id), 10)"),
    "command": (EXEC + "exec(`ls ${req.query.dir}`)", EXEC + "exec('ls')"),
    "command#renamed": (
        "const cp = require('child_process'); cp.execSync('ls ' + dir)",
        "const cp = require('child_process'); cp.execFileSync('ls', [dir])",
    ),
    "command#promise": (
        "const { promisify } = require('util'); const { exec } = require('child_process');\nconst run = promisify(exec);\nrun('x ' + y)",
        "const run = promisify(other); run('x ' + y)",
    ),
    "command#direct": ("require('child_process').exec(cmd)", "/x/.exec(cmd)"),
    "command#shell": (
        EXEC + "spawn('ls', [req.query.a], { shell: true })",
        EXEC + "spawn('ls', [req.query.a], { shell: false })",
    ),
    "sql": (
        "db.query('SELECT * FROM users WHERE id = ' + req.params.id)",
        "db.query('SELECT * FROM users WHERE id = $1', [req.params.id])",
    ),
    "sql#template": (
        "await pool.query(`select a from t where b = '${b}'`)",
        "await sql`select a from t where b = ${b}`",
    ),
    "sql#variable": (
        "const q = 'DELETE FROM t WHERE a=' + a;\ndb.execute(q)",
        "const q = 'DELETE FROM t WHERE a=?';\ndb.execute(q, [a])",
    ),
    "sql#unsafe": ("prisma.$queryRawUnsafe('select ' + a)", "prisma.$queryRaw`select ${a}`"),
    "nosql": ("User.findOne(req.body)", "User.findOne({ name: String(req.body.name) })"),
    "nosql#where": ("C.find({ $where: 'this.a == ' + a })", "C.find({ a: 1 })"),
    "dom-xss": ("el.innerHTML = location.hash", "el.textContent = location.hash"),
    "dom-xss#react": (
        "const A = () => <div dangerouslySetInnerHTML={{ __html: props.text }} />;",
        "const A = () => <div>{props.text}</div>;",
    ),
    "dom-xss#clean": ("document.write(data)", "document.write('<b>x</b>'); el.innerHTML = DOMPurify.sanitize(data)"),
    "reflected-xss": (
        "app.get('/', (req, res) => res.send('<b>' + req.query.name))",
        "app.get('/', (req, res) => res.send('<b>' + escapeHtml(req.query.name)))",
    ),
    "reflected-xss#chained": (
        "function f(req, res) { res.status(200).send(`<i>${req.query.a}</i>`) }",
        "function f(req, res) { res.status(200).json({ a: req.query.a }) }",
    ),
    "tls-unverified": (
        "https.get({ host, rejectUnauthorized: false })",
        "https.get({ host, rejectUnauthorized: true })",
    ),
    "tls-unverified#env": (
        "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'",
        "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '1'",
    ),
    "weak-hash": ("crypto.createHash('md5').update(a)", "crypto.createHash('sha256').update(a)"),
    "weak-cipher": ("crypto.createCipheriv('aes-128-ecb', k, null)", "crypto.createCipheriv('aes-256-gcm', k, n)"),
    "weak-random": ("const sessionToken = Math.random().toString(36)", "const colour = Math.random()"),
    "hard-coded-key": (JWT + "jwt.sign(user, 'hunter2secret')", JWT + "jwt.sign(user, process.env.KEY)"),
    "hard-coded-key#session": (
        "app.use(session({ secret: 'keyboard cat' }))",
        "app.use(session({ secret: config.secret }))",
    ),
    "jwt-none": (
        JWT + "jwt.verify(t, k, { algorithms: ['none'] })",
        JWT + "jwt.verify(t, k, { algorithms: ['ES256'] })",
    ),
    "jwt-decoded": (JWT + "const c = jwt.decode(t)", JWT + "const c = jwt.verify(t, k)"),
    "path-traversal": (
        FS + "app.get('/', (req, res) => fs.readFile(path.join(base, req.query.name), cb))",
        FS + "app.get('/', (req, res) => fs.readFile(path.join(base, path.basename(req.query.name)), cb))",
    ),
    "path-traversal#through": (
        FS + "const { name } = req.params;\nconst full = base + name;\nfs.createReadStream(full)",
        FS + "const { name } = config;\nfs.createReadStream(name)",
    ),
    "open-redirect": (
        "app.get('/', (req, res) => res.redirect(req.query.to))",
        "app.get('/', (req, res) => res.redirect('/home'))",
    ),
    "open-redirect#browser": (
        "window.location.href = new URLSearchParams(location.search).get('to')",
        "window.location.href = '/home'",
    ),
    "ssrf": (
        "const axios = require('axios'); axios.get(req.query.url)",
        "const axios = require('axios'); axios.get(`https://api.example.org/${req.query.id}`)",
    ),
    "prototype-pollution": ("out[req.body.a][req.body.b] = 1", "out[index][0] = 1"),
    "prototype-pollution#merge": (
        "const _ = require('lodash'); _.merge(config, req.body)",
        "const _ = require('lodash'); _.merge(config, defaults)",
    ),
    "mass-assignment": ("const u = new User(req.body)", "const u = new User({ name: req.body.name })"),
    "cors": (
        "app.use(cors({ origin: true, credentials: true }))",
        "app.use(cors({ origin: ['https://a.org'], credentials: true }))",
    ),
    "cors#header": (
        "res.setHeader('Access-Control-Allow-Origin', req.headers.origin)",
        "res.setHeader('Access-Control-Allow-Origin', 'https://a.org')",
    ),
    "cookie-flags": (
        "res.cookie('sid', id, { httpOnly: false })",
        "res.cookie('sid', id, { httpOnly: true, secure: true })",
    ),
    "vm": (
        "const vm = require('vm'); vm.runInNewContext(req.body.code)",
        "const vm = require('vm'); vm.runInNewContext('1 + 1')",
    ),
    "deserialisation": (
        "const s = require('node-serialize'); s.unserialize(req.cookies.a)",
        "JSON.parse(req.cookies.a)",
    ),
    "regex-from-input": ("new RegExp(req.query.q)", "new RegExp('^a')"),
    "slow-regex": ("const r = /^(a+)+$/", "const r = /^(ab)+$/"),
    "slow-regex#words": (r"const r = /^(\w\w+)*$/", r"const w = /^\w+(?:\s\w+)*$/"),
    "message-origin": ("parent.postMessage(secret, '*')", "parent.postMessage(secret, 'https://a.org')"),
    "message-origin#listener": (
        "addEventListener('message', (e) => { go(e.data) })",
        "addEventListener('message', (e) => { if (e.origin === o) go(e.data) })",
    ),
    "template-injection": (
        "const ejs = require('ejs'); ejs.render(req.body.page, {})",
        "const ejs = require('ejs'); ejs.render(file, { page: req.body.page })",
    ),
    "no-escape": ("Handlebars.compile(page, { noEscape: true })", "Handlebars.compile(page, { noEscape: false })"),
    "xxe": ("libxml.parseXml(text, { noent: true })", "libxml.parseXml(text, { noent: false })"),
    "dynamic-require": ("require(req.query.module)", "require('./a')"),
    "error-details": (
        "app.use((err, req, res, next) => res.status(500).send(err.stack))",
        "app.use((err, req, res, next) => res.status(500).send('error'))",
    ),
    "electron": (
        "new BrowserWindow({ webPreferences: { nodeIntegration: true } })",
        "new BrowserWindow({ webPreferences: { nodeIntegration: false } })",
    ),
    "security-header": ("app.use(helmet({ contentSecurityPolicy: false }))", "app.use(helmet())"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_rule_sees_its_sample_and_not_the_mended_one(tmp_path, name):
    bad, good = SAMPLES[name]
    rule = f"javascript-{name.partition('#')[0]}"
    lines = found(tmp_path, "javascript-security", "// a comment\n" + bad, "src/app.js").get(rule)
    assert lines is not None
    assert set(lines) == {bad.count("\n") + 2}
    assert rule not in found(tmp_path, "javascript-security", good, "src/app.js")


def test_every_rule_has_a_sample():
    wanted = {rule.id.removeprefix("javascript-") for rule in registry()["javascript-security"].rules}
    assert {name.partition("#")[0] for name in SAMPLES} == wanted


def test_what_a_stranger_sent_is_worse_than_what_is_not_known(tmp_path):
    def judged(code):
        (one,) = results(tmp_path, "javascript-security", EXEC + code, "a.ts")
        return one.severity, one.confidence

    assert judged("exec('a ' + req.body.x)") == (Severity.HIGH, Confidence.HIGH)
    assert judged("const { x } = req.body; const y = x; exec('a ' + y)") == (Severity.HIGH, Confidence.HIGH)
    assert judged("exec('a ' + x)") == (Severity.MEDIUM, Confidence.LOW)


def test_no_secret_is_told_and_tests_weigh_less(tmp_path):
    for name, level in (("src/a.js", Severity.HIGH), ("src/a.test.js", Severity.MEDIUM)):
        (one,) = results(tmp_path, "javascript-security", SAMPLES["hard-coded-key"][0], name)
        assert "hunter2" not in repr(one)
        assert one.severity is level


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe\xff", "UTF-8"), (b"a " * 500_001, "larger"), (b"a;" * 150_000, "tokens")]
)
def test_what_cannot_be_read_is_said(tmp_path, content, reason):
    (skipped,) = results(tmp_path, "javascript-security", content, "a.js")
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def said(text, **more):
    return [f"{t.kind[0]}{t.value}" for t in tokens(text, **more)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a / b / c", ["na", "s/", "nb", "s/", "nc"]),
        ("x = /[/]b/g.test(y)", ["nx", "s=", "r/[/]b/g", "s.", "ntest", "s(", "ny", "s)"]),
        ("return /a/", ["nreturn", "r/a/"]),
        ("'it\\'s' // eval(x)\n/* eval(y) */ z", ["tit's", "nz"]),
        ("`a${`b${c}`}d`", ["ta${}d"]),
        (
            "<p>don't `{x} /* no */</p>; y",
            ["s<", "np", "s>", "jdon't `", "s{", "nx", "s}", "j/* no */", "s<", "s/", "np", "s)", "s;", "ny"],
        ),
        (
            "<a b='c' d={() => <i/>} />",
            [
                "s<",
                "na",
                "nb",
                "s=",
                "tc",
                "nd",
                "s=",
                "s{",
                "s(",
                "s)",
                "s=>",
                "s<",
                "ni",
                "s/",
                "s)",
                "s}",
                "s/",
                "s)",
            ],
        ),
        ("'open\nnext", ["topen", "nnext"]),
        ("a?.b ?? 0x1F", ["na", "s?.", "nb", "s??", "n0x1F"]),
    ],
)
def test_tokens(text, wanted):
    assert said(text) == wanted


def test_generics_of_typescript_are_no_elements():
    assert said("const f = <T extends object>(x: T) => x;")[:4] == ["nconst", "nf", "s=", "s<"]
    assert "ny" in said("const a = <Foo>bar; const y = 1", jsx=False)
    assert "ny" in said("const a = <Foo>bar; const y = 1")  # no end: read again as if it were no element


_PARTS = st.sampled_from(
    [
        "`",
        "${",
        "}",
        "{",
        "<a>",
        "</a>",
        "<b ",
        "/>",
        "'",
        '"',
        "/",
        "//",
        "/*",
        "*/",
        "\n",
        "(",
        ")",
        "[",
        "]",
        "req.body",
        "exec",
        "=",
        "const {",
        ".",
        "=>",
        "require('fs')",
        "\\",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(_PARTS | st.text(max_size=4), max_size=50).map("".join))
def test_any_text_is_read_to_its_end(tmp_path, text):
    def lines(given_: tuple[Token, ...]):
        for token in given_:
            assert 1 <= token.line <= token.end <= text.count("\n") + 1
            for inner in token.inner:
                lines(inner)

    lines(tokens(text))
    results(tmp_path, "javascript-security", text.encode("utf-8", "replace"), "a.js")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\n\\'\r", exclude_categories=["Cs"]), max_size=8), max_size=6)
)
def test_texts_come_back_as_they_were_written(words):
    assert [t.value for t in tokens(" + ".join(f"'{word}'" for word in words)) if t.kind == "text"] == words


@pytest.mark.parametrize(
    "part",
    ["`${", "<a>", "`", "/", "{", "(", "a.", "a=", "const {a}=", "[", "f(", "<a b={", "x[y]=", "req.body+", "'a'+"],
)
def test_long_repetitions_end(part):
    Names(tokens(part * 500))
