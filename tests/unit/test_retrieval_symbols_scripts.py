"""What a repository's own TypeScript and JavaScript says may stand at a place; `▮` is the place."""

from pathlib import Path

import pytest

from retrieval.analyst.questions import Question, Wanted
from retrieval.symbols.answers import DeclaredNames
from retrieval.symbols.script_modules import EVERY_FUNCTION, EVERY_OBJECT
from tests.unit.workspaces import declared_at, write_files

UTIL = """\
export function alpha() {}
export const beta = 1, { gamma, rest: [delta] } = made();
export * from './more';
export * as inner from './more';
export enum Colour { Red, Green = 3, 'Blue' }
class Base { id = 1 }
export class User extends Base {
  label = "";
  constructor(private readonly repo: Repo, plain?: string) { super() }
  greet(): void {}
  static make() {}
}
export interface Shape extends Sized { area(): number; kind?: string }
interface Sized { size: number }
export type Options = { a: number, b?: string } & Sized;
export const config = { host: "x", port: 1, open() {} } as const;
export const spread = { ...config, more: 1 };
export const told: Record<string, number> = { a: 1 };
export interface Bag { [key: string]: number; known: number }
export class Far extends Elsewhere { near = 1 }
export class Twice { one = 1 }
export interface Twice { two: number }
export default class Whole { part = 1 }
"""
FILES = {
    "util.ts": UTIL,
    "more/index.ts": "export type More = 1;\nexport { alpha as omega } from '../util';\n",
    "common.js": "module.exports = { a: 1 };\nexport const b = 2;\n",
    "plain.js": "export const c = 1;\nexport class Loose { x = 1 }\n",
    "broken.ts": "export const a = (;\n",
    "partly.ts": "export const a = 1;\nexport * from 'elsewhere';\n",
    "again.ts": "export * from './again';\nexport const a = 1;\n",
}
HEAD = """\
import * as util from './util';
import Whole, { User, Colour, Shape as Form, Options, config as settings, spread, told } from './util.js';
import { Bag, Far, Twice } from './util';
import fs from 'fs';
class Local extends User {
  extra = 1;
  run() {
    const held = () => this.extra;
    ▮
  }
  static of() { return 1 }
}
"""  # noqa: E501


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("workspace"), FILES)


def names_at(workspace: Path, text: str, file: str = "main.ts") -> set[str] | None:
    return declared_at(workspace, file, text)


EXPORTED = {"alpha", "beta", "gamma", "delta", "inner", "Colour", "User", "Shape", "Options"} | {
    *("config", "spread", "told", "Bag", "Far", "Twice", "default", "More", "omega"),
}


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("util.▮", EXPORTED),
        ("call(util.▮", EXPORTED),
        ("let x: util.▮", EXPORTED),
        ("Colour.▮", {"Red", "Green", "Blue"}),
        ("User.▮", {"make"}),
        ("Local.▮", {"make", "of"}),
        ("settings.▮", {"host", "port", "open"}),
        ("return this.▮", {"extra", "run", "id", "label", "repo", "greet"}),
        ("[].map(() => this.▮)", {"extra", "run", "id", "label", "repo", "greet"}),
        ("const u: User = x; u.▮", {"id", "label", "repo", "greet"}),
        ("const u = new User(x); return u?.▮", {"id", "label", "repo", "greet"}),
        ("const w = new Whole(); w.▮", {"part"}),
        ("xs.map((form: Form) => form.▮)", {"area", "kind", "size"}),
        ("let o: Options = x; o!.▮", {"a", "b", "size"}),
        ("const t = new Twice(); t.▮", {"one", "two"}),
    ],
)
def test_all_that_is_declared(workspace: Path, line: str, known: set[str]) -> None:
    names = names_at(workspace, HEAD.replace("▮", line))
    assert names is not None
    assert names - EVERY_FUNCTION - EVERY_OBJECT == known


@pytest.mark.parametrize(
    "line",
    [
        "fs.▮",  # of another package
        "unknown.▮",
        "util.inner.▮",  # after a dot no name is looked at
        "'util.▮'",
        "`util.▮`",
        "// util.▮",
        "/util.▮/",
        "const util = other; util.▮",  # another one
        "function f(util) { return util.▮ }",
        "for (const util of all) util.▮",
        "try {} catch (util) { util.▮ }",
        "const { User } = other; User.▮",
        "const f = function () { return this.▮ }",  # another `this`
        "const o = { m() { return this.▮ } }",
        "spread.▮",
        "told.▮",
        "let u = new User(); u.▮",  # may be given another value
        "let u: User | Form; u.▮",
        "let u: Array<User>; u.▮",
        "const b: Bag = x; b.▮",
        "const f = new Far(); f.▮",
        "const u: User = x; if (u instanceof Other) u.▮",
        "const u: User = x; if ('more' in u) u.▮",
        "const u: User = x; if (other(u)) u.▮",
        "const u: User = x; other(u) && u.▮",
        "const u: User = x; assertOther(u); u.▮",
        "class User { own = 1 }; const u: User = x; u.▮",
        "class Made { constructor() { Object.assign(this, x) } m() { this.▮ } }",
    ],
)
def test_what_is_not_known_for_sure(workspace: Path, line: str) -> None:
    assert names_at(workspace, HEAD.replace("▮", line)) is None


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("import { ▮ } from './more'", {"More", "omega"}),
        ("import { omega, ▮ } from './more/index'", {"More", "omega"}),
        ("import type { ▮ } from './more/index.js'", {"More", "omega"}),
        ("export { ▮ } from './more'", {"More", "omega"}),
        ("import { ▮ } from './plain'", {"c", "Loose"}),
        ("import { ▮ } from './again'", None),
        ("import { ▮ } from 'fs'", None),
        ("import { ▮ } from './nowhere'", None),
        ("import { ▮ } from '../elsewhere'", None),
        ("import { ▮ } from './common'", None),
        ("import { ▮ } from './broken'", None),
        ("import { ▮ } from './partly'", None),
        ("import { a as ▮ } from './more'", None),
    ],
)
def test_imports(workspace: Path, text: str, known: set[str] | None) -> None:
    assert names_at(workspace, text) == known


def test_in_javascript_anything_may_have_been_given_more(workspace: Path) -> None:
    head = "import * as plain from './plain.js';\nimport { Loose } from './plain.js';\n"
    assert names_at(workspace, head + "plain.▮", "main.js") == {"c", "Loose"}
    assert names_at(workspace, head + "new Loose().▮", "main.js") is None
    assert names_at(workspace, head + "const l = new Loose(); l.▮", "main.js") is None


def test_a_line_that_is_half_written_hides_nothing(workspace: Path) -> None:
    text = HEAD.replace("▮", "if (this.extra && (this.▮")
    assert names_at(workspace, text) is None or "extra" in (names_at(workspace, text) or ())
    assert "extra" in (names_at(workspace, HEAD.replace("▮", "foo(this.▮")) or ())


def test_no_file_outside_of_the_workspace_is_read(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.ts").write_text("export const a = 1;\n")
    (workspace / "linked.ts").symlink_to(tmp_path / "outside.ts")
    assert names_at(workspace, "import { ▮ } from './linked'") is None


def test_files_are_read_again_once_they_have_changed(tmp_path: Path) -> None:
    names = DeclaredNames()
    (tmp_path / "part.ts").write_text("export const a = 1;\n")
    place = ("import { ", " } from './part'\n")
    question = Question(str(tmp_path / "main.ts"), str(tmp_path), *place, Wanted.NAMES)
    first = names.answer(question)
    (tmp_path / "part.ts").write_text("export const other = 1;\n")
    second = names.answer(question)
    assert first is not None
    assert second is not None
    assert [set(first.names), set(second.names)] == [{"a"}, {"other"}]
