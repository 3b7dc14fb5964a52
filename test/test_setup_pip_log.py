"""pip's words, as pip says them, and what is made of them."""

import pytest

from frs_setup.pip_log import diagnose

OFFLINE = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by
'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new
connection: [Errno -3] Temporary failure in name resolution')': /simple/torch/
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)
ERROR: No matching distribution found for torch==2.13.0
"""
NO_WHEEL = """\
ERROR: Could not find a version that satisfies the requirement ros-rclpy==9.1.2 (from versions: none)
ERROR: No matching distribution found for ros-rclpy==9.1.2
"""


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (OFFLINE, ["cannot reach its package index", "torch==2.13.0"]),
        (NO_WHEEL, ["ros-rclpy==9.1.2", "Python 3.12", "make PYTHON="]),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", ["disk is full"]),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", ["certificate", "PIP_CERT"]),
    ],
)
def test_known_causes(log, words):
    said = diagnose(log, "3.12")
    assert said is not None
    assert "\n" not in said
    assert all(word in said for word in words), said


def test_unknown_cause():
    assert diagnose("ERROR: Failed building wheel for empy", "3.12") is None
