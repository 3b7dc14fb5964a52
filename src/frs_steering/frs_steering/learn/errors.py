"""What training says when it can't be done."""


class TrainingError(ValueError):
    """Nothing can be learnt from what was given, or gone on from; the message says why and what would be right."""
