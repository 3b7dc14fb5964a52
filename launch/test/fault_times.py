"""How soon the arm rested after each fault: collected by the tests, and written where FRS_FAULTS_JSON says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fault_cases import Fault, Since


class FaultTimes:
    """Of one run of the tests; `bench/faults.py` makes the table in docs/safety.md from what it writes."""

    def __init__(self) -> None:
        """Begin without any."""
        self._measured: dict[str, dict[str, float | None]] = {}

    def add(self, fault: Fault, taken: float | None, *, moving: bool) -> None:
        """Keep a trial that was as it should be: s until the arm rested, None where it went on or stood anyway."""
        self._measured.setdefault(fault.name, {})["moving" if moving else "standing"] = taken

    def write(self, path: Path, faults: Sequence[Fault]) -> None:
        """Write what was measured, in the order of `faults`."""
        rows = [
            {
                "fault": fault.name,
                "follows": fault.follows,
                "since": fault.since.value if fault.since else None,
                "within": fault.within if fault.since else None,
                "watched": fault.since is not Since.COMMAND,  # a robot that is gone has no joint states
                "unmeasured": fault.unmeasured,
                "times": self._measured[fault.name],
            }
            for fault in faults
            if fault.name in self._measured
        ]
        path.write_text(json.dumps(rows, indent=1) + "\n")
