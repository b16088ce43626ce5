"""What a repository declares, kept on disk and found by words and by meaning."""
