"""Checkpoints: C2SP signed notes with Ed25519 keys whose text is a C2SP tlog-checkpoint."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
import re
import unicodedata

import ed25519
from cbor import Refused

ED25519 = b"\x01"  # The signature type that a verifier key and a key hash carry.
SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
KEY_HASH = re.compile(r"[0-9a-f]{8}")


def _base64(text, what):
    """Standard base64 with padding, in its one canonical form."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, Base64Error, ValueError):
        raise Refused(f"{what} is not base64") from None
    if b64encode(data).decode("ascii") != text:
        raise Refused(f"{what} is not canonical base64")
    return data


def is_key_name(name):
    """Whether a text can name a key: not empty, without spaces of Unicode, `+` or control characters."""
    return bool(name) and not any(
        c == "+" or c.isspace() or unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") for c in name
    )


def key_hash(name, public_key):
    return sha256(name.encode("utf-8") + b"\n" + ED25519 + public_key).digest()[:4]


class VerifierKey:
    """A verifier key, `name+hash+key`."""

    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Refused("verifier key is not name+hash+key")
        self.text, self.name = text, parts[0]
        if not is_key_name(self.name):
            raise Refused("verifier key has no valid name")
        if not KEY_HASH.fullmatch(parts[1]):
            raise Refused("verifier key: its hash is not 8 lowercase hex digits")
        data = _base64(parts[2], "verifier key")
        if len(data) != 33 or data[:1] != ED25519:
            raise Refused("verifier key is not an Ed25519 key")
        self.public_key = data[1:]
        self.hash = bytes.fromhex(parts[1])
        if self.hash != key_hash(self.name, self.public_key):
            raise Refused("verifier key: its hash differs from its name and key")


class Checkpoint:
    """A checkpoint note, taken apart: origin line, size, head, text that is signed, signatures."""

    def __init__(self, note):
        text, blank, block = note.rpartition("\n\n")
        if not blank:
            raise Refused("checkpoint has no signatures")
        if any((c < " " and c != "\n") for c in note):
            raise Refused("checkpoint has control characters")
        self.text = (text + "\n").encode("utf-8")
        lines = text.split("\n")
        if len(lines) != 3:
            raise Refused("checkpoint text has not three lines")
        self.name, size, root = lines
        if not is_key_name(self.name):
            raise Refused("checkpoint: its first line is no key name")
        if not SIZE.fullmatch(size) or int(size) >= 1 << 64:
            raise Refused("checkpoint: its size is not a decimal number")
        self.size = int(size)
        self.root = _base64(root, "checkpoint: its tree head")
        if len(self.root) != 32:
            raise Refused("checkpoint: its tree head has not 32 bytes")
        if not block.endswith("\n"):
            raise Refused("checkpoint does not end with a newline")
        self.signatures = [self._signature(line) for line in block[:-1].split("\n")]
        if all(name != self.name for name, _, _ in self.signatures):
            raise Refused("checkpoint: no signature is by the key that its first line names")

    @staticmethod
    def _signature(line):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not is_key_name(parts[1]):
            raise Refused("checkpoint has a malformed signature line")
        data = _base64(parts[2], "checkpoint: a signature")
        if len(data) < 5:
            raise Refused("checkpoint has a signature that is too short")
        return parts[1], data[:4], data[4:]

    def check_signature(self, key):
        """Checks the signatures by `key`; those of other keys say nothing here, as C2SP has it."""
        found = False
        for name, hash_, signature in self.signatures:
            if name == key.name and hash_ == key.hash:
                if not ed25519.verify(key.public_key, self.text, signature):
                    raise Refused("checkpoint: its signature is wrong")
                found = True
        if not found:
            raise Refused(f"checkpoint is not signed by the key {key.name}+{key.hash.hex()}")

    def check_chain(self, actor, genesis_hash):
        """Checks that the first line is `<origin>/<actor>/<16 hex digits of the genesis hash>`."""
        check_line(self.name, actor, genesis_hash, "checkpoint: its first line")


def check_line(line, actor, genesis_hash, what):
    tail = f"/{actor}/{genesis_hash[:8].hex()}"
    if not line.endswith(tail) or len(line) == len(tail):
        raise Refused(f"{what} names another chain than <origin>{tail}")
