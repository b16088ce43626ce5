"""`pirouette serve`: the server on standard input and output, or on a TCP port."""

import logging
import os
import socket
import sys
from collections.abc import Mapping
from functools import partial

from lsp_server.features import create_server
from lsp_server.logs import log_to_stderr
from lsp_server.server import load_completer
from models.errors import InputError
from models.processor import use_all_processors
from models.store import ModelStore, default_home

logger = logging.getLogger(__name__)


def serve(*, tcp: str | None, chosen: Mapping[str, str]) -> int:
    """Serve one client until it leaves, with settings that were `chosen` and not to be changed.

    Does not return: see `leave`.
    """
    address = parse_address(tcp) if tcp else None
    log_to_stderr()
    use_all_processors()  # the model has a thread of its own
    store = ModelStore(default_home())
    server = create_server(partial(load_completer, store), chosen)
    if address is None:
        # The protocol owns standard output; whatever else prints, prints to stderr.
        output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        server.start_io(stdout=output)
    else:
        logger.info("listening on %s:%d", *address)
        server.start_tcp(*address)
    return leave(0 if server.shut_down else 1)


def leave(status: int) -> int:
    """End the process at once.

    The model's thread may be in the middle of a download, a conversion or a chunk of prefill.
    All of them leave things whole when cut off, and an editor that closes must not wait for them.
    """
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)


def parse_address(text: str) -> tuple[str, int]:
    """HOST:PORT, checked to be free before anything is loaded."""
    host, colon, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(f"'{text}' is not HOST:PORT; use for example 127.0.0.1:7654")
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port)))
    except OSError as error:
        raise InputError(f"cannot listen on {text} ({error.strerror}); use another port") from None
    return host, int(port)
