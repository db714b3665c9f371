"""What documents show of the shell, told from what is meant for one; and the names of programs."""

from __future__ import annotations

from shipworthy.patterns import regex

CERTAIN = frozenset("""
whoami uname ifconfig wget curl nc ncat netcat bash sh zsh dash ksh csh python python2 python3 perl ruby php lua nodejs
chmod chown rm cp mv mkdir rmdir touch useradd passwd sudo crontab nslookup dig systemctl netstat ipconfig powershell
powershell.exe pwsh cmd cmd.exe certutil bitsadmin mshta rundll32 regsvr32 wmic tasklist xargs awk gawk sed tar base64
base32 xxd od hexdump printenv socat telnet tftp scp ssh rsync mkfifo eval nohup setsid busybox openssl gcc cc
iptables mount umount pkill killall lsof traceroute tracepath tcpdump getent hostname pwd ls ps nl tac rev strings
systeminfo shutdown reboot halt dd
""".split())  # fmt: skip
SPOKEN = frozenset("""
id cat find sort who date echo time last head tail more less kill cut at w test ping sleep host history set env printf
type dir net ver exec node nmap grep egrep fgrep vi vim ed source export read split paste join wait alias diff du df
free top watch expr seq yes make install service which whereis locate stat file ln man tee git pip apt apk yum
""".split())  # fmt: skip
WORDS = CERTAIN | SPOKEN
FED = frozenset(
    """
sh bash zsh dash ksh csh python python2 python3 perl ruby php lua node nodejs powershell pwsh busybox sudo env xargs nc
ncat netcat socat telnet ssh openssl curl wget tee dd eval source crontab at awk gawk tar
""".split()
)


class Lines:
    """A text whose marks are looked at in their order: what is asked of each, without reading the text anew for it."""

    def __init__(self, low: str) -> None:
        self.low = low
        self.lead = len(low) - len(low.lstrip())
        self.begin = low[self.lead : self.lead + 40].partition(" ")[0]
        self.at = self._line = self._ticks = 0  # the mark, where its line begins, and the backticks before it
        self._tick = -1  # the last of those
        self._spaced = False  # whether there is a blank before it
        self._last = low.rfind("`")
        self._table = (-1, False)
        self._sharp: bool | None = None
        self._prose: bool | None = None

    def go(self, start: int) -> None:
        """To the next mark."""
        low, at = self.low, self.at
        if (newline := low.rfind("\n", at, start)) >= 0:
            self._line, self._ticks, self._spaced, at = newline + 1, 0, False, newline + 1
        if ticks := low.count("`", at, start):
            self._ticks += ticks
            self._tick = low.rfind("`", at, start)
        self._spaced = self._spaced or low.find(" ", at, start) >= 0
        self.at = start

    def before(self) -> tuple[str, bool]:
        """What stands before the mark, or the end of that; and whether it is one word, or nothing."""
        before = self.low[max(self.lead, self.at - _NEAR) : self.at].strip()
        return before, self.at - self.lead < _NEAR and " " not in before and len(before) < 80

    def shown(self, end: int, mark: str) -> bool:
        """Whether this stands in a span of code of a text in Markdown (not if it reads what no example has to, or gives
        to a shell), or goes on a line that is a command as a whole with what does nothing by itself: a filter, which
        reads only what it is fed and writes only what comes next, or a usual step of git after another."""
        if self._sharp is None:
            self._sharp = any(sign in self.low for sign in _SHARP)
        if self._sharp:
            return False
        low, start = self.low, self.at
        if mark == "`":
            if self._ticks % 2:  # it closes one
                return self._spaced
            if start != self._line or start >= self._last:
                return False
            closed = low.find("`", start + 1)
            return low[closed + 1 : closed + 2] in (" ", ",", ".", ":", ";")
        if self._ticks % 2:
            return self._tick > self._line and low[self._tick - 1] in " (*-" and start < self._last
        words = low[self._line : min(start, self._line + 120)].split(None, 2)
        if len(words) < 2 or words[0] not in WORDS or words[1][:1] in "=:":
            return False
        if mark == "|":
            return _FILTER.match(low, end) is not None
        return mark == "&&" and words[0] == "git" and _STEP.match(low, end) is not None

    def cell(self, end: int) -> bool:
        """Whether this is a cell of a table as Markdown writes it, in which words stand: | date | name |."""
        low = self.low
        if self._table[0] != self._line:
            after = low.find("\n", self._line)
            line = low[self._line : after if after >= 0 else len(low)].strip()
            self._table = (self._line, line[:1] == "|" and line[-1:] == "|" and line.count("|") > 2)
        close = low.find("|", end, end + 80)
        if not self._table[1] or close < 0:
            return False
        words = low[end:close].split()
        return not words or (words[0] in SPOKEN and _CELL.fullmatch(" ".join(words)) is not None)

    def prose(self) -> bool:
        """Whether there are words, or marks of a list, around what is in backticks."""
        if self._prose is None:
            around = " ".join(self.low.split("`")[::2])
            self._prose = not any(one.isalnum() for one in around) or _WORD.search(around) is not None
        return self._prose


_NEAR = 300
_CELL = regex(r"[\w ,.'()]{1,60}")
_WORD = regex(r"(?<![\w.-])[^\W\d_]{2,}(?![\w.-])|[^\x00-\x7f]|[^\W\d_]{2,}[,:;.!?]?(?:\s|$)")
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
_STEP = regex(
    r"[ \t]*git[ \t]+(?:add|commit|push|pull|status|diff|log|checkout|switch|merge|fetch|tag)"
    r"(?:[ \t]+(?!--?[cu])[\w./'\"-]{1,60}){0,8}[ \t]*(?=$|[|&\n\x01])"
)
_SHARP = ("/etc/", "/dev/tcp", "/bin/", "| sh", "|sh", "| bash", "|bash", "nc -", "ncat", "whoami", "base64", "passwd")
