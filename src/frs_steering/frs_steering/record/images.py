"""Images between the wire and the file: CDR bytes of sensor_msgs/Image in, of sensor_msgs/CompressedImage out.

Both layouts are read and written by hand because the core knows no message packages, and because a copy
of the pixels through a message object would cost more than the rest of the recording.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from frs_steering.record.errors import JournalError

_CHANNELS = {"rgb8": 3, "bgr8": 3, "mono8": 1}
_LITTLE_ENDIAN_CDR = b"\x00\x01"


@dataclass(frozen=True)
class RawImage:
    """What a serialised sensor_msgs/Image holds.

    Attributes:
        head: the bytes up to the end of the header's frame_id, CDR's own four included.
        encoding: "rgb8", "bgr8" or "mono8".
        pixels: (height, width, channels) uint8, a view into the message.
    """

    head: bytes
    encoding: str
    pixels: np.ndarray


def parse_image(cdr: bytes) -> RawImage:
    """Read a serialised sensor_msgs/Image.

    Raises:
        JournalError: truncated, not little-endian CDR, of another encoding, or sizes that don't fit.
    """
    try:
        return _parse(cdr)
    except (struct.error, UnicodeDecodeError) as error:
        raise JournalError(f"image message of {len(cdr)} bytes is malformed: {error}") from error


def compress_image(cdr: bytes, quality: int) -> bytes:
    """Turn a serialised sensor_msgs/Image into a serialised sensor_msgs/CompressedImage, JPEG inside.

    Args:
        cdr: the image as it came over the wire.
        quality: JPEG quality, 1..100.

    Raises:
        JournalError: as parse_image.
    """
    image = parse_image(cdr)
    pixels = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2BGR) if image.encoding == "rgb8" else image.pixels
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise JournalError(f"image of shape {image.pixels.shape} could not be encoded as JPEG")
    # image_transport's wording, from which its subscribers restore the encoding.
    stored = "mono8" if image.encoding == "mono8" else "bgr8"
    form = f"{image.encoding}; jpeg compressed {stored}".encode() + b"\0"
    out = bytearray(image.head)
    _align(out)
    out += struct.pack("<I", len(form)) + form
    _align(out)
    out += struct.pack("<I", jpeg.size) + jpeg.tobytes()
    return bytes(out)


def decode_jpeg(data: bytes) -> np.ndarray:
    """Decode a compressed image's data into (height, width, 3) uint8 RGB.

    Raises:
        JournalError: the data is no image.
    """
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if len(data) else None
    if pixels is None:
        raise JournalError(f"{len(data)} bytes of a compressed image don't decode")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _parse(cdr: bytes) -> RawImage:
    if cdr[:2] != _LITTLE_ENDIAN_CDR:
        raise JournalError(f"image message begins with {cdr[:2]!r}; little-endian CDR {_LITTLE_ENDIAN_CDR!r} expected")
    end = _string_end(cdr, 12)  # CDR's header 4, stamp 8
    head = cdr[:end]
    offset = _aligned(end)
    height, width = struct.unpack_from("<II", cdr, offset)
    end = _string_end(cdr, offset + 8)
    encoding = cdr[offset + 12 : end].rstrip(b"\0").decode()
    offset = _aligned(end + 1)  # behind is_bigendian
    step, size = struct.unpack_from("<II", cdr, offset)
    offset += 8
    if encoding not in _CHANNELS:
        raise JournalError(f"image encoding {encoding!r} can't be stored as JPEG; one of {', '.join(_CHANNELS)} can")
    row = width * _CHANNELS[encoding]
    if not (height and width and step >= row and size == step * height and len(cdr) >= offset + size):
        raise JournalError(
            f"image of {width}x{height} {encoding} with step {step} has {len(cdr) - offset} bytes of {size} announced;"
            f" {height} rows of at least {row} bytes expected"
        )
    rows = np.frombuffer(cdr, np.uint8, size, offset).reshape(height, step)[:, :row]
    return RawImage(head, encoding, rows.reshape(height, width, _CHANNELS[encoding]))


def _string_end(cdr: bytes, offset: int) -> int:
    (length,) = struct.unpack_from("<I", cdr, offset)
    end = offset + 4 + length
    if end > len(cdr):
        raise JournalError(f"image message of {len(cdr)} bytes ends inside a string of {length} bytes")
    return end


def _aligned(offset: int) -> int:
    # Alignment counts from behind CDR's own four bytes, which changes nothing for alignments up to 4.
    return -(-offset // 4) * 4


def _align(out: bytearray) -> None:
    out.extend(bytes(_aligned(len(out)) - len(out)))
