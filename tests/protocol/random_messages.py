"""Random messages of an editor, legal ones and illegal ones, drawn from a seed.

Of the documents whose changes are all legal the expected text is kept, by the rules of the protocol
alone: positions count UTF-16 units, and beyond the end of a line or a text they mean that end.
"""

import copy
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

Message = dict[str, Any]

LINE_ENDS = re.compile(r"\r\n|\n|\r")
PIECES = (
    *("value = compute(1)\n", "def f(x):\n    return x\n", "import os\r\n", "os.path.", "\r", "\n"),
    *("\x0c\u2028", "'''", "# \N{SMILING FACE WITH SUNGLASSES}\n", "\ud83d", "\ude0e", "\x00", "é"),
    *("x", "", " ", "    ", "class A:\n    def m(self): ...\n", "f(", ")", "%time\n", "!ls\n"),
)
ODD_URIS = (
    *(
        "",
        "file:",
        "file://[",
        "file:///a%00b.py",
        "file:///%FF.py",
        "untitled:1",
        "no uri",
        "\ud800",
    ),
    *(
        "file:///" + "x" * 5000 + ".py",
        "http://[::1",
        "vscode-notebook-cell:/a.ipynb#1",
        "file://h/x",
    ),
)
JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        2**31,
        10**30,
        10**400,
        1.5,
        float("nan"),
        float("inf"),
        "",
        "junk",
        "\ud800",
    ),
    *([], [[]], {}, {"a": {"b": []}}, [None], {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": 1}),
)
AT_A_PLACE = (
    *("hover", "signatureHelp", "definition", "declaration", "typeDefinition", "documentHighlight"),
    "prepareRename",
)
OF_A_DOCUMENT = ("documentSymbol", "foldingRange")
SETTINGS = ("debounceMs", "minimumConfidence", "suggestions", "indentation", "maxTokens", "colour")


def index_of(text: str, line: int, character: int) -> int:
    """Where a position is in a text."""
    starts = [0, *(end.end() for end in LINE_ENDS.finditer(text))]
    if line >= len(starts):
        return len(text)
    end = LINE_ENDS.search(text, starts[line])
    units = 0
    for index in range(starts[line], len(text) if end is None else end.start()):
        units += 1 + (ord(text[index]) > 0xFFFF)
        if units > character:
            return index
    return len(text) if end is None else end.start()


def changed(text: str, change: Message) -> str:
    """A text after one change of its content."""
    if "range" not in change:
        return str(change["text"])
    first, last = change["range"]["start"], change["range"]["end"]
    places = (index_of(text, at["line"], at["character"]) for at in (first, last))
    start, end = sorted(places)
    return f"{text[:start]}{change['text']}{text[end:]}"


@dataclass(slots=True)
class Editor:
    """Draws messages; `texts` are those that the server must have, `requests` the ids of which each
    must have one answer."""

    draw: random.Random
    folder: str
    texts: dict[str, str] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)

    def legal(self) -> Message:
        kinds: tuple[tuple[float, Callable[[], Message]], ...] = (
            (50, self.change),
            (4, self.open),
            (2, self.close),
            (8, self.inline_completion),
            (1, self.completion),
            (8, self.about_a_place),
            (4, self.about_a_document),
            (3, self.about_more),
            (3, self.about_the_workspace),
            (4, self.cancel),
            (6, self.notebook),
            (2, self.other_notification),
        )
        weights = [weight for weight, _ in kinds]
        (_, make) = self.draw.choices(kinds, weights)[0]
        return make()

    def any(self) -> Any:
        """What may be legal or not, and touches no document whose text is expected."""
        kind = self.draw.random()
        if kind < 0.4:
            return self.legal()
        if kind < 0.8:
            return self.broken(self.harmless())
        return self.shapeless()

    # Legal messages

    def text(self) -> str:
        if self.draw.random() < 0.002:
            return self.draw.choice(("x", "é", "( ")) * 20_000
        drawn = "".join(self.draw.choices(PIECES, k=self.draw.randrange(4)))
        return str(json.loads(json.dumps(drawn)))  # halves of a character that meet are one

    def position(self) -> Message:
        far = self.draw.random() < 0.05
        most = 2**31 if far else 30
        return {"line": self.draw.randrange(most), "character": self.draw.randrange(most)}

    def range(self) -> Message:
        """Backwards as likely as forwards."""
        start, end = self.position(), self.position()
        return {"start": start, "end": start if self.draw.random() < 0.4 else end}

    def uri(self) -> str:
        """Mostly of a document that is open."""
        if self.texts and self.draw.random() < 0.9:
            return self.draw.choice(list(self.texts))
        return self.draw.choice((*ODD_URIS, f"{self.folder}/never.py"))

    def request(self, method: str, params: Any) -> Message:
        self.requests.append(len(self.requests) + 1)
        return notification(method, params) | {"id": self.requests[-1]}

    def open(self) -> Message:
        name = self.draw.choice(("a.py", "b.py", "c.ts", "d.txt", "e.go", ".env"))
        uri, text = f"{self.folder}/{name}", self.text()
        self.texts[uri] = text
        return opened(uri, text)

    def close(self) -> Message:
        uri = self.uri()
        self.texts.pop(uri, None)
        return notification("textDocument/didClose", {"textDocument": {"uri": uri}})

    def change(self) -> Message:
        uri = self.uri()
        changes = [self.content_change() for _ in range(self.draw.choice((0, 1, 1, 1, 1, 2, 3)))]
        if len(self.texts.get(uri, "")) > 100_000:
            changes.append({"text": ""})
        if uri in self.texts:
            for change in changes:
                self.texts[uri] = changed(self.texts[uri], change)
        document = {"uri": uri, "version": self.draw.randrange(-5, 1000)}
        params = {"textDocument": document, "contentChanges": changes}
        return notification("textDocument/didChange", params)

    def content_change(self) -> Message:
        if self.draw.random() < 0.02:
            return {"text": self.text()}
        return {"range": self.range(), "text": self.text()}

    def place(self) -> Message:
        return {"textDocument": {"uri": self.uri()}, "position": self.position()}

    def inline_completion(self) -> Message:
        context: Message = {"triggerKind": self.draw.randrange(3)}
        if self.draw.random() < 0.3:
            context["selectedCompletionInfo"] = {"range": self.range(), "text": self.text()}
        return self.request("textDocument/inlineCompletion", self.place() | {"context": context})

    def completion(self) -> Message:
        if self.draw.random() < 0.5:
            return self.request("textDocument/completion", self.place())
        data = self.draw.choice((None, 7, {}, {"uri": self.uri(), "line": 0, "character": 0}))
        return self.request("completionItem/resolve", {"label": "x", "data": data})

    def about_a_place(self) -> Message:
        return self.request(f"textDocument/{self.draw.choice(AT_A_PLACE)}", self.place())

    def about_a_document(self) -> Message:
        params = {"textDocument": {"uri": self.uri()}}
        return self.request(f"textDocument/{self.draw.choice(OF_A_DOCUMENT)}", params)

    def about_more(self) -> Message:
        place = self.place()
        positions = [self.position() for _ in range(self.draw.randrange(3))]
        document = {"textDocument": place["textDocument"]}
        more: tuple[tuple[str, Message], ...] = (
            ("rename", place | {"newName": self.draw.choice(("", "name", "2", "a b", "\ud800"))}),
            ("references", place | {"context": {"includeDeclaration": True}}),
            ("selectionRange", document | {"positions": positions}),
            ("codeAction", document | {"range": self.range(), "context": {"diagnostics": []}}),
        )
        method, params = self.draw.choice(more)
        return self.request(f"textDocument/{method}", params)

    def about_the_workspace(self) -> Message:
        if self.draw.random() < 0.9:
            return self.request("workspace/symbol", {"query": self.text()})
        return self.request("workspace/executeCommand", {"command": "pirouette.index"})

    def cancel(self) -> Message:
        number = max(1, len(self.requests) - self.draw.randrange(4))
        return notification("$/cancelRequest", {"id": number})

    def notebook(self) -> Message:
        uri = f"{self.folder}/{self.draw.choice(('n', 'm'))}.ipynb"
        names = self.draw.sample(range(6), 3)
        cells = [{"kind": self.draw.choice((1, 2)), "document": f"{uri}#{n}"} for n in names]
        items = [opened(f"{uri}#{n}", self.text())["params"]["textDocument"] for n in names]
        version = self.draw.randrange(100)
        array = {"start": self.draw.randrange(5), "deleteCount": self.draw.randrange(3)}
        structure = {"array": array | {"cells": cells}, "didOpen": items}
        changes = [self.content_change()]
        content = {"document": {"uri": f"{uri}#{names[0]}", "version": version}, "changes": changes}
        told: tuple[tuple[str, Message], ...] = (
            (
                "didOpen",
                {
                    "notebookDocument": {
                        "uri": uri,
                        "notebookType": "jupyter-notebook",
                        "version": version,
                        "cells": cells,
                    },
                    "cellTextDocuments": items,
                },
            ),
            (
                "didChange",
                {
                    "notebookDocument": {"uri": uri, "version": version},
                    "change": {"cells": {"structure": structure, "textContent": [content]}},
                },
            ),
            ("didClose", {"notebookDocument": {"uri": uri}, "cellTextDocuments": []}),
        )
        if self.draw.random() < 0.5:
            place = {"textDocument": {"uri": cells[0]["document"]}, "position": self.position()}
            if self.draw.random() < 0.3:
                return self.request("textDocument/hover", place)
            context = {"context": {"triggerKind": 1}}
            return self.request("textDocument/inlineCompletion", place | context)
        method, params = self.draw.choice(told)
        return notification(f"notebookDocument/{method}", params)

    def other_notification(self) -> Message:
        settings = {self.draw.choice(SETTINGS): self.draw.choice(JUNK)}
        told: tuple[tuple[str, Any], ...] = (
            ("workspace/didChangeConfiguration", {"settings": {"pirouette": settings}}),
            ("workspace/didChangeConfiguration", {"settings": self.draw.choice(JUNK)}),
            ("workspace/didChangeWatchedFiles", {"changes": []}),
            ("$/setTrace", {"value": "off"}),
            ("window/workDoneProgress/cancel", {"token": "unknown"}),
            ("$/unknown", {}),
        )
        return notification(*self.draw.choice(told))

    # Illegal ones

    def harmless(self) -> Message:
        """A legal message about documents whose texts are not looked at."""
        expected, self.texts = self.texts, {f"{self.folder}/chaos.py": ""}
        try:
            message = self.legal()
        finally:
            self.texts = expected
        told = repr(message["params"])
        if "textDocument" in message["method"] and any(repr(uri) in told for uri in expected):
            return opened(f"{self.folder}/chaos.py", self.text())
        return message

    def broken(self, message: Message) -> Message:
        """The same with something in it left out, or in the place of something else."""
        broken = copy.deepcopy(message)
        inside: Any = broken
        key: Any = self.draw.choice(("params", "params", "params", "params", "method", "jsonrpc"))
        while isinstance(inside[key], (dict, list)) and inside[key] and self.draw.random() < 0.8:
            inside = inside[key]
            keys = list(inside) if isinstance(inside, dict) else range(len(inside))
            key = self.draw.choice(list(keys))
        if isinstance(inside, dict) and key != "method" and self.draw.random() < 0.3:
            del inside[key]
        else:
            inside[key] = self.draw.choice((*JUNK, *ODD_URIS))
        return broken

    def shapeless(self) -> Any:
        """What is no message of the protocol."""
        junk, methods = self.draw.choice(JUNK), list(types.METHOD_TO_TYPES)
        method = self.draw.choice(methods)
        while method in ("shutdown", "exit", "$/cancelRequest"):
            method = self.draw.choice(methods)
        shapes: tuple[Callable[[], Any], ...] = (
            lambda: junk,
            lambda: [self.legal_request()],
            lambda: {"jsonrpc": "2.0"},
            lambda: {"jsonrpc": "2.0", "id": "never asked", "result": junk},
            lambda: {"jsonrpc": "2.0", "id": "never asked", "error": junk},
            lambda: {"jsonrpc": "2.0", "id": junk if not isinstance(junk, str) else None},
            lambda: self.request(method, junk),
            lambda: self.request("no/such/method", junk),
            lambda: self.request(
                self.draw.choice(("", "initialize", "workspace/executeCommand")), {}
            ),
            lambda: self.request("textDocument/didOpen", {"textDocument": {"uri": "x"}}),
            lambda: notification("textDocument/hover", self.place()),
            lambda: notification("no/such/method", junk),
            lambda: notification("$/cancelRequest", {"id": junk}),
        )
        return self.draw.choice(shapes)()

    def legal_request(self) -> Message:
        """One in an array, which the protocol has no answer for."""
        return {"jsonrpc": "2.0", "id": "in an array", "method": "workspace/symbol", "params": {}}


def notification(method: str, params: Any) -> Message:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def opened(uri: str, text: str) -> Message:
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    return notification("textDocument/didOpen", {"textDocument": document})
