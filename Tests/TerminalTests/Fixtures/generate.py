#!/usr/bin/env python3
"""Writes the display width table of Sources/Terminal and the golden widths of its tests.

    pip install wcwidth && python3 Tests/TerminalTests/Fixtures/generate.py

The table is the standard's (East Asian Width, and the general categories Mn, Me, Cf) as the wcwidth package
reads it; the goldens are what that package says of single scalars and of short strings.
"""

import json
import pathlib

import wcwidth

FOLDER = pathlib.Path(__file__).resolve().parent
SOURCES = FOLDER.parents[2] / "Sources" / "Terminal"

STRINGS = [
    "", "a", "hello", "日本語", "한국어", "ｆｕｌｌ", "ﾊﾝｶｸ", "e\u0301", "n\u0303a\u0308", "각", "👩‍👩‍👧‍👦", "🧑‍🚀",
    "❤️", "❤", "🇩🇪", "🇩🇪🇫🇷", "☕", "✅", "日a本b", "żółć", "Ω≈ç√", "שלום", "مرحبا", "नमस्ते", "สวัสดี",
    "naïve café", "→←↑↓", "─│┌┐", "🙂🙃", "👨‍💻 code", "1️⃣",
]


def ranges(width):
    """Ranges of scalars with this width, neighbours joined."""
    found = []
    for value in range(0xA0, 0x110000):
        if 0xD800 <= value <= 0xDFFF or wcwidth.wcwidth(chr(value)) != width:
            continue
        if found and found[-1][1] == value - 1:
            found[-1][1] = value
        else:
            found.append([value, value])
    return found


def swift(name, comment, values):
    rows = [f"        (0x{low:04X}, 0x{high:04X})," for low, high in values]
    packed, line = [], ""
    for row in (r.strip() for r in rows):
        if len(line) + len(row) + 1 > 100:
            packed.append("        " + line.strip())
            line = ""
        line += row + " "
    packed.append("        " + line.strip())
    body = "\n".join(packed)
    return f"    /// {comment}\n    static let {name}: [(first: UInt32, last: UInt32)] = [\n{body}\n    ]\n"


def main():
    version = wcwidth.list_versions()[-1]
    table = (
        f"// Written by Tests/TerminalTests/Fixtures/generate.py from Unicode {version}; do not edit.\n\n"
        "extension DisplayWidth {\n"
        + swift("zeroWidth", "Scalars that take no column: combining marks and format characters.", ranges(0))
        + "\n"
        + swift("doubleWidth", "Scalars that take two columns: East Asian wide ones and emoji.", ranges(2))
        + "}\n"
    )
    (SOURCES / "DisplayWidth+Table.swift").write_text(table)
    samples = sorted(
        {v + d for low, high in ranges(0) + ranges(2) for v in (low, high) for d in (-1, 0, 1)}
        | set(range(0x20, 0x7F)) | set(range(0xA0, 0x110000, 4093)))
    samples = [v for v in samples
               if (v < 0x7F or v >= 0xA0) and not 0xD800 <= v <= 0xDFFF and v < 0x110000]
    golden = {
        "unicode": version,
        "scalars": [[v, wcwidth.wcwidth(chr(v))] for v in samples],
        "strings": [[s, wcwidth.wcswidth(s)] for s in STRINGS],
    }
    text = json.dumps(golden, ensure_ascii=True, separators=(",", ":"))
    (FOLDER / "widths.json").write_text(text.replace(',"s', ',\n"s') + "\n")


main()
