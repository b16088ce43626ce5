"""Completion points of a repository: drawn, completed with and without parts, and judged."""
