"""The one error that the journal raises on bad input."""


class JournalError(ValueError):
    """A file, a name or a message that the journal can't take; the message names it and what would be right."""
