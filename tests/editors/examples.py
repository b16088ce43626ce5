"""Code that is completed in every editor."""

CODE = '''\
class Rectangle:
    """A rectangle, whose sides are in metres."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height

    def area(self) -> float:
        """Its area in square metres."""
'''
