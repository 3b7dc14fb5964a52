"""What pip's own words mean for somebody who only wants to see the demo."""

from __future__ import annotations

import re

_NO_NETWORK = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Cannot connect to proxy",
)
_NO_MATCH = re.compile(r"No matching distribution found for (\S+)")


def diagnose(text: str, python: str) -> str | None:
    """Find the known cause of a failed `pip install`.

    Args:
        text: what pip printed.
        python: version of the Python it ran in, such as "3.12".

    Returns:
        One line that says what is wrong and what to do; None where the cause is not a known one.
    """
    missing = _NO_MATCH.search(text)
    if any(sign in text for sign in _NO_NETWORK):  # first: offline, pip ends by saying that nothing matches as well
        wanted = f" (wanted: {missing.group(1)})" if missing else ""
        return (
            f"pip cannot reach its package index{wanted}: no network, or a proxy or mirror to set (`pip config list`)"
        )
    if missing:
        return (
            f"pip finds no {missing.group(1)} for Python {python} on this machine: choose another Python "
            f"(make PYTHON=python3.11, 3.12 or 3.13), or an index that has it (`pip config list` shows yours)"
        )
    if "No space left on device" in text:
        return "the disk is full (.venv, pip's cache or its temporary folder): make room and start again"
    if "SSLError" in text or "CERTIFICATE_VERIFY_FAILED" in text:
        return "pip does not trust the certificate of its package index: give it the right one (PIP_CERT=file)"
    return None
