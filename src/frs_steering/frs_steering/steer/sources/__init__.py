"""The sources of chunks, by name. To add one: write a file with a `SOURCE`, and name it here.

Any new setting that it takes is a field of `Method` with a default.
"""

from frs_steering.steer.sources import base, direct, frs, noise, partial, rank, translation
from frs_steering.steer.sources.interface import Made, Problem, Source

__all__ = ["SOURCES", "Made", "Problem", "Source"]

SOURCES: dict[str, Source] = {
    "base": base.SOURCE,
    "frs": frs.SOURCE,
    "direct": direct.SOURCE,
    "translation": translation.SOURCE,
    "partial": partial.SOURCE,
    "rank": rank.SOURCE,
    "noise": noise.SOURCE,
}
"""What there is to choose from; `steer.method.parse_method` reads a choice."""
