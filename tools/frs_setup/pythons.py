"""Which Pythons suit. Read by Pythons that do not, so it keeps to what any Python 3 understands."""

OLDEST = (3, 11)  # mujoco 4 and the other pins need it
NEWEST = (3, 13)  # the newest that the pins were tried with


def problem(version):
    # type: (tuple[int, ...]) -> str
    """Say why a Python of this version (major, minor, ...) does not suit; empty where it does."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return ""
    given, oldest, newest = (f"{major}.{minor}" for major, minor in (version[:2], OLDEST, NEWEST))
    return f"Python {given} does not suit: frs runs on Python {oldest} to {newest}"
