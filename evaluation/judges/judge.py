"""A judge: tasks in, judgements out, in order.

It puts the prompts, a chat model, the kept answers and the rule of ratings together; it must not
know how a model is reached.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from evaluation.judges.ice_score import PLAIN_TOKENS, STEPS_TOKENS, asked_again, conversation
from evaluation.judges.kept_answers import KeptAnswers
from evaluation.judges.ratings import expected_rating, rating_of
from evaluation.judges.spending import (
    NOTHING_SPENT,
    ONE_KEPT,
    Prices,
    Spent,
    added_up,
    request_of,
    spent_line,
)
from evaluation.judges.values import (
    Answer,
    Aspect,
    ChatModel,
    Judgement,
    JudgeTask,
    Message,
    NoAnswer,
)
from models.errors import InputError
from models.progress import Progress, ProgressCallback, ignore_progress

TRIES = 3  # answers that may lack a rating
FAILURES_IN_A_ROW = 3  # tasks without any answer, after which no other will have one
NO_RATING = f"none of {TRIES} answers ends with a rating from 0 to 4"


class Judge:
    """Rates code by asking a chat model.

    With `steps` it is asked to assess step by step before it rates. Questions that were asked
    before are answered from `kept`.
    """

    def __init__(
        self,
        chat: ChatModel,
        kept: KeptAnswers,
        *,
        steps: bool = False,
        prices: Prices | None = None,
        progress: ProgressCallback = ignore_progress,
    ) -> None:
        self._chat = chat
        self._kept = kept
        self._steps = steps
        self._prices = prices
        self._progress = progress
        self._spent = NOTHING_SPENT
        self._unjudged = 0

    @property
    def name(self) -> str:
        """The model's, and how it is asked."""
        return f"{self._chat.name}, step by step" if self._steps else self._chat.name

    @property
    def spent(self) -> Spent:
        """On all tasks so far."""
        return self._spent

    @property
    def summary(self) -> str:
        """The same for people, with its cost where prices are known, and how many got no rating."""
        told = spent_line(self._spent, self._prices)
        return f"{told}, {self._unjudged:,} not judged" if self._unjudged else told

    def judge(
        self, tasks: Sequence[JudgeTask], aspect: Aspect = Aspect.USEFULNESS
    ) -> list[Judgement]:
        """A judgement of each task, in order; equal tasks are judged once.

        One without a rating tells why. Raises `InputError` where the model cannot be asked, or has
        not answered several tasks in a row.
        """
        found: dict[JudgeTask, Judgement] = {}
        different = list(dict.fromkeys(tasks))
        stage = f"judging {aspect.value}"
        failures = 0
        for task, judgement, answered in self._each(different, aspect):
            self._progress(Progress(stage, len(found), len(different)))
            found[task] = judgement
            self._spent = added_up((self._spent, judgement.spent))
            self._unjudged += judgement.rating is None
            failures = 0 if answered else failures + 1
            if failures == FAILURES_IN_A_ROW:
                raise InputError(
                    f"'{self._chat.name}' did not answer {failures} tasks in a row "
                    f"({judgement.reason}); mend that and run it again, answers are kept"
                )
        self._progress(Progress(stage, len(different), len(different)))
        return [found[task] for task in tasks]

    def _each(
        self, tasks: Sequence[JudgeTask], aspect: Aspect
    ) -> Iterator[tuple[JudgeTask, Judgement, bool]]:
        """Each task with its judgement, as they come, and whether there was any answer."""
        if self._chat.at_once == 1:
            yield from ((task, *self._one(task, aspect)) for task in tasks)
            return
        pool = ThreadPoolExecutor(self._chat.at_once)
        try:
            asked = {pool.submit(self._one, task, aspect): task for task in tasks}
            for done in as_completed(asked):
                yield (asked[done], *done.result())
        finally:
            pool.shutdown(cancel_futures=True)

    def _one(self, task: JudgeTask, aspect: Aspect) -> tuple[Judgement, bool]:
        """One judgement, and whether there was any answer."""
        asked = conversation(task, aspect, steps=self._steps)
        spent: list[Spent] = []
        for _ in range(TRIES):
            try:
                answer = self._answer(asked, spent.append)
            except NoAnswer as error:
                return Judgement(None, None, str(error), added_up(spent)), False
            rating = rating_of(answer.text)
            if rating is not None:
                expected = expected_rating(answer, rating)
                return Judgement(rating, expected, spent=added_up(spent)), True
            asked = asked_again(asked, answer.text)
        return Judgement(None, None, NO_RATING, added_up(spent)), True

    def _answer(self, asked: tuple[Message, ...], spend: Callable[[Spent], None]) -> Answer:
        limit = STEPS_TOKENS if self._steps else PLAIN_TOKENS
        known = self._kept.find(asked, limit)
        if known is not None:
            spend(ONE_KEPT)
            return known
        answer = self._chat.ask(asked, limit)
        spend(request_of(answer.prompt_tokens, answer.answer_tokens))
        self._kept.keep(asked, limit, answer)
        return answer
