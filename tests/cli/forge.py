"""Makes chains that verify but never happened: alters one element of a bundle and makes everything behind it fit again.

Uses the second reader's CBOR and Merkle code (tests/independent), so that nothing of the program takes part.
"""

from hashlib import sha256
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "independent"))

import cbor  # noqa: E402
from merkle import leaf, state_root  # noqa: E402

TYPE, INPUT, BEFORE, AFTER, OUTPUT, EFFECTS, FUEL, SIZE = 3, 5, 6, 7, 8, 9, 10, 11


def items(bundle):
    at = 0
    while at < len(bundle):
        value, at = cbor.item(bundle, at)
        yield value


def forge(bundle, sequence, change, snapshots=False):
    """`change(element, payloads)` alters the fields and the payloads [input, output, effects] of one element in place; hashes of
    payloads, links and the states of the elements behind it follow. Checkpoints are left out, and snapshots too unless they are
    asked for, since they would give another state away."""
    result, previous, state = b"", None, None
    for item in items(bundle):
        if isinstance(item, dict) or item[0] == 1 or (snapshots and item[0] == 2):
            result += cbor.encode(item)
        if isinstance(item, dict) or item[0] != 3:
            continue
        element, _ = cbor.item(item[1])
        payloads = list(item[2:])
        if previous is not None:
            element[2], element[BEFORE] = previous, state
            if element[TYPE] in (2, 3):
                element[AFTER] = state
        if element[1] == sequence:
            change(element, payloads)
        for key, payload in zip((INPUT, OUTPUT, EFFECTS), payloads):
            element[key] = sha256(payload).digest()
        encoding = cbor.encode(element)
        previous, state = leaf(encoding), element[AFTER]
        result += cbor.encode([3, encoding, *payloads])
    return result


def set_state(element, contents):
    element[AFTER], element[SIZE] = state_root(contents), len(contents)
