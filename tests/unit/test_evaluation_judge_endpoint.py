"""A chat model behind HTTP: what it is asked, when again, and what a hostile one can do."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.judges.endpoint import (
    MOST_BYTES,
    TRIES,
    Busy,
    Endpoint,
    EndpointChat,
    answer_of,
    completions_url,
)
from evaluation.judges.values import Answer, Message, NoAnswer, RatingToken
from models.errors import InputError
from tests.unit.scripted_endpoint import KEY, Asked, Reply, said, scripted_endpoint

QUESTION = (Message("user", "How good is it?"),)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def ask(*replies: Reply, **fields: Any) -> tuple[Answer, Asked, list[float]]:
    """The answer of a scripted endpoint, what it was asked, and the pauses between tries."""
    pauses: list[float] = []
    with scripted_endpoint(replies) as asked:
        answer = EndpointChat(asked.endpoint(**fields), pauses.append).ask(QUESTION, 16)
    return answer, asked, pauses


def refused(*replies: Reply, **fields: Any) -> tuple[str, int]:
    """Why there was no answer, and how many times it was asked."""
    with scripted_endpoint(replies) as asked:
        with pytest.raises(NoAnswer) as refusal:
            EndpointChat(asked.endpoint(**fields), lambda _: None).ask(QUESTION, 16)
        return str(refusal.value), len(asked.bodies)


def test_no_proxy_hears_what_this_machine_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_endpoint([said("1")]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        answer, asked, _ = ask(said("3"))
        assert answer.text == "3"
        assert len(asked.bodies) == 1
        elsewhere = Endpoint("http://judge.example/v1", "judge")
        assert EndpointChat(elsewhere).ask(QUESTION, 16).text == "1"
        assert len(proxy.bodies) == 1


def test_a_request_is_a_chat_completion_with_log_probabilities() -> None:
    answer, asked, _ = ask(said("3", {"3": math.log(0.5), "4": math.log(0.25)}))
    assert asked.paths == ["/v1/chat/completions"]
    assert asked.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert asked.bodies == [
        {
            "model": "judge",
            "messages": [{"role": "user", "content": "How good is it?"}],
            "max_tokens": 16,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": 20,
        }
    ]
    (token,) = answer.rating_tokens
    assert (answer.text, answer.prompt_tokens, answer.answer_tokens) == ("3", 100, 1)
    assert token.odds == pytest.approx((0, 0, 0, 0.5, 0.25))


def test_neither_log_probabilities_nor_a_key_are_sent_where_there_are_none() -> None:
    answer, asked, _ = ask(said("3", usage=None), alternatives=0, key="")
    assert "logprobs" not in asked.bodies[0]
    assert "Authorization" not in asked.headers[0]
    assert answer == Answer("3")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"slow down", 429),
        Reply(b"out of order", 503),
        Reply(b"<html>not JSON", 200),
        Reply(b"", 200),
        Reply(b"[" * 100_000, 200),
        Reply(b'{"choices": []}', 200),
        Reply(b"x" * (MOST_BYTES + 1), 200),
    ],
    ids=["429", "503", "no JSON", "nothing", "deep", "no choice", "huge"],
)
def test_what_is_no_answer_is_asked_for_again(reply: Reply) -> None:
    answer, asked, pauses = ask(reply, reply, said("2"))
    assert answer.text == "2"
    assert len(asked.bodies) == 3
    assert pauses == [1.0, 2.0]


def test_it_waits_as_long_as_it_is_told_within_a_limit() -> None:
    in_three = Reply(b"", 429, {"Retry-After": "3"})
    in_a_day = Reply(b"", 429, {"Retry-After": "86400"})
    at_a_date = Reply(b"", 429, {"Retry-After": "Fri, 27 Nov 2026 12:00:00 GMT"})
    assert ask(in_three, in_a_day, at_a_date, said("2"))[2] == [3.0, 60.0, 4.0]


def test_a_slow_answer_is_a_time_out() -> None:
    reason, tries = refused(Reply(said("2").body, pause=2.0), timeout=0.1)
    assert "timed out" in reason
    assert tries == TRIES


def test_an_answer_that_trickles_in_is_a_time_out_too() -> None:
    body = said("2").body
    reason, _ = refused(Reply(body, pieces=len(body), pause=0.05), timeout=0.2)
    assert reason == "an answer that takes too long"


def test_an_endpoint_that_is_not_there_has_no_answer() -> None:
    with scripted_endpoint([Reply()]) as asked:
        gone = asked.endpoint()
    with pytest.raises(NoAnswer, match="no answer"):
        EndpointChat(gone, lambda _: None).ask(QUESTION, 16)


def test_one_question_may_be_refused() -> None:
    too_long = json.dumps({"error": {"message": "too\nlong"}}).encode()
    assert refused(Reply(too_long, 400)) == ("HTTP 400 too long", 1)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_settings_end_the_run_at_once_and_never_show_the_key(status: int) -> None:
    with scripted_endpoint([Reply(f"wrong key {KEY}".encode(), status)]) as asked:
        with pytest.raises(InputError, match=f"HTTP {status} wrong key \\.\\.\\.") as refusal:
            EndpointChat(asked.endpoint()).ask(QUESTION, 16)
        assert len(asked.bodies) == 1
    assert KEY not in str(refusal.value)


def test_a_failure_never_shows_the_key() -> None:
    assert KEY not in refused(Reply(f"<html>{KEY}".encode()))[0]
    assert KEY not in refused(Reply(KEY.encode(), 500))[0]
    assert KEY not in repr(Endpoint("http://localhost/v1", "judge", KEY))


def test_the_key_follows_no_redirect() -> None:
    with scripted_endpoint([Reply()]) as elsewhere:
        away = Reply(b"", 302, {"Location": f"{elsewhere.url}/v1/chat/completions"})
        with scripted_endpoint([away]) as asked, pytest.raises(InputError, match="HTTP 302"):
            EndpointChat(asked.endpoint()).ask(QUESTION, 16)
        assert elsewhere.paths == []


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        {"content": None},
        {"content": [None, {"token": 3}, {"token": "x", "top_logprobs": [{}]}]},
    ],
    ids=["none", "a list", "empty", "other forms"],
)
def test_log_probabilities_in_another_form_are_none(logprobs: object) -> None:
    choice = {"message": {"content": "3"}, "logprobs": logprobs}
    assert answer_of(json.dumps({"choices": [choice]}).encode()) == Answer("3")


def test_odds_that_are_no_log_probabilities_are_none() -> None:
    odds = {"3": math.nan, "2": math.inf, "1": -math.inf, "0": 1, "4": -(10**400)}
    (token,) = answer_of(said("3", odds).body).rating_tokens
    assert token == RatingToken(3, (0.0,) * 5)


def test_an_answer_without_text_is_empty() -> None:
    assert answer_of(b'{"choices": [{"message": {"content": null}}]}') == Answer("")


@given(JSON)
def test_any_json_is_an_answer_or_none(value: object) -> None:
    for body in (value, {"choices": [value]}, {"choices": [{"message": value}], "usage": value}):
        try:
            answer = answer_of(json.dumps(body).encode())
        except Busy:
            continue
        assert isinstance(answer.text, str)


@given(JSON)
def test_any_log_probabilities_leave_the_text_as_it_is(value: object) -> None:
    for logprobs in (value, {"content": [value]}, {"content": [{"token": "3", "x": value}]}):
        choice = {"message": {"content": "3"}, "logprobs": logprobs}
        assert answer_of(json.dumps({"choices": [choice], "usage": value}).encode()).text == "3"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "local host",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://",
        "http://[::1/v1",
        "http://höst/v1",
        "http://host/v 1",
        "http://a..b/v1",
        f"http://{'a' * 64}.org/v1",
    ],
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(InputError, match="is no address of an endpoint"):
        completions_url(address)


@pytest.mark.parametrize(
    "address", ["https://me:secret@host/v1", "https://secret@host/v1", "https://host/v1?key=secret"]
)
def test_an_address_with_a_key_in_it_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(InputError, match="may hold no key") as refusal:
        completions_url(address)
    assert "secret" not in str(refusal.value)


def test_the_identity_is_without_the_key() -> None:
    chat = EndpointChat(Endpoint("https://host/v1/", "judge", KEY))
    assert chat.identity == "https://host/v1/chat/completions, judge, 20 alternatives"
