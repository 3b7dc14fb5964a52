"""The simulated driver: when it stops."""

from frs_sim.driver import Watchdog


def test_watchdog_bites_once_after_silence() -> None:
    watchdog = Watchdog(timeout=0.15)
    assert not watchdog.bites(100.0)  # nothing was ever driven
    watchdog.feed(100.0)
    assert not watchdog.bites(100.14)
    assert watchdog.bites(100.16)
    assert not watchdog.bites(100.17)
    watchdog.feed(100.2)
    assert watchdog.bites(100.4)
