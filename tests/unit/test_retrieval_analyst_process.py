"""The analyst's process: traps in a workspace, the cache, memory, freezing, crashing, ending."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.child import Worker, clean_environment
from retrieval.analyst.questions import Answer, Question, Wanted

START = 60.0  # seconds that a start may take on a busy machine


@pytest.fixture(scope="module")
def analyst() -> Iterator[ProcessAnalyst]:
    with ProcessAnalyst(timeout=20.0) as shared:
        assert shared.wait_until_warm(START)
        yield shared


def question(root: Path, before: str, after: str = "\n", wanted: Wanted = Wanted.NAMES) -> Question:
    return Question(str(root / "asked.py"), str(root), before, after, wanted)


def ask(analyst: ProcessAnalyst, asked: Question) -> Answer | None:
    return analyst.ask(asked).result(timeout=30)


def test_names_come_back(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    answer = ask(analyst, question(tmp_path, "text = ''\ntext."))
    assert answer is not None
    assert "upper" in answer.names
    assert answer.complete
    assert answer.call is None


def test_a_call_comes_back(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    answer = ask(analyst, question(tmp_path, "def f(a, b=1): ...\nf(", ")\n", Wanted.CALL))
    assert answer is not None
    assert answer.call is not None
    assert answer.call.keywords == {"a", "b"}


def test_asking_again_is_answered_from_memory(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    asked = question(tmp_path, "number = 1\nnumber.")
    first = ask(analyst, asked)
    before = analyst.counts
    again = analyst.ask(asked)
    assert again.done()
    assert again.result() == first
    assert analyst.counts.cached == before.cached + 1
    other = question(tmp_path, "number = 1\nnumber.", "\nother = 1\n")
    assert ask(analyst, other) is not None
    assert analyst.counts.cached == before.cached + 1


def test_unpaired_surrogates_and_odd_line_ends_do_no_harm(
    analyst: ProcessAnalyst, tmp_path: Path
) -> None:
    for text in ("x = '\udc80'\nx.", "x = ''\r\nx.", "x = ''\x0c\nx.", "x = '\u2028'\nx.", "\0x."):
        analyst.ask(question(tmp_path, text)).result(timeout=30)
    assert ask(analyst, question(tmp_path, "last = ''\nlast.")) is not None


TRAP = "open({marker!r}, 'w').close()\nname = 1\n"
TRAPPED_FILES = (
    *("trap.py", "gi.py", "gi/__init__.py", "sitecustomize.py", "usercustomize.py", "conftest.py"),
    *("setup.py", "manage.py", "jedi.py", "parso.py", "json.py", "zlib.py", "numpydoc.py", "re.py"),
    *("retrieval/__init__.py", "retrieval/analyst/worker.py", "package/__init__.py", "os.py"),
    *("package/compiled.py", "encodings/__init__.py", "jedi_plugin.py", "bin/script.py", "six.py"),
    *("src/trap_in_source.py", ".venv/lib/python3.11/site-packages/trap_installed.py"),
)
TRAPPED_QUESTIONS = (
    *("import trap\ntrap.", "import gi\ngi.", "from gi.repository import ", "from trap import "),
    *("import ", "import sitecustomize\nsitecustomize.", "import conftest\nconftest.fixture."),
    *(
        "import setup\nsetup.",
        "import manage\nmanage.",
        "import zlib\nzlib.",
        "from package import ",
    ),
    *("import package.compiled\npackage.compiled.", "import fake\nfake.", "import real\nreal."),
    *("import package.real\npackage.real.", "from real import ", "import real.more\nreal.more."),
    *("import trap_in_source\ntrap_in_source.", "import zipped\nzipped.", "import byte\nbyte."),
    *("import trap_installed\ntrap_installed.", "from . import ", "from .trap import "),
    *("import sys\nsys.path.insert(0, 'bin')\nimport script\nscript.", "import six.moves\nsix."),
    "import numpydoc\ndef f(a):\n    '''\n    Parameters\n    ---\n    a : str\n    '''\n    a.",
)


def compiled_trap(folder: Path, marker: Path) -> bool:
    """A real extension module that writes the marker when it is loaded, if it can be built."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    source = folder / "real.c"
    source.write_text(
        "#include <Python.h>\n#include <stdio.h>\n"
        "PyMODINIT_FUNC PyInit_real(void) {\n"
        f'    FILE *f = fopen("{marker}", "w"); if (f) fclose(f);\n'
        '    static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "real", 0, -1, 0};\n'
        "    return PyModule_Create(&d);\n}\n"
    )
    target = folder / ("real" + sysconfig.get_config_var("EXT_SUFFIX"))
    include = sysconfig.get_paths()["include"]
    if compiler is None:
        return False
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)],
        capture_output=True,
        check=False,
    )
    return built.returncode == 0


def set_traps(root: Path, marker: Path) -> None:
    trap = TRAP.format(marker=str(marker))
    for name in TRAPPED_FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.suffix != ".py":
            path.write_text(trap)
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
    (root / f"fake{suffix}").write_bytes(b"\x7fELF no module")
    (root / "trap.pth").write_text(f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n")
    (root / "buildout.cfg").write_text("[buildout]\n")
    (root / "bin/buildout").write_text("#!/usr/bin/python\n" + trap)
    (root / ".jedi").mkdir()
    (root / ".jedi/project.json").write_text(
        '[1, {"path": ".", "environment_path": "bin/python", "load_unsafe_extensions": true}]'
    )
    python = root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch {marker}\n")
    python.chmod(0o755)
    (root / "bin/python").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (root / "bin/python").chmod(0o755)
    compile_to_bytecode = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2])"
    subprocess.run(
        [sys.executable, "-c", compile_to_bytecode, str(root / "trap.py"), str(root / "byte.pyc")],
        check=True,
    )
    shutil.make_archive(str(root / "zipped"), "zip", root / "src")
    if compiled_trap(root, marker):
        shutil.copy(root / ("real" + suffix), root / "package" / ("real" + suffix))


def test_no_trap_of_a_workspace_is_sprung(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    root, marker = tmp_path / "workspace", tmp_path / "marker"
    root.mkdir()
    set_traps(root, marker)
    process = analyst.process_id
    for path in (root / "asked.py", root / "package/asked.py", root / "manage.py"):
        for text in TRAPPED_QUESTIONS:
            asked = Question(str(path), str(root), text, "\n", Wanted.NAMES)
            analyst.ask(asked).result(timeout=30)
            assert not marker.exists(), text
    seen = ask(analyst, question(root, "import trap\ntrap."))
    assert seen is not None
    assert "name" in seen.names  # the traps were read, and only read
    assert analyst.process_id == process
    assert not list(root.rglob("__pycache__"))


def test_the_traps_would_spring(tmp_path: Path) -> None:
    root, marker = tmp_path / "workspace", tmp_path / "marker"
    root.mkdir()
    set_traps(root, marker)
    traps = ["trap", "real"] if list(root.glob("real*.so")) else ["trap"]
    for name in traps:
        script = f"import sys; sys.path.append({str(root)!r}); import {name}"
        subprocess.run([sys.executable, "-I", "-c", script], check=False)
        assert marker.exists(), name
        marker.unlink()


@pytest.mark.parametrize("name", ["secrets", "credentials_of_mine", ".env"])
def test_files_that_hold_secrets_are_not_read(
    analyst: ProcessAnalyst, tmp_path: Path, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text("token_of_mine = 'abc'\n")
    answer = ask(analyst, question(tmp_path, f"import {name.strip('.')}\n{name.strip('.')}."))
    assert answer is None or "token_of_mine" not in answer.names


def test_what_the_workspace_holds_beside_python_is_not_read(
    analyst: ProcessAnalyst, tmp_path: Path
) -> None:
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.py")
        os.mkfifo(tmp_path / "stub.pyi")
    (tmp_path / "huge.py").write_text("x = 1\n" * 1_000_000)
    for name in ("pipe", "stub", "huge"):
        answer = ask(analyst, question(tmp_path, f"import {name}\n{name}."))
        assert answer is None or not answer.complete


def test_variables_of_python_are_kept_from_the_child() -> None:
    given = {"PATH": "/bin", "PYTHONPATH": "/tmp", "PYTHONSTARTUP": "x", "VIRTUAL_ENV": "/tmp/v"}
    kept = clean_environment(given)
    assert kept["PATH"] == "/bin"
    assert set(kept) == {"PATH", "PYTHONPATH"}
    assert kept["PYTHONPATH"] != "/tmp"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_stays_flat_while_texts_change(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    body = "class A:\n    def f(self) -> str:\n        return ''\n" * 4

    def ask_many(first: int, count: int) -> int:
        for n in range(first, first + count):
            root = tmp_path / f"part{n % 12}"
            asked = question(root, f"{body}value_{n} = A()\nvalue_{n}.f().", f"upper()\nx = {n}\n")
            assert ask(analyst, asked) is not None
        process = analyst.process_id
        assert process is not None
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20

    after_some = ask_many(0, 40)
    assert ask_many(40, 100) < after_some + 20  # MiB


def test_a_question_called_off_costs_nothing(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    replies = [analyst.ask(question(tmp_path, f"x = {n}\nx.")) for n in range(4)]
    for reply in replies[:3]:
        reply.cancel()
    assert replies[3].result(timeout=30) is not None


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_frozen_child_costs_no_more_than_the_time_out(tmp_path: Path) -> None:
    with ProcessAnalyst(timeout=0.5, patience=0.5) as impatient:
        assert impatient.wait_until_warm(START)
        frozen = impatient.process_id
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        started = time.monotonic()
        long = "y = 1\n" * 100_000  # more than a pipe takes
        assert impatient.ask(question(tmp_path, long + "y.")).result(timeout=10) is None
        assert time.monotonic() - started < 2
        assert impatient.counts.timed_out == 1
        deadline = time.monotonic() + 10
        while impatient.process_id == frozen and time.monotonic() < deadline:
            time.sleep(0.05)
        assert impatient.process_id != frozen
        assert not alive(frozen)
        assert impatient.counts.crashed == 1


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_child_is_started_again_and_a_closed_one_never(
    analyst: ProcessAnalyst, tmp_path: Path
) -> None:
    killed = analyst.process_id
    assert killed is not None
    crashed = analyst.counts.crashed
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while analyst.counts.crashed == crashed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert analyst.counts.crashed == crashed + 1
    assert analyst.wait_until_warm(START)
    assert ask(analyst, question(tmp_path, "again = ''\nagain.")) is not None
    last = analyst.process_id
    assert last is not None
    analyst.close()
    assert not alive(last)
    assert ask(analyst, question(tmp_path, "late = ''\nlate.")) is None
    assert analyst.process_id is None


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_that_never_comes_up_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.analyst.analyst.FIRST_PAUSE", 0.001)
    monkeypatch.setattr("retrieval.analyst.analyst.MOST_CRASHES", 3)
    nobody = Worker("retrieval.analyst.no_such_module", {})
    with ProcessAnalyst(timeout=30.0, worker=nobody) as hopeless:
        assert ask(hopeless, question(tmp_path, "x = ''\nx.")) is None
        assert hopeless.counts.crashed == 3
        assert ask(hopeless, question(tmp_path, "y = ''\ny.")) is None
        assert hopeless.counts.crashed == 3


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os\nfrom retrieval.analyst.analyst import ProcessAnalyst\n"
        "analyst = ProcessAnalyst()\nanalyst.start()\n"
        "while analyst.process_id is None: pass\n"
        "print(analyst.process_id, flush=True)\nos._exit(1)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False
    )
    child = int(finished.stdout)
    deadline = time.monotonic() + START
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)
