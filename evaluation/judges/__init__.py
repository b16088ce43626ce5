"""Judges that rate code: what is asked of a chat model, and what its answers come to."""
