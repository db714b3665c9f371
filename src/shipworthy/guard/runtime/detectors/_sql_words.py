"""The tokens of SQL, and the words by which `sql` judges their order."""

from __future__ import annotations

from shipworthy.patterns import regex

_TOKENS = 28
_TOKEN = regex(
    r"(?P<space>[\s\x00\xa0]+)"
    r"|(?P<block>/\*(?!!)(?:[^*]|\*(?!/))*(?:\*/)?)"
    r"|(?P<opened>/\*!\d{0,6}|\*/)"
    r"|(?P<line>--[^\n]*|#[^\n]*)"
    r"|(?P<number>0x[0-9a-f]+|\d+(?:\.\d*)?(?:e[+-]?\d+)?)"
    r"|(?P<string>'[^']*(?:'|$)|\"[^\"]*(?:\"|$))"
    r"|(?P<name>@{0,2}[a-z_][\w$]*(?:\.{1,2}[a-z_][\w$]*|\.\*)*|`[^`]*`|\[[a-z_][\w ]*\])"
    r"|(?P<op>\|\||&&|<=>|<>|!=|<=|>=|:=|[=<>!+\-*/%^&|~])"
    r"|(?P<mark>[(),;])"
    r"|(?P<other>.)"
)
LOGICAL = frozenset(("or", "and", "xor", "||", "&&"))
COMPARE = frozenset(
    (
        "=",
        "<",
        ">",
        "<>",
        "!=",
        "<=",
        ">=",
        "<=>",
        "like",
        "rlike",
        "regexp",
        "ilike",
        "glob",
        "in",
        "between",
        "is",
        "sounds",
        "similar",
    )
)
JOINING = frozenset(("+", "-", "*", "/", "%", "^", "|", "&", "||", "div", "mod"))
CONSTANT = frozenset(("null", "true", "false", "@@version", "user", "current_user", "version"))
SLOW = frozenset(
    (
        "sleep",
        "pg_sleep",
        "benchmark",
        "extractvalue",
        "updatexml",
        "load_file",
        "load_extension",
        "xp_cmdshell",
        "dbms_pipe.receive_message",
        "dbms_lock.sleep",
        "dbms_session.sleep",
        "utl_http.request",
        "randomblob",
        "utl_inaddr.get_host_address",
        "utl_inaddr.get_host_name",
        "ctxsys.drithsx.sn",
        "xmltype",
        "pg_read_file",
        "lo_import",
        "sys_eval",
        "sys_exec",
        "dbms_xmlgen.getxml",
        "query_to_xml",
        "make_set",
        "exp",
        "gtid_subset",
    )
)
CATALOGS = (
    "information_schema",
    "sqlite_master",
    "sqlite_schema",
    "pg_catalog",
    "pg_shadow",
    "sysobjects",
    "all_tables",
    "mysql.user",
    "msysobjects",
    "sys.tables",
    "sys.databases",
    "syscolumns",
    "v$version",
    "pg_user",
)
STATEMENTS = {
    "drop": ("table", "database", "user", "schema", "view", "index", "function", "procedure", "column"),
    "delete": ("from",), "insert": ("into",), "truncate": ("table",), "alter": ("table", "user", "database", "role"),
    "create": ("table", "user", "database", "function", "or", "procedure", "role", "temp", "trigger", "view"),
    "waitfor": ("delay", "time"), "load": ("data", "xml"), "merge": ("into",), "replace": ("into",),
}  # fmt: skip
Token = tuple[str, str]


def tokens(text: str, most: int = _TOKENS) -> list[Token]:
    """The first tokens of a text in lower case: (kind, text). Kinds: name, number, string, op, mark, comment, other.

    A comment stands for the rest of the line; blocks and spaces only part what they stand between.
    """
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind in ("space", "opened"):
            continue
        if kind == "block" and match[0].endswith("*/"):
            continue
        found.append(("comment" if kind in ("block", "line") else kind, match[0]))
        if len(found) >= most:
            break
    return found
