"""Images by hand-read CDR, against the middleware's own serialisation."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import image_message, picture
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage

from frs_steering.record.errors import JournalError
from frs_steering.record.images import compress_image, decode_jpeg, parse_image

SAMPLE = serialize_message(image_message(picture(10, size=24)))


@given(frame=st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=12), height=st.integers(1, 9))
def test_pixels_and_header_survive_whatever_the_alignment(frame: str, height: int) -> None:
    pixels = np.arange(height * 5 * 3, dtype=np.uint8).reshape(height, 5, 3)
    message = image_message(pixels, frame=frame)
    message.header.stamp.sec, message.header.stamp.nanosec = 12, 34
    cdr = serialize_message(message)
    assert np.array_equal(parse_image(cdr).pixels, pixels)
    stored = deserialize_message(compress_image(cdr, 90), CompressedImage)
    assert stored.header == message.header
    assert stored.format == "rgb8; jpeg compressed bgr8"
    assert decode_jpeg(bytes(stored.data)).shape == pixels.shape


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "mono8"])
def test_colours_are_kept(encoding: str) -> None:
    rgb = picture(30)
    sent = {"rgb8": rgb, "bgr8": rgb[..., ::-1], "mono8": rgb[..., 1]}[encoding]
    stored = deserialize_message(compress_image(serialize_message(image_message(sent, encoding)), 95), CompressedImage)
    wanted = np.repeat(rgb[..., 1:2], 3, axis=-1) if encoding == "mono8" else rgb
    error = np.abs(decode_jpeg(bytes(stored.data)).astype(int) - wanted)
    assert error.mean() < 3.0


def test_rows_may_be_padded() -> None:
    message = image_message(picture(5, size=8))
    padded = np.concatenate([picture(5, size=8).reshape(8, 24), np.zeros((8, 4), np.uint8)], axis=1)
    message.step, message.data = 28, padded.tobytes()
    assert np.array_equal(parse_image(serialize_message(message)).pixels, picture(5, size=8))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"encoding": "16UC1"}, "encoding '16UC1' can't be stored as JPEG; one of rgb8, bgr8, mono8"),
        ({"step": 3}, "24x24 rgb8 with step 3"),
        ({"height": 25}, "24x25 rgb8"),
        ({"width": 0}, "0x24"),
    ],
)
def test_an_image_that_contradicts_itself_is_named(change: dict, complaint: str) -> None:
    message = image_message(picture(0, size=24))
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(JournalError, match=complaint):
        compress_image(serialize_message(message), 90)


def test_big_endian_is_refused() -> None:
    with pytest.raises(JournalError, match="little-endian"):
        parse_image(b"\x00\x00" + SAMPLE[2:])


@given(st.binary(max_size=200))
def test_any_bytes_give_a_clear_error(noise: bytes) -> None:
    with pytest.raises(JournalError):
        parse_image(b"\x00\x01\x00\x00" + noise)


@given(st.integers(0, len(SAMPLE) - 8))
def test_any_truncation_gives_a_clear_error(length: int) -> None:
    with pytest.raises(JournalError):
        parse_image(SAMPLE[:length])


@given(st.integers(4, 60), st.integers(0, 2**32 - 1))
def test_any_length_field_gives_an_image_or_a_clear_error(offset: int, value: int) -> None:
    broken = bytearray(SAMPLE)
    struct.pack_into("<I", broken, offset, value)
    with contextlib.suppress(JournalError):
        parse_image(bytes(broken))


def test_what_is_no_jpeg_is_named() -> None:
    for data in (b"", b"not a picture"):
        with pytest.raises(JournalError, match=f"{len(data)} bytes"):
            decode_jpeg(data)
