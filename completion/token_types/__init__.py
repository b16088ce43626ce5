"""What kind of token comes next: types of Python's tokens, a model of their order, and its say in
decoding."""
