"""What several modules say of a mistake of the user's."""

USAGE_ERROR = 2
"""Exit status where the command line makes no sense; argparse's own."""


class DescriptionError(ValueError):
    """A description, or an argument given to it, is wrong; the message names it and what would be right."""


class NobodyAnswers(RuntimeError):
    """A node that was asked is not there, or silent; the message says which, and how it is started."""


class Refused(RuntimeError):
    """A node answered that it does not do what it was asked; the message is its own."""
