# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure functions on text: capital letters in names, plain ASCII, parts of a delimited text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
_APOSTROPHES = "'\u2019"
# "o'neil" is a name of two parts; "don't", "we'll" and "john's" are one word with an ending.
_SHORTEST_NAME_PART = 3

# Letters and marks that Unicode does not take apart; everything else loses its accents by decomposition (NFKD).
ASCII_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H", "\u0131": "i", "ŧ": "t",
    "Ŧ": "T", "ŋ": "n", "Ŋ": "N", "ĸ": "k", "ə": "e", "Ə": "E", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ɛ": "e",
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u02bc": "'", "\u02b9": "'", "\u201c": '"', "\u201d": '"',
    "\u201e": '"',
    "\u00ab": '"', "\u00bb": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-",
    "\u2212": "-",
    "\u00b4": "'", "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u00ad": "",
}  # fmt: skip
_ASCII_TABLE = str.maketrans(ASCII_LETTERS)


def title_case(text: str) -> str:
    """Give `text` with each word capitalized as names are: `O'Neil`, `Anne-Marie`, `John's`."""

    def capitalize(match: re.Match[str]) -> str:
        word, start = match[0], match.start()
        after_apostrophe = start > 1 and text[start - 1] in _APOSTROPHES and text[start - 2].isalnum()
        if after_apostrophe and len(word) < _SHORTEST_NAME_PART:
            return word.lower()
        return word[0].title() + word[1:].lower()

    return _WORD.sub(capitalize, text)


def to_ascii(text: str) -> str:
    """Give `text` in plain ASCII: accents dropped (`ä` -> `a`), letters such as `ß`, `ø`, `ł`, `æ` spelled out.

    Raises ValueError that names the first character which has no such form (Cyrillic, Chinese, emoji): dropping it in
    silence would make different names equal.
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII_TABLE)).translate(_ASCII_TABLE)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    for char in plain:
        if not char.isascii():
            raise ValueError(f"{char!r} ({unicodedata.name(char, 'unnamed character')}) has no ASCII form")
    return plain


def distinct(parts: Iterable[str]) -> tuple[str, ...]:
    """Give `parts` in order, empties and repeats dropped."""
    return tuple(dict.fromkeys(part for part in parts if part))


def split_parts(text: str, separator: str) -> tuple[str, ...]:
    """Give the parts of `text` between `separator`: trimmed, empties and repeats dropped."""
    return distinct(part.strip() for part in text.split(separator))
