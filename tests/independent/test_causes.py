"""Causes within a chain and between the chains of a bundle: messages, requests, answers, what was dropped."""

from pathlib import Path
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from builder import ChainBuilder, descriptor, log, message, sha
from bundle_test import BundleTest

REQUEST = 65537  # The first request of element 1.


class Pair(BundleTest):
    """Two chains: `a` requests something of `b` in its element 1 (effect 1), as most tests here need it."""

    def setUp(self):
        self.a, self.b = ChainBuilder("a"), ChainBuilder("b")
        self.a.transition(
            b"go", b"", [log("asking"), message("b", b"question", REQUEST), message("b", b"plain")]
        )

    def ask(self):
        return self.b.transition(b"question", b"answer", cause=self.a.message_cause(1, 1))

    def both(self):
        return self.verified(self.a, self.b), self.verified(self.b, self.a)

    def refuse(self, what, place):
        self.refused(what, place, self.b, self.a)
        return self.refused(what, place, self.a, self.b)


class Messages(Pair):
    def test_a_message_and_a_request(self):
        self.ask()
        self.b.transition(b"plain", cause=self.a.message_cause(1, 2))
        first, second = self.both()
        self.assertEqual([chain["causes_checked"] for chain in first.chains], [0, 2])
        self.assertEqual([chain["causes_checked"] for chain in second.chains], [2, 0])
        alone = self.verified(self.b)
        self.assertEqual((alone.chains[0]["causes_checked"], alone.chains[0]["causes_open"]), (0, 2))

    def test_what_it_names_must_be_it(self):
        hash_ = self.a.hashes[1]
        for what, input_, cause in (
            ("hash differs from that of element 1 of a", b"question", [0, "a", 1, 1, sha(b"")]),
            ("hash differs from that of element 0 of a", b"question", [0, "a", 0, 1, hash_]),
            ("effect 0 of element 1 of a is no message", b"asking", [0, "a", 1, 0, hash_]),
            ("effect 3 of element 1 of a is no message", b"question", [0, "a", 1, 3, hash_]),
            ("the message is not this input", b"Question", [0, "a", 1, 1, hash_]),
            ("the message is not this input", b"question", [0, "a", 1, 2, hash_]),
        ):
            with self.subTest(what):
                self.b = ChainBuilder("b")
                self.b.transition(input_, cause=cause)
                self.refuse(what, ("b", 1))

    def test_it_must_have_been_sent_to_this_actor(self):
        other = ChainBuilder("c")
        other.transition(b"plain", cause=self.a.message_cause(1, 2))
        self.refused("the message went to b", ("c", 1), self.a, other)

    def test_an_element_past_the_end_stays_open(self):
        self.b.transition(b"question", cause=[0, "a", 2, 0, sha(b"")])
        self.assertEqual(self.verified(self.a, self.b).chains[1]["causes_open"], 1)

    def test_a_gap_shows_before_an_element_past_the_end(self):
        self.ask()
        self.b.transition(b"question", cause=[0, "a", 2, 0, sha(b"")])
        self.verified(self.b)
        self.refuse(r"message \(1, 2\) of a was dropped", ("b", 2))

    def test_dropped_effects_stay_open_but_not_those_of_a_rejection(self):
        a = ChainBuilder("a")
        a.transition(b"go", b"", [message("b", b"question")], drop=["effects"])
        a.reject(b"go", 1, "no", drop=["effects"])
        self.b.transition(b"question", cause=a.message_cause(1, 0))
        self.assertEqual(self.verified(a, self.b).chains[1]["causes_open"], 1)
        self.b.transition(b"question", cause=a.message_cause(2, 0))
        self.refused("effect 0 of element 2 of a is no message", ("b", 2), a, self.b)

    def test_nothing_is_the_cause_of_two_elements(self):
        self.ask()
        self.ask()
        for parts in ((self.b,), (self.a, self.b)):
            self.refused("is the cause of element 1 of b too", ("b", 2), *parts)

    def test_messages_of_one_sender_ascend(self):
        self.a.transition(b"go", b"", [message("b", b"later")])
        self.ask()
        self.b.transition(b"later", cause=self.a.message_cause(2, 0))
        self.b.transition(b"plain", cause=self.a.message_cause(1, 2))
        self.refuse(r"message \(1, 2\) of a was dropped", ("b", 2))
        self.b = ChainBuilder("b")
        self.b.transition(b"later", cause=self.a.message_cause(2, 0))
        self.b.transition(b"plain", cause=self.a.message_cause(1, 2))
        self.refuse(r"message \(1, 2\) of a comes after its message \(2, 0\)", ("b", 2))
        self.refused("comes after", ("b", 2), self.b)

    def test_messages_before_the_first_and_after_the_last_are_no_gap(self):
        self.a.transition(b"go", b"", [message("b", b"later"), message("b", b"last")])
        self.b.transition(b"plain", cause=self.a.message_cause(1, 2))
        self.b.transition(b"later", cause=self.a.message_cause(2, 0))
        self.both()

    def test_messages_to_oneself(self):
        self.a.transition(b"go", b"", [message("a", b"one"), message("a", b"two")])
        self.a.transition(b"one", cause=self.a.message_cause(2, 0))
        self.assertEqual(self.verified(self.a).chains[0]["causes_checked"], 1)
        self.a.transition(b"two", cause=self.a.message_cause(2, 1))
        self.verified(self.a)

    def test_wrong_messages_to_oneself(self):
        self.a.transition(b"go", b"", [message("a", b"one"), message("a", b"two"), message("a", b"three")])
        for what, place, causes in (
            ("not earlier", 3, [(b"one", [0, "a", 3, 0, sha(b"")])]),
            ("not earlier", 3, [(b"one", [0, "a", 9, 0, sha(b"")])]),
            ("hash differs", 3, [(b"one", [0, "a", 2, 0, sha(b"")])]),
            ("is not this input", 3, [(b"one", self.a.message_cause(2, 1))]),
            (
                "was dropped",
                4,
                [(b"one", self.a.message_cause(2, 0)), (b"three", self.a.message_cause(2, 2))],
            ),
        ):
            with self.subTest(what):
                kept, hashes = len(self.a.items), len(self.a.hashes)
                for input_, cause in causes:
                    self.a.transition(input_, cause=cause)
                self.refused(what, ("a", place), self.a)
                del self.a.items[kept:], self.a.hashes[hashes:]

    def test_the_first_finding_is_named_where_it_stands(self):
        self.a.transition(b"x", cause=[0, "a", 1, 0, self.a.hashes[1]])
        self.a.transition(b"", f4=0)
        self.refused("effect 0 of element 1 of a is no message", ("a", 2), self.a)

    def test_payloads_count_for_the_senders_limits(self):
        # [1, "b", hash, 0] has 39 bytes: the effects are 78, and with both payloads 98.
        for limits, what in (
            ((10, 10, 10, 10, 98), None),
            ((10, 10, 10, 9, 98), "effect 0: the payload is over"),
            ((10, 10, 10, 10, 97), "effects and the payloads sent are over"),
        ):
            a, b = ChainBuilder("a", genesis=descriptor("a", limits=limits)), ChainBuilder("b")
            a.transition(b"", effects=[message("b", bytes(10)), message("b", bytes(10))])
            size = len(a.items[1][4]) - 1
            self.assertEqual(size, 78)
            b.transition(bytes(10), cause=a.message_cause(1, 0))
            b.transition(bytes(10), cause=a.message_cause(1, 1))
            if what is None:
                self.verified(a, b)
            else:
                self.refused(what, ("a", 1), a, b)

    def test_limits_that_are_not_known_limit_nothing(self):
        tight = descriptor("a", limits=(10, 10, 10, 5, 60))
        for drop, dropped_input in ((["input"], []), ([], ["input"])):
            a, b = ChainBuilder("a", genesis=tight, drop=drop), ChainBuilder("b")
            a.transition(b"", effects=[message("b", bytes(10))])
            b.transition(bytes(10), cause=a.message_cause(1, 0), drop=dropped_input)
            self.verified(a, b)


class Answers(Pair):
    def test_an_answer(self):
        at = self.ask()
        self.a.transition(b"answer", cause=self.b.answer_cause(at, REQUEST))
        first, second = self.both()
        self.assertEqual([chain["causes_checked"] for chain in first.chains], [1, 1])
        self.assertEqual(self.verified(self.a).chains[0]["causes_open"], 1)

    def test_a_rejection_as_an_answer(self):
        for drop in ((), ("output",)):
            for code, text in ((1, "not today"), (3, "memory")):
                self.setUp()
                at = self.b.reject(b"question", code, text, cause=self.a.message_cause(1, 1), drop=drop)
                self.a.transition(text.encode(), cause=self.b.answer_cause(at, REQUEST, True))
                for report in self.both():
                    self.assertEqual(sum(chain["causes_checked"] for chain in report.chains), 2)
                self.a.items[2][2] = None
                self.verified(self.a, self.b)

    def test_what_must_agree(self):
        def rejected():
            return self.b.reject(b"question", 1, "no", cause=self.a.message_cause(1, 1))

        def unasked():
            return self.b.transition(b"answer", b"answer")

        def other():
            return self.b.transition(b"plain", b"answer", cause=self.a.message_cause(1, 2))

        def anothers():
            return self.b.transition(b"question", b"answer", cause=[0, "c", 1, 1, self.a.hashes[1]])

        def elsewhere():
            return self.b.transition(b"question", b"answer", cause=[0, "a", 7, 1, sha(b"")])

        for what, answer, input_, failed in (
            ("the output of the answering element is not this input", self.ask, b"Answer", False),
            ("failed is true, but element 1 of b is a transition", self.ask, b"answer", True),
            ("failed is false, but element 1 of b is a rejection", rejected, b"no", False),
            ("the message of the rejection is not this input", rejected, b"No", True),
            ("was not caused by request 65537", unasked, b"answer", False),
            ("was not caused by request 65537", other, b"answer", False),
            ("was not caused by request 65537", anothers, b"answer", False),
            ("was not caused by request 65537", elsewhere, b"answer", False),
        ):
            with self.subTest(what):
                self.setUp()
                self.a.transition(input_, cause=self.b.answer_cause(answer(), REQUEST, failed))
                self.refuse(what, ("a", 2))

    def test_a_dropped_rejection_gives_a_wrong_text_away(self):
        at = self.b.reject(b"question", 1, "no", cause=self.a.message_cause(1, 1), drop=["output"])
        for text in (b"No", b"\xff"):
            self.setUp_a()
            self.a.transition(text, cause=self.b.answer_cause(at, REQUEST, True))
            self.refuse("the message of the rejection is not this input", ("a", 2))

    def setUp_a(self):
        del self.a.items[2:], self.a.hashes[2:]

    def test_another_hash(self):
        at = self.ask()
        self.a.transition(b"answer", cause=[1, "b", at, sha(b""), REQUEST, False])
        self.refuse("the hash differs from that of element 1 of b", ("a", 2))

    def test_the_own_chain_must_have_asked(self):
        hash_ = self.b.hashes[0]
        cases = [
            ("request 65538 went|made no request 65538", "b", 65538),
            ("request 196609 is not of an earlier", "b", 196609),
            ("request 131073 is not of an earlier", "b", 131073),
            ("made no request 1", "b", 1),
            ("request 65537 went to b, not to c", "c", REQUEST),
        ]
        for what, actor, request in cases:
            for kind in (1, 2):
                self.setUp_a()
                cause = [1, actor, 0, hash_, request, True] if kind == 1 else [2, actor, request]
                self.a.transition(b"removed", cause=cause)
                self.refused(what, ("a", 2), self.a)
        self.setUp_a()
        self.a.reject(b"", 1, "", drop=["effects"])
        self.a.transition(b"removed", cause=[2, "b", 131073])
        self.refused("request 131073 is of a rejection", ("a", 3), self.a)

    def test_a_genesis_may_ask(self):
        a = ChainBuilder("a", effects=[message("b", b"hello", 1)])
        a.transition(b"no such actor", cause=[2, "b", 1])
        self.verified(a)

    def test_one_request_has_one_answer(self):
        at = self.ask()
        self.a.transition(b"answer", cause=self.b.answer_cause(at, REQUEST))
        self.a.transition(b"removed", cause=[2, "b", REQUEST])
        self.refuse("request 65537 was answered before", ("a", 3))
        self.setUp()
        at = self.ask()
        self.a.transition(b"answer", cause=self.b.answer_cause(at, REQUEST))
        self.a.transition(b"answer", cause=self.b.answer_cause(at, REQUEST))
        self.refuse("is the cause of element 2 of a too", ("a", 3))

    def test_what_was_not_delivered(self):
        for text in (b"no such actor", b"removed"):
            self.setUp_a()
            self.a.transition(text, cause=[2, "b", REQUEST])
            self.both()
            self.verified(self.a)
        self.setUp_a()
        self.a.transition(b"gone", cause=[2, "b", REQUEST], drop=["input"])
        self.refused("neither 'no such actor' nor 'removed'", ("a", 2), self.a)

    def test_what_was_delivered_cannot_be_undeliverable(self):
        self.ask()
        self.a.transition(b"removed", cause=[2, "b", REQUEST])
        self.refuse("request 65537 was delivered, as element 1 of b", ("a", 2))

    def test_dropped_effects_of_the_request_stay_open(self):
        self.a.items[1][4] = None
        at = self.ask()
        self.a.transition(b"answer", cause=self.b.answer_cause(at, REQUEST))
        self.assertEqual([chain["causes_open"] for chain in self.both()[0].chains], [1, 1])
        self.a.transition(b"removed", cause=[2, "b", REQUEST + 1])
        self.verified(self.a, self.b)

    def test_a_request_to_oneself(self):
        self.a.transition(b"go", b"", [message("a", b"self", 131073)])
        self.a.transition(b"self", b"done", cause=self.a.message_cause(2, 0))
        self.a.transition(b"done", cause=self.a.answer_cause(3, 131073))
        self.verified(self.a)
        self.a.items.pop()
        self.a.hashes.pop()
        self.a.transition(b"gone", cause=self.a.answer_cause(3, 131073))
        self.refused("is not this input", ("a", 4), self.a)


class Shapes(BundleTest):
    def test_refused_shapes(self):
        hash_ = sha(b"")
        for what, cause in (
            ("no known kind", []),
            ("no known kind", "x"),
            ("no known kind", [3, "b"]),
            ("no known kind", [False, "b", 1]),
            ("kind 0 has not 5", [0, "b", 1, 1]),
            ("kind 1 has not 6", [1, "b", 1, hash_, REQUEST]),
            ("kind 2 has not 3", [2, "b", REQUEST, 0]),
            ("actor is no name", [2, "B", REQUEST]),
            ("actor is no name", [2, b"b", REQUEST]),
            ("sequence is not", [0, "b", b"", 1, hash_]),
            ("index is not", [0, "b", 1, None, hash_]),
            ("hash is not", [0, "b", 1, 1, b""]),
            ("hash is not", [1, "b", 1, "x" * 32, REQUEST, True]),
            ("failed is not a bool", [1, "b", 1, hash_, REQUEST, 1]),
            ("request is not an unsigned", [1, "b", 1, hash_, b"", True]),
            ("no request id", [1, "b", 1, hash_, 0, True]),
            ("no request id", [2, "b", 65536]),
        ):
            with self.subTest(cause):
                chain = ChainBuilder("a")
                chain.transition(b"removed", cause=cause)
                self.refused(what, ("a", 1), chain)

    def test_a_client_beside_a_cause(self):
        for more in ({"f13": "x"}, {"f14": b"x"}):
            chain = ChainBuilder("a")
            chain.transition(b"", cause=[0, "b", 1, 1, sha(b"")], **more)
            self.refused("a principal or an id beside a cause", ("a", 1), chain)


if __name__ == "__main__":
    unittest.main()
