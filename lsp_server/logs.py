"""Logs go to stderr and never hold source text.

Libraries put whole messages, documents included, into their log records; of those only the fixed
part is kept. Of an exception, its kind and where it happened are told, not its message.
"""

import logging
import re
import sys
import traceback

PLACEHOLDER = re.compile(r"%[-+ #0-9.]*[a-zA-Z]")
OWN_LOGGERS = ("lsp_server", "completion", "models", "retrieval", "evaluation")


class DiscreetFormatter(logging.Formatter):
    """One line a record; the arguments of other libraries' records are left out."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.split(".")[0] in OWN_LOGGERS
        message = record.getMessage() if own else PLACEHOLDER.sub("...", str(record.msg))
        line = f"{self.formatTime(record)} {record.levelname.lower()} {record.name}: {message}"
        if record.exc_info and record.exc_info[1] is not None:
            line += f"\n{describe_exception(record.exc_info[1])}"
        return line


def describe_exception(error: BaseException) -> str:
    """The kind of an exception and the frames it passed, without its message or values."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([f"{type(error).__module__}.{type(error).__qualname__}", *places])


def log_to_stderr(level: int = logging.INFO) -> None:
    """Set up logging for the server's process; other libraries speak from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(DiscreetFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)
