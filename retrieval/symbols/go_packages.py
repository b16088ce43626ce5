"""What the files of a package of Go import and declare, and packages of the module they lie in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tree_sitter import Node

from retrieval.grammars import GO, GO_SUFFIX
from retrieval.index.declarations import Kind, Kinds
from retrieval.symbols.members import OPEN, Members
from retrieval.symbols.sources import SourceFiles, may_be_read, real_file
from retrieval.trees import captured, text_of

MOST_FILES = 256  # of one package
DEEPEST = 8  # types that are embedded in one another
NAMED = re.compile(r"^[ \t]*(?:(?:require|replace)[ \t]+)?([\w.~/-]+/[\w.~/-]+)[ \t]", re.MULTILINE)
MODULE = re.compile(r"^module[ \t]+\"?([^\s\"]+)", re.MULTILINE)
TEST = "_test.go"
BASIC = frozenset(
    {
        *("bool", "byte", "complex64", "complex128", "float32", "float64", "int", "int8"),
        *("int16", "int32", "int64", "rune", "string", "uint", "uint8", "uint16", "uint32"),
        *("uint64", "uintptr"),
    }
)
NO_NAMES = ("function_type", "map_type", "slice_type", "array_type", "channel_type")
TYPES = "[(type_spec name: (_) @name) (type_alias name: (_) @name)]"
ALIASES = "(type_alias name: (_) @name)"
TOP = """[(source_file (function_declaration name: (_) @name))
    (source_file (type_declaration (_ name: (_) @name)))
    (source_file (const_declaration (const_spec (identifier) @name)))
    (source_file (var_declaration (var_spec name: (_) @name)))
    (source_file (var_declaration (var_spec_list (var_spec name: (_) @name))))]"""
METHODS = "(source_file (method_declaration name: (_) @name))"
IMPORTS = "(import_spec path: (_) @name)"


@dataclass(slots=True)
class GoFile:
    """`imported` holds paths by the name that is given to each here, the rest in `unnamed`;
    `names` are those that it declares outside of everything.

    `types` says what values of the types have that are declared here, some of them `aliases`,
    `methods` what is added to types of this package. Without `complete` there may be more of all.
    """

    package: str
    imported: dict[str, str] = field(default_factory=dict)
    unnamed: list[str] = field(default_factory=list)
    names: Kinds = field(default_factory=dict)
    aliases: frozenset[str] = frozenset()
    types: dict[str, Members] = field(default_factory=dict)
    methods: dict[str, set[str]] = field(default_factory=dict)
    complete: bool = True


def read_file(root: Node, _: str = "") -> GoFile:
    clauses = captured(root, GO, "(package_clause (_) @name)")
    found = GoFile(text_of(clauses[0]) if clauses else "", complete=not root.has_error)
    for path in captured(root, GO, IMPORTS):
        assert path.parent is not None
        if own := text_of(path.parent.child_by_field_name("name")):
            found.imported[own] = text_of(path)[1:-1]
        else:
            found.unnamed.append(text_of(path)[1:-1])
    found.names = {text_of(name): kind_of(name) for name in captured(root, GO, TOP)}
    found.aliases = frozenset(map(text_of, captured(root, GO, ALIASES)))
    for name in captured(root, GO, TYPES):
        if is_of_package(name) and name.parent is not None:
            found.types[text_of(name)] = members_of(name.parent.child_by_field_name("type"))
    for name in captured(root, GO, METHODS):
        assert name.parent is not None
        receiver = name.parent.child_by_field_name("receiver")
        for parameter in receiver.named_children if receiver is not None else ():
            of = type_name(parameter.child_by_field_name("type"))
            found.methods.setdefault(of or "", set()).add(text_of(name))
    return found


def kind_of(name: Node) -> Kind:
    """What a name is that a file of a package declares."""
    by = name.parent.type if name.parent is not None else ""
    if by == "function_declaration":
        return Kind.FUNCTION
    return Kind.CLASS if by in ("type_spec", "type_alias") else Kind.VARIABLE


def is_of_package(name: Node) -> bool:
    """Whether a type's name is declared outside of all functions."""
    declaration = name.parent.parent if name.parent is not None else None
    return (
        declaration is not None
        and text_of(declaration) != ""
        and (declaration.parent is not None and declaration.parent.type == "source_file")
    )


def type_name(node: Node | None) -> str | None:
    """`Name` or `package.Name`, of the type itself, of one that is pointed to, or made generic."""
    while node is not None and node.type in ("pointer_type", "generic_type", "parenthesized_type"):
        node = node.child_by_field_name("type") or node.named_children[0]
    known = node is not None and node.type in ("type_identifier", "qualified_type")
    return text_of(node) if known else None


def members_of(node: Node | None) -> Members:
    """What values of a type have, without its methods."""
    if node is None or node.has_error:
        return OPEN
    if node.type in NO_NAMES:
        return Members()
    if node.type == "struct_type":
        return members_of_struct(node)
    if node.type == "interface_type":
        names = {
            text_of(part.child_by_field_name("name")): Kind.METHOD
            for part in node.named_children
            if part.type == "method_elem"
        }
        elements = [part for part in node.named_children if part.type == "type_elem"]
        bases = [type_name(part.named_children[0]) for part in elements]
        known = all(bases) and all(len(part.named_children) == 1 for part in elements)
        return Members(names, known, tuple(base for base in bases if base))
    base = None if node.type == "pointer_type" else type_name(node)
    return OPEN if base is None else Members(bases=(base,))


def members_of_struct(node: Node) -> Members:
    names: dict[str, Kind] = {}
    bases: list[str] = []
    lists = [part for part in node.named_children if part.type == "field_declaration_list"]
    for part in (part for fields in lists for part in fields.named_children):
        if part.type != "field_declaration":
            continue
        named = part.children_by_field_name("name")
        names |= dict.fromkeys(map(text_of, named), Kind.PROPERTY)
        if not named:
            base = type_name(part.child_by_field_name("type"))
            if base is None:
                return OPEN
            names[base.rpartition(".")[2]] = Kind.PROPERTY
            bases.append(base)
    return Members(names, bases=tuple(bases))


@dataclass(frozen=True, slots=True)
class GoWorkspace:
    """Below `root`; the file at `path` is as it is edited, not as it is on disk."""

    root: str
    path: str
    edited: GoFile
    files: SourceFiles[GoFile]

    @property
    def folder(self) -> str:
        return str(Path(self.path).parent)

    def package(self, folder: str, *, is_own: bool = False) -> Mapping[str, GoFile]:
        """The files of the package in a folder, or of the one that the edited file itself is of;
        none where they are not all known."""
        paths = set(map(str, Path(folder).glob(f"*{GO_SUFFIX}")))
        is_here = folder == self.folder
        if not (is_here and self.path.endswith(TEST)):  # tests see what other tests declare
            paths = {path for path in paths if not path.endswith(TEST)}
        found: dict[str, GoFile] = {}
        for path in sorted(paths | {self.path} if is_own else paths):
            file = self.edited if path == self.path else self.files.get(path, self.root)
            if file is None or not file.complete or len(paths) > MOST_FILES:
                return {}
            found[path] = file
        packages = {file.package for file in found.values()} - {"main"}
        outer = {package for package in packages if package.endswith("_test")}
        wanted = {self.edited.package} if is_own else packages - outer
        if len(wanted) != 1:
            return {}
        return {path: file for path, file in found.items() if file.package in wanted}

    def find_package(self, path: str) -> str | None:
        """The folder of an imported package, if it lies in the module that the file is of."""
        for folder in Path(self.path).parents:
            if not folder.is_relative_to(self.root):
                return None
            declared = self._module_in(folder)
            if declared is None:
                continue
            name, *others = declared or [""]
            below = Path(folder, path[len(name) :].lstrip("/"))
            if not name or not is_below(path, name) or any(is_below(path, one) for one in others):
                return None
            between = [one for one in (below, *below.parents) if one.is_relative_to(folder)]
            if any(self._module_in(one) is not None for one in between if one != folder):
                return None  # of a module of its own
            return str(below)
        return None

    def _module_in(self, folder: Path) -> list[str] | None:
        """The path of the module that begins in a folder, and those of others that it names."""
        try:
            file = real_file(str(folder / "go.mod"), self.root)
            if not may_be_read(file):
                return []
            text = Path(file).read_text(errors="replace")
        except OSError:
            return None
        declared = MODULE.search(text)
        return [declared[1], *NAMED.findall(text)] if declared else []

    def imported(self, name: str, file: GoFile) -> str | None:
        """The folder of the package that a file calls by a name."""
        if name in file.imported:
            return self.find_package(file.imported[name])
        folders = (self.find_package(path) for path in file.unnamed)
        packages = ((folder, self.package(folder)) for folder in folders if folder is not None)
        fitting = [
            folder for folder, files in packages if any(f.package == name for f in files.values())
        ]
        return fitting[0] if len(fitting) == 1 else None

    def exported(self, package: str) -> Kinds | None:
        """What the edited file sees of a package, by its name there."""
        folder = self.imported(package, self.edited)
        files = self.package(folder) if folder is not None else {}
        names = {name: kind for file in files.values() for name, kind in file.names.items()}
        return seen_outside(names) if files else None

    def names_of_type(self, name: str) -> Kinds | None:
        """What a value has of a type, as the edited file names it."""
        files = self.package(self.folder, is_own=True)
        return self._names(name, self.edited, files, DEEPEST)

    def _names(
        self, name: str, file: GoFile, files: Mapping[str, GoFile], depth: int
    ) -> Kinds | None:
        """Of a type as a file among those of a package names it."""
        package, _, name = name.rpartition(".")
        if package:
            folder = self.imported(package, file)
            if folder is None:
                return None
            names = self._declared(name, self.package(folder), depth)
            return None if names is None else seen_outside(names)
        return self._declared(name, files, depth)

    def _declared(self, name: str, files: Mapping[str, GoFile], depth: int) -> Kinds | None:
        declaring = [file for file in files.values() if name in file.types]
        if not declaring and name in BASIC:
            return {}
        if not declaring or depth == 0:
            return None
        every = list(files.values())
        named = {name}.union(*(file.aliases for file in every))
        methods = (one for file in every for of in named for one in file.methods.get(of, ()))
        names: Kinds = dict.fromkeys(methods, Kind.METHOD)
        for file in declaring:  # several, where each is for one system
            members = file.types[name]
            if not members.complete:
                return None
            names = {**names, **members.names}
            for base in members.bases:
                inherited = self._names(base, file, files, depth - 1)
                if inherited is None:
                    return None
                names = {**inherited, **names}
        return names


def seen_outside(names: Kinds) -> Kinds:
    """Those that other packages see."""
    return {name: kind for name, kind in names.items() if name[:1].isupper()}


def is_below(path: str, module: str) -> bool:
    """Whether a package may be of a module, by their paths."""
    return f"{path}/".startswith(f"{module}/")
