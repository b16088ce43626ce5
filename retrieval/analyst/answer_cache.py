"""Answers that were given, by what was asked.

A question's text ends where the identifier starts, so it stays the same while that identifier is
typed. The key is all of the text: an attribute may be assigned anywhere in a file. Other files
change without notice, so an answer also has an age beyond which it is asked for again.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from retrieval.analyst.questions import Answer, Question

MOST_ANSWERS = 256
OLDEST = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Known:
    """What was answered, None included, and when."""

    answer: Answer | None
    at: float


@dataclass(slots=True)
class AnswerCache:
    """The latest answers. Any thread may look; time is given by whoever does."""

    _known: "OrderedDict[bytes, Known]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, question: Question, now: float) -> Known | None:
        key = key_of(question)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                return None
            if now - known.at > OLDEST:
                del self._known[key]
                return None
            self._known.move_to_end(key)
            return known

    def put(self, question: Question, answer: Answer | None, now: float) -> None:
        key = key_of(question)
        with self._lock:
            self._known[key] = Known(answer, now)
            self._known.move_to_end(key)
            while len(self._known) > MOST_ANSWERS:
                self._known.popitem(last=False)


def key_of(question: Question) -> bytes:
    parts = (question.path, question.root, question.before, question.after, question.wanted.value)
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()
