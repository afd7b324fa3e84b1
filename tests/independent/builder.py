"""Builds chains and bundles for the tests: right ones by default, wrong ones where a test says so."""

from base64 import b64encode
from hashlib import sha256

import cbor
import ed25519
from merkle import Tree, leaf, state_root
from note import ED25519, key_hash

SEED = bytes(range(32))
COMPONENT = b"not a component, but it has a hash"
START = 1_700_000_000_000_000_000


def sha(data):
    return sha256(data).digest()


def descriptor(
    name,
    component=COMPONENT,
    config=b"",
    limits=(1000000, 1 << 24, 1 << 20, 1 << 20, 1 << 22),
    engine="wasmtime-48",
    **more,
):
    fields = {
        0: 1,
        1: name,
        2: sha(component),
        3: config,
        4: dict(enumerate(limits)),
        5: engine,
        6: "theater:actor/guest@0.1.0",
    }
    fields.update({int(key[1:]): value for key, value in more.items()})
    return cbor.encode(fields)


def log(text, level=2):
    return [0, level, text]


def message(to, payload, request=0):
    return [1, to, sha(payload), request]


class ChainBuilder:
    """A chain that grows by add(); `items` are its bundle items, `hashes` its element hashes."""

    def __init__(self, name, state=b"", genesis=None, **more):
        self.name, self.state, self.items, self.hashes, self.outputs = name, b"", [], [], []
        self.time = START
        self.add(0, genesis if genesis is not None else descriptor(name), b"", state=state, **more)

    def add(
        self,
        kind,
        input_,
        output=b"",
        effects=(),
        state=None,
        cause=None,
        fuel=None,
        keys=(),
        drop=(),
        effects_bytes=None,
        **fields,
    ):
        """Appends an element. Keywords f<number> set a field, drop names payloads that are left out."""
        before_root = state_root(self.state)
        if state is not None:
            self.state = state
        self.time += 1000
        if effects_bytes is None:
            effects_bytes = cbor.encode(list(effects))
        element = {
            0: 1,
            1: len(self.hashes),
            2: self.hashes[-1] if self.hashes else bytes(32),
            3: kind,
            4: self.time,
            5: sha(input_),
            6: before_root,
            7: state_root(self.state),
            8: sha(output),
            9: sha(effects_bytes),
            10: 5 if fuel is None else fuel,
            11: len(self.state),
        }
        if cause is not None:
            element[12] = cause
        element.update({int(key[1:]): value for key, value in fields.items()})
        encoding = cbor.encode({key: value for key, value in element.items() if value is not None})
        payloads = [
            None if name in drop else payload
            for name, payload in (("input", input_), ("output", output), ("effects", effects_bytes))
        ]
        self.items.append([3, encoding] + payloads)
        self.hashes.append(leaf(encoding))
        self.outputs.append(output)
        return len(self.hashes) - 1

    def reject(self, input_, code, text, effects=(), fuel=0, **more):
        return self.add(2, input_, cbor.encode([code, text]), effects, fuel=fuel, **more)

    def transition(self, input_, output=b"", effects=(), **more):
        return self.add(1, input_, output, effects, **more)

    def message_cause(self, sequence, index):
        """The cause that another chain names for effect `index` of element `sequence` of this one."""
        return [0, self.name, sequence, index, self.hashes[sequence]]

    def answer_cause(self, sequence, request, failed=False):
        return [1, self.name, sequence, self.hashes[sequence], request, failed]

    def line(self, origin="theater.local"):
        return f"{origin}/{self.name}/{self.hashes[0][:8].hex()}"

    def verifier_key(self, seed=SEED, line=None):
        return verifier_key(line or self.line(), seed)

    def checkpoint(self, size=None, root=None, line=None, seed=SEED):
        size = len(self.hashes) if size is None else size
        root = Tree(self.hashes[:size]).head() if root is None else root
        line = line or self.line()
        return sign_note(f"{line}\n{size}\n{b64encode(root).decode()}\n", line, seed)


def verifier_key(line, seed=SEED):
    key = ed25519.public_key(seed)
    return f"{line}+{key_hash(line, key).hex()}+{b64encode(ED25519 + key).decode()}"


def sign_note(text, name, seed=SEED):
    key = ed25519.public_key(seed)
    signature = b64encode(key_hash(name, key) + ed25519.sign(seed, text.encode())).decode()
    return f"{text}\n\u2014 {name} {signature}\n"


def header(name):
    return {0: "theater-bundle", 1: 1, 2: name}


def bundle(*parts):
    """A bundle of chain builders, each followed by further items that belong to it, or of raw items."""
    items = []
    for part in parts:
        if isinstance(part, ChainBuilder):
            items.append(header(part.name))
            items.extend(part.items)
        else:
            items.append(part)
    return b"".join(map(cbor.encode, items))
