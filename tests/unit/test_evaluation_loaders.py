"""Benchmarks with published files: small files of their forms, prompts and measures."""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from evaluation.loaders.crosscodeeval import CROSSCODEEVAL, f1_of_sets, identifiers, statement
from evaluation.loaders.dotprompts import DOTPROMPTS, java_names, method_rest
from evaluation.loaders.humaneval import HUMANEVAL
from evaluation.loaders.py150 import PY150, plain_code
from evaluation.loaders.repobench import REPOBENCH, first_code_line
from evaluation.loaders.repoeval import repoeval
from evaluation.metrics.lines import edit_distance_similarity, percent_similarity
from evaluation.tasks import CROSS_FILE, IN_FILE, Protocol, Task, drawn, last_tokens
from models.errors import InputError
from models.tokenizer import CodeTokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CodeTokenizer:
    """One token a byte, so that tokens can be counted by hand."""
    folder = tmp_path_factory.mktemp("tokenizer")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    built = Tokenizer(models.BPE({sign: number for number, sign in enumerate(alphabet)}, []))
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.decoder = decoders.ByteLevel()
    built.save(str(folder / "tokenizer.json"))
    return CodeTokenizer(folder)


def write_lines(file: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())
    return file


def prompt(protocol: Protocol, task: Task, tokenizer: CodeTokenizer, name: str, most: int) -> str:
    built = protocol.prompts[name](task, tokenizer, most)
    assert len(tokenizer.encode(built)) <= most
    return built


def scores(protocol: Protocol, task: Task, completion: str) -> Mapping[str, bool | float]:
    return protocol.judge(task, completion).scores


REPOBENCH_ROW = {
    "repo_name": "me/shop",
    "file_path": "shop/cart.py",
    "context": [
        {"identifier": "Item", "path": "shop/items.py", "snippet": "class Item:\n    price = 1"},
        {"identifier": "tax", "path": "shop/tax.py", "snippet": "def tax(price):\n    return 0"},
    ],
    "import_statement": "from shop.items import Item\nfrom shop.tax import tax",
    "token_num": 60,
    "cropped_code": "def total(items):\n    item = items[0]",
    "all_code": "not read",
    "next_line": "    return item.price + tax(item.price)",
    "gold_snippet_index": 1,
    "created_at": "2023-11-05 08:00:00",
    "level": "2k",
}


class TestRepoBench:
    def test_snippets_stand_before_the_file_each_under_its_path(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        write_lines(tmp_path / "cross_file_first.jsonl", [REPOBENCH_ROW] * 2)
        write_lines(tmp_path / "in_file.jsonl.gz", [REPOBENCH_ROW])
        tasks = REPOBENCH.read(tmp_path)
        assert [task.task_id for task in tasks] == [
            *("cross_file_first/0", "cross_file_first/1"),
            "in_file/0",
        ]
        assert prompt(REPOBENCH, tasks[0], tokenizer, CROSS_FILE, 10_000) == (
            "# Repo Name: me/shop\n"
            "# Path: shop/items.py\nclass Item:\n    price = 1\n\n"
            "# Path: shop/tax.py\ndef tax(price):\n    return 0\n\n"
            "# Path: shop/cart.py\n"
            "from shop.items import Item\nfrom shop.tax import tax\n"
            "def total(items):\n    item = items[0]\n"
        )

    def test_the_last_lines_of_snippets_go_first_and_the_file_last(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        (task,) = REPOBENCH.read(write_lines(tmp_path / "in_file.jsonl", [REPOBENCH_ROW]))
        whole = prompt(REPOBENCH, task, tokenizer, CROSS_FILE, 10_000)
        shorter = prompt(REPOBENCH, task, tokenizer, CROSS_FILE, len(whole) - 8)
        assert "def tax(price):" in shorter
        assert "return 0" not in shorter
        file = whole[whole.index("# Path: shop/cart.py") :]
        assert shorter.endswith(file)
        assert prompt(REPOBENCH, task, tokenizer, CROSS_FILE, len(file)) == file
        assert prompt(REPOBENCH, task, tokenizer, CROSS_FILE, 20) == file[-20:]

    def test_rows_come_in_parquet_too_as_on_the_hub(self, tmp_path: Path) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        file = tmp_path / "cross_file_random-00000-of-00001.parquet"
        parquet.write_table(pyarrow.Table.from_pylist([REPOBENCH_ROW] * 3), file)
        lines = write_lines(tmp_path / "lines.jsonl", [REPOBENCH_ROW] * 3)
        found = REPOBENCH.read(tmp_path)
        assert [task.part for task in found] == ["cross_file_random"] * 3
        plain = [replace(task, task_id="", part="") for task in REPOBENCH.read(lines)]
        assert [replace(task, task_id="", part="") for task in found] == plain

    def test_the_older_version_has_its_context_as_one_text(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        row = {
            "file_path": "a.py",
            "context": "# Path: b.py\n# def b(): ...",
            "import_statement": "import b",
            "code": "b.b()",
            "next_line": "b.c()",
        }
        (task,) = REPOBENCH.read(write_lines(tmp_path / "in_file.jsonl", [row]))
        assert prompt(REPOBENCH, task, tokenizer, CROSS_FILE, 999) == (
            "# Path: b.py\n# def b(): ...\n# Path: a.py\nimport b\n\nb.b()\n"
        )

    def test_pickles_are_never_loaded(self, tmp_path: Path) -> None:
        (tmp_path / "in_file.gz").write_bytes(gzip.compress(b"\x80\x04."))
        with pytest.raises(InputError, match="a pickle, which is never loaded"):
            REPOBENCH.read(tmp_path / "in_file.gz")

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("x = 1\ny = 2", "x = 1"),
            ("\n\n    x = 1\n", "    x = 1"),
            ("# why\n\nx = 1", "x = 1"),
            ('"""Why\nit is."""\nx = 1', "x = 1"),
            ("# only this", "# only this"),
            ("", ""),
        ],
    )
    def test_the_answer_is_the_first_line_of_code(self, text: str, line: str) -> None:
        assert first_code_line(text, "python") == line

    def test_words_are_matched_and_characters_compared(self, tmp_path: Path) -> None:
        (task,) = REPOBENCH.read(write_lines(tmp_path / "in_file.jsonl", [REPOBENCH_ROW]))
        right = "\treturn  item.price + tax(item.price)\nmore"
        assert scores(REPOBENCH, task, right)["exact_match"]
        assert scores(REPOBENCH, task, task.truth) == {"exact_match": True, "edit_similarity": 1.0}
        wrong = scores(REPOBENCH, task, "    return item.price")
        assert not wrong["exact_match"]
        assert wrong["edit_similarity"] == 0.7  # 2 * 21 / (21 + 39) characters


CROSS_ROW: dict[str, Any] = {
    "prompt": "from shop.tax import Tax\n\ntax = Tax()\nrate = tax.",
    "groundtruth": "rate_of('book')  # a lower one",
    "right_context": "\nprint(rate)\n",
    "metadata": {
        "task_id": "project_cc_python/1",
        "repository": "me-shop-1234567",
        "file": "shop/cart.py",
        "context_start_lineno": 0,
        "groundtruth_start_lineno": 3,
        "right_context_start_lineno": 4,
    },
}
CHUNKS = [
    {"retrieved_chunk": "class Tax:\n\n    pass", "filename": "shop/tax.py", "score": 2.5},
    {"retrieved_chunk": "x = 1\n" * 99, "filename": "shop/long.py", "score": 1.5},
    {"retrieved_chunk": "y = 1", "filename": "shop/y.py", "score": 0.5},
]


class TestCrossCodeEval:
    def test_chunks_are_comments_before_the_file_as_many_as_fit(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        row = CROSS_ROW | {"crossfile_context": {"text": "not read", "list": CHUNKS}}
        (task,) = CROSSCODEEVAL.read(write_lines(tmp_path / "line_completion_rg1.jsonl", [row]))
        assert prompt(CROSSCODEEVAL, task, tokenizer, CROSS_FILE, 1998) == (
            "# Here are some relevant code fragments from other files of the repo:\n\n"
            "# the below code fragment is found in shop/tax.py\n"
            "# class Tax:\n#     pass\n\n"
            "from shop.tax import Tax\n\ntax = Tax()\nrate = tax."
        )
        assert prompt(CROSSCODEEVAL, task, tokenizer, IN_FILE, 10) == "rate = tax."[-10:]
        assert prompt(CROSSCODEEVAL, task, tokenizer, CROSS_FILE, 10) == "rate = tax."[-10:]

    def test_without_chunks_there_is_only_the_file(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        write_lines(tmp_path / "line_completion.jsonl", [CROSS_ROW])
        (task,) = CROSSCODEEVAL.read(tmp_path)
        assert task.context == ()
        assert task.suffix == ""
        write_lines(tmp_path / "line_completion_rg1_bm25.jsonl", [CROSS_ROW])
        with pytest.raises(InputError, match=r"name one of line_completion\.jsonl, line_"):
            CROSSCODEEVAL.read(tmp_path)

    def test_python_ends_where_file_and_answer_parse(self) -> None:
        task = Task("", "x = f(", "", language="python")
        assert statement(task, "1,\n  2)\ny = 3\n") == "1,\n  2)"
        assert statement(task, "1)  \ny") == "1)"
        assert statement(task, "1, 2") == "1, 2"
        broken = Task("", "a ? b\nx = (", "", language="python")
        assert statement(broken, "1)\ny = 2\n") == "1)\ny = 2\n"

    def test_other_languages_end_with_a_statement_or_a_block(self) -> None:
        task = Task("", "var x = ", "", language="csharp")
        assert statement(task, "f(1); y") == "f(1);"
        assert statement(task, "; y") == "; y"  # as published: one that begins it is no end
        assert statement(task, "new() { }") == "new() {"

    def test_comments_do_not_count(self, tmp_path: Path) -> None:
        file = write_lines(tmp_path / "line_completion.jsonl", [CROSS_ROW])
        (task,) = CROSSCODEEVAL.read(file)
        assert scores(CROSSCODEEVAL, task, "rate_of('book') # or so\nprint()") == {
            "exact_match": True,
            "edit_similarity": 1.0,
            "identifier_exact_match": True,
            "identifier_f1": 1.0,
        }
        wrong = scores(CROSSCODEEVAL, task, "rate_of(book)\n")
        assert not wrong["identifier_exact_match"]
        assert wrong["identifier_f1"] == pytest.approx(2 / 3)

    def test_identifiers_are_no_strings_and_no_reserved_words(self) -> None:
        assert identifiers("return f('a b', x1, 2) + None", "python") == ["f", "x1"]
        assert identifiers('new Cart("a").add(this)', "java") == ["Cart", "add"]
        assert f1_of_sets(["a", "a", "b"], ["a"]) == pytest.approx(2 / 3)
        assert f1_of_sets([], []) == 0.0


def repoeval_row(line: int, truth: str, number: str = "line_no", **other: object) -> dict[str, Any]:
    shown = LINES[max(0, line - 4) : line]
    return {
        "prompt": "".join(f"{one}\n" for one in shown),
        "metadata": {
            "task_id": "me_shop/0",
            "ground_truth": truth,
            "fpath_tuple": ["me_shop", "shop", "cart.py"],
            "context_start_lineno": max(0, line - 4),
            number: line,
            **other,
        },
    }


LINES = [f"def step_{number}(cart): return cart.item_{number}" for number in range(40)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of the repositories."""
    package = tmp_path / "repositories" / "me_shop" / "shop"
    package.mkdir(parents=True)
    (package / "cart.py").write_text("\n".join(LINES) + "\n")
    like = [f"def test_{number}(cart): assert cart.item_{number}" for number in range(45)]
    (package / "test_cart.py").write_text("\n".join(like) + "\n")
    (package / "other.py").write_text("import os\n" * 30)
    (package / "latin.py").write_bytes(b"# \xe9\n")
    return tmp_path / "repositories"


class TestRepoEval:
    def test_levels_are_told_by_the_files_and_two_names_of_a_line(self, tmp_path: Path) -> None:
        for level, number in (("line", "line_no"), ("api", "line_no"), ("function", "lineno")):
            name = f"{level}_level_completion_2k_context_codex.test.jsonl"
            write_lines(tmp_path / name, [repoeval_row(9, LINES[9], number, function_name="f")])
        tasks = repoeval().read(tmp_path)
        assert [(task.part, task.line, task.single_line) for task in tasks] == [
            ("line", 9, True),
            ("api", 9, False),
            ("function", 9, False),
        ]
        assert {(task.path, task.repository) for task in tasks} == {("shop/cart.py", "me_shop")}

    def test_windows_that_are_like_it_are_read_before_the_file(
        self, tmp_path: Path, shop: Path, tokenizer: CodeTokenizer
    ) -> None:
        protocol = repoeval(shop)
        file = write_lines(tmp_path / "line_level.jsonl", [repoeval_row(20, LINES[20])])
        (task,) = protocol.read(file)
        found = protocol.find_context(task)
        assert found.context[0].path == "shop/test_cart.py"
        assert "test_20(" in found.context[0].text  # half a window later than what is alike
        built = prompt(protocol, found, tokenizer, CROSS_FILE, 4_000)
        assert built.startswith("# Here are some relevant code fragments")
        rule = "# " + "-" * 50
        assert f"{rule}\n# the below code fragment can be found in:\n# shop/" in built
        assert built.endswith(f"{rule}\n\n{task.prefix}")
        assert prompt(protocol, task, tokenizer, CROSS_FILE, 4_000) == task.prefix
        assert prompt(protocol, found, tokenizer, CROSS_FILE, 30) == task.prefix[-30:]

    def test_nothing_that_follows_the_cursor_is_read(self, tmp_path: Path, shop: Path) -> None:
        protocol = repoeval(shop)
        for line in (1, 12, 25, 39):
            file = write_lines(tmp_path / "line_level.jsonl", [repoeval_row(line, LINES[line])])
            task = protocol.find_context(protocol.read(file)[0])
            own = "".join(block.text for block in task.context if block.path == task.path)
            assert not [shown for shown in LINES[line:] if f"{shown}\n" in own]

    def test_repositories_that_are_not_there_are_told(self, tmp_path: Path, shop: Path) -> None:
        (task,) = repoeval().read(
            write_lines(tmp_path / "api_level.jsonl", [repoeval_row(9, LINES[9])])
        )
        with pytest.raises(InputError, match="name that of the repositories"):
            repoeval(tmp_path / "absent")
        with pytest.raises(InputError, match=r"there is no other/shop/cart\.py in"):
            repoeval(shop).find_context(replace(task, repository="other"))

    @pytest.mark.parametrize("path", [["..", "a.py"], ["/etc", "a.py"], ["me", "../a.py"]])
    def test_no_task_leads_out_of_the_repositories(self, tmp_path: Path, path: list[str]) -> None:
        row = repoeval_row(9, LINES[9])
        row["metadata"]["fpath_tuple"] = path
        file = write_lines(tmp_path / "api_level.jsonl", [row])
        with pytest.raises(InputError, match="leads out of its repository"):
            repoeval().read(file)

    def test_as_many_lines_are_compared_as_the_truth_has(self) -> None:
        task = Task("", "", "a = 1\n\n  b = 2\n")
        protocol = repoeval()
        assert scores(protocol, task, "a = 1\nb = 2\nc = 3") == {
            "exact_match": True,
            "edit_similarity": 1.0,
        }
        assert not scores(protocol, task, "a = 1")["exact_match"]
        assert scores(protocol, task, "a = 1")["edit_similarity"] == pytest.approx(5 / 11)


PY150_ROW = {
    "input": "<s> import os <EOL> def shout ( word , times = <NUM_LIT:2> ) : <EOL> "
    "print ( '<STR_LIT>' , '<STR_LIT:aU+0020b>' ) <EOL> return word .",
    "gt": "upper ( ) * times + '<STR_LIT:!>'",
}


class TestPy150:
    def test_literals_and_line_ends_are_what_they_stand_for(self) -> None:
        assert plain_code(PY150_ROW["input"]) == (
            "import os\ndef shout ( word , times = 2 ) :\nprint ( '' , 'a b' )\nreturn word ."
        )
        assert plain_code("<s> x = <NUM_LIT> <EOL>") == "x = 0\n"

    def test_a_line_is_right_however_its_words_are_spaced(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        write_lines(tmp_path / "line_completion" / "test.json", [PY150_ROW])
        (task,) = PY150.read(tmp_path)
        assert task.single_line
        assert task.truth == "upper ( ) * times + '!'"
        assert prompt(PY150, task, tokenizer, IN_FILE, 13) == "return word ."
        for answer in ("upper()*times + '!'", " upper ( ) * times + '!'  # loud\nnext"):
            assert scores(PY150, task, answer) == {"exact_match": True, "edit_similarity": 1.0}
        assert scores(PY150, task, "upper ( )")["edit_similarity"] == 0.56


JAVA = """class Cart {
    int total() {
        int sum = 0; // "}" is none
        for (Item item : items) { sum += item.price(); }
        return this.tax.of(sum);
    }
    void clear() { }
}
"""


class TestDotPrompts:
    def write(self, folder: Path, dot: int) -> Path:
        start, stop = JAVA.index("{", 12), JAVA.index("}\n    void")
        line = f"me/shop,src/Cart.java,{start},{stop},{dot}\n"
        header = "repo,classFileName,methodStartIdx,methodStopIdx,dot_idx\n"
        (folder / "DotPrompts").mkdir()
        (folder / "DotPrompts" / "dataset.csv").write_text(header + line)
        (folder / "PragmaticCode").mkdir()
        contents = folder / "PragmaticCode" / "fileContentsByRepo.json"
        contents.write_text(json.dumps({"me/shop": {"src/Cart.java": JAVA}}))
        return contents

    def test_the_file_is_read_up_to_the_dot_and_the_method_judged(
        self, tmp_path: Path, tokenizer: CodeTokenizer
    ) -> None:
        self.write(tmp_path, JAVA.index(".of("))
        (task,) = DOTPROMPTS.read(tmp_path)
        assert task.prefix.endswith("return this.tax.")
        assert task.truth == "of(sum);\n    }"
        assert prompt(DOTPROMPTS, task, tokenizer, IN_FILE, 9) == "this.tax."
        whole = {"nim": True, "ism": 1.0, "pm": 1.0}
        assert scores(DOTPROMPTS, task, "of(sum);\n}\n\nvoid x() { }") == whole
        assert scores(DOTPROMPTS, task, "of(sum);") == whole  # the brace that is missing is added
        assert scores(DOTPROMPTS, task, "of(total);\n}") == {
            "nim": True,
            "ism": 0.5,
            "pm": pytest.approx(2 / 6),
        }
        assert scores(DOTPROMPTS, task, "") == {"nim": False, "ism": 0.0, "pm": 0.0}

    def test_braces_in_strings_and_comments_close_nothing(self) -> None:
        begun = JAVA[JAVA.index("{", 12) : JAVA.index("sum = 0")]
        rest = JAVA[JAVA.index("sum = 0") :]
        assert method_rest(begun, rest) == rest[: rest.index("}\n    void") + 1]
        assert method_rest("{ if (a) {", " b();") == " b();}}"
        assert java_names("this.tax.of(Sum.class)") == ["tax", "of", "Sum", "class"]

    def test_files_that_do_not_fit_together_are_told(self, tmp_path: Path) -> None:
        contents = self.write(tmp_path, JAVA.index("class"))
        with pytest.raises(InputError, match="has no dot in a method"):
            DOTPROMPTS.read(tmp_path)
        contents.write_text("{}")
        with pytest.raises(InputError, match=r"the text of me/shop, src/Cart\.java is not among"):
            DOTPROMPTS.read(tmp_path)
        contents.unlink()
        with pytest.raises(InputError, match=r"there is no fileContentsByRepo\.json near"):
            DOTPROMPTS.read(tmp_path / "DotPrompts")


PROTOCOLS = (REPOBENCH, CROSSCODEEVAL, repoeval(), PY150, DOTPROMPTS, HUMANEVAL)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=[one.name for one in PROTOCOLS])
class TestEveryBenchmark:
    def test_data_that_is_not_there_is_told_with_what_to_name(
        self, protocol: Protocol, tmp_path: Path
    ) -> None:
        for path in (tmp_path, tmp_path / "absent"):
            with pytest.raises(InputError, match=r"there is no .* data at .*; name the file"):
                protocol.read(path)

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"not json\n", b"[1]\n", b"{}\n", b"\xff\n", b'{"a": {"b": [1]}}\n'),
            *(b"[" * 100_000, b"repo\n" + b"a" * 200_000),
        ],
    )
    def test_another_form_is_told_in_one_line(
        self, protocol: Protocol, content: bytes, tmp_path: Path
    ) -> None:
        (tmp_path / "fileContentsByRepo.json").write_text("{}")
        file = tmp_path / ("dataset.csv" if protocol is DOTPROMPTS else "file.jsonl")
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"cannot be read|holds no tasks") as caught:
            protocol.read(file)
        assert "\n" not in str(caught.value)


def test_what_json_spells_and_is_no_text_is_told(tmp_path: Path) -> None:
    row = dict.fromkeys(("task_id", "entry_point", "suffix", "canonical_solution", "test"), "x")
    file = write_lines(tmp_path / "file.jsonl", [{**row, "prompt": "\ud800"}])
    with pytest.raises(InputError, match=r"cannot be read .*surrogates not allowed"):
        HUMANEVAL.read(file)


def test_a_text_is_cut_off_at_its_beginning(tokenizer: CodeTokenizer) -> None:
    assert last_tokens(tokenizer, "abcdef", 4) == "cdef"
    assert last_tokens(tokenizer, "abc", 4) == "abc"
    assert last_tokens(tokenizer, "abc", 0) == last_tokens(tokenizer, "abc", -3) == ""


def test_tasks_are_drawn_in_their_order() -> None:
    tasks = [Task(str(number), "", "") for number in range(50)]
    some = drawn(tasks, 10, seed=0)
    assert some == drawn(tasks, 10, seed=0) != drawn(tasks, 10, seed=1)
    assert [*map(int, (task.task_id for task in some))] == sorted(int(t.task_id) for t in some)
    assert drawn(tasks, 99, seed=0) == tasks


def test_two_similarities_are_not_the_same() -> None:
    assert percent_similarity("abcd", "abce") == 0.75
    assert edit_distance_similarity("abcd", "abce") == 0.75
    assert percent_similarity("ab", "ba") == 0.5  # a letter taken out and put in
    assert edit_distance_similarity("ab", "ba") == 0.0  # two letters changed
    assert percent_similarity("", "") == edit_distance_similarity("", "") == 1.0
    assert percent_similarity("", "x") == edit_distance_similarity("", "x") == 0.0
