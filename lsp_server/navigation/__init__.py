"""What an editor asks of a language server besides completion, each group in a module."""
