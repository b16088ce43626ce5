"""What a user may set, with a documented default for each, read tolerantly.

Settings arrive as JSON, in `initializationOptions` or in `workspace/didChangeConfiguration`, the
latter under `pirouette` or bare. A bad value is told in one line and its default used instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from cattrs import Converter

from completion.indentation import detect_indentation
from completion.pipeline import CompletionOptions
from models.catalogue import DEFAULT_MODEL

SECTION = "pirouette"


def setting(
    default: Any, help_text: str, low: float | None = None, high: float | None = None
) -> Any:
    """A field with its documentation and, for numbers, its bounds (inclusive)."""
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """One value for each setting; the names on the wire are in camel case."""

    enabled: bool = setting(True, "Whether suggestions are made at all.")
    model: str = setting(
        DEFAULT_MODEL, "A name of `pirouette models list`, a Hugging Face id, or a local folder."
    )
    adapter: str = setting(
        "", "A folder with a LoRA adapter that changes the model; empty for none."
    )
    debounce_ms: int = setting(
        75, "Milliseconds of quiet before a suggestion that was not asked for is written.", 0, 5000
    )
    minimum_confidence: float = setting(
        0.0,
        "How likely a suggestion that was not asked for must be accepted as it is, to be shown.",
        0,
        1,
    )
    suggestions: int = setting(
        3, "The most suggestions to choose from where one is asked for by hand.", 1, 8
    )
    menu: bool = setting(
        True, "Whether the names that may stand at the cursor are listed, the likeliest first."
    )
    hover: bool = setting(
        True, "Whether it is told what a name is, and what a call takes (Python)."
    )
    navigation: bool = setting(
        True, "Whether it is told where a name is defined and where it is used (Python)."
    )
    rename: bool = setting(True, "Whether a name is given another one wherever it stands (Python).")
    symbols: bool = setting(
        True, "Whether the symbols of a file and of the workspace are listed, and what folds."
    )
    diagnostics: bool = setting(True, "Whether mistakes in the syntax are marked (Python).")
    code_actions: bool = setting(
        True, "Whether the import of a name that is not known is offered (Python)."
    )
    context_tokens: int = setting(
        1024, "The largest prompt, in tokens; more context costs more time.", 64, 32768
    )
    related_tokens: int = setting(
        384,
        "The most code of other files and documentation of libraries that the model reads before"
        " the prompt, in tokens; 0 for none, and nothing is then indexed.",
        0,
        8192,
    )
    single_line: bool = setting(
        False, "Whether suggestions end with the line that they begin in; these come soonest."
    )
    max_tokens: int = setting(64, "The longest suggestion, in tokens.", 1, 1024)
    repair_ms: int = setting(
        250,
        "Milliseconds that a suggestion may spend on encoding again what an edit made inexact.",
        0,
        10_000,
    )
    api_calls: bool = setting(
        False,
        "Whether the model has learnt to ask for APIs in its text (`<API>query->answer</API>`,"
        " ToolCoder); its queries are then answered.",
    )
    exact: bool = setting(
        False, "Whether all that an edit made inexact is encoded again, however long it takes."
    )
    cache_megabytes: int = setting(
        512, "Memory for the caches of open documents, in MiB.", 1, 1_048_576
    )
    time_budget_ms: int = setting(
        250,
        "Milliseconds of work after which a suggestion ends with the line it is at; 0 for any.",
        0,
        60_000,
    )
    monitors: bool = setting(
        True,
        "Whether names that static analysis knows not to exist are never suggested (Python;"
        " TypeScript, JavaScript and Go as far as the repository declares them).",
    )
    monitor_timeout_ms: int = setting(
        100, "Milliseconds that a suggestion waits for static analysis, at most.", 0, 10_000
    )
    token_types: bool = setting(
        False, "Whether the types of tokens weigh in where the model is unsure (Python)."
    )
    embedding_model: str = setting(
        "",
        "The folder of a sentence-transformers model that searches by meaning; empty for the one"
        " that an index has, which is all-MiniLM-L6-v2 at first.",
    )
    python_environment: str = setting(
        "", "The virtual environment whose packages your code uses; empty for Pirouette's own."
    )
    analysis_server: str = setting(
        "", "The command of a language server to ask which names exist; empty for Pirouette's own."
    )
    indentation: str = setting(
        "auto", "One level of indentation: `auto` (as in the file), `tab`, or a number of spaces."
    )

    def of_completer(self) -> tuple[object, ...]:
        """What a completer is made with: where it changes, another one is needed."""
        asked = self.python_environment, self.analysis_server
        watched = self.monitors, self.monitor_timeout_ms, asked
        learnt = self.adapter, self.token_types, self.api_calls
        return self.model, learnt, watched, self.completion_options()

    def of_indexing(self) -> tuple[object, ...]:
        """What is indexed: where it changes, it is looked at anew."""
        return bool(self.related_tokens), self.python_environment

    def completion_options(self) -> CompletionOptions:
        """What of this the completer is made with."""
        return CompletionOptions(
            context_tokens=self.context_tokens,
            related_tokens=self.related_tokens,
            max_tokens=self.max_tokens,
            repair_ms=self.repair_ms,
            exact=self.exact,
            cache_bytes=self.cache_megabytes * 2**20,
            time_budget_ms=self.time_budget_ms,
        )

    def indentation_for(self, text: str) -> str:
        """One level of indentation for a file with this text."""
        if self.indentation == "tab":
            return "\t"
        if self.indentation.isdigit():
            return " " * int(self.indentation)
        return detect_indentation(text)


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings, and one line for each value that could not be used."""

    settings: Settings
    complaints: tuple[str, ...]


def strict_converter() -> Converter:
    """Primitive values are taken as they are or refused; `"12"` is not a number, but `1` is one
    wherever `1.5` would be."""
    converter = Converter()
    for kind in (bool, int, float, str):

        def structure(value: Any, _: type, kind: type = kind) -> Any:
            if kind is float and type(value) is int:
                return float(value)
            if type(value) is not kind:
                raise TypeError(f"expected {TYPE_NAMES[kind]}")
            return value

        converter.register_structure_hook(kind, structure)
    return converter


TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def read_settings(raw: object) -> ReadSettings:
    """Settings from the client's JSON; never raises."""
    if isinstance(raw, Mapping) and isinstance(raw.get(SECTION), Mapping):
        raw = raw[SECTION]
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        return ReadSettings(Settings(), ("settings must be an object; the defaults are used",))
    known = {camel_case(f.name): f for f in fields(Settings)}
    complaints = [f"unknown setting '{name}'; it is ignored" for name in raw if name not in known]
    converter = strict_converter()
    values: dict[str, Any] = {}
    for name, known_field in known.items():
        if name not in raw:
            continue
        try:
            value = converter.structure(raw[name], type(known_field.default))
            check_value(known_field.name, value, known_field.metadata)
            values[known_field.name] = value
        except (TypeError, ValueError, OverflowError) as error:
            complaints.append(f"setting '{name}': {error}; {known_field.default!r} is used")
    return ReadSettings(Settings(**values), tuple(complaints))


def check_value(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
    low, high = metadata["low"], metadata["high"]
    if low is not None and not low <= value <= high:
        raise ValueError(f"expected {low} to {high}")
    if name == "indentation" and not (
        value in {"auto", "tab"} or (value.isascii() and value.isdigit() and 1 <= int(value) <= 16)
    ):
        raise ValueError("expected 'auto', 'tab' or a number from 1 to 16")
    if name == "model" and not value.strip():
        raise ValueError("expected a name")
