"""How the model's threads share the processor, with one another and with all that runs beside them.

torch shares each product among threads that wait for one another, hundreds of times a token. Read
once by OpenMP, when torch is first imported.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOW_THREADS_SHARE = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "20000",  # about half a millisecond
    "OMP_PROC_BIND": "close",
    "OMP_PLACES": "cores",
}
PROCESSORS = "PIROUETTE_PROCESSORS"  # what this process may use, for those that it starts


def share_the_processor() -> None:
    """Give each of torch's threads a core of its own, and let them wait a moment, then sleep.

    Two of them on one core wait for one another by the clock: passes took up to three times as long
    beside another busy program, and at times ten times as long with none. Waking takes as long as
    many of the products they share: threads that sleep at once took half as long again for a step.
    Those that wait for long keep other programs, and one another, from working (`docs/engine.md`).
    """
    for name, value in HOW_THREADS_SHARE.items():
        os.environ.setdefault(name, value)
    if hasattr(os, "sched_setaffinity"):
        os.environ.setdefault(PROCESSORS, ",".join(map(str, sorted(os.sched_getaffinity(0)))))
        use_all_processors()


def processor_count() -> int:
    """How many processors this process may use, whichever one its thread is bound to."""
    if PROCESSORS in os.environ:
        return len(os.environ[PROCESSORS].split(","))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_all_processors() -> None:
    """Let this thread, and what it starts, run on any processor that the process may use.

    The thread that imports torch is put on the first core, as each is that computes with it; a
    process or thread that such a thread starts would have no other.
    """
    if hasattr(os, "sched_setaffinity") and PROCESSORS in os.environ:
        with suppress(OSError, ValueError):  # they were taken away, or someone else wrote this
            os.sched_setaffinity(0, set(map(int, os.environ[PROCESSORS].split(","))))


@contextmanager
def all_processors() -> Iterator[None]:
    """For what is started here only: this thread is then bound again as it was."""
    own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    use_all_processors()
    try:
        yield
    finally:
        if own is not None:
            os.sched_setaffinity(0, own)
