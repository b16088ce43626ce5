"""What the syntax tree of a file says by itself: its symbols, what folds, what is broken."""
