"""The recording of a conducted episode: preflight, start, what is amiss meanwhile, people's notes, label."""

from __future__ import annotations

import time

from frs_msgs.msg import EpisodeEvent, RecorderState
from frs_msgs.srv import StartRecording, StopRecording
from std_srvs.srv import Trigger

from frs_sim.nodes.episode_peers import PeerError, Peers

ANSWER_TIMEOUT = 3.0  # s, of each service call
CLOSING_TIMEOUT = 12.0  # s that the recorder may take to finish a file; its own limit is 10
SETTLE = 3.0
"""s for which a preflight that complains is repeated: rates are counted over 2 s, and a reset has just interrupted
them."""
LOOK_AGAIN = 0.5  # s between two preflights
LOST = "it records no more: the recorder was started again; what there is: frs record recover"
"""What is amiss where the recorder died."""


class Recording:
    """At most one recording under way; everything blocks, in the episode's thread."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._episode_id = ""
        self._told_of_it = False  # the recorder has named this episode's file

    @property
    def running(self) -> bool:
        """Whether one was begun and not ended."""
        return bool(self._episode_id)

    def preflight(self) -> str:
        """Ask the recorder whether the episode is worth beginning; returns what is amiss, empty if all is well.

        Raises:
            Interrupted: the episode was called off.
        """
        end = time.monotonic() + SETTLE
        while True:
            try:
                answer: Trigger.Response = self._peers.call(
                    self._peers.preflight, Trigger.Request(), ANSWER_TIMEOUT, again=True
                )
            except PeerError as error:
                return str(error)
            if answer.success:
                return ""
            if time.monotonic() > end:
                return answer.message
            self._peers.pause(LOOK_AGAIN)

    def begin(self, request: StartRecording.Request) -> str:
        """Begin a recording, after closing one that a conductor who died has left open; returns its path.

        Raises:
            PeerError: the recorder refuses, as on a full disk, or does not answer.
            Interrupted: the episode was called off.
        """
        peers = self._peers
        state: RecorderState | None = peers.recorder_state.message
        if state is not None and state.recording:
            stop = StopRecording.Request(label=EpisodeEvent.DISCARDED, note="left open when the next episode began")
            peers.call(peers.stop_recording, stop, CLOSING_TIMEOUT)
        answer: StartRecording.Response = peers.call(peers.start_recording, request, ANSWER_TIMEOUT, again=True)
        if not answer.success:
            raise PeerError(f"the episode can't be recorded: {answer.message}")
        self._episode_id, self._told_of_it = request.episode_id, False
        peers.notes.clear()
        return answer.path

    def alarm(self) -> str:
        """What the recorder finds amiss now, in its own words; empty if all is well."""
        state: RecorderState | None = self._peers.recorder_state.message
        if not self.running or state is None:
            return ""
        if self._episode_id not in state.path:
            # The state of before the start may still be the newest; one that came after it is another recorder's.
            return LOST if self._told_of_it else ""
        self._told_of_it = True
        if not state.recording:
            return f"it records no more: {state.message}"
        return state.message.removeprefix(f"recording to {state.path}").lstrip("; ")

    def end(self, label: int, note: str) -> tuple[str, str]:
        """End the recording, with the notes that people gave meanwhile behind the conductor's own.

        Returns:
            The path of the file, and what went wrong; empty where nothing did.
        """
        told = [f"{event.author}: {event.note}" for event in self._peers.notes if event.episode_id == self._episode_id]
        request = StopRecording.Request(label=label, note="; ".join([note, *told]))
        self._episode_id = ""
        try:
            answer = self._stop(request)
        except PeerError as error:
            return "", str(error)
        return answer.path, "" if answer.success else f"the recording is not whole: {answer.message}"

    def _stop(self, request: StopRecording.Request) -> StopRecording.Response:
        """Ask, and once more where the answer was lost, which the recorder answers in the same way."""
        peers = self._peers
        try:
            return peers.call(peers.stop_recording, request, CLOSING_TIMEOUT, to_the_end=True)
        except PeerError:  # not earlier: while it closes the file, a second request would wait, and end the next one
            return peers.call(peers.stop_recording, request, ANSWER_TIMEOUT, to_the_end=True)
