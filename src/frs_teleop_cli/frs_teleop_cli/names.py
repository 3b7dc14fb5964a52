"""Names of files out of what people are called and what they say."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 60
"""Characters of a name: with date and time behind it, it stays far below the recorder's 128."""


def file_name(text: str, otherwise: str) -> str:
    """Turn any text into what may stand in an episode's id: 'Jane Döe' becomes 'Jane_Doe'.

    The recorder takes letters a to z, digits, '-', '_' and '.', and no '.' at the beginning; accents are dropped,
    and whatever else is not allowed becomes '_'.

    Args:
        text: of any kind.
        otherwise: what the name is where nothing of `text` is left.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "_", plain).strip("_.")[:LONGEST] or otherwise
