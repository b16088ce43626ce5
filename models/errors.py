"""The exception tree of Pirouette's boundaries.

Every error a person can cause or mend is a `PirouetteError`, whose message is one line that says
what is wrong and what to do. The command line prints it and exits with status 2; the server logs
it and shows no suggestion. Anything else that escapes is a defect of Pirouette itself.
"""


class PirouetteError(Exception):
    """Something the user can mend; `str(error)` is one complete line."""

    def __init__(self, message: str) -> None:
        # File names and the reasons that libraries give may hold line breaks.
        super().__init__("; ".join(line.strip() for line in message.splitlines() if line.strip()))


class InputError(PirouetteError):
    """A path, position, option or file named by the user is not usable."""


class UnknownModelError(PirouetteError):
    """The model name is no catalogue entry, local folder or reachable Hugging Face id."""


class UnsupportedModelError(PirouetteError):
    """The model exists, but its architecture, tokenizer or weights cannot be run here."""


class DamagedModelError(PirouetteError):
    """Model bytes do not match what was promised; they are never used."""


class DownloadError(PirouetteError):
    """No source could deliver the model."""


class DiskSpaceError(PirouetteError):
    """The disk is full, too small for what was asked, or cannot be written."""


class Cancelled(Exception):
    """The work was called off by whoever asked for it; not an error, and never shown.

    `encoded` counts the prompt tokens that were read before it stopped.
    """

    def __init__(self, encoded: int = 0) -> None:
        super().__init__(f"called off after {encoded} tokens")
        self.encoded = encoded
