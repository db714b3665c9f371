"""Commands for a shell: a mark that ends one command, and a word that begins another."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = ";|&`\n$<>(\\?{/"

_CERTAIN = frozenset("""
whoami uname ifconfig wget curl nc ncat netcat bash sh zsh dash ksh csh python python2 python3 perl ruby php lua nodejs
chmod chown rm cp mv mkdir rmdir touch useradd passwd sudo crontab nslookup dig systemctl netstat ipconfig powershell
powershell.exe pwsh cmd cmd.exe certutil bitsadmin mshta rundll32 regsvr32 wmic tasklist xargs awk gawk sed tar base64
base32 xxd od hexdump printenv socat telnet tftp scp ssh rsync mkfifo eval nohup setsid busybox openssl gcc cc
iptables mount umount pkill killall lsof traceroute tracepath tcpdump getent hostname pwd ls ps nl tac rev strings
systeminfo shutdown reboot halt dd
""".split())  # fmt: skip
_SPOKEN = frozenset("""
id cat find sort who date echo time last head tail more less kill cut at w test ping sleep host history set env printf
type dir net ver exec node nmap grep egrep fgrep vi vim ed source export read split paste join wait alias diff du df
free top watch expr seq yes make install service which whereis locate stat file ln man tee git pip apt apk yum
""".split())  # fmt: skip
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
_WORDS = _CERTAIN | _SPOKEN
# Forms that are a command wherever they stand: a blank from $IFS, a name from a variable that was just set, a name in
# escaped characters, what is fed to a shell, a path with wildcards to a program.
_FORMS = (
    ("ifs", regex(r"(?:^|[\s;|&`(/\x01])[a-z]\w{0,12}\$\{?ifs"), "a command without blanks"),
    ("$((", regex(r"\$\(\(\s?\d{1,9}\s?[-+*/%]\s?\d{1,9}\s?\)\)"), "a sum for a shell"),
    ("$", regex(r"\b([a-z_]\w{0,11})=[^\s;&|\x01]{1,40};\s?\$\{?\1\b"), "a command from a variable"),
    ("$'\\", regex(r"\$'(?:\\(?:x[0-9a-f]{2}|[0-7]{2,3})){2}"), "a command with its name disguised"),
    ("<<<", regex(r"\b(?:ba|z|da|k)?sh ?<<<"), "what is fed to a shell"),
    ("/?", regex(r"(?:^|[\s;|&`(\x01])/(?:\?{3}|[a-z?]{1,4})/[a-z]?\?[a-z?]{0,6}(?:$|[\s;|&`)\x01])"),
     "a program by its path"),
    ("?/", regex(r"(?:^|[\s;|&`(\x01])/(?=[a-z]?\?)[a-z?]{3}/[a-z?]{1,8}(?:$|[\s;|&`)\x01])"), "a program by its path"),
)  # fmt: skip
_ENDED = regex(  # a call after the end of another
    r"[;)'\"}]\s*;?\s*(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|phpinfo|assert|eval)\s*\("
    r"(?:['\"$)`]|\w+\))"
)
_PROGRAM = regex(r"[^\w\s]{0,3}\s?/(?:usr/)?(?:local/)?s?bin/[a-z][\w.-]{0,20}\s+(?:-\w|/[a-z])")
_LISTED = regex(r"\{([a-z/]{2,20})(?:,[^,{}\s]{1,60}){1,6}\}$")
_DROP = str.maketrans("", "", "\"'\\^")
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
    if detail := _formed(low):
        return detail
    if not text.characters & _ANY0:
        return ""
    if "ifs" in low or "{" in text.characters:
        low = _brace(low) if "{" in text.characters else low
        replaced = _SPACES.sub(" ", low)
        if replaced != low and "ifs" in low:
            low = replaced
    for count, mark in enumerate(_SEPARATOR.finditer(low)):
        if count >= _MOST:
            return "more places where a command could begin than are looked at"
        if detail := _command(low, mark.start(), mark.end(), mark[0]):
            return detail
    return ""


def _formed(low: str) -> str:
    """What is a command by its form."""
    for sign, form, detail in _FORMS:
        if sign in low and form.search(low):
            return detail
    if len(low) < 120 and _PROGRAM.match(low):
        return "a program by its path"
    listed = _LISTED.match(low) if low[:1] == "{" else None
    return "a command without blanks" if listed and listed[1].rpartition("/")[2] in _WORDS else ""


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


def _command(low: str, start: int, end: int, mark: str) -> str:
    mark = "\n" if mark[0] == "\\" else mark
    found = _WORD.match(low, end, end + 200)
    if found is None:
        return ""
    given = found[1].removesuffix("\\n").removesuffix("\\r")
    name = _plain(given)
    after = found.end()
    base = name.rpartition("/")[2]
    by_path = name.startswith(_PATHS)
    if base not in _CERTAIN and base not in _SPOKEN and not by_path:
        return ""
    before = low[:start].strip()
    one_word = " " not in before and len(before) < 80
    if _spoken_of(low, start, end, mark):
        return ""
    inside = mark in ("`", "$(", "<(", ">(")
    obscured = (
        name != given
        and ("'" in given[1:-1] or '"' in given[1:-1] or "\\" in given or "$@" in given)
        and not given.startswith(("'", '"'))
    )
    if by_path:
        return "a program by its path" if mark != "\n" or one_word else ""
    if obscured and len(given) < 40:
        return "a command with its name disguised"
    argument, ends = _ARGUMENT.match(low, after), _END.match(low, after)
    if mark == "\n":
        return (
            "a command on a line of its own"
            if one_word and (before or not start) and (base in _CERTAIN or not start) and (argument or ends)
            else ""
        )
    if inside:
        closes = ")" if mark != "`" else "`"
        closed = closes in low[after : after + 300]
        if mark == "`" and before and (low[start - 1].isspace() or before[-1] == "`" or " " in before):
            return ""  # Markdown writes `ls` so
        return (
            "a command in the place of a word"
            if closed and (mark == "$(" or base in _CERTAIN or argument or ends)
            else ""
        )
    if mark == "&" and "=" in low[end : end + 40] and not argument:
        return ""
    if mark == "|" and base in _FED and before.partition(" ")[0] in _WORDS:
        return "what is fed to a program"
    if base in _CERTAIN:
        return (
            "a command after another"
            if (argument or ends) and (one_word or argument or mark in ("&&", "||", "|"))
            else ""
        )
    if argument and not (argument[0].strip().isdigit() and not one_word):
        return "a command after another"
    return "a command after another" if ends and one_word and (before or len(low) < 16) else ""


def _spoken_of(low: str, start: int, end: int, mark: str) -> bool:
    """Whether this stands in a span of code of a text in Markdown (not if it reads what no example has to, or gives to
    a shell), or goes on a line that is a command as a whole with what does nothing by itself: a filter, which reads
    only what it is fed and writes only what comes next, or a usual step of git after another."""
    if any(sign in low for sign in _SHARP):
        return False
    before = low[low.rfind("\n", 0, start) + 1 : start]
    if mark == "`":
        if before.count("`") % 2:  # it closes one
            return " " in before
        closed = low.find("`", start + 1)
        return closed > 0 and low[closed + 1 : closed + 2] in (" ", ",", ".", ":", ";") and not before
    if before.count("`") % 2:
        opened = before.rfind("`")
        return opened > 0 and before[opened - 1] in " (*-" and low.find("`", start) > 0
    words = before.split()
    if len(words) < 2 or words[0] not in _WORDS or words[1][:1] in "=:":
        return False
    if mark == "|":
        return _FILTER.match(low, end) is not None
    return mark == "&&" and words[0] == "git" and _STEP.match(low, end) is not None


# Programs that only pass on what they are fed, with none of their options that name a file or start a program
# (sort -o, grep -r, sed's `e` and `w`, awk's system); what follows must be another pipe, or the end.
_FILTER = regex(
    r"[ \t]*(?:(?:sort|uniq|wc|head|tail|less|more|cut|nl|rev|tac|column)"
    r"(?:[ \t]+(?:-[a-eg-np-z]{0,4}[\d,.:-]{0,8}|-[df] ?(?:'[^']'|\"[^\"]\"|[\d,.:;-]{1,8})|[+-]?\d{1,6}))*+"
    r"|[ef]?grep(?:[ \t]+-[ivnocewxlhq\d]{1,6})*+[ \t]+(?:'[^'\n]{0,80}'|\"[^\"$`\n]{0,80}\"|[\w.*^\[\]@:-]{1,40})"
    r"|tr(?:[ \t]+-[cds]{1,3})?(?:[ \t]+(?:'[^'\n]{0,40}'|\"[^\"$`\n]{0,40}\"|[\w:\[\]-]{1,20})){1,2}"
    r"|sed[ \t]+['\"]?s/[^/\s'\"$`;]{1,40}/[^/\s'\"$`;]{0,40}/[gi]{0,2}['\"]?"
    r"|awk[ \t]+(?:-f[^\s\w'\"$`/.][ \t]+)?'\{ ?print(?: \$\d{1,2},?){0,6} ?\}'"
    r"|gzip|cat)[ \t]*(?=$|[|\n\x01])"
)
_FED = frozenset(
    """
sh bash zsh dash ksh csh python python2 python3 perl ruby php lua node nodejs powershell pwsh busybox sudo env xargs nc
ncat netcat socat telnet ssh openssl curl wget tee dd eval source crontab at awk gawk tar
""".split()
)
_STEP = regex(
    r"[ \t]*git[ \t]+(?:add|commit|push|pull|status|diff|log|checkout|switch|merge|fetch|tag)"
    r"(?:[ \t]+(?!--?[cu])[\w./'\"-]{1,60}){0,8}[ \t]*(?=$|[|&\n\x01])"
)
_SHARP = ("/etc/", "/dev/tcp", "/bin/", "| sh", "|sh", "| bash", "|bash", "nc -", "ncat", "whoami", "base64", "passwd")


def _plain(word: str) -> str:
    """A word without the marks that a shell takes out of it."""
    return word.translate(_DROP).replace("$@", "").replace("$*", "").replace("[", "").replace("]", "").rstrip(":.")


def possible(low: str, words: frozenset[str]) -> bool:
    """Whether `look` could see any of the texts; see `prefilter`."""
    if (" -" in low or "/" in low or "{" in low or "<&" in low) and any(sign in low for sign, _ in _ALWAYS):
        return True
    if "bin/" in low or "\x01{" in low or any(sign in low and form.search(low) for sign, form, _ in _FORMS):
        return True
    if "(" in low and _ENDED.search(low):
        return True
    if "ifs" in low or ("(" in low and any(tool in low for tool in _TOOLS)):
        return True
    if words.isdisjoint(_WORDS) and "\\n" not in low and "\\r" not in low:
        return _DISGUISED.search(low) is not None
    return any(after or word in _CERTAIN or word in _SPOKEN for word, after in _NEXT.findall(low))
