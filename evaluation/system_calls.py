"""Which system calls a process may still make: a seccomp filter, which anybody may put up.

It refuses what starts another process or becomes one, reaches one, opens a socket of any family,
leaves something behind in the kernel, or changes mounts, namespaces and the machine; such a call
fails with EPERM. Filters: `linux/seccomp.h` and `linux/filter.h`; numbers of the calls: the
kernel's tables for x86-64 and AArch64. Nothing here knows what is fenced in.
"""

import ctypes
import errno
import platform
from collections.abc import Sequence

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

ARCHITECTURES = ("x86_64", "aarch64")  # in the order of the numbers below
AUDITED_AS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SET_MODE_FILTER = 1
ALLOW, FAIL = 0x7FFF0000, 0x00050000  # the latter with the error's number in its low bits
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in what a filter sees, all little-endian
OTHER_TABLE = 0x40000000  # from here on the x32 calls of x86-64, which no list here names
CLONE_THREAD = 0x10000
F_SETOWN, F_SETOWN_EX = 8, 15  # whom the kernel sends signals about a descriptor

Numbers = dict[str, tuple[int, int | None]]

REFUSED: Numbers = {
    # Starting and reaching processes.
    "fork": (57, None),
    "vfork": (58, None),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "process_mrelease": (448, 448),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    # Sockets of every family, and calls that are made where no filter sees them.
    "socket": (41, 198),
    "socketpair": (53, 199),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # What outlives a process, or is memory that its limit does not count.
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    # Mounts, namespaces, and the machine itself.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "personality": (135, 92),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "acct": (163, 89),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
}
CHANGES_ATTRIBUTES: Numbers = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
}
ASKED_ABOUT: Numbers = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "fcntl": (72, 25),
    "prlimit64": (302, 261),
    "seccomp": (317, 277),
}


class Program(ctypes.Structure):
    """A filter as the kernel takes it: how many instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def refuse_system_calls(
    libc: ctypes.CDLL, process: int, path_address: int, *, attributes_too: bool
) -> bool:
    """Put the filter up for this process, which may send signals to `process` alone.

    It may become another program only from the path at `path_address`: once it has, there is
    nothing at that address any more. With `attributes_too` no file's mode, owner or times can be
    changed. Returns whether the kernel did it; it is never asked on other architectures.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    instructions = filter_of(machine, process, path_address, attributes_too=attributes_too)
    packed = b"".join(
        code.to_bytes(2, "little") + bytes((yes, no)) + operand.to_bytes(4, "little")
        for code, yes, no, operand in instructions
    )
    buffer = ctypes.create_string_buffer(packed, len(packed))
    program = Program(len(instructions), ctypes.addressof(buffer))
    (number,) = numbers_of({"seccomp": ASKED_ABOUT["seccomp"]}, machine)
    result: int = libc.syscall(ctypes.c_long(number), SET_MODE_FILTER, 0, ctypes.byref(program))
    return result == 0


def filter_of(
    machine: str, process: int, path_address: int, *, attributes_too: bool
) -> list[Instruction]:
    """The instructions: a block for each call that is not simply allowed, which is the last one."""
    low, high = path_address & 0xFFFFFFFF, path_address >> 32
    allowed_if: dict[str, list[Instruction]] = {
        "clone": [argument(), (ANY_BIT, 1, 0, CLONE_THREAD)],
        "execve": [argument(), (EQUAL, 0, 2, low), argument(high=True), (EQUAL, 1, 0, high)],
        "kill": [argument(), (EQUAL, 1, 0, process)],
        "tgkill": [argument(), (EQUAL, 1, 0, process)],
        "fcntl": [argument(1), (EQUAL, 1, 0, F_SETOWN), (EQUAL, 0, 1, F_SETOWN_EX)],
        "prlimit64": [argument(), (EQUAL, 1, 0, 0)],  # of this process
    }
    refused = numbers_of(REFUSED | (CHANGES_ATTRIBUTES if attributes_too else {}), machine)
    column = ARCHITECTURES.index(machine)
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, AUDITED_AS[machine]),
        failure(errno.EPERM),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, OTHER_TABLE),
        failure(errno.EPERM),
        # A library that finds no clone3 goes back to clone, whose flags a filter can see.
        *block(ASKED_ABOUT["clone3"][column], [failure(errno.ENOSYS)]),
        *(
            one
            for name, question in allowed_if.items()
            for one in block(
                ASKED_ABOUT[name][column],
                [*question, failure(errno.EPERM), (RETURN, 0, 0, ALLOW)],
            )
        ),
        *(one for number in refused for one in block(number, [failure(errno.EPERM)])),
        (RETURN, 0, 0, ALLOW),
    ]


def numbers_of(calls: Numbers, machine: str) -> list[int]:
    """Those that an architecture has."""
    column = ARCHITECTURES.index(machine)
    return [number for numbers in calls.values() if (number := numbers[column]) is not None]


def block(number: int | None, body: Sequence[Instruction]) -> list[Instruction]:
    """What is asked of one call alone; every way through `body` ends with an answer."""
    assert number is not None
    return [(EQUAL, 0, len(body), number), *body]


def argument(index: int = 0, *, high: bool = False) -> Instruction:
    """Load the low or the high half of an argument."""
    return (LOAD, 0, 0, ARGUMENTS + 8 * index + 4 * high)


def failure(number: int) -> Instruction:
    return (RETURN, 0, 0, FAIL | number)
