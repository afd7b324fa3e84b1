#!/usr/bin/env python3
"""Writes the bundles that the tests of the second reader make into a folder, to hold another reader against.

    cases.py FOLDER

The folder gets one file for each different bundle, and `cases.json`: an array of {"file", "test", "keys",
"error"}, where error is null for a bundle that is right, or {"actor", "sequence", "what"}.
"""

import json
from pathlib import Path
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bundle_test import BundleTest

MODULES = ("test_rules", "test_causes", "test_checkpoints")


def gather():
    """Runs the tests and returns their cases, each bundle with the same keys once."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(MODULES)
    if not suite.run(unittest.TestResult()).wasSuccessful():
        raise RuntimeError("the tests of the second reader fail")
    different = {}
    for case in BundleTest.cases:
        different.setdefault((case[1], tuple(case[2])), case)
    return list(different.values())


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for number, (test, data, keys, error) in enumerate(gather()):
        name = f"{number:04}.bundle"
        (folder / name).write_bytes(data)
        index.append({"file": name, "test": test, "keys": keys, "error": error})
    (folder / "cases.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(index)} cases, of which {sum(case['error'] is None for case in index)} are right")


if __name__ == "__main__":
    sys.exit(main())
