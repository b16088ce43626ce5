"""A person at work on several files, at random but always the same by seed."""

import random
from collections.abc import Mapping

from completion.values import CompletionRequest

LONGEST = 30_000  # characters of a text, so that pasting does not go on for ever
BLOCKS = (
    "def add(first, second):\n    return first + second\n\n\n",
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n",
    "for name in names:\n    print(name, end='')\n\n    total = total + 1\n",
)


class Typist:
    """Edits some texts at random: types, deletes, pastes, jumps, undoes, renames."""

    def __init__(self, texts: Mapping[str, str], seed: int) -> None:
        self._choose = random.Random(seed)
        self._texts, self._undo = dict(texts), dict(texts)
        self._places = {name: len(text) // 2 for name, text in texts.items()}
        self._document = next(iter(texts))

    def next_request(self) -> CompletionRequest:
        choose = self._choose
        if choose.random() < 0.1:
            self._document = choose.choice(list(self._texts))
        name, text = self._document, self._texts[self._document]
        place = min(self._places[name], len(text))
        match choose.randrange(8):
            case 0 | 1 | 2:
                new = choose.choice(["x", "(", "\n    ", "self.", "def add("])
                text, place = text[:place] + new + text[place:], place + len(new)
            case 3:
                start = max(0, place - choose.randrange(1, 9))
                text, place = text[:start] + text[place:], start
            case 4:
                block = choose.choice(BLOCKS)
                above = choose.randrange(place + 1)
                text, place = text[:above] + block + text[above:], place + len(block)
            case 5:
                place = choose.randrange(len(text) + 1)
            case 6:
                text, self._undo[name] = self._undo[name], text
            case 7:
                text = text.replace(*choose.choice([("point", "p"), ("first", "one"), ("x", "y")]))
                text = text[-LONGEST:] or BLOCKS[0]
        self._texts[name], self._places[name] = text, min(place, len(text))
        place = self._places[name]
        return CompletionRequest(name, text[:place], text[place:])
