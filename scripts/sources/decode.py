"""From bytes to text: UTF-8 first, then byte order marks, then detection among the encodings that the config names."""

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What text may hold below the space: tab, line feed, vertical tab, form feed, carriage return, DOS end of file, escape.
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27})


@dataclass(frozen=True)
class Decoded:
    """Text and its encoding, or the reason for which there is none."""

    text: str = ""
    encoding: str | None = None
    rejected: str | None = None


def _strict(data: bytes, encoding: str) -> str | None:
    """`data` as text, or None when it is not valid in `encoding`."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _detected(data: bytes, encodings: list[str]) -> tuple[str, str] | None:
    """Text and encoding that charset-normalizer finds most likely; the last named encoding where it finds none.

    Detection needs a few words of natural language, which a short program may lack; a byte-oriented last resort reads
    such a program with at worst a wrong letter in a comment.
    """
    if data.translate(None, _CONTROLS) != data:
        return None
    best = from_bytes(data, cp_isolation=encodings).best()
    encoding = best.encoding if best is not None else encodings[-1]
    text = _strict(data, encoding)
    return None if text is None else (text, encoding)


def _decode_any(data: bytes, encodings: list[str]) -> Decoded:
    """Text in the first encoding that fits, or the reason why none does."""
    for mark, encoding in _MARKS:
        if data.startswith(mark) and (text := _strict(data, encoding)) is not None:
            return Decoded(text, encoding)
    if b"\0" in data:
        return Decoded(rejected="binary")
    if (text := _strict(data, "utf-8")) is not None:
        return Decoded(text, "utf-8")
    found = _detected(data, encodings) if encodings else None
    return Decoded(*found) if found else Decoded(rejected="undecodable")


def decode(data: bytes, encodings: list[str]) -> Decoded:
    """Decode a source file; `encodings` are Python codec names tried where the bytes are not UTF-8.

    Byte order marks are dropped from the text and kept in the encoding's name. Reasons for rejection: `empty` (nothing
    but white space), `binary` (a NUL), `undecodable`.
    """
    decoded = _decode_any(data, encodings)
    if decoded.rejected is None and not decoded.text.strip():
        return Decoded(rejected="empty")
    if "\0" in decoded.text:
        return Decoded(rejected="binary")
    return decoded
