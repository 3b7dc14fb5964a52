"""What the set-up says when it cannot go on."""


class SetupError(Exception):
    """The set-up cannot go on. The text is one line that names what is wrong and what to do."""
