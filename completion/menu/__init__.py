"""The names that may stand at a cursor, the likeliest first: what a completion menu shows."""
