"""Whose wish is followed, and how long it counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from frs_steering.steer.arbiter import PRIORITY, Arbiter
from frs_steering.steer.guidance import Guidance, GuidanceSource

HUMAN, VLM, SCRIPTED = GuidanceSource.HUMAN, GuidanceSource.VLM, GuidanceSource.SCRIPTED


def wish(source: GuidanceSource, validity: float = 1.0, author: str = "") -> Guidance:
    return Guidance(source, author=author, direction=(1.0, 0.0, 0.0), validity=validity)


def chosen(arbiter: Arbiter, now: float) -> Guidance | None:
    found = arbiter.choose(now)
    return None if found is None else found.guidance


def test_nobody_wishes():
    assert Arbiter().choose(0.0) is None


def test_a_person_goes_before_a_model_before_a_script():
    arbiter = Arbiter()
    for source in (HUMAN, VLM, SCRIPTED):
        arbiter.put(wish(source), 0.0)
    for source in (HUMAN, VLM, SCRIPTED):
        found = arbiter.choose(0.5)
        assert found is not None
        assert found.guidance.source is source
        arbiter.put(wish(source, validity=1e-9), 0.0)  # newer, and over at once
    assert arbiter.choose(0.5) is None


def test_a_key_press_counts_once_and_only_when_used():
    arbiter = Arbiter()
    arbiter.put(wish(HUMAN), 0.0)
    first = arbiter.choose(0.1)
    assert first is not None
    assert arbiter.choose(0.2) is first  # a decision that came to nothing does not spend it
    arbiter.used(first)
    assert arbiter.choose(0.3) is None


def test_a_press_during_a_decision_is_kept_for_the_next():
    arbiter = Arbiter()
    arbiter.put(wish(HUMAN, author="first"), 0.0)
    first = arbiter.choose(0.1)
    assert first is not None
    arbiter.put(wish(HUMAN, author="second"), 0.15)
    arbiter.used(first)
    found = chosen(arbiter, 0.2)
    assert found is not None
    assert found.author == "second"


def test_a_standing_wish_stays_until_it_ends():
    arbiter = Arbiter()
    arbiter.put(wish(SCRIPTED, validity=1.0), 5.0)
    for now in (5.0, 5.5, 6.0):
        found = arbiter.choose(now)
        assert found is not None
        arbiter.used(found)
    assert arbiter.choose(6.01) is None


def test_clear_forgets_everything():
    arbiter = Arbiter()
    arbiter.put(wish(VLM), 0.0)
    arbiter.clear()
    assert arbiter.choose(0.0) is None


events = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(PRIORITY), st.floats(0.01, 2.0)),
        st.tuples(st.just("decide"), st.booleans(), st.booleans()),
        st.tuples(st.just("wait"), st.floats(0.0, 1.0), st.none()),
    ),
    max_size=40,
)


@given(events)
def test_against_a_plain_model(script):
    """The newest unspent valid wish of the highest source, whatever happens in whatever order."""
    arbiter, now, log = Arbiter(), 0.0, []  # log: [source, received, validity, spent]
    for kind, first, second in script:
        if kind == "wait":
            now += first
        elif kind == "put":
            arbiter.put(wish(first, second), now)
            log.append([first, now, second, False])
        else:
            expected = None
            for source in PRIORITY:
                of_source = [entry for entry in log if entry[0] is source]
                newest = of_source[-1] if of_source else None
                if newest is not None and not newest[3] and now - newest[1] <= newest[2]:
                    expected = newest
                    break
            found = arbiter.choose(now)
            assert (found is None) == (expected is None)
            if found is not None and expected is not None:
                assert (found.guidance.source, found.received, found.guidance.validity) == tuple(expected[:3])
                if first:  # the decision came to something
                    arbiter.used(found)
                    expected[3] = expected[0] is HUMAN
