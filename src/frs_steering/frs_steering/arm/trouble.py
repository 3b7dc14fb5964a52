"""What keeps the arm from being driven until somebody asks for `recover`, also when it is over by itself."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What is known of it, all in words, and empty where there is none.

    A driver may tell of who else commands the arm too, in the same words: it isn't the robot that says so.

    Attributes:
        error: what the robot says of itself now.
        rivalry: who else commands the arm now.
        fault: what the robot said of itself last, until `recover`.
        contest: who else commanded the arm last, until `recover`.
        elsewhere: how far the arm is said to have been set from its target, until `recover`.
    """

    error: str = ""
    rivalry: str = ""
    fault: str = ""
    contest: str = ""
    elsewhere: str = ""

    def reported(self, error: str, rivalry: str) -> Trouble:
        """After a look at the robot and at who commands it."""
        fault, contest = error or self.fault, rivalry or self.contest
        return dataclasses.replace(self, error=error, rivalry=rivalry, fault=fault, contest=contest)

    @property
    def present(self) -> str:
        """What is not over yet, so that there is no recovery; empty where all is."""
        by_robot = self.error and self.error != self.rivalry
        return f"the robot still says: {self.error}" if by_robot else self.rivalry

    @property
    def latched(self) -> str:
        """All that `recover` ends; empty where there is nothing."""
        return "; ".join(self._reasons())

    @property
    def message(self) -> str:
        """What waits for `recover`, and that it does; empty where nothing does."""
        if not (reasons := self._reasons()):
            return ""
        by_robot = self.fault and self.fault != self.contest
        return f"{'the robot says: ' if by_robot else ''}{reasons[0]}; call arm_controller/recover"

    def _reasons(self) -> list[str]:
        # The first is the most urgent; none is there twice.
        return [why for why in dict.fromkeys((self.fault, self.contest, self.elsewhere)) if why]
