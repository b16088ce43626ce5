"""The pipeline from a place in a text to a suggestion.

Request -> prompt tokens -> cache -> decode -> clean-up -> suggestion. This package knows text and
languages; it knows nothing of editors or protocols.
"""
