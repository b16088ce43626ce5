"""Monitors: what static analysis knows to be wrong is never written.

Each looks at a text that ends anywhere and says which tokens may follow. They know tokens as bytes,
ask an analyst of `retrieval` for names, and know nothing of models or editors.
"""
