"""`pirouette complete`: one suggestion at a place in a file, as an editor would get it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types

from completion.monitors.monitors import Monitors
from completion.pipeline import Completer
from completion.values import Suggestion
from lsp_server.documents import Document, language_of, place_in
from lsp_server.settings import Settings
from lsp_server.text_buffer import TextBuffer
from lsp_server.workspace_code import WorkspaceCode
from models.errors import InputError
from models.language_model import load_language_model
from models.progress import ProgressCallback
from models.store import ModelStore, default_home
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.workspace_files import WorkspaceFiles

LARGEST_FILE = 16 * 2**20
PATIENCE = 5.0  # seconds for static analysis; nobody is typing


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A place as a person names it: line and column from 1 on, columns in characters."""

    path: Path
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class PlacedSuggestion:
    """A suggestion, and the place it is for."""

    place: FilePlace
    suggestion: Suggestion


def complete_place(
    text: str, model_name: str, adapter: Path | None, progress: ProgressCallback
) -> PlacedSuggestion:
    """The suggestion at FILE:LINE:COLUMN. Everything the user wrote is checked before the model
    is loaded."""
    place = parse_place(text)
    document = open_document(place)
    cursor = place_in(document, types.Position(place.line - 1, place.column - 1))
    settings = Settings()
    request = cursor.request(settings.indentation_for(document.buffer.text))
    with ProcessAnalyst(timeout=PATIENCE) as analyst:
        folder = ModelStore(default_home()).pull(model_name, progress)
        model = load_language_model(model_name, folder, progress, adapter=adapter)
        roots = (enclosing_repository(place.path),)
        analyst.wait_until_warm(PATIENCE)
        monitors = Monitors(model.tokenizer, analyst, roots, PATIENCE)
        code = WorkspaceCode(WorkspaceFiles(roots))
        completer = Completer(model, monitors=monitors, related=code)
        completer.read_related(request)
        return PlacedSuggestion(place, completer.complete(request))


def parse_place(text: str) -> FilePlace:
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and int(p) > 0 for p in parts[1:]):
        raise InputError(f"'{text}' is not FILE:LINE:COLUMN with line and column from 1 on")
    return FilePlace(Path(parts[0]), int(parts[1]), int(parts[2]))


def open_document(place: FilePlace) -> Document:
    """The file's text, with the place checked to lie inside it."""
    path = place.path
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if not WorkspaceFiles((enclosing_repository(path),)).allows(path.absolute()):
        raise InputError(f"{path} is ignored or may hold secrets, so it is never completed in")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"{path} is larger than {LARGEST_FILE // 2**20} MiB; use a smaller one"
            )
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    buffer = TextBuffer(text, types.PositionEncodingKind.Utf32)
    if place.line > buffer.line_count:
        raise InputError(f"{path} has {buffer.line_count} lines; line {place.line} is past its end")
    width = len(buffer.line(place.line - 1))
    if place.column > width + 1:
        raise InputError(
            f"line {place.line} of {path} has {width} characters; "
            f"column {place.column} is past its end"
        )
    return Document(path.absolute().as_uri(), 0, language_of(path), buffer)


def enclosing_repository(path: Path) -> Path:
    """The nearest folder above that is a git repository, or the file's own folder."""
    folders = path.absolute().parents
    return next((folder for folder in folders if (folder / ".git").exists()), folders[0])


def suggestion_json(done: PlacedSuggestion) -> dict[str, Any]:
    """The one JSON object of `complete --json`; line and column as the user counts them."""
    here = {"line": done.place.line, "column": done.place.column}
    return {
        "text": done.suggestion.text,
        "range": {"start": here, "end": here},
        "model": done.suggestion.model,
        "confidence": round(done.suggestion.confidence, 4),
        "tokens": asdict(done.suggestion.tokens),
        "ms": {name: round(value, 3) for name, value in asdict(done.suggestion.ms).items()},
        "monitors": asdict(done.suggestion.watched),
    }
