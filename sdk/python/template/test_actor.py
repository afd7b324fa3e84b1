"""Tests of the functions on the machine itself: PYTHONPATH=.theater/python python3 -m unittest

`theater test` runs the component instead."""

import unittest

from actor import Poll
from theater import Reject
from theater.testing import Host, Instance


class PollTest(unittest.TestCase):
    def test_votes_are_counted(self):
        with Host() as host:
            poll = Instance(Poll, "tea coffee")
            self.assertEqual([poll.handle("vote tea"), poll.handle("vote tea")], [b"1", b"2"])
            with self.assertRaises(Reject):
                poll.handle("vote wine")
            self.assertEqual(poll.handle("result"), b"tea=2 coffee=0")
            self.assertEqual(host.sent, [])


if __name__ == "__main__":
    unittest.main()
