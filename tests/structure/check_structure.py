#!/usr/bin/env python3
"""Holds the structure of the sources: which folder may include which, where third-party headers stand, what chain/ and actor/ may not
call, how long a file may be. Prints each place that breaks a rule; exits 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])

# A folder may include from itself and from these. Arrows point one way: the order is that of ARCHITECTURE.md.
LAYERS = {
    "base": set(),
    "crypto": {"base"},
    "chain": {"base", "crypto"},
    "port": {"base"},
    "store": {"base", "crypto", "chain", "port"},
    "actor": {"base", "crypto", "chain", "port"},
    "tool": {"base", "crypto", "chain", "port", "actor"},
    "guest": {"base", "crypto", "chain", "port", "actor", "tool"},
    "runtime": {"base", "crypto", "chain", "port", "store", "actor"},
    "theater": {"base", "crypto", "chain", "port", "store", "actor", "runtime"},
    "server": {"base", "crypto", "chain", "port", "runtime", "theater"},
    "client": {"base", "crypto", "chain"},
    "cli": {"base", "crypto", "chain", "port", "actor", "tool", "guest", "server", "client"},
}
# Who may include the public headers: everybody, since base builds on error.h and slice.h.
PUBLIC_FOR_ALL = {"theater/error.h", "theater/slice.h"}
PUBLIC = {"runtime", "theater", "server", "client", "cli", "tool"}

# Third-party header (as a pattern) -> the one folder that includes it.
THIRD_PARTY = {
    r"openssl/(ssl|err|bio)\.h": "server",
    r"openssl/(?!(ssl|err|bio)\.h).*": "crypto",
    r"(uv|llhttp|zlib|jansson)\.h|wslay/wslay\.h": "server",
    r"curl/curl\.h": "client",
    r"lmdb\.h": "store",
    r"xxhash\.h": "store",
    r"yaml\.h": "actor",
    r"theater_engine\.h": "actor",
    r"theater_encoder\.h": "tool",
}
# Headers of the system that only port/ may use, because what they give is not deterministic (store/ has LMDB's errno, tool/ and cli/ are programs).
SYSTEM = {"time.h", "pthread.h", "unistd.h", "fcntl.h", "sys/stat.h", "sys/random.h", "threads.h", "dirent.h"}
MAY_USE_SYSTEM = {"port", "tool", "guest", "cli", "client", "server"}
# LMDB opens its own files, so what guards it looks at them past the port.
SYSTEM_EXCEPTIONS = {"src/store/kv_lmdb.c"}

# What no deterministic code calls.
FORBIDDEN_CALLS = re.compile(r"\b(time|clock_gettime|gettimeofday|rand|random|srand|getrandom|fopen|open|pthread_\w+)\s*\(")
PURE = {"chain", "actor"}

MAX_LINES = 1000
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def folder_of(path):
    return path.relative_to(ROOT / "src").parts[0]


def check_includes(path, text, problems):
    folder = folder_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if not match:
            continue
        header, place = match.group(1), f"{path.relative_to(ROOT)}:{number}"
        top = header.split("/")[0]
        if (ROOT / "src" / header).exists() and top in LAYERS and (top != "theater" or (ROOT / "src" / header).exists()):
            if top != folder and top not in LAYERS[folder]:
                problems.append(f"{place}: {folder} may not include {header}")
            continue
        if header.startswith("theater/"):
            if header not in PUBLIC_FOR_ALL and folder not in PUBLIC:
                problems.append(f"{place}: {folder} may not include the public header {header}")
            continue
        for pattern, owner in THIRD_PARTY.items():
            if re.fullmatch(pattern, header) and folder != owner:
                problems.append(f"{place}: {header} belongs to {owner}")
        excepted = str(path.relative_to(ROOT)) in SYSTEM_EXCEPTIONS
        if header in SYSTEM and folder not in MAY_USE_SYSTEM and not excepted:
            problems.append(f"{place}: {header} is for port/ only")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def check_calls(path, text, problems):
    if folder_of(path) not in PURE:
        return
    for number, line in enumerate(COMMENT_OR_STRING.sub(blank, text).splitlines(), 1):
        match = FORBIDDEN_CALLS.search(line)
        if match:
            problems.append(f"{path.relative_to(ROOT)}:{number}: {match.group(1)}() is not deterministic")


def code_lines(path):
    """Lines that are neither empty nor only a comment."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return sum(1 for line in lines if line and not line.startswith("//"))


def main():
    problems = []
    files = sorted(p for p in (ROOT / "src").rglob("*.[ch]"))
    for path in files:
        if folder_of(path) not in LAYERS:
            problems.append(f"{path.relative_to(ROOT)}: a folder that has no place in the layers")
            continue
        text = path.read_text(encoding="utf-8")
        check_includes(path, text, problems)
        check_calls(path, text, problems)
        if text.count("\n") > MAX_LINES:
            problems.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines, more than {MAX_LINES}")
    lines = sum(code_lines(p) for p in (ROOT / "engine" / "src").glob("*.rs"))
    if lines > 1500:
        problems.append(f"engine/src: {lines} lines of Rust code, more than 1500")
    lines = sum(code_lines(p) for p in (ROOT / "engine" / "memory" / "src").glob("*.rs"))
    if lines > 700:
        problems.append(f"engine/memory/src: {lines} lines of Rust code, more than 700")
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
