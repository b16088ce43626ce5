"""Tokens that are likely to come, guessed without the model and verified by it many at a time.

Knows token ids only. A wrong guess costs a little time and never changes what is written.
"""
