"""Monitors: what static analysis knows to be wrong is never written.

Each looks at a text that ends anywhere and says which name in it does not exist. They know texts as
bytes, ask an analyst of `retrieval` for names, and know nothing of models or editors.
"""
