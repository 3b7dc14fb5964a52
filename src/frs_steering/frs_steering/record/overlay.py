"""One picture for people: both cameras, the wish in force as an arrow and on a compass, who steers, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from textwrap import shorten

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

VIEW = 480  # pixels, side of a camera's picture
MARGIN = 16
HEADER = 60
PANEL = 148
WIDTH = 2 * VIEW + 3 * MARGIN
HEIGHT = HEADER + VIEW + PANEL + MARGIN
ARROW_METRES = 0.14  # length of the arrow in the exterior view at amount 1

_BACKGROUND = (20, 23, 28)
_RAISED = (35, 40, 48)
_LINE = (78, 86, 98)
_TEXT = (236, 239, 244)
_DIM = (150, 160, 174)
_GOOD = (126, 211, 127)
_BAD = (255, 107, 104)
NOISE_POLICY = "noise policy"
ACTING = ("policy", NOISE_POLICY)
"""Who acts where nobody steers."""

_ACCENTS = {
    "policy": (176, 188, 202),
    NOISE_POLICY: (126, 211, 127),
    "human": (255, 180, 84),
    "VLM": (197, 146, 255),
    "scripted reasoner": (98, 200, 255),
}

DIRECTION_WORDS = {"+x": "forward", "-x": "back", "+y": "left", "-y": "right", "+z": "up", "-z": "down"}
"""Words for the cardinal directions of the base frame (REP-103)."""


@dataclass(frozen=True)
class CameraView:
    """Where the exterior camera stands: pinhole, image upright.

    Attributes:
        position: m, in the frame of the arm's base.
        target: m, a point on the optical axis.
        fovy: degrees, vertical field of view.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    fovy: float

    def project(self, point: np.ndarray) -> tuple[float, float] | None:
        """Where a point (3,) m in the base frame lies in the picture, 0..1 from the left and from the top.

        None behind the camera.
        """
        ahead = np.subtract(self.target, self.position)
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        relative = np.subtract(point, self.position)
        depth = float(relative @ ahead)
        if depth <= 0.01:
            return None
        scale = 0.5 / np.tan(np.radians(self.fovy) / 2) / depth
        return 0.5 + float(relative @ right) * scale, 0.5 - float(relative @ np.cross(right, ahead)) * scale


@dataclass(frozen=True)
class Moment:
    """All that one picture shows.

    Attributes:
        exterior: (h, w, 3) uint8 RGB, or None before the first image.
        wrist: likewise.
        instruction: in words.
        seconds: since the beginning of the episode.
        steered_by: "policy", "noise policy", "human", "VLM" or "scripted reasoner".
        direction: (3,) unit vector in the base frame, zeros for none.
        amount: 0..1.
        gripper: the wish: "", "open" or "close".
        remark: a line under the direction, e.g. why the policy acts.
        arm: state of the arm in words.
        tcp: (3,) m, tool centre point in the base frame; None where unknown.
        verdict: "", "success" or "failure".
    """

    exterior: np.ndarray | None = None
    wrist: np.ndarray | None = None
    instruction: str = ""
    seconds: float = 0.0
    steered_by: str = "policy"
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)
    amount: float = 1.0
    gripper: str = ""
    remark: str = ""
    arm: str = ""
    tcp: tuple[float, float, float] | None = None
    verdict: str = ""


def draw(moment: Moment, view: CameraView | None = None) -> np.ndarray:
    """Draw one picture.

    Args:
        moment: what to show.
        view: of the exterior camera; with it the direction is also drawn into the scene, at the fingers.

    Returns:
        (HEIGHT, WIDTH, 3) uint8 RGB.
    """
    canvas = _empty_canvas().copy()
    accent = _ACCENTS[moment.steered_by]
    left, right = MARGIN, 2 * MARGIN + VIEW
    exterior = _enlarged(moment.exterior)
    if view is not None and moment.tcp is not None and moment.steered_by not in ACTING:
        _draw_arrow_in_scene(exterior, moment, view, accent)
    canvas[HEADER : HEADER + VIEW, left : left + VIEW] = exterior
    canvas[HEADER : HEADER + VIEW, right : right + VIEW] = _enlarged(moment.wrist)
    top = HEADER + VIEW + MARGIN // 2
    cv2.rectangle(canvas, (left, top), (WIDTH - MARGIN, HEIGHT - MARGIN), _RAISED, cv2.FILLED)
    _draw_compass(canvas, (left + 74, top + 66), moment, accent)
    if moment.verdict:
        frame = _GOOD if moment.verdict == "success" else _BAD
        cv2.rectangle(canvas, (left, HEADER), (left + VIEW - 1, HEADER + VIEW - 1), frame, 4)
        cv2.rectangle(canvas, (right, HEADER), (right + VIEW - 1, HEADER + VIEW - 1), frame, 4)
    return _with_words(canvas, top, moment, accent)


def direction_label(direction: tuple[float, float, float]) -> str:
    """Name of a direction: "+x  forward" for a cardinal one, its numbers for another, "" for none."""
    if direction == (0.0, 0.0, 0.0):
        return ""
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) < 0.99:
        return "({:+.2f}, {:+.2f}, {:+.2f})".format(*direction)
    name = f"{'+' if direction[axis] > 0 else '-'}{'xyz'[axis]}"
    return f"{name}  {DIRECTION_WORDS[name]}"


def _enlarged(picture: np.ndarray | None) -> np.ndarray:
    if picture is None:
        return np.full((VIEW, VIEW, 3), _RAISED, np.uint8)
    side = min(picture.shape[:2])
    y, x = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return cv2.resize(picture[y : y + side, x : x + side], (VIEW, VIEW), interpolation=cv2.INTER_CUBIC)


def _draw_arrow_in_scene(picture: np.ndarray, moment: Moment, view: CameraView, accent: tuple[int, int, int]) -> None:
    foot = np.asarray(moment.tcp)
    ends = [view.project(foot), view.project(foot + np.asarray(moment.direction) * moment.amount * ARROW_METRES)]
    if ends[0] is None or ends[1] is None:
        return
    start, tip = [(round(x * VIEW), round(y * VIEW)) for x, y in (ends[0], ends[1])]
    for colour, width in (((15, 17, 20), 10), (accent, 5)):
        if start == tip:
            cv2.circle(picture, start, 14, colour, width // 2 + 1, cv2.LINE_AA)
        else:
            cv2.arrowedLine(picture, start, tip, colour, width, cv2.LINE_AA, tipLength=0.32)


def _draw_compass(canvas: np.ndarray, centre: tuple[int, int], moment: Moment, accent: tuple[int, int, int]) -> None:
    """A rose seen from above, x up and y to the left as for somebody behind the arm, and a gauge for z."""
    x, y = centre
    radius = 44
    cv2.circle(canvas, centre, radius, _LINE, 2, cv2.LINE_AA)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        cv2.line(canvas, (x + dx * (radius - 6), y + dy * (radius - 6)), (x + dx * radius, y + dy * radius), _LINE, 2)
    gauge = x + radius + 40
    cv2.line(canvas, (gauge, y - radius), (gauge, y + radius), _LINE, 2, cv2.LINE_AA)
    cv2.line(canvas, (gauge - 6, y), (gauge + 6, y), _LINE, 2)
    if moment.steered_by in ACTING:
        return
    forward, left, up = np.asarray(moment.direction) * moment.amount * (radius - 4)
    if abs(forward) + abs(left) > 1.0:
        cv2.arrowedLine(canvas, centre, (round(x - left), round(y - forward)), accent, 6, cv2.LINE_AA, tipLength=0.4)
    if abs(up) > 1.0:
        cv2.arrowedLine(canvas, (gauge, y), (gauge, round(y - up)), accent, 6, cv2.LINE_AA, tipLength=0.4)


def _with_words(canvas: np.ndarray, top: int, moment: Moment, accent: tuple[int, int, int]) -> np.ndarray:
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, HEADER // 2), shorten(moment.instruction, 60, placeholder="…"), _TEXT, _font(26), anchor="lm")
    pen.text((WIDTH - MARGIN, HEADER // 2), f"{moment.seconds:5.1f} s", _DIM, _font(22), anchor="rm")
    for name, x in (("exterior camera", MARGIN), ("wrist camera", 2 * MARGIN + VIEW)):
        pen.text((x + 10, HEADER + VIEW - 10), name, _TEXT, _font(15), "ls", stroke_width=2, stroke_fill=(0, 0, 0))
    cx, cy = MARGIN + 74, top + 66
    for word, dx, dy, anchor in (("+x", 0, -48, "mb"), ("+y", -48, 0, "rm"), ("+z", 84, -48, "mb")):
        pen.text((cx + dx, cy + dy), word, _DIM, _font(15), anchor=anchor)
    first, second, end = MARGIN + 220, MARGIN + 470, WIDTH - MARGIN - 14
    acts = moment.steered_by in ACTING
    steers = "nobody" if moment.steered_by == "policy" else moment.steered_by
    wishes = [direction_label(moment.direction), f"{moment.gripper} gripper" if moment.gripper else ""]
    pen.text((first, top + 26), "who steers", _DIM, _font(15), anchor="lm")
    pen.text((first, top + 56), steers, accent, _font(26), anchor="lm")
    pen.text((second, top + 26), "wish in force", _DIM, _font(15), anchor="lm")
    wish = f"the {moment.steered_by} acts" if acts else ",  ".join(filter(None, wishes)) or "rest"
    pen.text((second, top + 56), wish, accent if acts else _TEXT, _font(26), anchor="lm")
    pen.text((first, top + 104), shorten(moment.remark, 64, placeholder="…"), _DIM, _font(17), anchor="lm")
    pen.text((end, top + 26), moment.arm, _DIM, _font(15), anchor="rm")
    if moment.verdict:
        colour = _GOOD if moment.verdict == "success" else _BAD
        pen.text((end, top + 104), moment.verdict.upper(), colour, _font(36), anchor="rm")
    return np.asarray(picture)


@cache
def _empty_canvas() -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)  # 2 ms, a fifth of a whole drawing


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
