#!/usr/bin/env python3
"""The figures of docs/languages.md, made on this machine: the ledger of each language whose tools are here.

    bench/languages/run.py [--build FOLDER] [--seconds N] [--write]

Builds each ledger below examples/ledger, compiles it (first), loads its compiled form (cached), and runs credit transfers as turns of one
actor in one thread, without a store. --write puts the table into docs/languages.md. Nothing else should run meanwhile.
"""
import argparse
import json
from pathlib import Path
import subprocess
import sys
import tempfile

ROOT = Path(__file__).resolve().parents[2]
CONFIG = '{"Ccy":"EUR","Supply":"100000000.00"}'
ANNA, JEAN = "DE89370400440532013000", "FR1420041010050500013M02606"
INPUTS = [
    '{"Open":{"IBAN":"%s","Amt":"90000000.00"}}' % ANNA,
    '{"Open":{"IBAN":"%s"}}' % JEAN,
    '{"PmtId":{"EndToEndId":"E2E-1"},"Amt":{"InstdAmt":{"Ccy":"EUR","Amt":"0.01"}},"DbtrAcct":{"Id":{"IBAN":"%s"}},'
    '"CdtrAcct":{"Id":{"IBAN":"%s"}}}' % (ANNA, JEAN),
]
BEGIN, END = "<!-- bench/languages writes from here -->", "<!-- to here -->"


def measure(bench, component, cache, seconds):
    done = subprocess.run([bench, component, cache, CONFIG, str(seconds), *INPUTS], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{component}: {done.stderr}")
    return json.loads(done.stdout)


def size(count):
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


def time(ms):
    return f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def rows(build, seconds):
    for project in [ROOT / "examples/ledger", *sorted(path.parent for path in (ROOT / "examples/ledger").glob("*/actor.yaml"))]:
        done = subprocess.run([build / "theater", "build", project, "--json"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{project.relative_to(ROOT)}: left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        built = json.loads(done.stdout.splitlines()[-1])
        print(f"{built['language']}: {built['component']}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            cache = Path(folder) / "compiled"
            first = measure(build / "bench/languages/bench_language", built["component"], cache, 0.1)
            cached = measure(build / "bench/languages/bench_language", built["component"], cache, seconds)
        yield (cached["turn_us"], f"| `{built['language']}` | {size(first['bytes'])} | {time(first['load_ms'])} | {time(cached['load_ms'])} "
               f"| {cached['turn_us']:.1f} | {cached['fuel']:,} | {size(cached['memory'])} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    table = ["| language | component | compile, first | from the cache | CPU us a turn | fuel a turn | memory |",
             "|---|---|---|---|---|---|---|", *(row for _, row in sorted(rows(options.build, options.seconds)))]
    text = "\n".join(table)
    print(text)
    if options.write:
        page = ROOT / "docs/languages.md"
        whole = page.read_text(encoding="utf-8")
        before, rest = whole.split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
