"""Adapters: small changes of a model's weights, learned from code that may be used freely."""
