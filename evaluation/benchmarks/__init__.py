"""The runs behind `pirouette bench`: each puts tasks through its arms and returns a result."""
