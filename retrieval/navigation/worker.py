"""The navigation process: questions about names come in, what is found goes out, a line each.

    python -P -m retrieval.navigation.worker '{"environment": null}'

It is fenced in like the analyst's (see `retrieval.analyst.worker`), and apart from it, so that a
search through a workspace holds up no suggestion. One question at a time; one that is withdrawn is
given up where jedi keeps no half-done work. It must not know who asks.
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrieval.analyst import messages
from retrieval.analyst.worker import (
    Deadline,
    Inside,
    OutOfTimeError,
    go_inside,
    send,
    take_standard_output,
    tidy,
)
from retrieval.navigation.jedi_places import find
from retrieval.navigation.overlay import Overlay
from retrieval.navigation.questions import Found, found_to, question_from


@dataclass(slots=True)
class InHand:
    """The question that is worked on, which another thread may withdraw."""

    deadline: Deadline
    number: int = 0
    withdrawn: int = 0  # the last one of these
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, number: int, seconds: float) -> None:
        with self.lock:
            self.number = number
            self.deadline.at = time.monotonic() + seconds if number > self.withdrawn else 0.0

    def withdraw(self, number: int) -> None:
        with self.lock:
            self.withdrawn = number
            if number == self.number:
                self.deadline.at = 0.0

    def end(self) -> None:
        with self.lock:
            self.number, self.deadline.at = 0, float("inf")


def main() -> None:
    answers = take_standard_output()
    inside = go_inside(json.loads(sys.argv[1])["environment"])
    overlay, in_hand = Overlay(), InHand(inside.deadline)
    overlay.install()
    send(answers, {"ready": True})
    for message in questions_of_input(in_hand):
        send(answers, reply(message, inside, overlay, in_hand))
        tidy()


def questions_of_input(in_hand: InHand) -> Iterator[dict[str, Any]]:
    """Questions as they come; the process ends with its input, even in the middle of one."""
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if "withdrawn" in message:
                in_hand.withdraw(message["withdrawn"])
            else:
                waiting.put(message)
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="input").start()
    while True:
        yield waiting.get()


def reply(
    message: dict[str, Any], inside: Inside, overlay: Overlay, in_hand: InHand
) -> dict[str, Any]:
    found: Found | None = None
    problem = ""
    sent = question_from(message)
    in_hand.begin(sent.number, sent.seconds)
    try:
        with overlay.of(sent.question.opened):
            found = find(sent.question, inside.search_path, inside.deadline)
    except OutOfTimeError:
        problem = messages.OUT_OF_TIME
    except Exception as error:  # jedi fails in many ways on half-written code
        problem = type(error).__name__
    finally:
        in_hand.end()
    return {"id": sent.number, "found": found_to(found), "problem": problem}


if __name__ == "__main__":
    main()
