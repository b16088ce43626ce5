"""No name that is not defined: what a statement reads is in scope where it stands.

A name may be bound further right, as in a comprehension, so statements are judged as a whole.
Scopes are read off the text itself: nothing has to be asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

from completion.monitors.bindings import first_indent, names_in
from completion.monitors.existing_names import Settled, WrongName
from completion.monitors.questions import Names


@dataclass(frozen=True, slots=True)
class NamesInScope:
    """Of one request, so many bytes of whose text are `typed`: what ends in them is not judged.

    `in_scope` tells what may be read by a statement on the cursor's line, so far indented, None for
    anything; `rest` is what follows the cursor on its line.
    """

    in_scope: Callable[[bytes], Names | None]
    rest: bytes
    typed: int

    def find_wrong(self, text: bytes, settled: Settled, *, ended: bool) -> WrongName | None:
        whole = text + self.rest if ended else text[: text.rfind(b"\n") + 1]
        if len(whole) <= self.typed or (names := names_in(whole)) is None:
            return None
        for one in names.read:
            before, end = text[: one.start], one.start + len(one.name)
            if end <= self.typed or end > len(text) or settled.get(before) == one.name:
                continue
            if one.name in names.bound or not one.name.isascii():
                continue  # Python takes letters that look alike for the same
            known = self.in_scope(first_indent(text))
            if known is None or one.name in known:
                continue
            begun = text[one.start : max(one.start, self.typed)]
            names_there = known | names.bound
            if existing := frozenset(name for name in names_there if name.startswith(begun)):
                return WrongName(before, one.name, existing)
        return None
