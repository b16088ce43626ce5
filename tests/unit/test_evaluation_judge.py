"""A judge: ratings in order, asked again, kept, paid for, and chosen on the command line."""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from evaluation.judges.configured import judge_of
from evaluation.judges.ice_score import PLAIN_TOKENS, REMINDER, STEPS_TOKENS
from evaluation.judges.judge import FAILURES_IN_A_ROW, NO_RATING, Judge
from evaluation.judges.kept_answers import KeptAnswers
from evaluation.judges.spending import Prices, Spent, cost, spent_line
from evaluation.judges.values import (
    Answer,
    Aspect,
    Judgement,
    JudgeTask,
    Message,
    NoAnswer,
    RatingToken,
)
from lsp_server.arguments import OneLineParser, add_judge
from models.errors import InputError, PirouetteError
from models.progress import Progress, ignore_progress
from tests.unit.scripted_endpoint import KEY, said, scripted_endpoint

SPLIT = RatingToken(3, (0.0, 0.0, 0.0, 0.5, 0.5))


class ScriptedChat:
    """Answers by the code that is rated, and by how many times it was asked about it."""

    name = "scripted"
    identity = "scripted, 1"

    def __init__(self, answers: Mapping[str, Sequence[Answer | str]], at_once: int = 1) -> None:
        self._answers = answers
        self.at_once = at_once
        self.asked: list[tuple[Message, ...]] = []
        self.limits: list[int] = []

    def ask(self, conversation: tuple[Message, ...], limit: int) -> Answer:
        self.asked.append(conversation)
        self.limits.append(limit)
        (code,) = (code for code in self._answers if f"\n\n{code}\n\n" in conversation[0].content)
        answer = self._answers[code][len(conversation) // 2]
        if isinstance(answer, str):
            raise NoAnswer(answer)
        return answer


def tasks(*codes: str) -> list[JudgeTask]:
    return [JudgeTask("Add two numbers.", code) for code in codes]


def judge(chat: ScriptedChat, folder: Path | None = None) -> Judge:
    return Judge(chat, KeptAnswers(folder, chat.identity))


def test_judgements_come_in_the_order_of_the_tasks() -> None:
    answers = {f"code_{n}": [Answer(f"Rating: {n}")] for n in range(5)}
    chat = ScriptedChat(answers, at_once=4)
    found = judge(chat).judge(tasks("code_3", "code_0", "code_4", "code_1"))
    assert [one.rating for one in found] == [3, 0, 4, 1]
    assert [one.expected for one in found] == [3.0, 0.0, 4.0, 1.0]


def test_odds_make_the_expected_rating() -> None:
    chat = ScriptedChat({"good": [Answer("3", (SPLIT,))]})
    assert judge(chat).judge(tasks("good")) == [Judgement(3, 3.5, spent=Spent(1, uncounted=1))]


def test_equal_tasks_are_judged_once() -> None:
    chat = ScriptedChat({"same": [Answer("3")], "other": [Answer("1")]})
    found = judge(chat).judge(tasks("same", "other", "same"))
    assert [one.rating for one in found] == [3, 1, 3]
    assert len(chat.asked) == 2


def test_an_answer_without_a_rating_is_asked_for_again_with_a_reminder() -> None:
    chat = ScriptedChat({"good": [Answer("It is good."), Answer("7"), Answer("4")]})
    assert judge(chat).judge(tasks("good"))[0].rating == 4
    assert [one.content for one in chat.asked[2][1:]] == ["It is good.", REMINDER, "7", REMINDER]


def test_one_that_never_gives_a_rating_leaves_the_task_unjudged() -> None:
    junk = [Answer("no", prompt_tokens=9, answer_tokens=1)] * 3
    chat = ScriptedChat({"odd": junk, "good": [Answer("4")]})
    asked = judge(chat)
    odd, good = asked.judge(tasks("odd", "good"))
    spent = Spent(requests=3, prompt_tokens=27, answer_tokens=3)
    assert odd == Judgement(None, None, NO_RATING, spent)
    assert good.rating == 4
    assert asked.summary.endswith(", 1 not judged")


def test_a_task_that_is_not_answered_is_unjudged_and_tells_why() -> None:
    chat = ScriptedChat({"long": ["too long"], "good": [Answer("4")]})
    long, good = judge(chat).judge(tasks("long", "good"))
    assert (long.rating, long.expected, long.reason) == (None, None, "too long")
    assert good.rating == 4


@pytest.mark.parametrize("at_once", [1, 2])
def test_some_tasks_without_an_answer_in_a_row_end_the_run(at_once: int) -> None:
    chat = ScriptedChat({f"code_{n}": ["not there"] for n in range(90)}, at_once)
    with pytest.raises(InputError, match="did not answer 3 tasks in a row \\(not there\\)"):
        judge(chat).judge(tasks(*(f"code_{n}" for n in range(90))))
    assert len(chat.asked) < 90


def test_answers_between_keep_the_run_going() -> None:
    row = FAILURES_IN_A_ROW - 1
    codes = [f"bad_{n}" for n in range(row)] + ["good"] + [f"bad_{n}" for n in range(row, 2 * row)]
    chat = ScriptedChat({code: [Answer("4") if code == "good" else "no"] for code in codes})
    assert sum(one.rating is None for one in judge(chat).judge(tasks(*codes))) == 2 * row


def test_aspects_and_steps_are_asked_for_apart() -> None:
    chat = ScriptedChat({"good": [Answer("4")]})
    one = judge(chat)
    one.judge(tasks("good"), Aspect.USEFULNESS)
    one.judge(tasks("good"), Aspect.CORRECTNESS)
    Judge(chat, KeptAnswers(None, ""), steps=True).judge(tasks("good"))
    assert len(set(chat.asked)) == 3
    assert chat.limits == [PLAIN_TOKENS, PLAIN_TOKENS, STEPS_TOKENS]


def test_progress_is_told_of_each_task() -> None:
    told: list[Progress] = []
    chat = ScriptedChat({"good": [Answer("4")], "bad": [Answer("0")]})
    Judge(chat, KeptAnswers(None, ""), progress=told.append).judge(tasks("good", "bad"))
    assert told == [Progress("judging usefulness", done, 2) for done in (0, 1, 2)]


# What is kept


def test_what_was_answered_once_is_not_asked_for_again(tmp_path: Path) -> None:
    answers = {"good": [Answer("good"), Answer("3", (SPLIT,), 100, 1)]}
    first, second = ScriptedChat(answers), ScriptedChat(answers)
    judged = judge(first, tmp_path / "judge").judge(tasks("good"))
    again = judge(second, tmp_path / "judge").judge(tasks("good"))
    assert (again[0].rating, again[0].expected) == (judged[0].rating, judged[0].expected)
    assert second.asked == []
    assert again[0].spent == Spent(kept=2)


def test_another_model_has_answers_of_its_own(tmp_path: Path) -> None:
    chat = ScriptedChat({"good": [Answer("4")]})
    for identity in ("one", "another"):
        Judge(chat, KeptAnswers(tmp_path, identity)).judge(tasks("good"))
    assert len(chat.asked) == 2


@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"{", b"[]", b"3", b"null", b'{"text": "4"}', b"[" * 100_000),
        b'{"text": 4, "rating_tokens": []}',
    ],
)
def test_a_damaged_file_is_no_answer_and_is_written_again(tmp_path: Path, damage: bytes) -> None:
    chat = ScriptedChat({"good": [Answer("4")]})
    judge(chat, tmp_path).judge(tasks("good"))
    (file,) = tmp_path.rglob("*.json")
    whole = file.read_bytes()
    file.write_bytes(damage)
    assert judge(chat, tmp_path).judge(tasks("good"))[0].rating == 4
    assert len(chat.asked) == 2
    assert file.read_bytes() == whole


def test_the_folder_is_its_owners_alone_and_holds_whole_answers_only(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "judge"
    judge(ScriptedChat({"good": [Answer("4")]}), folder).judge(tasks("good"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.suffix for path in folder.rglob("*") if path.is_file()] == [".json"]


def test_text_that_is_no_unicode_is_kept(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path, "one")
    question = (Message("user", "\ud800"),)
    kept.keep(question, 1, Answer("\udfff"))
    assert kept.find(question, 1) == Answer("\udfff")


# What it costs


def test_the_cost_is_of_the_tokens_that_were_counted() -> None:
    spent = Spent(requests=2, prompt_tokens=2_000_000, answer_tokens=500_000)
    assert cost(spent, Prices(prompt=0.5, answer=2.0)) == 2.0


def test_all_that_was_spent_is_told_in_one_line() -> None:
    spent = Spent(requests=1_200, prompt_tokens=400_000, answer_tokens=1_200, kept=7)
    assert spent_line(spent, None) == (
        "1,200 requests, 400,000 tokens read, 1,200 written, 7 answers kept from before"
    )
    assert spent_line(spent, Prices(1.0, 2.0)).endswith(", cost 0.4024")
    uncounted = spent_line(Spent(requests=3, uncounted=3), Prices(1.0, 2.0))
    assert uncounted.endswith("3 requests did not count their tokens, cost at least 0.0000")


# What the command line says


def chosen(*arguments: str, environment: Mapping[str, str] | None = None) -> Judge | None:
    parser = OneLineParser(prog="pirouette")
    add_judge(parser)
    return judge_of(parser.parse_args(arguments), ignore_progress, environment or {})


def test_nothing_is_asked_where_no_judge_is_named() -> None:
    assert chosen() is None


def test_an_endpoint_is_asked_as_the_command_line_says(tmp_path: Path) -> None:
    with scripted_endpoint([said("3"), said("4")]) as asked:
        address = ["--judge", f"{asked.url}/v1", "--judge-model", "judge"]
        key = ["--judge-key-variable", "THE_KEY", "--judge-prices", "1000", "2000"]
        judge = chosen(*address, *key, "--judge-cache", str(tmp_path), environment={"THE_KEY": KEY})
        assert judge is not None
        assert judge.name == "judge"
        assert {one.rating for one in judge.judge(tasks("good", "better"))} == {3, 4}
        assert {headers["Authorization"] for headers in asked.headers} == {f"Bearer {KEY}"}
    assert judge.spent == Spent(requests=2, prompt_tokens=200, answer_tokens=2)
    assert judge.summary.endswith("cost 0.2040")
    assert not any(KEY in file.read_text() for file in tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--judge-model", "x"], "--judge-model needs --judge"),
        (["--judge-steps"], "--judge-steps needs --judge"),
        (["--judge", "http://host/v1"], "needs --judge-model NAME"),
        (["--judge", "no address", "--judge-model", "x"], "is no address of an endpoint"),
        (["--judge", "local", "--judge-key-variable", "K"], "takes no key"),
        (["--judge", "local", "--judge-model", "no-such-model"], "no-such-model"),
        (["--judge", "local", "--judge-alternatives", "21"], "invalid alternatives value"),
        (["--judge", "local", "--judge-timeout", "0"], "invalid above_zero value"),
        (["--judge", "local", "--judge-prices", "-1", "nan"], "invalid not_below_zero value"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    arguments: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(PirouetteError, match=complaint):
        chosen(*arguments)


@pytest.mark.parametrize(
    ("variable", "environment"),
    [
        ("sk-a-key-by-mistake", {}),
        ("akeybymistake", {}),
        ("EMPTY", {"EMPTY": " "}),
        ("BROKEN", {"BROKEN": f"{KEY}\r\nX-Header: 1"}),
    ],
)
def test_a_key_that_is_none_is_told_without_showing_it(
    variable: str, environment: Mapping[str, str]
) -> None:
    arguments = ["--judge", "http://host/v1", "--judge-model", "x", "--judge-key-variable"]
    with pytest.raises(InputError) as refusal:
        chosen(*arguments, variable, environment=environment)
    assert variable not in str(refusal.value)
    assert KEY not in str(refusal.value)
