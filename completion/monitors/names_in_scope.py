"""No name that is not defined: what a statement reads is known where it stands.

A name may be bound further right, as in a comprehension, so statements are judged as a whole.
"""

from collections.abc import Container
from dataclasses import dataclass
from keyword import iskeyword

from completion.monitors.existing_names import WrongName
from completion.monitors.questions import Lookup
from completion.monitors.read_names import names_in
from completion.monitors.receivers import indent_of


@dataclass(frozen=True, slots=True)
class NamesInScope:
    """Of one request, so many bytes of whose text are `typed`: what ends in them is not judged.

    `rest` is what follows the cursor on its line.
    """

    lookup: Lookup
    rest: bytes
    typed: int

    def find_wrong(
        self, text: bytes, settled: Container[bytes], *, ended: bool
    ) -> WrongName | None:
        whole = text + self.rest if ended else text[: text.rfind(b"\n") + 1]
        if len(whole) <= self.typed or (names := names_in(whole)) is None:
            return None
        for one in names.read:
            before, end = text[: one.start], one.start + len(one.name)
            if end <= self.typed or end > len(text) or before in settled:
                continue
            if one.name in names.bound:
                continue
            if (known := self.lookup.names(indent_of(text) + b"return ")) is None:
                return None
            if one.name in known:
                continue
            begun = text[one.start : max(one.start, self.typed)]
            existing = frozenset(
                name
                for name in known | names.bound
                if name.startswith(begun) and not iskeyword(name.decode())
            )
            if existing:
                return WrongName(before, one.name, existing)
        return None
