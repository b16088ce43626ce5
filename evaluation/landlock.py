"""Which files this process may still reach: Landlock, the kernel's fence that anybody may put up.

It holds for root too, for every thread and for whatever the process becomes; it can be made
tighter and never looser. It decides about contents: that a file exists, and how large it is, can
still be asked. Numbers and structures: `linux/landlock.h`; Salaün, "Landlock: unprivileged access
control" (the kernel's `userspace-api/landlock`). Nothing here knows what is fenced in.
"""

import ctypes
import os
import stat
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
VERSION = 1  # asked for in place of a rule set
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READING = EXECUTE | READ_FILE | READ_DIR
KNOWN_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # how many rights on files a version has; later: 16
NETWORK_SINCE, BIND_AND_CONNECT = 4, 0b11
SCOPES_SINCE, SOCKETS_AND_SIGNALS = 6, 0b11


def landlock_version(libc: ctypes.CDLL) -> int:
    """What the kernel offers, from 1 on; 0 where it has none or it is switched off."""
    return max(0, call(libc, CREATE_RULESET, None, ctypes.c_size_t(0), VERSION))


def restrict_files(libc: ctypes.CDLL, readable: Iterable[str], writable: Iterable[str]) -> bool:
    """From now on read only below `readable`, write and read below `writable`, no TCP at all.

    Both name files or folders; those that are not there are left out. Returns whether the kernel
    did it, which it does only for a process that gains no privileges any more.
    """
    version = landlock_version(libc)
    if not version:
        return False
    rights = (1 << KNOWN_RIGHTS.get(version, 16)) - 1
    fields = (
        rights,
        BIND_AND_CONNECT if version >= NETWORK_SINCE else 0,
        SOCKETS_AND_SIGNALS if version >= SCOPES_SINCE else 0,
    )
    known = 1 + (version >= NETWORK_SINCE) + (version >= SCOPES_SINCE)
    attributes = (ctypes.c_uint64 * 3)(*fields)
    ruleset = call(libc, CREATE_RULESET, attributes, ctypes.c_size_t(8 * known), 0)
    if ruleset < 0:
        return False
    try:
        for paths, allowed in ((readable, READING & rights), (writable, rights)):
            for path in paths:
                allow(libc, ruleset, path, allowed)
        return call(libc, RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Add the rights below one path, of which a file has only some."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_A_FILE
        rule = rights.to_bytes(8, "little") + place.to_bytes(4, "little")  # packed: 12 bytes
        call(libc, ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def call(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    result: int = libc.syscall(ctypes.c_long(number), *arguments)
    return result
