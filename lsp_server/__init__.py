"""The protocol: command line, server, documents, positions, inline completion, settings."""
