"""Commands for a shell: a mark that ends one command, and a word that begins another."""

from __future__ import annotations

from shipworthy.guard.runtime.detectors import _shell_first
from shipworthy.guard.runtime.detectors._shell_first import first, plain
from shipworthy.guard.runtime.detectors._shell_shown import CERTAIN, FED, SPOKEN, WORDS, Lines
from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = ""

_SEPARATOR = regex(r"&&|\|\||[;|&`\n]|\$\(|<\(|>\(|\\[nr]")
_WORD = regex(r"[\s{(]*((?:[\w.\-/\\\"'^*?@:~]|\$@|\$\{?[\w@#*]{0,8}\}?|\[[\w-]{1,8}\])+)")
_SPACES = regex(r"\$\{?ifs(?:%[^}]{0,8})?(?::[^}]{0,8})?\}?(?:\$\d)?|\{(?=[a-z/]{2,12},)", 0)
_ARGUMENT = regex(
    r"\s*(?:-{1,2}[a-z]|/[a-z/]|\.{1,2}/|~/|\$|[a-z0-9_.-]+/[a-z0-9_.-]|[\w-]+\.[a-z0-9]{1,5}\b|\d|['\"`;|&<>]|https?:|[a-z]:\\|%\w+%)"
)
_END = regex(r"\s*(?:$|[;|&`)#<>\n'\"]|2>)")
_ALWAYS = (
    ("/dev/tcp/", "a connection out"),
    ("/dev/udp/", "a connection out"),
    ("bash -i", "a shell that answers to somebody"),
    ("nc -e", "a shell that answers to somebody"),
    ("() { :;}", "a function that a shell runs when it starts"),
    ("() { :; }", "a function that a shell runs when it starts"),
    ("powershell -e", "an encoded command"),
    ("/bin/sh -c", "a shell"),
    ("/bin/bash -c", "a shell"),
    ("cmd /c ", "a shell"),
    ("cmd.exe /c", "a shell"),
    ("|base64 -d|", "an encoded command"),
    ("| base64 -d |", "an encoded command"),
    ("0<&196", "a connection out"),
)
_TOOLS = ("import os", "os.system(", "subprocess.", "child_process", "runtime.getruntime", "pty.spawn(", "shell_exec(",
          "passthru(", "proc_open(", "popen(", "system(")  # fmt: skip
_NEXT = regex(  # the second group: what can disguise a name
    r"(?:&&|\|\||[;|&`\n]|\$\(|<\(|>\(|\\[nr])(?=[\s{(]*(\w*)([^\s\w;|&`\n,()<>\x01=!]?))"
)
_DISGUISED = regex(r"[;|&`\n$<>](?:(?<=[;|&`\n])|\()[\s{(]*+\w*+[^\s\w;|&`\n,()<>\x01=!]")
# Forms that are a command wherever they stand: a blank from $IFS, a name from a variable that was just set, a name in
# escaped characters, what is fed to a shell, a path with wildcards to a program.
_FORMS = (
    ("ifs", regex(r"(?:^|[\s;|&`(/\x01])[a-z]\w{0,12}\$\{?ifs"), "a command without blanks"),
    ("$((", regex(r"\$\(\(\s?\d{1,9}\s?[-+*/%]\s?\d{1,9}\s?\)\)"), "a sum for a shell"),
    ("$'\\", regex(r"\$'(?:\\(?:x[0-9a-f]{2}|[0-7]{2,3})){2}"), "a command with its name disguised"),
    ("<<<", regex(r"\b(?:ba|z|da|k)?sh ?<<<"), "what is fed to a shell"),
    ("/?", regex(r"(?:^|[\s;|&`(\x01])/(?:\?{3}|[a-z?]{1,4})/[a-z]?\?[a-z?]{0,6}(?:$|[\s;|&`)\x01])"),
     "a program by its path"),
    ("?/", regex(r"(?:^|[\s;|&`(\x01])/(?=[a-z]?\?)[a-z?]{3}/[a-z?]{1,8}(?:$|[\s;|&`)\x01])"), "a program by its path"),
)  # fmt: skip
_USED = regex(r";\s?\$\{?[a-z_]")  # much sooner found than what was set before
_SET = regex(r"\b([a-z_]\w{0,11})=[^\s;&|\x01]{1,40};\s?\$\{?\1\b")
_ENDED = regex(  # a call after the end of another
    r"[;)'\"}]\s*;?\s*(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|phpinfo|assert|eval)\s*\("
    r"(?:['\"$)`]|\w+\))"
)
_FUNCTIONS = frozenset("system exec passthru shell_exec popen proc_open pcntl_exec phpinfo assert eval".split())
_PROGRAM = regex(r"[^\w\s]{0,3}\s?/(?:usr/)?(?:local/)?s?bin/[a-z][\w.-]{0,20}\s+(?:-\w|/[a-z])")
_LISTED = regex(r"\{([a-z/]{2,20})(?:,[^,{}\s]{1,60}){1,6}\}$")
# Names that nobody writes by themselves in a sentence; and those of CERTAIN that people write of
_LONE = frozenset("whoami uname ifconfig ipconfig netstat printenv tasklist systeminfo lsof pwd ls".split())
_SAID = frozenset(
    """
bash zsh dash ksh csh sh cc gcc ps rev nl strings touch passwd sudo cmd python python2 python3 perl ruby php lua nodejs
powershell pwsh curl wget sed awk tar base64 ssh telnet socat openssl mount reboot halt shutdown hostname eval dig xxd
od dd busybox systemctl crontab iptables rsync ls hexdump traceroute wmic
""".split()
)
_LISTED_NAMES = frozenset(
    "bash zsh dash ksh csh python python2 python3 perl ruby php lua nodejs powershell curl".split()
)
_LISTED_END = regex(r"\s*(?:;|$)")
_WRITE = frozenset(("echo", "printf", "cat", "type", "set"))
_WRITTEN = regex(r"\s[^;|&\n<>]{0,80}>{1,2}\s*[\w./~\\:-]+\s*(?=$|[;|&)`\n])")
_HOST = regex(r"\s+(?:[\w-]+\.)+[a-z]{2,20}\b|\s+\+[rwxst]+\b")
_EXTENSION = r"(?:\.(?:sh|py|pl|rb|out|bin|exe|elf|run|bat|ps1))?"
_OWN = regex(
    rf"[\s{{(]*(?:\.{{1,2}}/|~/|/tmp/|/var/tmp/|/dev/shm/)[\w/-]{{1,60}}{_EXTENSION}(?:\s*(?=$|[;&|)`\n\x01])|\s+-)"
)
_OPTION = regex(
    r"[\s{(]*[a-z][\w.-]{1,24}+\s++(?:--?[a-z][\w-]{0,20}(?=$|[\s=;|&)`\x01])|/(?:etc|proc|var|tmp|dev|root|home|usr|bin)/)"
)
_SUB = regex(
    r"[\s{(]*(?:net\s+(?:user|localgroup|share|view|use|group)|reg\s+(?:add|query|save)|sc\s+(?:create|query|config)"
    r"|schtasks\s+/|(?:apt|apt-get|yum|dnf|apk|pip3?|npm|gem|brew)\s+install|(?:docker|podman)\s+(?:run|exec|ps|cp|build)"
    r"|kubectl\s+(?:get|exec|apply|delete|run)|git\s+(?:clone|config|remote)|systemctl\s+(?:start|stop|disable))\b"
)
_PROGRAMS = regex(f"{_OWN.pattern}|{_OPTION.pattern}|{_SUB.pattern}")
_OPTION_AFTER = regex(rf"[;|&`(](?:(?<=[;|&`])|(?<=[$<>]\()){_OPTION.pattern}")
_SUB_NAMES = frozenset(
    "net reg sc schtasks apt yum dnf apk pip pip3 npm gem brew docker podman kubectl git systemctl".split()
)
_GAP, _NUMBER = regex(r"\s{9,}"), regex(r"\s*\d")
_MOST = 20_000
_PATHS = ("/bin/", "/usr/", "/sbin/", "/???/", "/b?n")
_ANY0 = frozenset(";|&`\n$<\\")


def look(text: Text) -> str:
    """What makes the text a command; empty when it is none."""
    low = text.low
    for sign, detail in _ALWAYS:
        if sign in low:
            return detail
    if "(" in text.characters and (_code(text) or (len(low) < 120 and _ENDED.search(low))):
        return "code that starts a program"
    if detail := _formed(low) or first(low):
        return detail
    if not text.characters & _ANY0:
        return ""
    if "ifs" in low or "{" in text.characters:
        low = _brace(low) if "{" in text.characters else low
        replaced = _SPACES.sub(" ", low)
        if replaced != low and "ifs" in low:
            low = replaced
    low = _GAP.sub(lambda gap: "\n" if "\n" in gap[0] else " ", low)
    lines = Lines(low)
    for count, mark in enumerate(_SEPARATOR.finditer(low)):
        if count >= _MOST:
            return "more places where a command could begin than are looked at"
        if detail := _command(lines, mark.start(), mark.end(), mark[0]):
            return detail
    return ""


def _formed(low: str) -> str:
    """What is a command by its form."""
    if detail := _form(low):
        return detail
    if len(low) < 120 and _PROGRAM.match(low):
        return "a program by its path"
    listed = _LISTED.match(low) if low[:1] == "{" else None
    return "a command without blanks" if listed and listed[1].rpartition("/")[2] in WORDS else ""


def _form(low: str) -> str:
    for sign, form, detail in _FORMS:
        if sign in low and form.search(low):
            return detail
    return "a command from a variable" if "$" in low and _USED.search(low) and _SET.search(low) else ""


def _brace(low: str) -> str:
    """`{cat,/etc/passwd}` as the words that it is for a shell."""
    return _BRACES.sub(lambda found: found[1].replace(",", " "), low)


_BRACES = regex(r"\{([\w/.\-]{1,40}(?:,[\w/.\-*]{1,80}){1,6})\}")


def _code(text: Text) -> bool:
    low = text.low
    return (
        text.whole
        and len(low) < 400
        and any(one in low for one in _TOOLS)
        and ("'" in low or '"' in low or "$_" in low)
    )


def _command(lines: Lines, start: int, end: int, mark: str) -> str:
    """What begins after a mark."""
    low = lines.low
    mark = "\n" if mark[0] == "\\" else mark
    found = _WORD.match(low, end, end + 200)
    if found is None:
        return ""
    given = found[1].removesuffix("\\n").removesuffix("\\r")
    name = plain(given)
    base = name.rpartition("/")[2]
    by_path = name.startswith(_PATHS)
    if base not in WORDS and not by_path and (mark == "\n" or not _PROGRAMS.match(low, end)):
        return ""
    lines.go(start)
    before, one_word = lines.before()
    if base not in WORDS and not by_path:
        if not (detail := _unknown(low, end, mark, one_word=one_word)):
            return ""
        return "" if lines.shown(end, mark) or (mark == "`" and lines.prose()) else detail
    if lines.shown(end, mark) or (mark == "|" and lines.cell(end)):
        return ""
    if by_path:
        return "a program by its path" if mark != "\n" or one_word else ""
    hidden = name != given and any(one in given[1:-1] for one in ("'", '"', "\\", "$@")) and given[0] not in "'\""
    if hidden and len(given) < 40:
        return "a command with its name disguised"
    after = found.end()
    argument = _argument(low, after, base) or _SUB.match(low, end) is not None
    ends = _END.match(low, after) is not None
    if mark == "\n":
        return _line(low, base, before, first=lines.at == 0, one_word=one_word and (argument or ends))
    if mark in ("`", "$(", "<(", ">("):
        return _inside(lines, after, mark, before, certain=base in CERTAIN or argument or ends)
    if mark == "&" and "=" in low[end : end + 40] and not argument:
        return ""
    if mark == "|" and base in FED and lines.begin in WORDS:
        return "what is fed to a program"
    alone = ends and (base in _LONE or (one_word and bool(before or len(low) < 16 or base in CERTAIN)))
    if mark == ";" and base in _LISTED_NAMES and _LISTED_END.match(low, after):
        return ""  # Python; Ruby; Perl
    if base in CERTAIN:
        alone = alone or (ends and mark in ("&&", "||", "|")) or (one_word and base not in _SAID)
        return "a command after another" if argument or alone else ""
    if argument and (one_word or not _NUMBER.match(low, after)):
        return "a command after another"
    return "a command after another" if alone else ""


def _argument(low: str, after: int, base: str) -> bool:
    """Whether what follows a name is what commands are given."""
    if _ARGUMENT.match(low, after) or (base in _WRITE and _WRITTEN.match(low, after)):
        return True
    return base in CERTAIN and base not in _SAID and _HOST.match(low, after) is not None


def _unknown(low: str, end: int, mark: str, *, one_word: bool) -> str:
    """What a program of any name is given after a mark: by its path, with an option or a path of the system after a
    value that is one word; or the two words by which some are known."""
    if mark in ("`", "$(") and not one_word and not _OWN.match(low, end):
        return ""
    if _OWN.match(low, end):
        return "a program by its path"
    known = (one_word and _OPTION.match(low, end)) or (_SUB.match(low, end) and (one_word or mark != "&"))
    return "a command after another" if known else ""


def _line(low: str, base: str, before: str, *, first: bool, one_word: bool) -> str:
    """A command on a line after a value that is one word."""
    if not one_word or not (before or first):
        return ""
    value = not before.isalpha() and len(low) < 200 and low.count("\n") < 3
    known = base in CERTAIN or first or value
    return "a command on a line of its own" if known else ""


def _inside(lines: Lines, after: int, mark: str, before: str, *, certain: bool) -> str:
    """A command whose output stands in the place of a word. Markdown writes `ls` so."""
    closed = (")" if mark != "`" else "`") in lines.low[after : after + 300]
    apart = before and (lines.low[lines.at - 1].isspace() or before[-1] == "`" or " " in before)
    if mark == "`" and apart and lines.prose():
        return ""
    return "a command in the place of a word" if closed and (mark == "$(" or certain) else ""


def possible(low: str, words: frozenset[str]) -> bool:
    """Whether `look` could see any of the texts; see `prefilter`."""
    if (" -" in low or "/" in low or "{" in low or "<&" in low) and any(sign in low for sign, _ in _ALWAYS):
        return True
    if "bin/" in low or "\x01{" in low or _form(low):
        return True
    if "(" in low and not words.isdisjoint(_FUNCTIONS) and _ENDED.search(low):
        return True
    if "ifs" in low or ("(" in low and any(tool in low for tool in _TOOLS)):
        return True
    if _shell_first.possible(low, words) or ((" -" in low or "/" in low) and _OPTION_AFTER.search(low)):
        return True
    if not words.isdisjoint(_SUB_NAMES):
        return True
    if words.isdisjoint(WORDS) and "\\n" not in low and "\\r" not in low:
        return _DISGUISED.search(low) is not None
    return any(after or word in CERTAIN or word in SPOKEN for word, after in _NEXT.findall(low))
