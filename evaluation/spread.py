"""Work spread over the nodes of a Ray cluster, or done here one after another.

The cluster is one that the user runs and named; none is ever started. Its nodes have this version
of Pirouette installed. Items and results are sent as pickles between processes of that cluster,
which trust one another. This module must not know what the work is.
"""

import importlib
import re
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    chdir,
    contextmanager,
    redirect_stdout,
)
from typing import Any, Generic, TypeVar

from evaluation.provenance import SOURCE
from models.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

ANY = "auto"  # the cluster that this machine belongs to
# Makes what does one item at a time.
MakeWorker = Callable[[], AbstractContextManager[Callable[[Item], Result]]]

LAST_SECONDS = 10.0  # in which workers close what they have opened
ADDRESS = re.compile(rf"{ANY}|[^\s:/]+:\d+")  # any other would have Ray start a cluster, or proxy
CONNECT_SECONDS = 10.0


def spread(
    items: Sequence[Item],
    make_worker: MakeWorker[Item, Result],
    address: str | None,
    on_result: Callable[[Item, Result], None],
) -> list[Result]:
    """The result of each item, in order, by workers that `make_worker` makes, and closes at the
    end.

    Without an `address` one worker does them all, here. With the `HOST:PORT` of a cluster that this
    machine belongs to, or `auto`, each node makes one worker, for which all its processors are
    taken; the items of one that is lost are done again by the others. Each result is given to
    `on_result`, here, as soon as it is there. What a worker raises ends the run. Raises
    `InputError` where the cluster is not there, or loses all workers.
    """
    if not items:
        return []
    if address is not None:
        return over_cluster(items, make_worker, address, on_result)
    results: list[Result] = []
    with make_worker() as work:
        for item in items:
            results.append(work(item))
            on_result(item, results[-1])
    return results


class Worker(Generic[Item, Result]):
    """What a node runs: it makes its worker once, and has it do one item at a time."""

    def start(self, make_worker: MakeWorker[Item, Result]) -> None:
        self._open = ExitStack()
        self._work = self._open.enter_context(make_worker())

    def do(self, item: Item) -> Result:
        return self._work(item)

    def end(self) -> None:
        self._open.close()


def over_cluster(
    items: Sequence[Item],
    make_worker: MakeWorker[Item, Result],
    address: str,
    on_result: Callable[[Item, Result], None],
) -> list[Result]:
    require_cluster(address)
    ray = import_ray()
    with redirect_stdout(sys.stderr), connected(ray, address):  # Ray prints what is lost
        workers = [worker_on(ray, node) for node in usable_nodes(ray, address)]
        try:
            results = all_done(ray, items, workers, make_worker, on_result)
        finally:
            ends = [worker.end.remote() for worker in workers]
            ray.wait(ends, num_returns=len(ends), timeout=LAST_SECONDS)
    return [results[index] for index in range(len(items))]


def all_done(
    ray: Any,
    items: Sequence[Item],
    workers: Sequence[Any],
    make_worker: MakeWorker[Item, Result],
    on_result: Callable[[Item, Result], None],
) -> dict[int, Result]:
    """The results by the numbers of their items."""
    busy: dict[Any, tuple[Any, int | None]] = {
        worker.start.remote(make_worker): (worker, None) for worker in workers
    }
    waiting = deque(range(len(items)))
    idle: list[Any] = []
    results: dict[int, Result] = {}
    while len(results) < len(items):
        while waiting and idle:
            worker, index = idle.pop(), waiting.popleft()
            busy[worker.do.remote(items[index])] = worker, index
        if not busy:
            raise InputError(
                f"all {len(workers)} workers of the cluster were lost; look into its logs and "
                "run it again, what was done is kept"
            )
        (done, *_), _ = ray.wait(list(busy), num_returns=1)
        worker, of = busy.pop(done)
        try:
            result = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError:  # the worker was lost, or its node
            waiting.extendleft([] if of is None else [of])
            continue
        idle.append(worker)
        if of is not None:
            results[of] = result
            on_result(items[of], result)
    return results


def import_ray() -> Any:
    """Ray, which only this needs."""
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise InputError(
            "spreading work needs the package ray; run: pip install 'pirouette-lsp[cluster]'"
        ) from None


def require_cluster(address: str) -> None:
    """Raise `InputError` now for what cannot be the address of one, or without Ray."""
    if not ADDRESS.fullmatch(address):
        raise InputError(f"'{address}' is no address of a cluster; name HOST:PORT, or auto")
    import_ray()


@contextmanager
def connected(ray: Any, address: str) -> Iterator[None]:
    """Beside a cluster, which loses this run's workers afterwards."""
    try:
        if address != ANY:
            host, _, port = address.rpartition(":")
            # Where nobody listens Ray would try for minutes, and then end this process.
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        with chdir(SOURCE):  # workers look for modules where this process is: never in a workspace
            ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, RuntimeError, ValueError, OverflowError, SystemExit) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"no cluster answers at {address} ({reason}); start it with 'ray start' on each machine"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def usable_nodes(ray: Any, address: str) -> list[tuple[str, int]]:
    """The nodes that have processors, with how many; there is at least one."""
    found = [
        (node["NodeID"], int(node["Resources"].get("CPU", 0)))
        for node in ray.nodes()
        if node["Alive"]
    ]
    usable = [(node, processors) for node, processors in found if processors]
    if not usable:
        raise InputError(f"the cluster at {address} has no processors; add nodes that have some")
    return usable


def worker_on(ray: Any, node: tuple[str, int]) -> Any:
    """A worker that takes all processors of one node, once they are free."""
    name, processors = node
    there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(name, soft=False)
    return ray.remote(Worker).options(num_cpus=processors, scheduling_strategy=there).remote()
