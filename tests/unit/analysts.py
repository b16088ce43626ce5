"""Analysts for tests: what they answer is written beside the question."""

from collections.abc import Mapping
from concurrent.futures import Future

from retrieval.analyst.questions import Answer, Question, Wanted
from retrieval.symbols.answers import DeclaredNames


class ScriptedAnalyst:
    """Knows the names that may follow some texts, each given by how it ends.

    In the same way the keywords of calls.
    """

    def __init__(
        self, names: Mapping[str, str], calls: Mapping[str, str] = {}, *, complete: bool = True
    ) -> None:
        self._names = {Wanted.NAMES: names, Wanted.CALL: calls}
        self._complete = complete
        self.asked: list[str] = []

    def ask(self, question: Question) -> Future[Answer | None]:
        self.asked.append(question.before)
        names = self._names[question.wanted]
        known = [names[end] for end in names if question.before.endswith(end)]
        answer: Future[Answer | None] = Future()
        answer.set_result(Answer(frozenset(known[0].split()), self._complete) if known else None)
        return answer

    def close(self) -> None: ...


class DeclaredAnalyst:
    """Knows what the files of a workspace declare, at once."""

    def __init__(self) -> None:
        self._names = DeclaredNames()
        self.asked: list[str] = []

    def ask(self, question: Question) -> Future[Answer | None]:
        self.asked.append(question.before)
        answer: Future[Answer | None] = Future()
        answer.set_result(self._names.answer(question))
        return answer

    def close(self) -> None: ...


class FrozenAnalyst:
    """Never answers."""

    def ask(self, question: Question) -> Future[Answer | None]:
        return Future()

    def close(self) -> None: ...
