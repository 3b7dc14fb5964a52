"""What several modules say of a mistake of the user's."""

USAGE_ERROR = 2
"""Exit status where the command line makes no sense; argparse's own."""


class DescriptionError(ValueError):
    """A description, or an argument given to it, is wrong; the message names it and what would be right."""
