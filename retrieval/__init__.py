"""What knows the repository: which of its files may be read at all."""
