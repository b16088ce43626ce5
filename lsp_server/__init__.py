"""The protocol: command line, server, documents, positions, inline completion, settings."""

import os
import sys

from lsp_server.import_path import forget_relative_entries

forget_relative_entries(os.environ, sys.path)  # before anything else is imported
