"""What a repository's own TypeScript and JavaScript says may stand at a place; `▮` is the place."""

from pathlib import Path

import pytest

from retrieval.analyst.questions import Question, Wanted
from retrieval.index.declarations import Kind
from retrieval.symbols.answers import DeclaredNames
from retrieval.symbols.script_members import EVERY_FUNCTION
from tests.unit.workspaces import answer_at, declared_at, write_files

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
    "merged.ts": """\
class Both { static a = 1 }
namespace Both { export const b = 2 }
export { Both };
export type Made = { a: 1 };
export declare const Made: { new(): { c: 1 } };
export namespace Outer.Inner { export const x = 1 }
export interface Tree { kind: string; isLeaf(): this is Tree & { leaf: 1 } }
export interface Props { a: number }
export type Wrapped<Props> = Props & { b: number };
""",
    "built.js": "export const a = 1;\n",
    "built.d.ts": "interface A { x: 1 }\nexport const a: number, b: A;\n",
    "commented.js": "/** @typedef {{a: 1}} Options */\nexport const a = 1;\n",
    "script.ts": "interface Window { mine: 1 }\n",
    "comp.ts": "export const besides = 1;\n",
    "comp/index.ts": "export const inside = 1;\n",
    "again.ts": "export * from './again';\nexport const a = 1;\n",
}
HEAD = """\
import * as util from './util';
import Whole, { User, Colour, Shape as Form, Options, config as settings, spread, told } from './util.js';
import { Bag, Far, Twice } from './util';
import { Both, Made, Tree, Props, Wrapped } from './merged';
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
    assert names - EVERY_FUNCTION.keys() == known


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("util.▮", {"alpha": Kind.FUNCTION, "beta": Kind.VARIABLE, "User": Kind.CLASS}),
        ("util.▮", {"Shape": Kind.CLASS, "default": Kind.CLASS}),
        ("User.▮", {"make": Kind.METHOD, "bind": Kind.METHOD}),
        ("return this.▮", {"run": Kind.METHOD, "extra": Kind.PROPERTY, "repo": Kind.PROPERTY}),
        ("xs.map((form: Form) => form.▮)", {"area": Kind.METHOD, "kind": Kind.PROPERTY}),
        ("settings.▮", {"host": Kind.PROPERTY, "open": Kind.METHOD, "toString": Kind.METHOD}),
        ("Colour.▮", {"Red": Kind.PROPERTY, "valueOf": Kind.METHOD}),
    ],
)
def test_what_is_declared(workspace: Path, line: str, kinds: dict[str, Kind]) -> None:
    answer = answer_at(workspace, "main.ts", HEAD.replace("▮", line))
    assert answer is not None
    assert kinds.items() <= answer.kinds.items()
    assert "omega" not in answer.kinds  # which another module exports


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
        "const u: User = x; isOther(u!) || u.▮",
        "const u: User = x; const d = isOther(u); if (d) u.▮",
        "const u: User = x; switch (true) { case isOther(u): u.▮ }",
        "if ('debug' in settings) settings.▮",
        "if (this instanceof Other) this.▮",
        "if (isOther(this)) this.▮",
        "const f = (n: Tree) => n.isLeaf() ? n.▮ : 0",
        "function f(p: Wrapped<User>) { return p.▮ }",
        "const m = new Made(); m.▮",
        "const { User } = await load(); const u = new User(); u.▮",
        "Both.▮",
        "for (var util of all) {} util.▮",
        "namespace N { const util = 1; namespace M { util.▮ } }",
        "using util = made(); util.▮",
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
        ("import { ▮ } from './again'", {"a"}),
        ("import { ▮ } from 'fs'", None),
        ("import { ▮ } from './nowhere'", None),
        ("import { ▮ } from '../elsewhere'", None),
        ("import { ▮ } from './common'", None),
        ("import { ▮ } from './broken'", None),
        ("import { ▮ } from './partly'", None),
        ("import { a as ▮ } from './more'", None),
        ("import { a, ▮ } from './built.js'", {"a", "b", "A"}),
        ("import { a, ▮ } from './commented'", None),
        ("import { ▮ } from './script'", None),
        ("import { ▮ } from './comp'", {"besides"}),
        ("import { ▮ } from './comp/'", {"inside"}),
        ("import { ▮ } from './merged'", {"Both", "Made", "Outer", "Tree", "Props", "Wrapped"}),
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
    assert "extra" in (names_at(workspace, HEAD.replace("▮", "foo(this.▮")) or ())
    text = "export {};\nclass A {\n  x = 1;\n  constructor(private y: Y) { this.▮\n}\n"
    assert names_at(workspace, text) is None  # `y` is declared on the line itself


def test_a_folder_is_what_a_module_in_it_means_by_a_dot(workspace: Path) -> None:
    assert names_at(workspace, "import { ▮ } from '.'", "comp/other.ts") == {"inside"}


def test_what_the_file_adds_to_other_modules_counts(workspace: Path) -> None:
    added = "declare module './util' { interface User { extra: string } }\n"
    assert names_at(workspace, added + HEAD.replace("▮", "const u: User = x; u.▮")) is None


@pytest.mark.parametrize(
    "text",
    [
        "const n = 1;\nconst x = [" + "n, " * 20_000 + "n.▮]",
        "const n = 1;\nconst x = " + "f(n) + " * 2_000 + "n.▮",
        "const n = made;\nn.a(n)" + ".a(n)" * 2_000 + ".▮",
        "export const " + "[" * 3_000 + "a" + "]" * 3_000 + " = 1;\na.▮",
        "export type A = " + "B & " * 3_000 + "B;\nlet a: A; a.▮",
    ],
)
def test_large_and_deep_files_take_no_time_and_end_nothing(workspace: Path, text: str) -> None:
    assert names_at(workspace, "import * as other from './util';\n" + text) is None


def test_modules_that_pass_one_another_on_are_read_once(tmp_path: Path) -> None:
    modules = [f"m{number}" for number in range(12)]
    stars = "".join(f"export * from './{module}';\n" for module in modules)
    write_files(tmp_path, {f"{module}.ts": stars for module in modules})
    head = "import * as all from './m0';\nimport { nowhere } from './m0';\n"
    assert declared_at(tmp_path, "main.ts", head + "all.▮") is None
    assert declared_at(tmp_path, "main.ts", head + "nowhere.▮") is None


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
