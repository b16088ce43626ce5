"""What static analysis knows about a place in a file: questions, answers, and who gives them."""
