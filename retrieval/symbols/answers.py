"""Answers about places in files of languages that no analyst knows, from what files declare."""

import re
from dataclasses import dataclass, field

from retrieval.analyst.questions import STAND_IN, Answer, Question, Wanted
from retrieval.grammars import DECLARED_SUFFIXES, GO, grammar_of
from retrieval.symbols import go_places
from retrieval.symbols.go_packages import GoFile, GoWorkspace, read_file
from retrieval.symbols.script_modules import Module, read_module
from retrieval.symbols.script_places import ScriptPlaces
from retrieval.symbols.script_workspace import ScriptWorkspace
from retrieval.symbols.sources import SourceFiles
from retrieval.trees import parse

DECLARING = re.compile(
    rb"\b(?:class|constructor|declare|enum|export|get|interface|namespace|private|protected|public"
    rb"|readonly|set|static|struct|type)\b"
)


def is_declared_language(path: str) -> bool:
    """Whether questions about a file are answered here."""
    return path.endswith(DECLARED_SUFFIXES)


@dataclass(frozen=True, slots=True)
class DeclaredNames:
    """Keeps what it has read of files, as long as they stay as they are."""

    scripts: SourceFiles[Module] = field(default_factory=lambda: SourceFiles(read_module))
    packages: SourceFiles[GoFile] = field(default_factory=lambda: SourceFiles(read_file))

    def answer(self, question: Question) -> Answer | None:
        """All the names that may stand there, or None."""
        try:
            return self._answer(question)
        except RecursionError:  # code that is nested a thousand deep
            return None

    def _answer(self, question: Question) -> Answer | None:
        path, grammar = question.path, grammar_of(question.path)
        if grammar is None or not is_declared_language(path) or question.wanted is not Wanted.NAMES:
            return None
        before, after = (
            part.encode(errors="replace") for part in (question.before, question.after)
        )
        root = parse(before + STAND_IN.encode() + after, grammar)
        edited = root
        if root.has_error:  # the line that is being written may be the reason
            line_start, line_end = before.rfind(b"\n") + 1, (after + b"\n").find(b"\n")
            if DECLARING.search(before, line_start):
                return None  # what else is declared there would be missed
            edited = parse(before[:line_start] + after[line_end:], grammar)
        if grammar is GO:
            package = GoWorkspace(question.root, path, read_file(edited), self.packages)
            names = go_places.names_at(root, len(before), package)
        else:
            module = ScriptWorkspace(question.root, path, read_module(edited, path), self.scripts)
            names = ScriptPlaces(root, module).names_at(len(before))
        return Answer.of(names, complete=True) if names else None
