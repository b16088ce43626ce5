"""Where names are declared and used, and what they are, told by a process of its own."""
