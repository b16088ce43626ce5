"""Several suggestions to choose from, over the protocol, by the real default model."""

from pathlib import Path

import pytest

from tests.protocol.sessions import session

TEXT = (
    "import os\n\n\ndef size_of(path: str) -> int:\n    \n\n\ndef main() -> None:\n    print(1)\n"
)

pytestmark = pytest.mark.model


async def test_by_hand_there_are_several_and_one_else(tmp_path: Path) -> None:
    options = {"suggestions": 3, "maxTokens": 16, "contextTokens": 256, "debounceMs": 0}
    async with session(tmp_path, options=options) as editor:
        uri = editor.open("several.py", TEXT)
        shown = await editor.ask(uri, 4, 4, invoked=False)
        [first] = [str(item.insert_text) for item in shown.items]
        several = await editor.suggestions(uri, 4, 4)
        assert several[0] == first
        assert len(set(several)) == len(several) == 3
        assert all(text.strip() for text in several)
        assert await editor.suggestions(uri, 4, 4) == several
