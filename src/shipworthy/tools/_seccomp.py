"""A seccomp filter, as plain BPF, for programs that we run but do not trust.

Standard library only: the launcher runs this file inside the sandbox. Sources: seccomp(2), bpf(4) of the kernel's
`linux/filter.h`, the syscall tables of x86_64 and of the generic table that aarch64 uses.

The filter is a deny list, because training code may use any numerical library; it takes away what leads out of the
sandbox: sockets, other processes' memory, mounts, namespaces, kernel modules, keys. Refusals are errno values (the
program sees `PermissionError`), except for a foreign architecture, which kills.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct

_X86_64, _AARCH64 = 0xC000003E, 0xC00000B7  # AUDIT_ARCH_*
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_*
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = (
    0x20,
    0x15,
    0x35,
    0x45,
    0x06,
)  # BPF_LD|W|ABS, BPF_JMP|{JEQ,JGE,JSET}|K, BPF_RET|K
_NR, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data; each argument is 8 bytes, its low half first
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET
_TERMINAL_INPUT = (0x5412, 0x541C, 0x541D)  # TIOCSTI, TIOCLINUX, TIOCCONS: write into somebody else's terminal

# name: (x86_64, aarch64); -1: that architecture has no such call
_REFUSED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "fanotify_init": (300, 262),
}
# io_uring can open sockets behind the filter's back; clone3 hides its flags behind a pointer. "Not implemented" makes
# programs fall back to the calls that the filter can read.
_ABSENT = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "clone3": (435, 435),
}
# Landlock does not hold back changes of modes, times and attributes, so that a program could change those of its inputs
# and of all other files of the same user. Modes and times seem to be set and are not: that is what copying tools ask
# for, and no output needs them. Attributes are refused as by a file system that has none.
_PRETENDED = {
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
}
_WITHOUT_ATTRIBUTES = {
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "chown": (92, -1),
    "fchown": (93, 55),
    "lchown": (94, -1),
    "fchownat": (260, 54),
    "file_setattr": (469, 469),
}
_SOCKET, _CLONE, _IOCTL = (41, 198), (56, 220), (16, 29)


def architecture() -> int | None:
    """0 on x86_64, 1 on aarch64, None where the filter has no syscall table."""
    if struct.calcsize("P") != 8:
        return None
    return {"x86_64": 0, "aarch64": 1}.get(platform.machine())


def build(families: tuple[int, ...], arch: int, keep_metadata: bool = False) -> bytes:
    """The filter's program: struct sock_filter, 8 bytes each. `families` are the address families for which a socket
    may be made; every other family is refused with EACCES. With `keep_metadata` no file's mode, owner, times or
    attributes can be changed."""
    code: list[bytes] = []

    def emit(operation: int, value: int, yes: int = 0, no: int = 0) -> None:
        code.append(struct.pack("=HBBI", operation, yes, no, value))

    def refuse(number: int, error: int) -> None:
        if number >= 0:
            emit(_EQUAL, number, 0, 1)
            emit(_RETURN, _ERRNO | error)

    emit(_LOAD, _ARCH)
    emit(_EQUAL, (_X86_64, _AARCH64)[arch], 1, 0)
    emit(_RETURN, _KILL)
    emit(_LOAD, _NR)
    if arch == 0:
        emit(_AT_LEAST, _X32, 0, 1)
        emit(_RETURN, _ERRNO | errno.ENOSYS)
    for numbers in _REFUSED.values():
        refuse(numbers[arch], errno.EPERM)
    for numbers in _ABSENT.values():
        refuse(numbers[arch], errno.ENOSYS)
    for numbers in _PRETENDED.values() if keep_metadata else ():
        refuse(numbers[arch], 0)
    for numbers in _WITHOUT_ATTRIBUTES.values() if keep_metadata else ():
        refuse(numbers[arch], errno.EOPNOTSUPP)
    emit(_EQUAL, _SOCKET[arch], 0, 3 + len(families))
    emit(_LOAD, _ARGS)
    for position, family in enumerate(families):
        emit(_EQUAL, family, len(families) - position, 0)
    emit(_RETURN, _ERRNO | errno.EACCES)
    emit(_RETURN, _ALLOW)
    emit(_EQUAL, _CLONE[arch], 0, 4)
    emit(_LOAD, _ARGS)
    emit(_ANY_BIT, _NEW_NAMESPACES, 0, 1)
    emit(_RETURN, _ERRNO | errno.EPERM)
    emit(_RETURN, _ALLOW)
    emit(_EQUAL, _IOCTL[arch], 0, 3 + len(_TERMINAL_INPUT))
    emit(_LOAD, _ARGS + 8)
    for position, request in enumerate(_TERMINAL_INPUT):
        emit(_EQUAL, request, len(_TERMINAL_INPUT) - 1 - position, 1 if position == len(_TERMINAL_INPUT) - 1 else 0)
    emit(_RETURN, _ERRNO | errno.EPERM)
    emit(_RETURN, _ALLOW)
    emit(_RETURN, _ALLOW)
    return b"".join(code)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install(own_network: bool, unix_sockets: bool, keep_metadata: bool = False) -> str:
    """Put the filter on this process and all that it will start. Returns "" or why it is not there.

    With a network namespace of its own (`own_network`) the program may make IP sockets: they reach nothing.
    """
    arch = architecture()
    if arch is None:
        return f"no syscall table for {platform.machine()}"
    families: tuple[int, ...] = (socket.AF_UNIX,) if unix_sockets else ()
    if own_network:
        families += (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
    code = build(tuple(int(family) for family in families), arch, keep_metadata)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        return f"no_new_privs refused: {errno.errorcode.get(ctypes.get_errno(), '?')}"
    if libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        return f"seccomp refused: {errno.errorcode.get(ctypes.get_errno(), '?')}"
    return ""
