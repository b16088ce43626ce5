"""Of the requests of one kind for one document, only the latest is worked on."""

import asyncio

import pytest

from lsp_server.latest_requests import LatestRequests


class Work:
    """Goes on until it is let go; keeps whether it was called off."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.called_off = False

    async def __call__(self) -> str:
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.called_off = True
            raise
        return "done"


async def begun(
    requests: LatestRequests, kind: str, uri: str, work: Work
) -> "asyncio.Task[object]":
    task = asyncio.create_task(requests.run(kind, uri, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_a_newer_request_takes_the_place_of_an_older_one() -> None:
    requests, older, newer = LatestRequests(), Work(), Work()
    first = await begun(requests, "hover", "a.py", older)
    second = await begun(requests, "hover", "a.py", newer)
    assert await first is None
    assert older.called_off
    newer.goes_on.set()
    assert await second == "done"


async def test_other_kinds_and_other_documents_stay() -> None:
    requests = LatestRequests()
    works = [Work() for _ in range(3)]
    keys = ("hover", "a.py"), ("definition", "a.py"), ("hover", "b.py")
    tasks = [await begun(requests, *key, work) for key, work in zip(keys, works, strict=True)]
    for work in works:
        work.goes_on.set()
    assert await asyncio.gather(*tasks) == ["done"] * 3


async def test_a_changed_document_ends_its_work() -> None:
    requests, here, elsewhere = LatestRequests(), Work(), Work()
    first = await begun(requests, "hover", "a.py", here)
    second = await begun(requests, "hover", "b.py", elsewhere)
    requests.call_off("a.py")
    assert await first is None
    elsewhere.goes_on.set()
    assert await second == "done"


async def test_a_request_that_the_client_withdraws_ends_its_work() -> None:
    requests, work = LatestRequests(), Work()
    task = await begun(requests, "hover", "a.py", work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.called_off
