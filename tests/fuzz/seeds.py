#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets, made of the published vectors: seeds.py FOLDER."""

import json
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/independent"))
import cbor  # noqa: E402


def main():
    folder, vectors = Path(sys.argv[1]), json.loads((ROOT / "tests/vectors/vectors.json").read_text())

    def put(target, name, data):
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)

    for number, turn in enumerate(vectors["chain"]):
        put("element", f"vector-{number}", bytes.fromhex(turn["element"]))
        put("effects", f"vector-{number}", bytes([number, 0]) + bytes.fromhex(turn["effects"]))
        fields = cbor.item(bytes.fromhex(turn["element"]))[0]
        if fields[3] == 2:
            put("rejection", f"vector-{number}", bytes.fromhex(turn["output"]))
        if fields[3] in (0, 3):
            put("descriptor", f"vector-{number}", bytes.fromhex(turn["input"]))
    for number, case in enumerate(vectors["refused_as_element_1"]):
        put("element", f"refused-{number}", bytes.fromhex(case["element"]))
    note, key = vectors["checkpoint"]["note"], vectors["checkpoint"]["verifier_key"]
    put("checkpoint", "vector", note.encode())
    put("key", "vector", key.encode())
    bundle = bytes.fromhex(vectors["bundle"])
    put("bundle", "vector", bundle)
    put("relinked", "vector", bundle)
    put("segment", "nothing", b"")
    put("segment", "header", bytes([3, 0, 7, 0]))
    put("segment", "cut", bytes([200, 0, 0, 255]))
    put("manifest", "full", b"name: ledger\ncomponent: build/ledger.wasm\nconfig: '{\"start\":41}'\nlimits:\n  fuel: 1000\n  memory: 64MiB\n")
    put("manifest", "file", b"name: a.b\ncomponent: x\nconfig-file: y\n")
    put("manifest", "bad", b"name: [a\n- : {\n")


if __name__ == "__main__":
    main()
