#!/usr/bin/env python3
"""Makes docs/api.md, the reference of the C API, from the headers in include/theater.

    tools/api_reference.py            writes the page
    tools/api_reference.py --check    exits 1 when the page is not what the headers give

The headers are the reference: this only puts their declarations and comments on one page, with a list of names at its head.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/api.md"
HEADERS = ("theater.h", "runtime.h", "folder.h", "debugger.h", "slice.h", "error.h")

HEAD = """<!-- Made by tools/api_reference.py from include/theater: change the headers, then run it. -->
# The C API

Everything that `#include <theater/theater.h>` declares, header by header. [embedding.md](embedding.md) says how a program is built with it and goes through
one. Functions that can fail return a `theater_status` that must be looked at, and take a `theater_error *` last, which may be NULL. In comments
NOT_FOUND stands for `THEATER_NOT_FOUND`, and so on.
"""

# What is there for the compiler and not for people.
NOISE = re.compile(r"^(#ifndef \w+_H|#define \w+_H|#endif|#include|#ifdef __cplusplus|extern \"C\" \{|\}$|#if defined\(__GNUC__\)|#else|#undef"
                   r"|#define THEATER_(API|CHECKED|PRINTF)\b)")
SECTION = re.compile(r"/\* -{3,} (.*?) -{3,} \*/$")


def blocks_of(text):
    """Pairs of a comment and the declarations below it, up to an empty line or the next comment; a section's title has None for these."""
    lines = [line for line in text.splitlines() if not NOISE.match(line)]
    comment, code, found = [], [], []

    def end():
        if comment or code:
            found.append(("\n".join(comment), "\n".join(code)))
        comment.clear()
        code.clear()

    at = 0
    depth = 0
    while at < len(lines):
        line = lines[at]
        if depth == 0 and line.startswith("/*"):
            end()
            section = SECTION.match(line)
            if section:
                found.append((section.group(1), None))
                at += 1
                continue
            while True:
                comment.append(lines[at])
                if "*/" in lines[at]:
                    break
                at += 1
        elif not line.strip() and depth == 0:
            end()
        else:
            code.append(line)
            bare = re.sub(r"/\*.*?\*/", "", line)
            depth += bare.count("{") - bare.count("}") + bare.count("(") - bare.count(")")
        at += 1
    end()
    return found


def prose(comment):
    """A comment's text without its marks. A line that hangs in further than the others stays a line of its own."""
    text = re.sub(r"^/\*|\*/$", "", comment.strip())
    lines = [re.sub(r"^ \* ?", "", line).strip() for line in text.splitlines()]
    return "\n".join(lines).strip()


def as_markdown(words):
    """Outside of `code`, stars and angle brackets stand for themselves."""
    parts = words.split("`")
    parts[::2] = [re.sub(r"([*<])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def names_in(code):
    """What a block declares, in order."""
    found = re.findall(r"THEATER_API\s[^;{]*?\b(theater_\w+)\(|^\} (theater_\w+);|^typedef struct \w+ (theater_\w+);"
                       r"|^typedef [\w ]+\(\*(theater_\w+)\)|^#define (THEATER_\w+)", code, re.M)
    return [name for group in found for name in group if name and name != "THEATER_STATUS_ENUM"]


def declaration(code):
    return re.sub(r"\bTHEATER_(API|CHECKED) ?", "", code).strip("\n")


def realigned(code):
    """Lines of arguments stand under the first one again, now that the marks before the function's name are gone."""
    out = []
    hang = None
    for line in code.splitlines():
        if hang is not None and re.match(r" {20,}\S", line):
            out.append(" " * hang + line.strip())
        else:
            out.append(line)
            bare = re.sub(r"/\*.*?\*/", "", line)
            opened = re.match(r"[^\s#][^(]*\b(?:theater_\w+|\(\*theater_\w+\))\(", bare)
            hang = opened.end() if opened and bare.count("(") > bare.count(")") else None
            continue
        if line.rstrip().endswith(";"):
            hang = None
    return "\n".join(out)


def page():
    parts, index = [], []
    for header in HEADERS:
        text = (ROOT / "include/theater" / header).read_text(encoding="utf-8")
        parts.append(f"\n## theater/{header}\n")
        for number, (comment, code) in enumerate(blocks_of(text)):
            if code is None:
                parts.append(f"\n### {comment[0].upper()}{comment[1:]}\n")
                continue
            words = prose(comment)
            if number == 0:
                words = re.sub(rf"^theater/{header}: ", "", words)
                parts.append(as_markdown(words[0].upper() + words[1:]) + "\n")
                continue
            names = names_in(code)
            for name in names:
                index.append((name, header))
            parts.append("\n" + ", ".join(f"**`{name}`**" for name in names) + "\n" if names else "")
            if words:
                parts.append(as_markdown(words) + "\n")
            if code:
                parts.append(f"```c\n{realigned(declaration(code))}\n```\n")
    listed = "\n| header | declares |\n|---|---|\n"
    for header in HEADERS:
        names = ", ".join(f"`{name}`" for name, where in index if where == header)
        listed += f"| `theater/{header}` | {names} |\n"
    return re.sub(r"\n{3,}", "\n\n", HEAD + listed + "\n".join(parts))


def main():
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/api.md is not what include/theater gives: run tools/api_reference.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
