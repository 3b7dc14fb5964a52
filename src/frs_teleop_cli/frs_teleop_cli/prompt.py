"""One line of text typed at the foot of the operator's screen, without taking the stop away."""

from __future__ import annotations

LONGEST = 120
"""Characters of a line."""


class Prompt:
    """A line that is being typed, or none.

    Space is no letter here: it stops the arm whatever is on the screen, so '_' stands for it.
    """

    def __init__(self) -> None:
        self._typed: str | None = None

    @property
    def shown(self) -> str | None:
        """The line as it stands on the screen; None while nothing is typed."""
        if self._typed is None:
            return None
        return f"Note: {self._typed}▏ (Enter keeps it, Esc drops it, _ is a gap, space STOPS)"

    def open(self) -> None:
        """Begin a line."""
        self._typed = ""

    def close(self) -> None:
        """Drop the line."""
        self._typed = None

    def press(self, name: str, letter: str | None) -> str | None:
        """Take a key press that is not the stop's.

        Args:
            name: of the key, as textual calls it.
            letter: what it prints, if anything.

        Returns:
            the finished line, with its gaps as spaces; None while there is none. An empty one is dropped.
        """
        if self._typed is None:
            return None
        if name == "escape":
            self.close()
        elif name == "backspace":
            self._typed = self._typed[:-1]
        elif name == "enter":
            line = " ".join(self._typed.replace("_", " ").split())
            self.close()
            return line or None
        elif letter is not None and letter.isprintable() and len(self._typed) < LONGEST:
            self._typed += letter
        return None
