"""The menu: where a name stands, which there are, and in which order."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from completion.menu.imports import line_for_imports
from completion.menu.names import LARGEST_PARSED, look_up
from completion.menu.places import MenuPlace, PlaceKind, menu_place
from completion.menu.ranking import MOST_PASSES, READ_AT_ONCE, rank_names, unranked, with_kinds
from completion.pipeline import Completer, CompletionOptions
from completion.values import never_cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.prefill import prefill
from models.token_tree import TokenTree
from retrieval.index.declarations import Kind
from retrieval.related.importable import Importable
from retrieval.related.java_names import ListedNames
from tests.unit.analysts import FrozenAnalyst, ScriptedAnalyst
from tests.unit.completion_helpers import at, load_tiny_model, write_model

ATTRIBUTE, IMPORT, NAME = PlaceKind.ATTRIBUTE, PlaceKind.IMPORT, PlaceKind.NAME


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


# Places


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("box.▮", MenuPlace(ATTRIBUTE, "")),
        ("    x = box.lid.op▮en()", MenuPlace(ATTRIBUTE, "op")),
        ("from os import pa▮", MenuPlace(IMPORT, "pa")),
        ("import ▮", MenuPlace(IMPORT, "")),
        ("▮", MenuPlace(NAME, "")),
        ("    retu▮", MenuPlace(NAME, "retu")),
        ("f(a, b=na▮)", MenuPlace(NAME, "na")),
        ('"""Says\nso."""\nx▮', MenuPlace(NAME, "x")),
        ("x = 'box.▮", None),
        ('x = "box.▮', None),
        ("x = 1  # box.▮", None),
        ("x = 1▮", None),
        ("x = 1.▮", None),
        ("x = 0x1f▮", None),
        ('"""Says\nbox.▮', None),
        ('"""Says\n▮', None),
        ("from .▮", None),
        ("x = " + "ab1" * 20_000 + "▮", None),
    ],
)
def test_where_a_name_stands(text: str, place: MenuPlace | None) -> None:
    assert menu_place(at(text)) == place


def test_elsewhere_than_in_python_a_hash_begins_no_comment() -> None:
    request = replace(at("this.#count = other.▮"), path="box.ts", language="typescript")
    assert menu_place(request) == MenuPlace(ATTRIBUTE, "")


# Names


def names_at(
    text: str, analyst: ScriptedAnalyst | None = None, language: str = "python"
) -> set[str]:
    request = replace(at(text), language=language)
    place = menu_place(request)
    assert place is not None
    return set(look_up(request, place, analyst, ()).wait(1.0))


def test_after_a_dot_they_are_those_that_analysis_knows() -> None:
    analyst = ScriptedAnalyst({"box.": "open close Seal"}, complete=False)
    assert names_at("box.▮", analyst) == {"open", "close", "Seal"}
    assert names_at("box.s▮", analyst) == {"Seal"}
    assert analyst.asked == ["box.", "box."]


def test_where_nothing_is_known_they_are_those_used_near() -> None:
    text = "lid.turn()\nlid.lift()\nbox.▮\nlid.drop()\n"
    assert names_at(text) == {"turn", "lift", "drop"}
    assert names_at(text, ScriptedAnalyst({})) == {"turn", "lift", "drop"}


def test_analysis_that_hangs_is_not_waited_for() -> None:
    request = at("lid.turn()\nbox.▮\n")
    place = menu_place(request)
    assert place is not None
    assert set(look_up(request, place, FrozenAnalyst(), ()).wait(0.01)) == {"turn"}


def test_whoever_is_gone_is_not_waited_for() -> None:
    request = at("box.▮")
    place = menu_place(request)
    assert place is not None
    looks = iter([False, False, True])
    names = look_up(request, place, FrozenAnalyst(), ())
    assert not names.wait(60.0, lambda: next(looks))
    assert not names.are_all


def test_elsewhere_they_are_those_in_scope() -> None:
    text = (
        "import os\n\ndef other(hidden):\n    unseen = 1\n\n\n"
        "def f(first):\n    second = 2\n    ▮\n\n\nclass Later: ...\n"
    )
    names = names_at(text)
    assert {"os", "other", "f", "first", "second", "Later", "print"} <= names
    assert not {"hidden", "unseen"} & names
    assert names_at(text.replace("▮", "fir▮")) == {"first"}


def test_in_a_broken_text_or_another_language_they_are_those_near() -> None:
    assert {"broken", "print"} <= names_at("def broken(:\n    ▮\n")
    assert names_at("let total = sum\n▮", language="typescript") == {*("let", "total", "sum")}


def test_names_to_be_imported_are_among_those_in_scope() -> None:
    request = at("Post▮")
    place = MenuPlace(NAME, "Post")
    names = ("Postbox", "Parcel")
    known = {name: Importable(name, "shop.mail", Kind.CLASS) for name in names}
    assert look_up(request, place, None, (), known).wait(1.0) == {"Postbox": Kind.CLASS}


def test_what_an_index_knows_is_listed_in_place_of_asking() -> None:
    request = replace(at("lid.turn();\nbox.▮"), path="Box.java", language="java")
    place, analyst = MenuPlace(ATTRIBUTE, ""), ScriptedAnalyst({"box.": "of_python"})
    for complete, names in ((True, {"seal"}), (False, {"seal", "turn"})):
        known = ListedNames({"seal": Kind.METHOD}, complete)
        found = look_up(request, place, analyst, (), indexed=known).wait(1.0)
        assert set(found) == names
        assert found["seal"] is Kind.METHOD
    assert analyst.asked == []
    request = replace(request, before="seal();\nse")
    found = look_up(request, MenuPlace(NAME, "se"), None, (), indexed=known).wait(1.0)
    assert found == {"seal": Kind.METHOD}


SCOPE = """\
import json.decoder
import numpy as np
from shop import Postbox

class Parcel:
    first, (second, *rest) = 1, (2, 3)

def send(parcel: Parcel, *others, by=None):
    for stamp, [price] in others:
        with open(by) as file:
            ▮
        return lambda weight: (total := weight)
"""


def test_what_names_in_scope_are() -> None:
    request = at(SCOPE)
    found = look_up(request, MenuPlace(NAME, ""), None, ()).wait(1.0)
    kinds = {Kind.MODULE: "json np", Kind.CLASS: "Parcel str", Kind.FUNCTION: "send print"}
    variables = "parcel others by stamp price file weight total"
    kinds |= {Kind.KEYWORD: "None True", Kind.VARIABLE: variables}
    for kind, names in kinds.items():
        assert {name: found[name] for name in names.split()} == dict.fromkeys(names.split(), kind)
    assert found["Postbox"] is None  # which another module knows


def test_what_names_near_are_that_are_declared_there() -> None:
    text = "class Postbox { send() { return other } }\nconst parcel = 1;\n▮\n"
    request = replace(at(text), path="box.ts", language="typescript")
    found = look_up(request, MenuPlace(NAME, ""), None, ()).wait(1.0)
    assert found["Postbox"] is Kind.CLASS
    assert found["send"] is Kind.METHOD
    assert found["parcel"] is Kind.VARIABLE
    assert found["other"] is None
    broken = at("import json\nx.\ndef f():\n    ▮\n")
    found = look_up(broken, MenuPlace(NAME, ""), None, ()).wait(1.0)
    names = {"json": Kind.MODULE, "f": Kind.FUNCTION, "print": Kind.FUNCTION, "x": None}
    assert names.items() <= found.items()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("x = 1\n", 0),
        ("import os\nfrom x import (\n    y,\n)\n\nx = 1\n", 4),
        ('#!/usr/bin/env python\n# Ours.\n"""Says\nso."""\n\nx = 1\n', 4),
        ('"""Says so."""\n\n# Why.\nimport os\n\nimport re\nPost', 6),
        ("from __future__ import annotations\n\nx = 1\nimport late\n", 1),
        ("# Ours.\n\nx = 'no doc'\n", 1),
    ],
)
def test_an_import_goes_below_the_imports(text: str, line: int) -> None:
    assert line_for_imports(text) == line


def test_of_a_very_large_text_what_is_near_counts() -> None:
    text = "far = 1\n" + "x = 1\n" * (LARGEST_PARSED // 6) + "near = 1\n▮\n"
    names = names_at(text)
    assert {"near", "print"} <= names
    assert "far" not in names


# Their order


def ranked(
    model: LanguageModel, names: Sequence[str], text: str = "for name in names:\n    "
) -> list[str]:
    cache = model.decoder.new_cache(200)
    logits = prefill(model.decoder, cache, model.tokenizer.encode(text), never_cancelled)
    spellings = {name.encode(): tuple(model.tokenizer.encode(name)) for name in names}
    ends = torch.zeros(model.tokenizer.size, dtype=torch.bool)
    ends[model.tokenizer.encode(" ")[0]] = True
    found = rank_names(model.decoder, cache, logits, spellings, ends)
    assert cache.length == len(model.tokenizer.encode(text))
    return [one.name for one in found]


def by_enumeration(model: LanguageModel, names: Sequence[str]) -> list[str]:
    """The names by the probability of all their tokens and a blank, each read by itself."""

    def probability(name: str) -> float:
        cache = model.decoder.new_cache(200)
        text = model.tokenizer.encode("for name in names:\n    ")
        total = 0.0
        way = [*model.tokenizer.encode(name), model.tokenizer.encode(" ")[0]]
        logits = prefill(model.decoder, cache, text, never_cancelled)
        for token in way:
            total += float(logits.log_softmax(-1)[token])
            logits = prefill(model.decoder, cache, [token], never_cancelled)
        return total

    return sorted(names, key=probability, reverse=True)


def test_the_likeliest_comes_first(model: LanguageModel) -> None:
    names = ["add", "total", "print", "name", "names", "self", "xy"]
    assert ranked(model, names)[0] == by_enumeration(model, names)[0]


def test_few_names_are_in_the_order_of_their_probability(model: LanguageModel) -> None:
    for pair in (["add", "self"], ["total", "name"], ["x", "y"]):
        assert ranked(model, pair)[0] == by_enumeration(model, pair)[0]


def test_what_python_gives_a_meaning_comes_last(model: LanguageModel) -> None:
    assert set(ranked(model, ["__class__", "total", "__eq__", "_self"])[2:]) == {
        *("__class__", "__eq__")
    }
    assert [one.name for one in unranked({"b", "_a", "A", "__eq__"})] == ["A", "b", "_a", "__eq__"]


def test_names_keep_what_they_are() -> None:
    ranked = with_kinds(unranked(["b", "a"]), {"b": Kind.CLASS, "a": None})
    assert [(one.name, one.kind) for one in ranked] == [("a", None), ("b", Kind.CLASS)]


def test_no_names_and_very_long_ones(model: LanguageModel) -> None:
    assert ranked(model, []) == []
    assert set(ranked(model, ["q" * 200, "x"])) == {"q" * 200, "x"}


def test_few_passes_whatever_the_number_of_names(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    branch = model.decoder.branch

    def counted(cache: KeyValueCache, tree: TokenTree) -> Tensor:
        sizes.append(len(tree.tokens))
        return branch(cache, tree)

    monkeypatch.setattr(model.decoder, "branch", counted)
    ranked(model, [f"name_{number}" for number in range(500)])
    assert 0 < len(sizes) <= MOST_PASSES
    assert max(sizes) <= READ_AT_ONCE


# All of it


def menu(model: LanguageModel, text: str, names: str = "") -> list[str]:
    request = at(text)
    place = menu_place(request)
    assert place is not None
    completer = Completer(model, CompletionOptions(context_tokens=256, max_tokens=8))
    ends = text[: text.index("▮")].removesuffix(place.typed)[-6:]
    found = look_up(request, place, ScriptedAnalyst({ends: names}), ())
    return [one.name for one in completer.rank_names(request, found, never_cancelled, 1.0)]


@pytest.mark.model
def test_the_real_model_knows_what_is_meant(default_model: LanguageModel) -> None:
    text = "import json\n\ndef read(path):\n    with open(path) as file:\n        return json.▮\n"
    names = "JSONDecodeError decoder detect_encoding dump dumps load loads scanner"
    assert menu(default_model, text, names)[0] == "load"
    assert menu(default_model, text.replace("▮", "d▮"), names)[:2] != ["decoder", "detect_encoding"]
    text = "def mean(values):\n    total = sum(values)\n    return total / len(▮\n"
    assert menu(default_model, text)[0] == "values"
    assert menu(default_model, "class Box:\n    def open_lid(self): ...\n\nBox().op▮", "open_lid x")
