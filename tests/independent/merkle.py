"""The Merkle trees of RFC 9162, section 2.1: tree heads, state roots, inclusion and consistency proofs."""

from hashlib import sha256

CHUNK = 4096
EMPTY_ROOT = sha256(b"").digest()


def leaf(data):
    return sha256(b"\0" + data).digest()


def node(left, right):
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A log tree over leaf hashes that keeps its complete subtrees, so the head of any size is cheap."""

    def __init__(self, leaves=()):
        self.levels = [[]]
        for value in leaves:
            self.append(value)

    def __len__(self):
        return len(self.levels[0])

    def append(self, value):
        """Adds one leaf hash, and each subtree that it completes."""
        for level in self.levels:
            level.append(value)
            if len(level) & 1:
                return
            value = node(level[-2], value)
        self.levels.append([value])

    def head(self, size=None):
        """The tree head of the first `size` leaves (all of them by default)."""
        size = len(self) if size is None else size
        return self._range(0, size)

    def _range(self, start, end):
        """MTH of the leaves from start to end; start is a multiple of the subtree sizes that it meets."""
        if start == end:
            return EMPTY_ROOT
        parts = []
        while start < end:
            height = (end - start).bit_length() - 1
            parts.append(self.levels[height][start >> height])
            start += 1 << height
        value = parts.pop()
        while parts:
            value = node(parts.pop(), value)
        return value

    def inclusion(self, index, size):
        """The inclusion path of leaf `index` in the tree of `size` leaves (RFC 9162, 2.1.3.1)."""
        path, start, end = [], 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old, size):
        """The consistency path from the tree of `old` leaves to that of `size` (RFC 9162, 2.1.4.1)."""
        path, start, end, whole = [], 0, size, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, end))
        return path[::-1]


def _split(size):
    """The largest power of two below size."""
    return 1 << ((size - 1).bit_length() - 1)


def state_root(state):
    """The root over the 4,096-byte chunks of a state."""
    if len(state) <= CHUNK:
        return leaf(state) if state else EMPTY_ROOT
    return Tree(leaf(state[at : at + CHUNK]) for at in range(0, len(state), CHUNK)).head()


def verify_inclusion(leaf_hash, index, size, path, root):
    """Whether `path` proves that leaf `index` of the tree of `size` leaves under `root` is `leaf_hash`."""
    if index >= size:
        return False
    at, last, value = index, size - 1, leaf_hash
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node(step, value)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            value = node(value, step)
        at >>= 1
        last >>= 1
    return last == 0 and value == root


def verify_consistency(old, size, old_root, root, path):
    """Whether `path` proves that the tree of `old` leaves under `old_root` is the beginning of this one."""
    if old > size:
        return False
    if old == size:
        return not path and old_root == root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(step, first), node(step, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = node(second, step)
        at >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == root
