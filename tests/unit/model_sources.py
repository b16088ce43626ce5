"""A hub on this machine, a folder of wheels, and a made-up catalogue entry that both can bring."""

import hashlib
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from models.catalogue import CatalogueEntry, HubFile, WheelMember

REPOSITORY = "someone/tiny"
REVISION = "c0ffee" + "0" * 34


@dataclass
class FakeHub:
    """What the hub answers; tests change it while it runs."""

    files: dict[str, bytes] = field(default_factory=dict)
    break_after: int | None = None  # close the connection after so many bytes of a file
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def downloads(self) -> int:
        """How many times a file, or the rest of one, was asked for."""
        return sum("GET" in request and "/resolve/" in request for request in self.requests)


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    """A hub of the one repository `REPOSITORY`."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            hub.requests.append(f"{self.command} {self.path}")
            name = self.path.rpartition("/")[2]
            if f"/api/models/{REPOSITORY}/tree/" in self.path:
                tree = [
                    {"type": "file", "path": file, "size": len(body), "oid": "0" * 40}
                    for file, body in hub.files.items()
                ]
                self.reply(json.dumps(tree).encode(), with_body)
            elif f"/api/models/{REPOSITORY}/" in self.path:
                listed = [{"rfilename": file} for file in hub.files]
                about = {"id": REPOSITORY, "sha": REVISION, "siblings": listed}
                self.reply(json.dumps(about).encode(), with_body)
            elif f"/{REPOSITORY}/resolve/" in self.path and name in hub.files:
                self.reply(hub.files[name], with_body)
            else:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def reply(self, body: bytes, with_body: bool) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start, whole = int(asked[1]) if asked else 0, len(body)
            self.send_response(206 if asked else 200)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            body = body[start:]
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", REVISION)
            self.end_headers()
            if with_body:
                self.wfile.write(body[: hub.break_after])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def write_wheels(entry: CatalogueEntry, content: bytes, folder: Path) -> list[Path]:
    """The entry's wheels in `folder`, each holding its equal part of `content`."""
    folder.mkdir(exist_ok=True)
    size = -(-len(content) // len(entry.wheels))
    return [
        write_wheel(member, content[i * size : (i + 1) * size], folder)
        for i, member in enumerate(entry.wheels)
    ]


def write_wheel(member: WheelMember, content: bytes, folder: Path) -> Path:
    name = member.distribution.replace("-", "_")
    about = f"{name}-{member.version}.dist-info"
    wheel = folder / f"{name}-{member.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(member.member, content)
        archive.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {member.distribution}\nVersion: {member.version}\n",
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return wheel


def made_up_entry(content: bytes) -> CatalogueEntry:
    """A catalogue entry for a file of that content, on the hub and in two wheels."""
    return CatalogueEntry(
        name="tiny",
        description="A small random model",
        license="Apache-2.0",
        parameters="0B",
        file="tiny.gguf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        hub=HubFile(REPOSITORY, "tiny.gguf"),
        wheels=tuple(
            WheelMember(f"tiny-model-part{n}", "1.0", f"tiny_model/part{n}.bin") for n in (1, 2)
        ),
    )
