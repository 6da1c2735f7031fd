"""Decoding of programs: byte order marks, UTF-8 with a few bad bytes, then detection of the
encoding.
"""

import codecs
import re
from dataclasses import dataclass, replace
from unicodedata import category

from charset_normalizer import from_bytes

from scripts.lib.schemas.sources import Rejection

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# A mark in a text: some editors write another one before the first.
_MARK = "\ufeff"
_REPLACEMENT = "\ufffd"
# Control characters that do not occur in text. Text may contain tab, line feed, vertical tab, form
# feed, carriage return, DOS end of file, and escape.
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27})
# A surrogate pair encoded like UTF-8, as Java and databases write it (CESU-8): six bytes of invalid
# UTF-8.
_PAIR = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_ASCII = bytes(range(128))
# Sequences after which two ASCII bytes are one character: ISO 2022, as Japanese and Korean mail has it.
_DESIGNATION = re.compile(rb"\x1b\$[@AB()]")
_SEVEN_BIT = ["iso2022_jp_2", "iso2022_kr"]
# Minimum number of bytes outside ASCII for a reliable choice between encodings that can all read
# them.
_ENOUGH = 64
# Of these, the number in different words: a word that is repeated is no further evidence.
_DIFFERENT = 32
# In pieces, because some languages have no blanks between words.
_OTHER_BYTES = re.compile(rb"[\x80-\xff]{1,4}")
# A letter with a mark in a word of ASCII letters, as in "café". In other encodings, its two bytes of UTF-8 are a symbol
# after a capital letter, or a sign of another script, and neither stands in such a word.
_IN_LATIN_WORD = re.compile(r"(?<=[A-Za-z]{2})[\u00c0-\u024f]|[\u00c0-\u024f](?=[A-Za-z]{2})")
# Encodings whose texts are easily taken for those of others; most corpora have few programs in them.
_RARE = ["euc_jp", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859_2", "iso8859_5", "cp866", "tis_620"]
# Short words in other encodings are by chance valid UTF-8 of up to this many characters.
_WORDS = 4
MOST_BAD_BYTES = 16


@dataclass(frozen=True)
class Decoded:
    """Text and its encoding, or the reason for which there is none.

    `bad_bytes` counts invalid bytes in a text of UTF-8, which are replaced by U+FFFD. `uncertain`
    says that another encoding gives a different text that is as likely.
    """

    text: str = ""
    encoding: str | None = None
    rejected: Rejection | None = None
    bad_bytes: int = 0
    uncertain: bool = False


def _strict(data: bytes, encoding: str) -> str | None:
    """`data` as text, or None when it is not valid in `encoding`."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _readings(data: bytes, encodings: list[str]) -> dict[str, str]:
    """The texts of the encodings that can read `data`."""
    texts = {encoding: _strict(data, encoding) for encoding in encodings}
    return {encoding: text for encoding, text in texts.items() if text is not None}


def _is_short(data: bytes) -> bool:
    """Whether there are too few bytes outside ASCII, or too few in different words, to be sure of an
    encoding.
    """
    few = len(data.translate(None, _ASCII)) < _ENOUGH
    return few or sum(map(len, set(_OTHER_BYTES.findall(data)))) < _DIFFERENT


def _looks_rare(data: bytes, text: str, encodings: list[str]) -> bool:
    """Whether `data`, which was read as `text` in one of the `encodings`, is more likely in an
    encoding that is not among them.
    """
    best = from_bytes(data, cp_isolation=[*encodings, *_RARE]).best()
    return best is not None and _strict(data, best.encoding) != text


def _by_chance(text: str, data: bytes, encodings: list[str]) -> bool:
    """Whether valid UTF-8 may be one or two words in an encoding of two bytes a character, such as
    GB 18030.

    Such words look like letters from U+0100 to U+07FF.
    """
    others = [character for character in text if not character.isascii()] if len(text) < len(data) else []
    alike = 0 < len(others) <= _WORDS and all("\u0100" <= character <= "\u07ff" for character in others)
    return alike and any(len(reading) < len(data) for reading in _readings(data, encodings).values())


def _is_seven_bit(data: bytes) -> bool:
    """Whether valid UTF-8 is also a text in an encoding of ASCII bytes with escape sequences."""
    return _DESIGNATION.search(data) is not None and bool(_readings(data, _SEVEN_BIT))


def _mostly_utf8(data: bytes, encodings: list[str]) -> Decoded | None:
    """`data` as UTF-8 with bad bytes; None where too little of it is UTF-8.

    The evidence is the number of continuation bytes, which other encodings rarely have where UTF-8
    requires them. Encodings of two bytes a character have them by chance; where one of those can
    read the data, more are required. Letters in Latin words count three times. Surrogate pairs are
    bad bytes, but count as evidence for UTF-8.
    """
    text = data.decode("utf-8", "surrogateescape")
    bad = sum("\udc80" <= character <= "\udcff" for character in text)
    known = [character for character in text if category(character) not in ("Cn", "Cs")]
    pairs = len(_PAIR.findall(data))
    # A character of which the end is missing counts once: its other bytes are as UTF-8 has them.
    strange = data.decode("utf-8", "replace").count(_REPLACEMENT) - data.count(_REPLACEMENT.encode()) - 6 * pairs
    continuing = sum(len(character.encode()) - 1 for character in known) + 4 * pairs
    continuing += 2 * len(_IN_LATIN_WORD.findall(text))
    by_chance = any(len(reading) < len(data) for reading in _readings(data, encodings).values())
    marked = data.startswith(codecs.BOM_UTF8)
    if not marked and (continuing < strange or (by_chance and continuing <= 2 * strange)):
        return None
    encoding = "utf-8-sig" if marked else "utf-8"
    uncertain = not marked and (continuing <= 2 * strange or (by_chance and _is_short(data)))
    return Decoded(data.decode(encoding, "replace"), encoding, bad_bytes=bad, uncertain=uncertain)


def _detected(data: bytes, encodings: list[str]) -> Decoded:
    """Text in the encoding that charset-normalizer finds most likely; in the last of `encodings` if
    it finds none.

    Detection needs a few words of natural language, which a short program may lack. The last
    encoding should then be one of single bytes, which gives at worst a wrong letter in a comment;
    the result is marked as uncertain.
    """
    if not encodings or data.translate(None, _CONTROLS) != data:
        return Decoded(rejected=Rejection.UNDECODABLE)
    best = from_bytes(data, cp_isolation=encodings).best()
    encoding = best.encoding if best is not None else encodings[-1]
    text = _strict(data, encoding)
    if text is None:
        return Decoded(rejected=Rejection.UNDECODABLE)
    others = any(reading != text for reading in _readings(data, encodings).values())
    others = others or not data.decode("utf-8", "ignore").isascii()
    uncertain = others and (best is None or _is_short(data) or _looks_rare(data, text, encodings))
    return Decoded(text, encoding, uncertain=uncertain)


def _decode_any(data: bytes, encodings: list[str], most_bad: int) -> Decoded:
    """Text in the first encoding that can read the data, or the reason why there is none."""
    for mark, encoding in _MARKS:
        if data.startswith(mark) and (text := _strict(data, encoding)) is not None:
            return Decoded(text, encoding)
    if b"\0" in data:
        return Decoded(rejected=Rejection.BINARY)
    if (text := _strict(data, "utf-8")) is not None:
        return Decoded(text, "utf-8", uncertain=_by_chance(text, data, encodings) or _is_seven_bit(data))
    utf8 = _mostly_utf8(data, encodings)
    if utf8 is not None:
        return utf8 if utf8.bad_bytes <= most_bad else Decoded(rejected=Rejection.BAD_BYTES, bad_bytes=utf8.bad_bytes)
    return _detected(data, encodings)


def decode(data: bytes, encodings: list[str], most_bad: int = MOST_BAD_BYTES) -> Decoded:
    """Decode a source file; `encodings` are Python codec names tried where the bytes are not UTF-8.

    Byte order marks are removed from the text and recorded in the name of the encoding. `most_bad`
    is the number of bad bytes up to which a text of UTF-8 is accepted.
    """
    decoded = _decode_any(data, encodings, most_bad)
    if decoded.text.startswith(_MARK):
        decoded = replace(decoded, text=decoded.text.lstrip(_MARK))
    if decoded.rejected is None and not decoded.text.strip():
        return Decoded(rejected=Rejection.EMPTY)
    if "\0" in decoded.text:
        return Decoded(rejected=Rejection.BINARY)
    return decoded
