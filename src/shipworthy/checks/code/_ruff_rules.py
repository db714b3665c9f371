"""What ruff's security rules mean to us: our own severity, confidence, weakness and remedy for each code.

Left out on purpose: what `python-ml` sees in more detail (S104 S201 S202 S301 S302 S323 S501 S506), what the secrets checks
see (S105-S107), and what is rarely a weakness (S101 asserts, S110/S112 silent excepts, S303, S311 random numbers outside of
cryptography, S404-S413 imports, S603 and S607 subprocesses without a shell).
"""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

from types import MappingProxyType

from shipworthy.model import Confidence, Rule, Severity

_H, _M, _L = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW


def _rule(name: str, severity: str, confidence: Confidence, cwe: str, title: str, why: str, remedy: str) -> Rule:
    return Rule(
        f"python-{name}",
        title,
        Severity(severity),
        why,
        remedy,
        confidence=confidence,
        taxonomy=tuple(cwe.split()),
        help="secure-coding-python",
    )


_SHELL = "Input that reaches the command line can add commands of its own."
_NO_SHELL = "Pass a list without a shell: subprocess.run(['git', 'log', '--', path], check=True)."
_XML = (
    "A document can name outside files and expand to gigabytes (XXE, billion laughs) in parsers that follow entities."
)
_XML_FIX = "Parse untrusted XML with defusedxml: defusedxml.ElementTree.parse(path)."
_SQL = "Values pasted into a statement can change what it does."
_SQL_FIX = "Pass values as parameters: cursor.execute('select * from t where id = ?', (value,))."
_CIPHER_FIX = "Use AES-GCM or ChaCha20-Poly1305: cryptography.hazmat.primitives.ciphers.aead.AESGCM(key)."
_EVAL = "What is evaluated can do all that this program can."
_TLS_FIX = "Use ssl.create_default_context(), which picks safe versions and verifies certificates."
_SNMP_FIX = "Use SNMPv3 with authentication and privacy (authPriv)."

_TABLE: tuple[tuple[str, str, str, Confidence, str, str, str, str], ...] = (
    ("S102", "exec", "medium", _M, "CWE-95", "exec is used", _EVAL, "Call a function that is chosen from a fixed table instead."),
    ("S103", "file-permissions", "medium", _H, "CWE-732", "A file is made accessible to all", "Other users of the machine can read or replace it.", "Give the least: path.chmod(0o600), or 0o644 for what all may read."),
    ("S108", "temp-path", "low", _L, "CWE-377", "A fixed name in a shared temporary folder is used", "Another user of the machine can put a file or a link there first.", "Use tempfile.TemporaryDirectory() or tempfile.NamedTemporaryFile()."),
    ("S113", "request-without-timeout", "low", _H, "CWE-400", "A request has no timeout", "A server that never answers holds this program for ever.", "Pass a timeout: requests.get(url, timeout=10)."),
    ("S304", "weak-cipher", "high", _H, "CWE-327", "A broken cipher is used", "What it encrypts can be read by others.", _CIPHER_FIX),
    ("S305", "weak-cipher-mode", "medium", _H, "CWE-327", "ECB mode is used", "Equal blocks of plain text give equal blocks of cipher text.", _CIPHER_FIX),
    ("S306", "mktemp", "medium", _H, "CWE-377", "tempfile.mktemp is used", "Between the choice of the name and its use another process can take it.", "Use tempfile.mkstemp() or NamedTemporaryFile(), which open the file themselves."),
    ("S307", "eval", "medium", _M, "CWE-95", "eval is used", _EVAL, "Use ast.literal_eval for literals, json.loads for data."),
    ("S308", "mark-safe", "medium", _M, "CWE-79", "Text is marked as safe HTML", "If any of it comes from outside, it runs scripts in the reader's browser.", "Use django.utils.html.format_html, which escapes its arguments."),
    ("S310", "url-open-scheme", "low", _L, "CWE-22 CWE-918", "A URL is opened whose scheme is not checked", "urllib opens file: and own schemes too: a URL from outside can read local files.", "Check first: urlsplit(url).scheme == 'https'."),
    ("S312", "telnet", "high", _H, "CWE-319", "Telnet is used", "Passwords and commands travel readable and changeable.", "Use SSH."),
    ("S313", "xml-celementtree", "low", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S314", "xml-elementtree", "low", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S315", "xml-expatreader", "low", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S316", "xml-expatbuilder", "low", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S317", "xml-sax", "medium", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S318", "xml-minidom", "low", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S319", "xml-pulldom", "medium", _L, "CWE-611 CWE-776", "XML is parsed without protection", _XML, _XML_FIX),
    ("S321", "ftp", "medium", _H, "CWE-319", "FTP is used", "Passwords and files travel readable and changeable.", "Use SFTP, or ftplib.FTP_TLS with prot_p()."),
    ("S324", "weak-hash", "medium", _M, "CWE-327 CWE-328", "A broken hash is used", "Two contents with the same MD5 or SHA-1 can be made: it proves neither integrity nor identity of a model or dataset.", "Use hashlib.sha256(data); for a checksum without security say so: hashlib.md5(data, usedforsecurity=False)."),
    ("S502", "tls-old-version", "high", _H, "CWE-327 CWE-326", "An old version of TLS is asked for", "SSL 2, SSL 3, TLS 1.0 and 1.1 are broken.", _TLS_FIX),
    ("S503", "tls-old-default", "medium", _H, "CWE-327 CWE-326", "An old version of TLS is a default", "SSL 2, SSL 3, TLS 1.0 and 1.1 are broken.", _TLS_FIX),
    ("S504", "tls-no-version", "medium", _M, "CWE-327 CWE-326", "TLS is used without saying which version", "ssl.wrap_socket takes broken versions too and verifies nothing.", _TLS_FIX),
    ("S505", "weak-key", "high", _H, "CWE-326", "A key is too short", "It can be computed from the public key.", "Use Ed25519, ECDSA P-256, or RSA with 3072 bits or more."),
    ("S507", "ssh-host-key", "high", _H, "CWE-295", "SSH trusts unknown host keys", "Anybody on the way can answer in the server's place.", "Load the known keys and refuse others: client.set_missing_host_key_policy(paramiko.RejectPolicy())."),
    ("S508", "snmp-version", "medium", _H, "CWE-319", "An old SNMP version is used", "SNMPv1 and v2 send their password readable.", _SNMP_FIX),
    ("S509", "snmp-cryptography", "medium", _H, "CWE-319", "SNMPv3 is used without encryption", "What is sent can be read by others.", _SNMP_FIX),
    ("S601", "paramiko-command", "medium", _L, "CWE-78", "A command is run on another machine", _SHELL, "Quote each argument with shlex.quote, or use SFTP for files."),
    ("S602", "shell-true", "high", _M, "CWE-78", "A subprocess is started through a shell", _SHELL, _NO_SHELL),
    ("S604", "shell-keyword", "medium", _L, "CWE-78", "A function is called with shell=True", _SHELL, _NO_SHELL),
    ("S605", "shell-command", "high", _M, "CWE-78", "A command line is run through a shell", _SHELL, _NO_SHELL),
    ("S606", "process-start", "low", _L, "CWE-78", "A process is started with os.exec or os.spawn", "If the program or its arguments come from outside, somebody else chooses what runs.", _NO_SHELL),
    ("S608", "sql-string", "medium", _L, "CWE-89", "A SQL statement is put together from strings", _SQL, _SQL_FIX),
    ("S609", "wildcard-command", "high", _M, "CWE-78", "A wildcard is expanded by a shell", "A file named like an option becomes an option of the command.", "List the files in Python (Path.glob) and pass them after '--'."),
    ("S610", "django-extra", "medium", _M, "CWE-89", "Django's extra() is used", _SQL, "Use the query API or RawSQL with parameters."),
    ("S611", "django-raw-sql", "medium", _L, "CWE-89", "Django's RawSQL is used", _SQL, "Pass values in its params argument, never in the statement."),
    ("S612", "logging-listen", "medium", _H, "CWE-94", "Logging configuration is taken from a socket", "Whoever can reach the port runs code.", "Pass verify= with a function that checks a signature, or read the configuration from a file."),
    ("S701", "jinja-autoescape", "medium", _M, "CWE-79", "Jinja2 renders without escaping", "Values in HTML pages can run scripts in the reader's browser; that includes a model's output.", "jinja2.Environment(autoescape=jinja2.select_autoescape())."),
    ("S702", "mako-template", "medium", _M, "CWE-79", "Mako renders without escaping", "Values in HTML pages can run scripts in the reader's browser.", "Pass default_filters=['h'] to the template lookup."),
    ("S704", "unsafe-markup", "medium", _M, "CWE-79", "Text is made Markup without escaping", "If any of it comes from outside, it runs scripts in the reader's browser.", "Use Markup('<b>{}</b>').format(value), which escapes the value."),
)  # fmt: skip

RULES = MappingProxyType({row[0]: _rule(*row[1:]) for row in _TABLE})
