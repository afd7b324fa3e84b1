"""What the tests of the second reader share: bundles that must verify, and findings that must be named."""

import unittest

from builder import bundle
from theater_bundle import verify_bundle


class BundleTest(unittest.TestCase):
    """Every bundle that a test here makes is a case that other readers can be held against (cases.py)."""

    cases = []  # (test, bundle, the user's keys, the error or None)

    def _verify(self, parts, keys):
        data = bundle(*parts)
        report = verify_bundle(data, keys)
        self.cases.append((self.id(), data, list(keys), report.error))
        return report

    def verified(self, *parts, keys=()):
        report = self._verify(parts, keys)
        self.assertIsNone(report.error)
        return report

    def refused(self, what, place, *parts, keys=()):
        """The bundle is refused for `what` (an expression) at `place`: (actor, sequence)."""
        report = self._verify(parts, keys)
        self.assertFalse(report.ok, "nothing was found")
        self.assertRegex(report.error["what"], what)
        self.assertEqual((report.error["actor"], report.error["sequence"]), place)
        return report
