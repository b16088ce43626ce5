"""The report of an evaluation: a page, a table, and all figures."""
