"""Paths that leave their folder, and files that no client has business with."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "/\\\0x25"

_UP = regex(r"(?:^|[/\\=:;\s'\"(,]|\.)\.\.(?:;|\\|/|%2f|%5c)", 0)
_CLIMB = regex(r"(?:\.\.[\\/;]{1,8}){2,}|(?:\.{2,8}[\\/]{2,8}){2,}|\.\.[\\/]+\.\.")
_FILES = regex(
    r"(?:^|[\\/:\s=\x01])(?:etc[\\/]+(?:passwd|shadow|hosts|group|issue|sudoers|crontab|fstab|hostname|ssh|nginx|apache2|mysql|httpd|php|motd)"
    r"|proc[\\/]+(?:self|version|cmdline|\d+|[\[*?]|net|mounts)|windows[\\/]+(?:win\.ini|system32|system\.ini|repair|php\.ini|debug)"
    r"|winnt[\\/]+|boot\.ini|\.ssh[\\/]|id_rsa|\.aws[\\/]|\.env(?:$|[.\s\x01])|web-inf|meta-inf|web\.config|\.git[\\/]|\.htpasswd"
    r"|\.htaccess|wp-config|var[\\/]+log[\\/]|var[\\/]+run|root[\\/]+\.|inetpub|my\.ini|autoexec|\.(?:ba|z|k|c|tc)?sh(?:_history|rc\b)|\.(?:mysql|psql|python)_history|var[\\/]+www|var[\\/]+lib"
    r"|etc[\\/]+(?:apt[\\/]|mtab|inetd|redhat-release|lsb-release|os-release|profile|exports|vsftpd|proftpd|samba|postfix"
    r"|anacrontab|cron|login\.defs|securetty|pam|ftp|grub|lilo|logrotate|bashrc|master\.passwd|security[\\/]|sysctl"
    r"|host\.conf|lighttpd|chkrootkit|snort|wu-ftpd|pure-ftpd|http[\\/]|phpmyadmin|mail[\\/]|aliases|gshadow|opasswd)"
    r"|proc[\\/]+(?:cpuinfo|meminfo|stat|sched_debug|devices|ioports|interrupts|swaps|partitions|modules|filesystems)"
    r"|var[\\/]+(?:mail|spool|adm|backups)[\\/]|windows[\\/]+(?:iis|panther|temp|explorer)|config[\\/]+sam\b|global\.asa"
    r"|(?:apache2?|httpd|nginx|lighttpd|xampp)[\\/]+(?:[\w.]+[\\/]+)?(?:logs?|conf)[\\/]"
    r"|usr[\\/]+local|opt[\\/]+|home[\\/]+\w+[\\/]+\.)"
)
_WRITTEN = regex(
    r"(?:(?:\.\.|0x2e0x2e)(?:0x(?:2f|5c)|[\\/])){2}|(?:(?:\.\.|0x2e0x2e)0x(?:2f|5c)){2}"
    r"|(?:\.\.(?:2f|5c)){2}"  # a filter on the way has taken `%` out
)
# What is left to climb with when each `../`, or `./`, is taken out once.
_NESTED = regex(r"(?:\.{2,3}[\\/]{1,4}\.{1,2}[\\/]|\.{4}[\\/]{1,8}){2,}")
_KEPT = regex(  # in folders that hold a service's own files, too
    r"(?:apache2?|httpd|nginx|lighttpd|xampp|tomcat\d?|php\d?|mysql)[\\/](?:[\w.]+[\\/]){0,3}(?:logs?|conf|etc)[\\/]"
    r"|[\\/](?:access|error)[._-]?log|httpd\.conf|php\.ini|my\.cnf|\.htpasswd|[\\/]logs?[\\/]+[\w.-]*(?:access|error)"
)
_SCHEMES = (
    "php://",
    "file:///",
    "file://",
    "zip://",
    "phar://",
    "expect://",
    "glob://",
    "data://text",
    "netdoc:",
    "jar:http",
    "jar:file",
    "compress.zlib://",
)
_SYSTEM = (
    r"(?:etc[\\/]+(?:passwd|shadow|hosts|group|issue)|proc[\\/]+self|windows[\\/]+(?:win\.ini|system32)|boot\.ini)"
)
_GIVEN = regex(rf"=(?:(?:php:)?(?:expect|php|zip|phar|glob|file|netdoc)://|data://text|[\\/.]{{0,40}}{_SYSTEM})")
_OPENED = regex(rf"\((?:(?<=\w\()|(?<=\w\s\())\s?\\?['\"](?:file://)?(?:[a-z]:)?[\\/.]{{0,40}}{_SYSTEM}")
_CUT = regex(
    r"(?:https?|ftp):/?/?[^\s?]{3,200}\.(?:php\d?|phtml|txt|inc|jpe?g|gif|png|asp|jsp|log)(?:\?{1,3}|\?cmd=.*|\0)"
)
_CUT_OFF = regex(r"\.(?:php\d?|phtml|txt|inc|jpe?g|gif|png|asp|jsp|log)\?")
_STEPS = regex(r"[\\/]+(?:\.[\\/]+)*")  # all that separates as one separator does
_MARKS = frozenset("/\\\0")
_SPELLED = ("0x2e0x2e", "..2f", "..5c")
_BEGIN = r"(?:(?:file:)?(?:[a-z]:)?[\\/.%]|etc[\\/]+(?:passwd|shadow)\b|proc[\\/]+self[\\/])"
_STARTS, _BEGIN_OF_ANY = regex(_BEGIN), regex(r"\x01" + _BEGIN)


def look(text: Text) -> str:
    """How the path leaves its place; empty when it does not."""
    low = text.low
    if not text.characters & _MARKS and not any(one in low for one in _SPELLED):
        return ""
    if text.whole and low.startswith(_SCHEMES):
        return "a file by another scheme"
    if "=" in text.characters and text.whole and _GIVEN.search(low):
        return "an address that asks for a file of the system"
    if len(low) < 500 and _OPENED.search(low):
        return "code that opens a file of the system"
    if text.whole and _CUT.fullmatch(low):
        return "a program of another place, and the rest cut off"
    if (
        "\0" in text.characters
        and len(low) < 500
        and ("/" in low or "." in low)
        and low.replace("\0", "").isprintable()
    ):
        return "a path with a null byte"
    up = ".." in low or "0x2e0x2e" in low or ".\\." in low
    if up and _WRITTEN.search(low):
        return "a path that leaves its folder"
    if up and text.place in ("path", "query", "key", "header") and _UP.search(low):  # noqa: SIM102
        if text.place == "path" or _CLIMB.search(low) or _FILES.search(low) or low.startswith("..") or text.whole:
            return "a path that leaves its folder"
    if up and text.whole and len(low) < 300 and (_ABOVE.match(low) or (_climbs(low) and not _climbs(text.sent))):
        return "a path that leaves its folder"
    if up and text.whole and len(low) < 300 and (_NESTED.search(low) or _winds(low)):
        return "a path that leaves its folder"
    if up and _CLIMB.search(low) and (_FILES.search(low) or (text.whole and len(low) < 300)):
        return "a path that leaves its folder"
    if up and text.whole and (_FILES.search(low) or "..;" in low):
        return "a path that leaves its folder"
    if text.whole and len(low) < 300 and _STARTS.match(low) and _FILES.search(low) and text.place != "header":
        return "a file of the system" if not _OWN.match(low) or _KEPT.search(low) else ""
    return ""


def _climbs(path: str) -> bool:
    """Whether it goes up. One that does so only when it is decoded was hidden by somebody."""
    return "../" in path or "..\\" in path


def _winds(low: str) -> bool:
    """Whether a path climbs with steps between that lead nowhere (`/.//..//`), or with its marks escaped."""
    for path in (low, low.replace("\\", "")) if "\\" in low else (low,):
        short = _STEPS.sub("/", path)
        if _ABOVE.match(short) or _CLIMB.search(short):
            return True
    return False


_ABOVE = regex(r"(?:[a-z]:)?[\\/]+\.\.[\\/;]")
_OWN = regex(r"[\\/](?:usr[\\/]+local|opt|var[\\/]+www|var[\\/]+lib)[\\/]")


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    if (
        ".." in low
        or "0x2e0x2e" in low
        or ".\\." in low
        or "\0" in low
        or (":" in low and any(scheme in low for scheme in _SCHEMES))
    ):
        return True
    if ("=" in low and _GIVEN.search(low)) or ("?" in low and _CUT_OFF.search(low)):
        return True
    if "(" in low and any(one in low for one in ("etc", "proc", "windows", "boot.ini")) and _OPENED.search(low):
        return True
    return ("/" in low or "\\" in low) and _BEGIN_OF_ANY.search(low) is not None and _FILES.search(low) is not None
