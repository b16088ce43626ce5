"""One module for each benchmark with published files: their form, its prompts and measures."""
