"""What is asked of a container alike, whoever starts it: its image, its capabilities, what of the machine it sees."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks.infrastructure import _container_rules as rules
from shipworthy.checks.infrastructure._report import Hit, shown
from shipworthy.model import Severity
from shipworthy.patterns import regex

_DIGEST = regex(r"@sha256:[0-9a-f]{64}$")
_DANGEROUS = frozenset(
    """ALL SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO SYS_BOOT SYS_TIME NET_ADMIN DAC_READ_SEARCH DAC_OVERRIDE
    BPF PERFMON MAC_ADMIN MAC_OVERRIDE SYSLOG SYS_RESOURCE LINUX_IMMUTABLE CHECKPOINT_RESTORE AUDIT_CONTROL""".split()
)
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock", "cri-dockerd.sock")
_OF_THE_MACHINE = frozenset(
    """/ /etc /root /home /proc /sys /dev /boot /var /var/run /run /var/lib /var/lib/docker /var/lib/kubelet
    /var/log /usr /bin /sbin /lib /etc/kubernetes /opt /var/lib/containerd""".split()
)


def image(name: object, place: str, line: int) -> Iterator[Hit]:
    """What is wrong with the name of an image. One that is put together elsewhere is not judged."""
    if not isinstance(name, str) or not name or "$" in name or "{{" in name or _DIGEST.search(name):
        return
    tag = name.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        yield Hit(rules.IMAGE_LATEST, f"{place}: the image {shown(name)} has no version", line, f"{place} {name}")
    else:
        yield Hit(rules.IMAGE_UNPINNED, f"{place}: the image {shown(name)} has no digest", line, f"{place} {name}")


def capability(name: object, place: str, line: int) -> Iterator[Hit]:
    """Whether a capability that is added is a dangerous one."""
    plain = str(name).upper().removeprefix("CAP_")
    if plain in _DANGEROUS:
        yield Hit(rules.CAPABILITY_ADDED, f"{place} is given {plain}", line, f"{place} {plain}")


def host_path(path: object, place: str, line: int, read_only: bool = False) -> Iterator[Hit]:
    """What a folder of the machine in a container means."""
    text = str(path)
    if any(text.endswith(socket) for socket in _SOCKETS):
        yield Hit(rules.RUNTIME_SOCKET, f"{place} is given {shown(text)}", line, f"{place} {text[:200]}")
        return
    whole = (text.rstrip("/") or "/") in _OF_THE_MACHINE
    severity = Severity.HIGH if whole and not read_only else Severity.MEDIUM if whole or not read_only else Severity.LOW
    yield Hit(
        rules.HOST_PATH,
        f"{place} is given {shown(text)} of the machine",
        line,
        f"{place} {text[:200]}",
        severity=severity,
    )
