#!/usr/bin/env python3
"""Runs the sessions that a page shows, and compares what comes out with what the page says.

    run_docs.py SOURCE BUILD PAGE...

A session is a fenced block of the language `console`. Lines that begin with "$ " are commands, lines that begin with "> " go on with
the command above, all others are what the command prints, on either output. All sessions of a page are one shell, so a
later one sees files and variables of an earlier one. It begins in an empty folder; that of README.md in what looks like the source folder, and those of
docs/actors beside a copy of the examples. A page whose compiler is not on this machine is skipped: exit code 77.

A block of the language `sh` below a line "<!-- run -->" is run, too: each line is a command, and what it prints is not compared.

A block whose first line names a file ("```c many.c") becomes that file, in the same folder, before the commands that come after it.

What is compared: the lines that come out must be those that the page shows. Spaces count as one, empty lines do not count, "..." stands for any text (and alone on
a line for any lines), and what differs from run to run or from compiler to compiler is not compared: times, hashes, keys, numbers of three digits
and more. A command whose page shows nothing may print anything. A command must succeed, unless the next one is `echo $?`.

The shell finds the program on its PATH. THEATER is a folder that looks like the source folder after `make`: the sources, and in `build` what
was built. PREFIX is an empty folder to install to.
"""
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile

# Stands above a block of the language `sh` whose lines are commands to be run.
MARK = "<!-- run -->"
# One page's commands have this long, all together; those that build actors in slow languages longer.
PAGE_SECONDS = 280
ACTOR_PAGE_SECONDS = 1700
ACTOR_PAGES = "docs/actors/"

VARIABLE = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}={0,2}"), "<hash>"),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "<hash>"),
    (re.compile(r"\b\d+(\.\d+)? (?=s\b|elements a second|bytes\b|MiB\b|KiB\b)"), "# "),
    (re.compile(r"\d{3,}"), "#"),
)


class Wrong(Exception):
    """A page and the program say different things."""


class Missing(Exception):
    """A compiler is not on this machine."""


TOOL_MISSING = "25"
SKIPPED = 77


class Command:
    def __init__(self, text, place):
        self.text = text
        self.place = place
        self.shown = []


def commands_of(page):
    """The commands of all sessions of a page, in order, with the lines that each is said to print. A file to be written is a command, too."""
    found = []
    inside = plain_lines = marked = False
    file = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() == MARK:
            marked = True
            continue
        if line.startswith("```"):
            if file:
                found.append(Command(f"cat > {file[0]} <<'END-OF-BLOCK'\n" + "\n".join(file[1:]) + "\nEND-OF-BLOCK", f"{page.name}:{number}"))
            words = line[3:].split()
            inside = words == ["console"]
            plain_lines = marked and words == ["sh"]
            marked = False
            file = [words[1]] if len(words) == 2 else None
        elif file:
            file.append(line)
        elif plain_lines and line.strip():
            found.append(Command(line, f"{page.name}:{number}"))
        elif not inside:
            continue
        elif line.startswith("$ "):
            found.append(Command(line[2:], f"{page.name}:{number}"))
        elif line.startswith("> ") and found and not found[-1].shown:
            found[-1].text += "\n" + line[2:]
        elif found:
            found[-1].shown.append(line)
        else:
            raise Wrong(f"{page.name}:{number}: a session begins without a command")
    return found


def plain(line):
    """A line without what may differ."""
    for pattern, word in VARIABLE:
        line = pattern.sub(word, line)
    return " ".join(line.split())


def matches(shown, printed):
    # "863f7d8b..." is a hash that the page cuts short: all of it may differ.
    shown = re.sub(r"\b[0-9a-f]{4,}\.\.\.", "...", shown)
    parts = [re.escape(plain(part)) for part in shown.split("...")]
    return re.fullmatch(r"\s*.*\s*".join(parts), plain(printed)) is not None


def compare(command, printed):
    """Every shown line must come out, in order; between two that the page shows side by side nothing else may stand."""
    lines = [line for line in printed.splitlines() if line.strip()]
    skipping = False
    at = 0
    for shown in command.shown:
        if not shown.strip():
            continue
        if shown.strip() == "...":
            skipping = True
            continue
        while skipping and at < len(lines) and not matches(shown, lines[at]):
            at += 1
        if at >= len(lines) or not matches(shown, lines[at]):
            got = lines[at] if at < len(lines) else "nothing more"
            raise Wrong(f"{command.place}: {command.text}\n  the page shows:  {shown}\n  there came:      {got}\n"
                        f"  all of it:\n{printed}")
        at += 1
        skipping = False
    if command.shown and not skipping and at < len(lines):
        raise Wrong(f"{command.place}: {command.text}\n  the page ends before this came: {lines[at]}")


def run_page(page, environment, folder, seconds=PAGE_SECONDS):
    """Runs a page in one shell. Returns how many commands there were."""
    commands = commands_of(page)
    mark = f"@{secrets.token_hex(8)}@"
    script = []
    for command in commands:
        # The group keeps variables and folder; its exit code is kept for a command that asks for it.
        script += ["(exit ${last:-0})", command.text, "last=$?", f"printf '\\n{mark}%s\\n' \"$last\""]
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=seconds, check=False)
    rest = done.stdout.decode(errors="replace")
    for number, command in enumerate(commands):
        printed, found, rest = rest.partition(f"\n{mark}")
        if not found:
            raise Wrong(f"{command.place}: {command.text}\n  the shell ended here:\n{printed}")
        code, _, rest = rest.partition("\n")
        asks = number + 1 < len(commands) and commands[number + 1].text == "echo $?"
        if code == TOOL_MISSING:
            raise Missing(f"{command.place}: {printed.strip()}")
        if code != "0" and not asks:
            raise Wrong(f"{command.place}: {command.text}\n  exit code {code}:\n{printed}")
        compare(command, printed)
    return len(commands)


def looks_built(source, build, folder):
    """A folder that looks like the sources after `make`, whatever the build folder is called. What a reader of README.md made there by its
    commands is left out, so that the commands start from nothing and do not write into it."""
    folder.mkdir()
    for entry in source.iterdir():
        if entry.name not in ("build", ".git", "my-data", "hello"):
            (folder / entry.name).symlink_to(entry)
    (folder / "build").symlink_to(build)
    return folder


def main():
    source, build = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    wrong = skipped = 0
    for name in sys.argv[3:]:
        with tempfile.TemporaryDirectory() as temporary:
            root = pathlib.Path(temporary)
            theater = looks_built(source, build, root / "theater")
            work = root / "work"
            work.mkdir()
            of_actor = name.startswith(ACTOR_PAGES)
            if of_actor:
                made = shutil.ignore_patterns("build", "data", ".theater", "node_modules", "target", "__pycache__")
                shutil.copytree(source / "examples", work / "examples", ignore=made)
            environment = {**os.environ, "THEATER": str(theater), "PREFIX": str(root / "prefix"), "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
                           "PATH": f"{build}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
            environment.pop("THEATER_DATA", None)
            try:
                count = run_page(source / name, environment, theater if name == "README.md" else work,
                                 ACTOR_PAGE_SECONDS if of_actor else PAGE_SECONDS)
                print(f"{name}: {count} commands, as the page says")
                wrong += count == 0
            except Missing as missing:
                print(f"skipped: {missing}")
                skipped += 1
            except Wrong as problem:
                print(problem)
                wrong += 1
    return 1 if wrong else SKIPPED if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
