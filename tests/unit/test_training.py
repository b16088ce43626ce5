"""An adapter: what it is learned from, how, and that merged weights do what it did."""

import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from completion.pipeline import Completer
from completion.prompt import PromptBuilder
from completion.prompt_formats import LEFT_CONTEXT
from completion.token_types.types import TokenType
from completion.values import CompletionRequest
from lsp_server.cli import main as cli_main
from lsp_server.server import load_completer
from lsp_server.settings import Settings
from lsp_server.workspace_code import WorkspaceCode
from models.adapter import read_adapter
from models.errors import (
    DamagedModelError,
    InputError,
    PirouetteError,
    UnsupportedModelError,
)
from models.language_model import LanguageModel, load_language_model
from models.progress import ignore_progress
from models.store import ModelStore
from models.weights import load_weights
from retrieval.wheel_sources import is_permissive, licenses_of
from retrieval.workspace_files import WorkspaceFiles
from tests.unit.tiny_models import load, save_model
from training.batches import batches_of, updates_of
from training.corpus import texts_apart
from training.definitions import Definitions
from training.documents import Document, Overlap, documents_of
from training.folder import documents_below
from training.holes import KINDS, Hole, Lines, draw_hole
from training.infilling_samples import Sample, SampleMaker
from training.learner import STATE, Learner, Progressed
from training.lora import LoraOptions, adapted, judge, rate_at, read_counted, save
from training.prepare import main as prepare_main
from training.sample_file import read_samples, write_samples
from training.train import main as train_main
from training.type_labels import NO_TYPE, TypeLabels

CODE = '''"""Letters."""


def send(letter, address):
    """Puts a letter into the post.

    Nothing is promised.
    """
    # a comment
    if letter.is_empty():
        return None
    for stamp in letter.stamps:
        stamp.print(address)
    return Post(letter, [address])


class Post:
    pass
'''
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    return save_model("qwen2", place, tie_word_embeddings=True, max_position_embeddings=2048)


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load(folder)


@pytest.fixture(scope="module")
def maker(model: LanguageModel) -> SampleMaker:
    builder = PromptBuilder.for_model(model, 512)
    return SampleMaker(model.tokenizer, builder.format, model.tokenizer.control["<|endoftext|>"])


def text_of(model: LanguageModel, tokens: list[int]) -> str:
    return model.tokenizer.decode(tokens)


def sample(tokens: list[int], counted_from: int) -> Sample:
    return Sample("line", tokens, counted_from)


@given(st.integers(0, 10_000))
def test_holes_begin_before_they_end_and_hold_something(seed: int) -> None:
    hole = draw_hole(Lines(CODE), random.Random(seed))
    assert hole is not None
    assert 0 <= hole.cursor < hole.end <= len(CODE)
    assert CODE[hole.cursor : hole.end].strip()
    if hole.kind in ("line", "block"):
        assert hole.end == len(CODE) or "\n" in CODE[hole.end - 1 : hole.end + 1]


def test_every_kind_of_hole_is_drawn() -> None:
    rng = random.Random(0)
    kinds = {hole.kind for _ in range(300) if (hole := draw_hole(Lines(CODE), rng))}
    assert len(kinds) == len(KINDS)


def test_a_block_ends_with_its_last_line() -> None:
    lines, start = Lines(CODE), CODE.index("for stamp")
    rng = random.Random(0)
    holes = [hole for _ in range(2_000) if (hole := draw_hole(lines, rng)) is not None]
    blocks = [hole for hole in holes if (hole.kind, hole.cursor) == ("block", start)]
    loops = {CODE[start : hole.end].rstrip() for hole in blocks}
    assert loops == {"for stamp in letter.stamps:\n        stamp.print(address)"}


def test_a_sample_reads_the_prompt_of_a_completion(
    model: LanguageModel, maker: SampleMaker
) -> None:
    cursor = CODE.index("stamp.print")
    hole = Hole("line", cursor, CODE.index("\n", cursor))
    made = maker.with_hole(Document("post", "post.py", CODE), hole, 512)
    request = CompletionRequest("post.py", before=CODE[:cursor], after=CODE[hole.end :])
    prompt = PromptBuilder.for_model(model, 512).build(request)
    assert made is not None
    read = 1 + prompt.whole.index(model.tokenizer.control["<|fim_middle|>"])
    assert made.tokens[: made.counted_from] == prompt.whole[:read]
    middle = text_of(model, made.tokens[made.counted_from : -1])
    assert middle == text_of(model, prompt.whole[read:]) + CODE[cursor : hole.end]
    assert made.tokens[-1] == maker.end_token


def test_with_the_suffix_first_the_text_before_is_read_last(
    model: LanguageModel, maker: SampleMaker
) -> None:
    hole = Hole("line", CODE.index("Nothing"), CODE.index("is promised"))
    made = maker.with_hole(Document("post", "post.py", CODE), hole, 2_000, suffix_first=True)
    assert made is not None
    assert text_of(model, made.tokens[made.counted_from :]) == "Nothing "
    read = text_of(model, made.tokens[: made.counted_from])
    assert read == CODE[hole.end :] + CODE[: hole.cursor]


def test_definitions_are_of_what_is_missing() -> None:
    other = Document("post", "stamps.py", "x = 1\n\n\nclass Stamp:\n    price = 1\n")
    here = Document("post", "post.py", CODE)
    definitions = Definitions([here, other])
    blocks = definitions.blocks(here, "stamps = [Stamp(), Post()]", random.Random(0))
    assert [(block.path, block.text) for block in blocks] == [
        ("stamps.py", "\n\nclass Stamp:\n    price = 1\n")
    ]


def test_overlap_is_of_code_not_of_comments_and_imports() -> None:
    judged = "import os\nimport sys\nimport json\n" + CODE
    overlap = Overlap([judged])
    moved = CODE.replace("    # a comment\n", "").replace("    ", "\t")
    assert overlap.of(Document("a", "a.py", "y = 2\n" + moved))
    spaced = CODE.replace(", ", ",").replace(":\n", ":  # so\n")
    assert overlap.of(Document("a", "a.py", spaced))
    assert not overlap.of(Document("a", "a.py", "import os\nimport sys\nimport json\nx = 1\n"))


def wheel(folder: Path, license_line: str, text: str = CODE * 2) -> Path:
    file = folder / "post-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("post/a.py", text)
        archive.writestr("post/copy.py", text.replace("\n", "\n\n"))
        archive.writestr("post-1.0.dist-info/METADATA", f"Name: post\n{license_line}\n\nText")
    return file


def test_each_text_of_a_permissive_package_is_had_once(tmp_path: Path) -> None:
    file = wheel(tmp_path, "License-Expression: MIT")
    documents, record = documents_of(file, 0, set(), Overlap([]))
    assert [document.package for document in documents] == ["post"]
    assert (record.license, record.files) == ("MIT", 1)


def test_nothing_is_learned_from_demanding_licences(tmp_path: Path) -> None:
    file = wheel(tmp_path, "Classifier: License :: OSI Approved :: GNU General Public License")
    documents, record = documents_of(file, 0, set(), Overlap([]))
    assert (documents, record.files) == ([], 0)
    assert licenses_of(file) == ["GNU General Public License"]


def test_all_that_is_said_of_a_licence_counts(tmp_path: Path) -> None:
    classifier = "Classifier: License :: OSI Approved :: MIT License"
    assert not is_permissive(licenses_of(wheel(tmp_path, f"{classifier}\nLicense: AGPL-3.0")))
    wording = "License: MIT\n with the Commons Clause"
    assert not is_permissive(licenses_of(wheel(tmp_path, f"{classifier}\n{wording}")))
    assert is_permissive(licenses_of(wheel(tmp_path, f"{classifier}\nLicense: MIT")))


def test_a_wheel_is_not_taken_for_what_it_carries_of_others(tmp_path: Path) -> None:
    file = wheel(tmp_path, "License-Expression: GPL-3.0-only")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("a/_vendor/z-1.dist-info/METADATA", "License-Expression: MIT\n\n")
    assert licenses_of(file) == ["GPL-3.0-only"]


def test_code_of_others_within_a_package_is_left_out(tmp_path: Path) -> None:
    file = wheel(tmp_path, "License-Expression: MIT")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("post/_vendor/z.py", CODE * 3)
        archive.writestr("post/lesser.py", "# GNU Lesser General Public License\n" + CODE * 4)
    documents, _ = documents_of(file, 0, set(), Overlap([]))
    assert {document.path for document in documents} <= {"post/a.py", "post/copy.py"}


@pytest.mark.parametrize(
    ("text", "permissive"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND MIT", True),
        ("Apache Software License", True),
        ("LGPL-2.1-or-later", False),
        ("MIT OR GPL-2.0", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
        ("", False),
        ("see LICENSE", False),
        ("not MIT", False),
        ("MIT (research only)", False),
        ("FSL-1.1-MIT", False),
        ("Apache-2.0 WITH Commons-Clause", False),
        ("Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND BSL-1.0", True),
        ("BSL 1.1", False),
        ("Apache License, Version 2.0", True),
        ("The 3-Clause BSD License", True),
        ("ISC License (ISCL)", True),
    ],
)
def test_what_is_permissive(text: str, permissive: bool) -> None:
    assert is_permissive([text]) == permissive


def test_samples_come_back_from_disk(tmp_path: Path) -> None:
    samples = [Sample("line", [1, 2, 3], 1), Sample("plain", [4], 1), Sample("span", [5, 6], 0)]
    write_samples(samples, tmp_path / "s.safetensors")
    assert read_samples(tmp_path / "s.safetensors") == samples


def test_tokens_have_the_type_of_what_they_write(model: LanguageModel) -> None:
    text = "def f(a):\n    return a.b  # é\n\nx = 'é' + 1"
    start = text.index("return")
    tokens = model.tokenizer.encode(text[start:])
    labels = TypeLabels(text).of(tokens, model.tokenizer.token_bytes, start)
    spelled = [model.tokenizer.token_bytes(token) for token in tokens]
    by_type: dict[str, bytes] = {}
    for spelling, label in zip(spelled, labels, strict=True):
        name = TokenType(label).name
        by_type[name] = by_type.get(name, b"") + spelling
    assert by_type == {
        "KEYWORD": b"return",
        "PARAMETER": b" a",
        "DOT": b".",
        "ATTRIBUTE": b"b",
        "COMMENT": "  # é".encode(),
        "NEWLINE": b"\n",
        "NL": b"\n",
        "NAME": b"x",
        "EQUAL": b" =",
        "STRING": " 'é'".encode(),
        "PLUS": b" +",
        "NUMBER": b" 1",
    }


@pytest.mark.parametrize("kind", ["hole", "plain"])
def test_a_sample_has_the_types_of_what_counts(maker: SampleMaker, kind: str) -> None:
    document = Document("post", "post.py", CODE)
    if kind == "plain":
        made: Sample | None = replace(maker, format=LEFT_CONTEXT).draw(
            document, Definitions([]), random.Random(1)
        )
    else:
        cursor = CODE.index("stamp.print")
        made = maker.with_hole(document, Hole("line", cursor, CODE.index("\n", cursor)), 512)
    assert made is not None
    counted = made.tokens[made.counted_from :]
    assert len(made.types) == len(counted)
    spelled = map(maker.tokenizer.token_bytes, counted)
    names = [text.strip() for text, label in zip(spelled, made.types, strict=True) if label == 5]
    whole = b"".join(names)
    assert whole.endswith(b"print") or b"is_empty" in whole
    assert (made.types[-1] == NO_TYPE) is (kind == "hole")


def learner_of(folder: Path, type_weight: float = 0.1) -> Learner:
    torch.manual_seed(0)
    options = LoraOptions(rank=4, alpha=8, learning_rate=0.05)
    return Learner(adapted(folder, options, CPU), options, type_weight, types=8)


TYPED = [
    Sample("line", [10, 20, 30, 40, 50], 2, [1, 2, NO_TYPE]),
    Sample("line", [11, 21, 31, 41], 1, [3, 4, 5]),
]


@pytest.mark.parametrize("type_weight", [0.0, 0.1, 0.9])
def test_types_are_learned_beside_code(folder: Path, type_weight: float) -> None:
    learner = learner_of(folder, type_weight)
    updates = updates_of(TYPED, 100, 100, seed=0) * 40
    losses = [learner.update(batches, len(updates)) for batches in updates]
    assert losses[-1] < losses[0] / 4
    assert judge(learner.model, batches_of(TYPED, 100)).whole == 1.0


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(folder: Path, tmp_path: Path) -> None:
    updates = updates_of(TYPED, 100, 100, seed=0) * 6
    whole = learner_of(folder)
    for batches in updates:
        whole.update(batches, len(updates))
    begun = learner_of(folder)
    assert begun.go_on(tmp_path, {"seed": 1}) is None
    for batches in updates[:2]:
        begun.update(batches, len(updates))
    begun.save(tmp_path, {"seed": 1}, Progressed(len(updates), [{"update": 0}]))
    taken_up = learner_of(folder)
    assert taken_up.go_on(tmp_path, {"seed": 1}) == Progressed(len(updates), [{"update": 0}])
    assert taken_up.done == 2
    for batches in updates[2:]:
        taken_up.update(batches, len(updates))
    wanted = dict(whole.model.named_parameters())
    for name, weight in taken_up.model.named_parameters():
        assert torch.equal(weight, wanted[name])
    with pytest.raises(InputError, match="another run"):
        learner_of(folder).go_on(tmp_path, {"seed": 2})
    (tmp_path / STATE).write_bytes(b"torn")
    with pytest.raises(InputError, match="damaged"):
        learner_of(folder).go_on(tmp_path, {"seed": 1})


def test_from_a_folder_of_code_to_a_model_that_knows_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = tmp_path / "code", tmp_path / "adapter"
    for number in range(3):
        (code / f"part{number}").mkdir(parents=True)
        (code / f"part{number}" / "a.py").write_text(f"x{number} = 1\n" + CODE * 3)
    (code / "secrets.py").write_text("password = 'hunter2'\n" + CODE * 3)
    assert len(documents_below(code, seed=0)) == 3
    arguments = ["train", "types", str(code), str(out), "--model", str(folder)]
    small = ["--samples", "12", "--updates", "2", "--rank", "2", "--json"]
    for _ in range(2):  # the second time, all is done already
        assert cli_main([*arguments, *small]) == 0
        curve = json.loads(capsys.readouterr().out)["curve"]
        assert [point["update"] for point in curve] == [0, 2]
    plain = load_language_model("tiny", folder, exact=True)
    changed = load_language_model("tiny", folder, exact=True, adapter=out)
    tokens = plain.tokenizer.encode("def send(letter")
    first, second = (
        one.decoder.forward(tokens, one.decoder.new_cache(64)) for one in (plain, changed)
    )
    assert not torch.equal(first, second)
    assert cli_main([*arguments, *small, "--rank", "3"]) == 2
    assert "another run" in capsys.readouterr().err
    (code / "part0" / "a.py").write_text("x0 = 2\n" + CODE * 3)
    assert cli_main([*arguments, *small]) == 2
    assert "other code" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file", "file/below", "full", "/proc/x"])
def test_what_is_no_folder_for_an_adapter_is_told_in_one_line(
    folder: Path, tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for number in range(2):
        (code / f"{number}.py").write_text(f"x = {number}\n" + CODE * 3)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "adapter_config.json").write_text("mine")
    arguments = ["train", "types", str(code), str(tmp_path / place), "--model", str(folder)]
    assert cli_main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "name another" in line or "name a new" in line
    assert (tmp_path / "full" / "adapter_config.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("kinds", torch.tensor([0.5, 0.5])),
        ("lengths", torch.tensor([[2], [3]])),
        ("lengths", torch.tensor([400, 400])),
        ("lengths", torch.tensor([-1, -1])),
        ("counted_from", torch.tensor([40, 40])),
        ("typed", torch.tensor([9, 9])),
        ("types", torch.tensor([100, 100, 100])),
    ],
)
def test_samples_that_do_not_fit_together_are_refused(
    tmp_path: Path, name: str, values: Tensor
) -> None:
    file = tmp_path / "s.safetensors"
    write_samples([Sample("line", [1, 2], 1, [3]), Sample("line", [4, 5, 6], 1, [7, 8])], file)
    save_file(load_file(file) | {name: values}, file)
    with pytest.raises(InputError, match="holds no samples"):
        read_samples(file)


def test_code_that_is_there_twice_is_learned_once_and_links_lead_nowhere(tmp_path: Path) -> None:
    code, other = tmp_path / "code", tmp_path / "other.py"
    code.mkdir()
    other.write_text("y = 1\n" + CODE * 3)
    (code / "link.py").symlink_to(other)
    for number in range(4):
        (code / f"{number}.py").write_text(f"x = {number // 2}\n" + CODE * 3)
    assert len(documents_below(code, seed=0)) == 2


def test_the_server_takes_an_adapter_and_types_by_its_settings(
    folder: Path, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    options = LoraOptions(rank=2, learning_rate=0.05)
    learner = Learner(adapted(folder, options, CPU), options)
    for batches in updates_of(TYPED, 100, 100, seed=0) * 2:
        learner.update(batches, 2)
    save(learner.model, options, tmp_path, "base")

    def served(**values: Any) -> Completer:
        settings = Settings(model=str(folder), **values)
        store, nothing_else = ModelStore(tmp_path), WorkspaceCode(WorkspaceFiles(()))
        return load_completer(store, settings, ignore_progress, lambda _: None, nothing_else)

    def says(completer: Completer) -> Tensor:
        decoder = completer.model.decoder
        return decoder.forward([1, 2, 3], decoder.new_cache(64))

    plain, changed = served(), served(adapter=str(tmp_path), token_types=True)
    assert (plain.types is None, changed.types is None) == (True, False)
    assert not torch.equal(says(plain), says(changed))
    with pytest.raises(PirouetteError, match="adapter"):
        served(adapter=str(tmp_path / "nowhere"))


def test_a_folder_with_nothing_to_learn_is_told_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "code").mkdir()
    for code in (tmp_path / "code", tmp_path / "nowhere"):
        arguments = ["train", "types", str(code), str(tmp_path / "out"), "--model", str(folder)]
        assert cli_main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "name" in line
    assert not (tmp_path / "out").exists()


def test_padding_changes_no_judgement(folder: Path) -> None:
    model = adapted(folder, LoraOptions(rank=2), CPU)
    samples = [sample([*range(5, 5 + n)], n // 2) for n in (4, 9, 17)]
    together = judge(model, batches_of(samples, 1_000))
    apart = judge(model, (batch for one in samples for batch in batches_of([one], 1)))
    assert together.loss == pytest.approx(apart.loss, rel=1e-5)
    assert (together.accuracy, together.whole) == (apart.accuracy, apart.whole)


def test_every_sample_is_in_one_update() -> None:
    samples = [sample([n] * (1 + n % 7), 0) for n in range(100)]
    updates = updates_of(samples, 20, 60, seed=1)
    rows = [row for batches in updates for batch in batches for row in batch.tokens]
    assert sorted(int(row[0]) for row in rows) == list(range(100))
    assert all(batch.tokens.numel() <= 20 for batches in updates for batch in batches)


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(n, 100) for n in range(100)]
    assert rates.index(max(rates)) in (3, 4)
    assert rates[0] < 0.3
    assert rates[-1] < 0.1


def test_what_was_learned_is_in_the_merged_weights(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = adapted(folder, LoraOptions(rank=4, alpha=8, learning_rate=0.05), CPU)
    samples = [sample([10, 20, 30, 40, 50], 2), sample([11, 21, 31, 41], 1)]
    before = judge(model, batches_of(samples, 100))
    learner = Learner(model, LoraOptions(learning_rate=0.05))
    updates = updates_of(samples, 100, 100, seed=0) * 40
    losses = [learner.update(batches, len(updates)) for batches in updates]
    after = judge(model, batches_of(samples, 100))
    assert after.loss < before.loss / 2
    assert (before.whole, after.whole) == (0.0, 1.0)
    assert losses[-1] < losses[0] / 2
    save(model, LoraOptions(rank=4, alpha=8), tmp_path, "base")
    adapter = read_adapter(tmp_path)
    plain = {name: w.numpy() for name, w in load_weights(folder, CPU, torch.float32, print).items()}
    merged = {name: torch.from_numpy(adapter.merged(name, w)) for name, w in plain.items()}
    assert set(adapter.factors) <= set(plain)
    for batch in batches_of(samples, 100):
        expected = read_counted(model, batch).logits
    unadapted = model.unload()
    unadapted.load_state_dict(merged, strict=False)
    hidden = unadapted.model(input_ids=batch.tokens).last_hidden_state
    rows, columns = batch.counted.nonzero(as_tuple=True)
    found = unadapted.lm_head(hidden[rows, columns - 1])
    torch.testing.assert_close(found, expected, rtol=0, atol=0.02)  # kept in half precision


def test_an_adapter_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    save(adapted(folder, LoraOptions(rank=2), CPU), LoraOptions(rank=2), tmp_path, "base")
    adapter = read_adapter(tmp_path)
    name = next(iter(adapter.factors))
    with pytest.raises(UnsupportedModelError, match="the model it was trained for"):
        adapter.merged(name, torch.zeros(3, 5).numpy())


def test_from_packages_to_an_adapter(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path))
    wheels = tmp_path / "training"
    wheels.mkdir()
    names = [f"package{number}" for number in range(40)]
    held_out = next(name for name in names if Document(name, "", "").held_out)
    listed = [next(name for name in names if not Document(name, "", "").held_out), held_out]
    for name in listed:
        with zipfile.ZipFile(wheels / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{name}/a.py", f"{name} = 1\n" + CODE * 3)
            archive.writestr(f"{name}-1.0.dist-info/METADATA", "License-Expression: MIT\n\n")
    packages, samples, out = tmp_path / "list.txt", tmp_path / "samples", tmp_path / "adapter"
    packages.write_text("".join(f"{name}==1.0\n" for name in listed))
    arguments = ["--packages", str(packages), "--model", str(folder), "--samples", "30"]
    assert prepare_main([str(samples), *arguments]) == 0
    assert prepare_main([str(samples), *arguments]) == 2  # there already
    record = json.loads((samples / "record.json").read_text())
    assert [one["files"] for one in record["packages"]] == [1, 1]
    assert record["samples"]["learn"]["samples"] == len(read_samples(samples / "learn.safetensors"))
    assert train_main([str(folder), str(samples), str(out), "--updates", "1", "--rank", "2"]) == 0
    assert len(read_adapter(out).factors) == 3 * 7
    assert len(json.loads((out / "record.json").read_text())["curve"]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"r": 3},
        {"r": True},
        {"lora_alpha": float("nan")},
        {"use_rslora": True},
        {"rank_pattern": {"q_proj": 4}},
        {"init_lora_weights": "pissa"},
    ],
    ids=str,
)
def test_what_is_no_plain_product_of_that_rank_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    save(adapted(folder, LoraOptions(rank=2), CPU), LoraOptions(rank=2), tmp_path, "base")
    file = tmp_path / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(PirouetteError):
        read_adapter(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "nowhere", "out"], "nowhere"),
        (["nowhere", "nowhere", "out", "--minutes", "nan"], "--minutes"),
        (["nowhere", "nowhere", "out", "--rank", "0"], "--rank"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_main(arguments) == 2
    [line] = capsys.readouterr().err.strip().split("\n")
    assert line.startswith("train: ")
    assert told in line


@pytest.mark.parametrize("content", [None, b"{", b"[]"], ids=["missing", "broken", "list"])
def test_tasks_that_cannot_be_read_are_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "tasks.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        list(texts_apart([file]))


def test_damaged_adapters_are_refused(folder: Path, tmp_path: Path) -> None:
    save(adapted(folder, LoraOptions(rank=2), CPU), LoraOptions(rank=2), tmp_path, "base")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"none")
    with pytest.raises(DamagedModelError, match="cannot be read"):
        read_adapter(tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "IA3"}')
    with pytest.raises(UnsupportedModelError, match="no plain LoRA"):
        read_adapter(tmp_path)
