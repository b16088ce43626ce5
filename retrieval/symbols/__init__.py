"""What a repository's own files declare, read off their text: for languages without an analyst.

No types are inferred. A name is told to exist or not only where the files say all there is.
"""
