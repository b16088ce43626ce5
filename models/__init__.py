"""What runs weights: catalogue, store, conversion, tokenizer, transformer, key-value cache.

This package knows token ids, tensors and files of weights. It knows nothing of text positions,
editors or repositories.
"""
