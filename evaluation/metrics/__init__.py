"""Figures that compare a completion with the truth: pure functions of texts."""
