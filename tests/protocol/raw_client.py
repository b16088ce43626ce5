"""A client that sends anything at all: JSON-RPC over a server's standard input and output, with no
library between that would refuse to write what is wrong."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Answer = dict[str, Any]


@dataclass(slots=True)
class RawClient:
    """`answers` are all that came, by id; what the server asks is answered by `reply`."""

    process: asyncio.subprocess.Process
    reply: Callable[[Answer], Answer]
    answers: dict[Any, list[Answer]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)  # notifications, by method
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def send(self, message: Any) -> None:
        self.send_text(json.dumps(message))

    def send_text(self, text: str) -> None:
        body = text.encode("utf-8", "surrogatepass")
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def request(self, number: Any, method: str, params: Any = None) -> Answer:
        """The one answer to a request."""
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        await self.answered([number])
        [answer] = self.answers[number]
        return answer

    async def answered(self, numbers: Sequence[Any], seconds: float = 60) -> None:
        """Wait until there is an answer to each."""
        async with asyncio.timeout(seconds), self.came:
            await self.came.wait_for(lambda: all(number in self.answers for number in numbers))

    async def listen(self) -> None:
        """Take all that comes until the server ends."""
        assert self.process.stdout is not None
        while header := await self.process.stdout.readline():
            if not header.startswith(b"Content-Length:"):
                continue
            await self.process.stdout.readuntil(b"\r\n\r\n")
            message = json.loads(await self.process.stdout.readexactly(int(header[15:])))
            if "method" not in message:
                async with self.came:
                    self.answers.setdefault(message["id"], []).append(message)
                    self.came.notify_all()
            elif "id" in message:
                self.send(self.reply(message))
            else:
                self.told[message["method"]] += 1


@asynccontextmanager
async def raw_client(
    command: Sequence[str], log: Path, reply: Callable[[Answer], Answer]
) -> AsyncIterator[RawClient]:
    """A server process that is not initialised yet, and that writes its log into a file."""
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=told,
            limit=1 << 24,
        )
        client = RawClient(process, reply)
        listening = asyncio.create_task(client.listen())
        try:
            yield client
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            listening.cancel()
