"""What the tests of the second reader share: bundles that must verify, and findings that must be named."""

import unittest

from builder import bundle
from theater_bundle import verify_bundle


class BundleTest(unittest.TestCase):
    def verified(self, *parts, keys=()):
        report = verify_bundle(bundle(*parts), keys)
        self.assertIsNone(report.error)
        return report

    def refused(self, what, place, *parts, keys=()):
        """The bundle is refused for `what` (an expression) at `place`: (actor, sequence)."""
        report = verify_bundle(bundle(*parts), keys)
        self.assertFalse(report.ok, "nothing was found")
        self.assertRegex(report.error["what"], what)
        self.assertEqual((report.error["actor"], report.error["sequence"]), place)
        return report
