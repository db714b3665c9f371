"""What the JavaScript check can find: one rule, one row."""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

from types import MappingProxyType

from shipworthy.model import Confidence, Rule, Severity

_H, _M, _L = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_TABLE: tuple[tuple[str, str, Confidence, str, str, str, str], ...] = (
    ("eval", "high", _M, "CWE-95", "Code is made from text", "What is evaluated can do all that this program can.", "Call a function from a fixed table; parse data with JSON.parse."),
    ("command", "high", _M, "CWE-78", "A command line is put together from values", "Input that reaches the shell can add commands of its own.", "Pass a list without a shell: execFile('git', ['log', '--', path])."),
    ("sql", "high", _M, "CWE-89", "A SQL statement is put together from values", "Values pasted into a statement can change what it does.", "Pass values as parameters: db.query('select * from t where id = $1', [id])."),
    ("nosql", "medium", _M, "CWE-943", "A query object comes from a request", "An object such as {\"$ne\": null} in place of a text changes what is asked.", "Take texts only: {name: String(req.body.name)}; leave $where out."),
    ("dom-xss", "medium", _M, "CWE-79", "HTML is put together from values", "A value that comes from outside runs scripts in the reader's browser.", "Use textContent, or clean it first: DOMPurify.sanitize(html)."),
    ("reflected-xss", "high", _M, "CWE-79", "A request's text is sent back as HTML", "A link with a script in it runs in the browser of whoever follows it.", "Render with a template that escapes, or answer with res.json()."),
    ("tls-unverified", "high", _H, "CWE-295", "Certificates are not verified", "Anybody on the way can answer in the server's place.", "Remove it; for an own authority set `ca` or NODE_EXTRA_CA_CERTS."),
    ("weak-hash", "medium", _M, "CWE-327 CWE-328", "A broken hash is used", "Two contents with the same MD5 or SHA-1 can be made.", "Use crypto.createHash('sha256'); for passwords scrypt or argon2."),
    ("weak-cipher", "high", _H, "CWE-327", "A broken cipher or mode is used", "What it encrypts can be read or changed by others.", "Use crypto.createCipheriv('aes-256-gcm', key, nonce)."),
    ("weak-random", "medium", _M, "CWE-338", "A secret is made with Math.random", "Its next values can be computed from a few that were seen.", "Use crypto.randomBytes(32) or crypto.randomUUID()."),
    ("hard-coded-key", "high", _M, "CWE-321 CWE-798", "A key stands in the code", "Everybody who can read the code can sign or decrypt with it.", "Read it from the environment or a secret store, and change it: it is in the history."),
    ("jwt-none", "high", _H, "CWE-347", "Tokens without a signature are accepted", "Anybody can write a token that says that they are somebody else.", "Name the algorithm: jwt.verify(token, key, {algorithms: ['EdDSA']})."),
    ("jwt-decoded", "medium", _L, "CWE-347", "A token is read without verifying it", "jwt.decode believes whatever the token says.", "Use jwt.verify with the algorithm and the issuer."),
    ("path-traversal", "high", _M, "CWE-22", "A request names a file", "`../` in it leads to files that it should not reach.", "Resolve it and compare: path.resolve(base, name).startsWith(base + path.sep)."),
    ("open-redirect", "medium", _M, "CWE-601", "A request says where to go next", "A link to this site leads to another that looks like it.", "Redirect to paths from a fixed list."),
    ("ssrf", "high", _M, "CWE-918", "A request says which address is fetched", "The service can be made to ask internal addresses, such as the cloud's metadata.", "Take the address from a fixed list, and compare the host after parsing it."),
    ("prototype-pollution", "medium", _L, "CWE-915", "Keys of a request are written into objects", "A key `__proto__` changes every object of the program.", "Refuse __proto__, constructor and prototype; use Map or Object.create(null)."),
    ("mass-assignment", "low", _L, "CWE-915", "A record is made of a whole request", "Fields that the form does not show, such as `admin`, are taken too.", "Name the fields: new User({name: req.body.name})."),
    ("cors", "medium", _M, "CWE-942 CWE-346", "Any site may call with the user's credentials", "A page elsewhere can read this service's answers as the user who is logged in.", "List the origins that may."),
    ("cookie-flags", "medium", _M, "CWE-614 CWE-1004", "A cookie can be read by scripts or travels unprotected", "A script on the page, or anybody on the way, can take the session.", "Set httpOnly: true, secure: true, sameSite: 'lax'."),
    ("vm", "high", _M, "CWE-94", "The vm module is used as if it were a sandbox", "Code in it reaches the whole program through the objects that it is given.", "Run foreign code in a process without rights, or do not run it."),
    ("deserialisation", "high", _M, "CWE-502", "Objects are made from data with code in it", "node-serialize and its like run functions that are in the data.", "Use JSON.parse, and check the shape."),
    ("regex-from-input", "medium", _M, "CWE-1333", "A regular expression comes from a request", "A few characters can keep the service busy for hours.", "Escape it first, or use a search that is no regular expression."),
    ("slow-regex", "low", _L, "CWE-1333", "A regular expression can take exponential time", "Nested repetition tries every way to divide a text that does not fit.", "Write it without a repetition inside of a repetition."),
    ("message-origin", "medium", _M, "CWE-346", "Messages between windows are not bound to an origin", "Any page that has the window can read what is sent, or send it.", "Name the target's origin; compare event.origin with ===."),
    ("template-injection", "high", _M, "CWE-1336 CWE-94", "A request becomes a template", "Templates run code: {{constructor...}} is a program.", "Keep templates in files and pass values to them."),
    ("no-escape", "medium", _M, "CWE-79 CWE-116", "A template engine does not escape", "Values in pages can run scripts in the reader's browser.", "Leave escaping on, and mark single values as safe."),
    ("xxe", "high", _M, "CWE-611", "XML is parsed with external entities", "A document can read local files and ask internal addresses.", "Leave noent and noEnt off."),
    ("dynamic-require", "medium", _M, "CWE-829 CWE-470", "A request says which module is loaded", "It may name any file that the service can read.", "Choose from a fixed table of modules."),
    ("error-details", "low", _M, "CWE-209", "A stack trace is sent to the client", "It tells paths, versions and the way the service is built.", "Log it, and answer with an id."),
    ("electron", "high", _M, "CWE-693 CWE-749", "A page gets the rights of the program", "A script in the page, also one that was injected, can do all that the user can.", "nodeIntegration: false, contextIsolation: true, webSecurity: true, sandbox: true."),
    ("security-header", "low", _M, "CWE-693 CWE-1021", "A protection of the browser is switched off", "Injected scripts and frames of other sites meet no second barrier.", "Leave helmet's defaults on, and loosen single directives."),
)  # fmt: skip

RULES = MappingProxyType(
    {
        row[0]: Rule(
            f"javascript-{row[0]}", row[4], Severity(row[1]), row[5], row[6], confidence=row[2], taxonomy=tuple(row[3].split()),
            help="secure-coding-javascript",
        )
        for row in _TABLE
    }
)  # fmt: skip
