"""Code elsewhere in the repository that is like the code at the cursor."""
