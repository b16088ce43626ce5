"""Answers kept on disk, so that no question is paid for twice.

Each is a file of JSON under the hash of all that it depends on. It appears by one rename, so that
several may write at once. The folder is its owner's alone, since answers may quote code, and may
be deleted at any time.
"""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from evaluation.judges.values import Answer, Message, RatingToken
from models.disk import disk_errors


class KeptAnswers:
    """The answers of one model, by `identity`; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, identity: str) -> None:
        self._folder = folder
        self._identity = identity

    def find(self, conversation: Sequence[Message], limit: int) -> Answer | None:
        """The answer that was kept; one that cannot be read counts as none."""
        if self._folder is None:
            return None
        try:
            return restored(self._path(self._folder, conversation, limit).read_bytes())
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def keep(self, conversation: Sequence[Message], limit: int, answer: Answer) -> None:
        """Raises `DiskSpaceError` where it cannot."""
        if self._folder is None:
            return
        path = self._path(self._folder, conversation, limit)
        with disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as aside:
                aside.write(json.dumps(asdict(answer)).encode())
            Path(aside.name).replace(path)

    def _path(self, folder: Path, conversation: Sequence[Message], limit: int) -> Path:
        asked = {
            "identity": self._identity,
            "conversation": [asdict(message) for message in conversation],
            "limit": limit,
        }
        name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return folder / name[:2] / f"{name[2:]}.json"


def restored(data: bytes) -> Answer:
    """An answer of its JSON. Raises `ValueError`, `TypeError` or `KeyError` where it is none."""
    fields = json.loads(data)
    tokens = fields.pop("rating_tokens")
    ratings = tuple(RatingToken(one["rating"], tuple(one["odds"])) for one in tokens)
    answer = Answer(rating_tokens=ratings, **fields)
    if not isinstance(answer.text, str):
        raise TypeError("an answer without a text")
    return answer
