"""Ed25519 of RFC 8032, section 5.1, by its formulas: for checking public data, and for the tests to sign.

Nothing here takes the same time for every input, so no real private key may be used with it.
"""

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)  # Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x*y = T/Z.


def _add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(p):
    a = p[0] * p[0] % P
    b = p[1] * p[1] % P
    c = 2 * p[2] * p[2] % P
    h = a + b
    e = h - (p[0] + p[1]) * (p[0] + p[1])
    g = a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _sum_of_products(s, p, t, q):
    """s * p + t * q, both products in one pass over the bits."""
    both = _add(p, q)
    value = NEUTRAL
    for bit in range(max(s.bit_length(), t.bit_length()) - 1, -1, -1):
        value = _double(value)
        choice = (s >> bit & 1) | (t >> bit & 1) << 1
        if choice:
            value = _add(value, (None, p, q, both)[choice])
    return value


def _encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data):
    """The point of 32 bytes, or None where they are no encoding of one (RFC 8032, section 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = _decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verify(public_key, message, signature):
    """Whether `signature` (64 bytes) over `message` is by the owner of `public_key` (32 bytes)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    point = _decode(public_key)
    s = int.from_bytes(signature[32:], "little")
    if point is None or s >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    minus = (P - point[0], point[1], 1, P - point[3])
    return _encode(_sum_of_products(s, BASE, k, minus)) == signature[:32]


def _secret(seed):
    digest = sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    """The public key of a 32-byte private seed."""
    return _encode(_sum_of_products(_secret(seed)[0], BASE, 0, NEUTRAL))


def sign(seed, message):
    """The signature over `message` by a 32-byte private seed."""
    scalar, prefix = _secret(seed)
    key = public_key(seed)
    r = int.from_bytes(sha512(prefix + message).digest(), "little") % ORDER
    point = _encode(_sum_of_products(r, BASE, 0, NEUTRAL))
    k = int.from_bytes(sha512(point + key + message).digest(), "little") % ORDER
    return point + ((r + k * scalar) % ORDER).to_bytes(32, "little")
