"""The near side of the fence around a generated program: puts it up, then becomes the program.

It runs in the process that is to be fenced in and needs nothing but the standard library. What it
puts up is the kernel's, holds for native code too, and cannot be taken down from inside:

- limits on memory, on time on the processor, on each file and on open files;
- namespaces, where the kernel lets a process make them: no network, files read-only outside of the
  scratch folder, which is then kept in memory and of limited size, and no process that stays;
- Landlock: no contents of any file but the interpreter's, its libraries' and the scratch folder's;
- seccomp: no other process, no signal to one, no socket, nothing that changes the machine.

Then the interpreter starts anew, so that nothing of this module, `ctypes` above all, is left in it.
On macOS there are the limits alone.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

from evaluation.landlock import restrict_files
from evaluation.system_calls import refuse_system_calls

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x8000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x4000, 0x40000
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
SYS_MOUNT_SETATTR = 442  # the same number on every architecture since Linux 5.12
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CAPABILITY_VERSION, CAPABILITIES = 0x20080522, 64
OPEN_FILES, THREADS, SCRATCH_FILES = 64, 256, 4096
READ_BY_LOADER = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")
INTERPRETER = os.path.realpath(sys.executable)  # itself, not a link to it from an environment


def main() -> None:
    """Do as the order says, which is the last argument; the verdict's pipe gets what went wrong."""
    order = json.loads(sys.argv[-1])
    try:
        limit_resources(order)
        if sys.platform == "linux":
            fence_in(order)
        os.execve(INTERPRETER, command(order), {})  # noqa: S606 - there is no shell to it
    except Exception as error:
        os.write(order["verdict"], f"{type(error).__name__}: {error}".encode())
        os._exit(1)


def command(order: dict[str, Any]) -> list[str]:
    """The interpreter without environment, site packages or bytecode writing."""
    return [INTERPRETER, "-I", "-S", "-B", "-X", "utf8", order["child"], json.dumps(order)]


def fence_in(order: dict[str, Any]) -> None:
    """All of the kernel's fences, as far as it has them; does not return where it has seccomp."""
    libc = ctypes.CDLL(None, use_errno=True)
    entered = enter_namespaces(libc, order["scratch"], order["disk_bytes"])
    if CLONE_NEWPID in entered:
        become_first_process(libc, order["cpu_seconds"])
    if CLONE_NEWUSER in entered:  # elsewhere this would count what else the user runs
        limit(resource.RLIMIT_NPROC, THREADS, THREADS)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    drop_capabilities(libc)
    own_libraries = (*sys.path[:-1], f"{sys.base_exec_prefix}/lib")
    readable = (order["child"], *own_libraries, *mapped_files(), *READ_BY_LOADER, *DEVICES)
    restrict_files(libc, (*readable, *order["folders"]), (order["scratch"], "/dev/null"))
    path = ctypes.create_string_buffer(os.fsencode(INTERPRETER))
    arguments = [os.fsencode(argument) for argument in command(order)]
    vector = (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)
    environment = (ctypes.c_char_p * 1)(None)
    refuse_system_calls(
        libc,
        os.getpid(),
        ctypes.addressof(path),
        attributes_too=CLONE_NEWNS not in entered,
    )
    libc.execve(path, vector, environment)
    raise OSError(ctypes.get_errno(), "the interpreter cannot be started inside the fence")


def mapped_files() -> set[str]:
    """The interpreter and what it has loaded so far, wherever a system keeps its libraries."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        return {line.split(maxsplit=5)[-1].rstrip("\n") for line in file if "/" in line}


def limit_resources(order: dict[str, Any]) -> None:
    """Limits in bytes and seconds; lowered for good, so the program cannot raise them again."""
    limit(resource.RLIMIT_AS, order["memory_bytes"], order["memory_bytes"])
    # SIGXCPU comes at the soft limit and tells why; SIGKILL at the hard one.
    limit(resource.RLIMIT_CPU, order["cpu_seconds"], order["cpu_seconds"] + 1)
    limit(resource.RLIMIT_FSIZE, order["file_bytes"], order["file_bytes"])
    limit(resource.RLIMIT_CORE, 0, 0)
    limit(resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)


def limit(kind: int, soft: int, most: int) -> None:
    known = resource.getrlimit(kind)[1]
    hard = most if known == resource.RLIM_INFINITY else min(most, known)
    resource.setrlimit(kind, (min(soft, hard), hard))


def enter_namespaces(libc: ctypes.CDLL, scratch: str, disk_bytes: int) -> frozenset[int]:
    """Leave the machine's network, processes and writable files as far as the kernel lets us.

    Returns the namespaces that were entered, none where it is forbidden. A new user namespace makes
    the others possible without being root; some containers forbid just that one.
    """
    user, group = os.geteuid(), os.getegid()
    others = (CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID)
    for wanted in (
        (CLONE_NEWUSER, *others),
        others,
        (CLONE_NEWUSER, CLONE_NEWNET),
        (CLONE_NEWNET,),
    ):
        if libc.unshare(sum(wanted)) == 0:
            break
    else:
        return frozenset()
    if CLONE_NEWUSER in wanted:
        # Files are made in the name of a user that the new namespace knows.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    if CLONE_NEWNS in wanted and not confine_writing(libc, scratch, disk_bytes):
        return frozenset(wanted) - {CLONE_NEWNS}
    return frozenset(wanted)


def confine_writing(libc: ctypes.CDLL, scratch: str, disk_bytes: int) -> bool:
    """Every mount read-only, and the scratch folder one of its own in memory, of limited size.

    Returns whether the kernel did all of it.
    """
    path = os.fsencode(scratch)
    options = f"size={disk_bytes},nr_inodes={SCRATCH_FILES},mode=700".encode()
    in_memory = ctypes.c_ulong(MS_NOSUID | MS_NODEV)

    def set_attributes(target: bytes, flags: int, add: int, remove: int) -> bool:
        attributes = (ctypes.c_uint64 * 4)(add, remove, 0, 0)
        number, size = ctypes.c_long(SYS_MOUNT_SETATTR), ctypes.c_size_t(32)
        result: int = libc.syscall(number, AT_FDCWD, target, flags, attributes, size)
        return result == 0

    return (
        libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) == 0
        and libc.mount(b"scratch", path, b"tmpfs", in_memory, options) == 0
        and set_attributes(b"/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0)
        and set_attributes(path, 0, 0, MOUNT_ATTR_RDONLY)
    )


def become_first_process(libc: ctypes.CDLL, cpu_seconds: int) -> None:
    """Go on as the first process of the new namespace: with it, the kernel ends all the others.

    The old process stays to hand its end on: the exit status, or 128 and the signal's number. A
    first process is deaf to SIGXCPU, so the kernel ends it with SIGKILL a second later.
    """
    child = os.fork()
    if child:
        _, wait_status, usage = os.wait4(child, 0)
        status = os.waitstatus_to_exitcode(wait_status)
        if status == -signal.SIGKILL and usage.ru_utime + usage.ru_stime >= cpu_seconds:
            status = -signal.SIGXCPU
        os._exit(status if status >= 0 else 128 - status)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_capabilities(libc: ctypes.CDLL) -> None:
    """Give up for good what root, or the first user of a namespace, may do beyond others."""
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    libc.capset(header, none)
