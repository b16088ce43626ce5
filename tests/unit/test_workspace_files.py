"""Which files may be read: secrets, `.git`, `.gitignore` compared with git itself, links."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.workspace_files import LARGEST_GITIGNORE, WorkspaceFiles

PATHS = (
    *("main.py", "build", "notes.txt", "a b.txt", "#x", "!x", "trailing ", "[x]", "a*b", "axb"),
    *("build_/x.py", "src/build/out.py", "src/main.py", "src/deep/er/main.py", "src/deep/a.txt"),
    *(
        "logs/today.log",
        "logs/keep.log",
        "logs/old/keep.log",
        "doc/a/b/c.md",
        "doc/c.md",
        ".hidden",
    ),
    *("foo/bar", "foo/x/bar", "x/foo/bar", "x/y/foo/bar/z", "Ä.txt", "aé", "a1", "a-", "a]"),
)

PATTERN_FILES = (
    "*.log\n!keep.log\n",
    "/build\n",
    "build/\n",
    "src/\n!src/main.py\n",
    "src/*\n!src/deep\n",
    "logs/**\n!logs/keep.log\n",
    "**/bar\n",
    "foo/**/bar\n",
    "foo/**\n",
    "foo/**/\n",
    "**/\n",
    "**\n!*.py\n",
    "/*\n!/src\n",
    "*\n!*/\n!*.md\n",
    "doc/**/c.md\n",
    "\\#x\n\\!x\n# a comment\n#x\n",
    "trailing \n",
    "trailing\\ \n",
    "a b.txt   \n",
    "[x]\n\\[x\\]\n",
    "a[!a-w]b\n",
    "a[^x]b\n",
    "a[]x]\n",
    "a[]-]\n",
    "a[[:digit:]]\na[[:upper:]x]b\n",
    "[/s]rc\nbuild[/]x\n[!/b]oo\n",
    "[/\n/[src]/a\nsrc/[a-z/]\n",
    "src\\/deep\n**\\/a.txt\n\\/src\n",
    "doc\\/**\\/c.md\n",
    "a[[:nothing:]]\n[\na[\n",
    "a\\*b\n",
    "a?b\na?\n",
    "*.TXT\n",
    "Ä.txt\n",
    "\ufeffmain.py\r\nnotes.txt\r\n",
    "/\n//\n!\n\\\n",
    "foo//\nsrc//deep\n",
    ".*\n",
    "a***b\nsrc/***/main.py\n",
    "src/deep/\n!src/deep/a.txt\n",
    "*a*x*t*\n",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty git repository that no setting of this machine has a say in."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    return folder


def git(folder: Path, *arguments: str, text: str = "") -> str:
    silent = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    finished = subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        env=os.environ | silent,
        check=False,
    )
    assert finished.returncode in (0, 1), finished.stderr
    return finished.stdout


def write(folder: Path, *paths: str) -> None:
    for name in paths:
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")


def ignored_by_git(folder: Path, paths: tuple[str, ...]) -> set[str]:
    listed = "\0".join(paths)
    return {p for p in git(folder, "check-ignore", "--stdin", "-z", text=listed).split("\0") if p}


def refused(folder: Path, paths: tuple[str, ...]) -> set[str]:
    files = WorkspaceFiles((folder,))
    return {name for name in paths if not files.allows(folder / name)}


@pytest.mark.parametrize("patterns", PATTERN_FILES)
def test_ignores_exactly_what_git_ignores(repository: Path, patterns: str) -> None:
    write(repository, *PATHS)
    (repository / ".gitignore").write_text(patterns, newline="")
    assert refused(repository, PATHS) == ignored_by_git(repository, PATHS)


def test_nearer_files_overrule_those_above(repository: Path) -> None:
    write(repository, *PATHS)
    (repository / ".gitignore").write_text("*.txt\n*.md\n/src/deep/er\n")
    (repository / "src/.gitignore").write_text("!deep/a.txt\nbuild\n!deep/er\n")
    (repository / "doc/a/.gitignore").write_text("!/b/c.md\n")
    expected = ignored_by_git(repository, PATHS)
    assert {"notes.txt", "doc/c.md", "src/build/out.py"} <= expected
    assert refused(repository, PATHS) == expected


lines = st.lists(
    st.text(alphabet="ab/*?!#[]\\- .x", min_size=1, max_size=7), min_size=1, max_size=4
)


# One repository serves all examples; each writes the whole of its .gitignore.
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(lines)
def test_ignores_what_git_ignores_under_any_patterns(repository: Path, patterns: list[str]) -> None:
    paths = ("a", "b", "x", "ab", "ba", "c/a", "c/b/a", "d/c/ab", "a.b", "-", "c/x.a")
    if any("**" in line.strip("*") for line in patterns):
        return  # git itself reads a double star beside other characters in more than one way
    write(repository, *paths)
    (repository / ".gitignore").write_text("\n".join(patterns))
    assert refused(repository, paths) == ignored_by_git(repository, paths)


def test_a_root_inside_a_repository_obeys_the_whole_repository(repository: Path) -> None:
    write(repository, "package/main.py", "package/out.gen", "other/out.gen")
    (repository / ".gitignore").write_text("*.gen\n")
    files = WorkspaceFiles((repository / "package",))
    assert files.allows(repository / "package/main.py")
    assert not files.allows(repository / "package/out.gen")
    assert files.allows(repository / "other/out.gen"), "outside the root only names count"


def test_a_change_of_the_patterns_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    files = WorkspaceFiles((tmp_path,))
    assert files.allows(tmp_path / "a.txt")
    (tmp_path / ".gitignore").write_text("a.txt\n")
    assert not files.allows(tmp_path / "a.txt")
    (tmp_path / ".gitignore").write_text("b.txt\n")  # as long as before: the time tells
    os.utime(tmp_path / ".gitignore", ns=(1, 1))
    assert files.allows(tmp_path / "a.txt")
    (tmp_path / ".gitignore").unlink()
    assert files.allows(tmp_path / "a.txt")


SECRETS = (
    *(".env", ".ENV", ".env.local", "server.pem", "tls.KEY", "store.jks", "x.p12", "x.pfx"),
    *(
        "id_rsa",
        "id_rsa.pub",
        "id_ed25519",
        "id_ecdsa_sk",
        ".netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
    ),
    *(".htpasswd", "credentials.json", "Credentials", "secrets.yaml", "vault.kdbx"),
    *(
        ".git-credentials",
        "my.keystore",
        ".ssh/config",
        ".aws/config",
        ".git/config",
        "a/.git/HEAD",
    ),
)
NO_SECRETS = (
    *(".env.example", ".env.sample", ".env.template", "main.py", "environment.py", "keys.py"),
    *("secretary.py", "monkey.py", ".github/workflows/ci.yml", ".gitattributes", "pem/reader.py"),
)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_refused_everywhere(tmp_path: Path, name: str, inside: bool) -> None:
    root = tmp_path if inside else tmp_path / "elsewhere"
    assert not WorkspaceFiles((root,)).allows(tmp_path / name)


@pytest.mark.parametrize("name", NO_SECRETS)
def test_names_that_only_resemble_secrets_are_allowed(tmp_path: Path, name: str) -> None:
    assert WorkspaceFiles((tmp_path,)).allows(tmp_path / name)


def test_a_link_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(root, "main.py", "generated.py", ".git/config")
    write(outside, "library.py", ".env", "folder/id_rsa")
    (root / ".gitignore").write_text("generated.py\n")
    for name, target in {
        "to_library.py": outside / "library.py",
        "to_secret.py": outside / ".env",
        "to_folder": outside / "folder",
        "to_ignored.py": root / "generated.py",
        "to_git.py": root / ".git/config",
        "loop.py": root / "loop.py",
        "to_nothing.py": outside / "absent.py",
    }.items():
        (root / name).symlink_to(target)
    (tmp_path / "other_name").symlink_to(root)
    files = WorkspaceFiles((root,))
    assert files.allows(root / "to_library.py")
    assert files.allows(root / "to_nothing.py")
    for name in ("to_secret.py", "to_folder/id_rsa", "to_ignored.py", "to_git.py", "loop.py"):
        assert not files.allows(root / name), name
    assert not files.allows(tmp_path / "other_name/generated.py")
    assert not files.allows(root / "../outside/.env")
    by_other_name = WorkspaceFiles((tmp_path / "other_name",))
    assert by_other_name.allows(root / "main.py")
    assert not by_other_name.allows(root / "generated.py")
    assert not by_other_name.allows(tmp_path / "other_name/generated.py")


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 64, b"\xff\xfe\x00[\n" * 999, b"[" * 5000, b"\\" * 4999, b"!" * 5000],
)
def test_odd_patterns_do_no_harm(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, "main.py")
    (tmp_path / ".gitignore").write_bytes(content)
    assert WorkspaceFiles((tmp_path,)).allows(tmp_path / "main.py")


def test_a_pattern_made_to_be_slow_is_not(tmp_path: Path) -> None:
    # Going back over every star would take longer than anyone waits for this test.
    (tmp_path / ".gitignore").write_text("*a" * 60 + "b\n" + "**/a/" * 60 + "b\n")
    assert WorkspaceFiles((tmp_path,)).allows(tmp_path / "/".join("a" * 60) / ("a" * 200))


def test_a_huge_pattern_file_hides_what_stands_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "package/main.py")
    (tmp_path / "package/.gitignore").write_bytes(b"x\n" * LARGEST_GITIGNORE)
    files = WorkspaceFiles((tmp_path,))
    assert files.allows(tmp_path / "main.py")
    assert not files.allows(tmp_path / "package/main.py")


def test_pattern_files_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "linked/main.py")
    (tmp_path / ".gitignore").mkdir()
    (tmp_path / "linked/.gitignore").symlink_to("/dev/zero")
    files = WorkspaceFiles((tmp_path,))
    assert files.allows(tmp_path / "main.py")
    assert files.allows(tmp_path / "linked/main.py")


@pytest.mark.parametrize("name", ["a\0b", "\ud800.py"])
def test_impossible_paths_are_refused(tmp_path: Path, name: str) -> None:
    assert not WorkspaceFiles((tmp_path,)).allows(tmp_path / name)
