"""What the tests of the languages share: the program, the projects of a language in this repository, and the table of docs/languages.md."""

import json
import os
from pathlib import Path
import re
import subprocess

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ["THEATER_PROGRAM"]
TOOL_MISSING = 25


def theater(*arguments, cwd=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, errors="replace",
                          check=False)


def language_of(folder):
    """The language of a project, as `theater build` would see it; by its files, because a build takes its time."""
    if (folder / "Cargo.toml").exists():
        return "rust"
    if (folder / "go.mod").exists():
        return "go"
    if (folder / "asconfig.json").exists():
        return "assemblyscript"
    for ending, language in ((".zig", "zig"), (".ts", "typescript"), (".js", "javascript"), (".py", "python"), (".c", "c")):
        if any(folder.glob(f"*{ending}")) or any(folder.glob(f"src/*{ending}")):
            return language
    return None


def projects(*roots):
    """The folders with an actor.yaml below these folders, however deep."""
    for root in roots:
        for manifest in sorted((ROOT / root).rglob("actor.yaml")):
            parts = manifest.relative_to(ROOT).parts
            if not {"build", "template", "node_modules", ".theater"} & set(parts):
                yield manifest.parent


def table():
    """The rows of the table of docs/languages.md: language -> {column: cell}."""
    rows, columns = {}, None
    for line in (ROOT / "docs/languages.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            if rows:
                break
            columns = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if columns is None:
            columns = cells
        elif not re.fullmatch(r"[-: ]+", cells[0]):
            rows[cells[0].strip("`")] = dict(zip(columns, cells))
    return rows


def load(text):
    return json.loads(text)
