"""Causes: what one element says about another, in its own chain or in another chain of the same bundle.

A cause is checked as far as the bundle reaches. Where it names a chain that the bundle does not hold, an
element past the end of one that it holds, or effects that were dropped, it stays open: nothing contradicts
it, and nothing here can confirm it. The own chain is always there, so what concerns only it is checked
element by element (`Ledger.local`), and the rest when all chains are read (`Ledger.across`).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from hashlib import sha256

import cbor
from cbor import Refused
from element import ANSWER, GENESIS, MESSAGE, PLACES, REJECTION, TRANSITION, TYPES, UNDELIVERED


class At(Refused):
    """A finding at another element than the one that is being checked."""

    def __init__(self, actor, sequence, what):
        super().__init__(what)
        self.actor, self.sequence = actor, sequence


class Traffic:
    """What the other checks need to know about one chain's elements, gathered while it is read."""

    def __init__(self, actor):
        self.actor = actor
        self.elements = []
        self.sent = {}  # (sequence, index) -> message effect
        self.sent_to = defaultdict(list)  # receiver -> its (sequence, index), ascending
        self.requests = {}  # request id -> message effect
        self.dropped = set()  # sequences whose effects payload is not there
        self.rejections = {}  # sequence -> (code, message)
        self.answers_text = {}  # sequence -> input of an answer that failed
        self.input_bytes = {}  # sequence -> length of an input that came as a message
        self.limits = []  # limits that each element ran under, None where the descriptor was dropped
        self.effects_bytes = {}  # sequence -> effects bytes that are known
        self.answered = set()
        self.last_from = {}  # sender -> the last (sequence, index) that came from it
        self.checked = self.open = 0

    def add(self, element, turn, payloads, limits):
        sequence = element.sequence
        self.elements.append(element)
        self.limits.append(limits)
        if turn.messages is None:
            self.dropped.add(sequence)
        elif turn.messages:
            self.effects_bytes[sequence] = turn.effects_bytes
            for message in turn.messages:
                self.sent[sequence, message.index] = message
                self.sent_to[message.to].append((sequence, message.index))
                if message.request:
                    self.requests[message.request] = message
        if turn.rejection is not None:
            self.rejections[sequence] = turn.rejection
        if element.cause is not None and payloads[0] is not None:
            if element.cause.kind == MESSAGE:
                self.input_bytes[sequence] = len(payloads[0])
            elif element.cause.kind == ANSWER and element.cause.failed:
                self.answers_text[sequence] = payloads[0]


class Ledger:
    """All causes of one bundle."""

    def __init__(self):
        self.caused = {}  # (hash, index) of a message, or (hash, None) of an answer -> (actor, sequence)

    def local(self, chain, element):
        """Checks the cause of the chain's next element (already added) against the chain itself."""
        cause = element.cause
        if cause.kind != UNDELIVERED:
            self._once(chain, element, (cause.hash, cause.index))
        if cause.kind != MESSAGE:
            self._check_request(chain, element)
        if cause.actor == chain.actor and cause.kind != UNDELIVERED:
            if cause.sequence >= element.sequence:
                raise Refused("cause names an element of this chain that is not earlier")
            self._check_named(chain, element, [chain])

    def across(self, chain, chains):
        """Checks the causes of a whole chain against the other chains; `chains` maps a name to its chains."""
        for element in chain.elements:
            cause = element.cause
            if cause is None:
                continue
            try:
                if cause.kind == UNDELIVERED:
                    self._check_undelivered(chain, cause)
                elif cause.actor != chain.actor:
                    self._check_named(chain, element, chains.get(cause.actor, ()))
            except At:
                raise
            except Refused as error:
                raise At(chain.actor, element.sequence, str(error)) from None

    def _once(self, chain, element, key):
        if key in self.caused:
            actor, sequence = self.caused[key]
            raise Refused(f"cause: what it names is the cause of element {sequence} of {actor} too")
        self.caused[key] = chain.actor, element.sequence

    @staticmethod
    def _check_request(chain, element):
        """An answer: this chain asked, in an earlier transition or genesis, and has no other answer."""
        request, actor = element.cause.request, element.cause.actor
        sequence = request // PLACES
        if sequence >= element.sequence:
            raise Refused(f"cause: request {request} is not of an earlier element")
        kind = chain.elements[sequence].type
        if kind not in (GENESIS, TRANSITION):
            raise Refused(f"cause: request {request} is of {TYPES[kind]}")
        message = chain.requests.get(request)
        if message is None:
            if sequence not in chain.dropped:
                raise Refused(f"cause: element {sequence} made no request {request}")
        elif message.to != actor:
            raise Refused(f"cause: request {request} went to {message.to}, not to {actor}")
        if request in chain.answered:
            raise Refused(f"cause: request {request} was answered before")
        chain.answered.add(request)

    @staticmethod
    def _find(chains, cause):
        """(chain, element) that a cause names, or None where no chain of the bundle reaches it."""
        reached = bool(chains)
        for chain in chains:
            if cause.sequence >= len(chain.elements):
                reached = False
            elif chain.elements[cause.sequence].hash == cause.hash:
                return chain, chain.elements[cause.sequence]
        if reached:
            raise Refused(f"cause: the hash differs from that of element {cause.sequence} of {cause.actor}")
        return None

    def _check_named(self, chain, element, others):
        """Checks a cause that names an element of one of the chains `others`, which bear its actor's name."""
        cause = element.cause
        found = self._find(others, cause)
        if cause.kind == MESSAGE:
            self._check_order(chain, element, others[0] if len(others) == 1 else None)
        if found is None:
            chain.open += 1
            return
        certain = (
            self._check_message(chain, element, *found)
            if cause.kind == MESSAGE
            else self._check_answer(chain, element, found[0], found[1])
        )
        if certain:
            chain.checked += 1
        else:
            chain.open += 1

    @staticmethod
    def _check_order(chain, element, sender):
        """Messages of one sender ascend; where its chain is there, none between two of them is missing."""
        cause = element.cause
        place, last = (cause.sequence, cause.index), chain.last_from.get(cause.actor)
        chain.last_from[cause.actor] = place
        if last is None:
            return
        if place <= last:
            raise Refused(f"cause: message {place} of {cause.actor} comes after its message {last}")
        if sender is not None:
            sent = sender.sent_to.get(chain.actor, ())
            missing = bisect_right(sent, last)
            if missing < bisect_left(sent, place):
                raise Refused(
                    f"message {sent[missing]} of {cause.actor} was dropped: element "
                    f"{element.sequence} is caused by a later one"
                )

    @staticmethod
    def _check_message(chain, element, sender, named):
        cause = element.cause
        message = sender.sent.get((cause.sequence, cause.index))
        if message is None:
            if cause.sequence in sender.dropped and named.type != REJECTION:
                return False
            raise Refused(
                f"cause: effect {cause.index} of element {cause.sequence} of {cause.actor} is no message"
            )
        if message.to != chain.actor:
            raise Refused(f"cause: the message went to {message.to}")
        if message.payload != element.input:
            raise Refused("cause: the message is not this input")
        limits, length = sender.limits[cause.sequence], chain.input_bytes.get(element.sequence)
        if limits is not None and length is not None:
            if length > limits.message:
                raise At(
                    sender.actor,
                    cause.sequence,
                    f"effect {cause.index}: the payload is over the message limit",
                )
            sender.effects_bytes[cause.sequence] += length
            if sender.effects_bytes[cause.sequence] > limits.effects:
                raise At(
                    sender.actor, cause.sequence, "effects and the payloads sent are over the effects limit"
                )
        return True

    @staticmethod
    def _check_answer(chain, element, target, named):
        cause, sequence = element.cause, element.cause.request // PLACES
        asked, request = named.cause, chain.requests.get(element.cause.request)
        if (
            asked is None
            or asked.kind != MESSAGE
            or asked.actor != chain.actor
            or asked.hash != chain.elements[sequence].hash
            or request
            and asked.index != request.index
        ):
            raise Refused(
                f"cause: element {cause.sequence} of {cause.actor} was not caused by request {cause.request}"
            )
        if cause.failed != (named.type == REJECTION):
            raise Refused(
                f"cause: failed is {str(cause.failed).lower()}, but element {cause.sequence} of "
                f"{cause.actor} is {TYPES[named.type]}"
            )
        if not cause.failed:
            if element.input != named.output:
                raise Refused("cause: the output of the answering element is not this input")
            return request is not None
        rejection = target.rejections.get(cause.sequence)
        text = chain.answers_text.get(element.sequence)
        if rejection is not None:
            same = sha256(rejection[1].encode("utf-8")).digest() == element.input
        elif text is not None:
            # The output was dropped; only an actor's own text makes one that its hash does not give away.
            same = sha256(_actors_rejection(text)).digest() == named.output
        else:
            return False
        if not same:
            raise Refused("cause: the message of the rejection is not this input")
        return request is not None

    def _check_undelivered(self, chain, cause):
        request, sequence = chain.requests.get(cause.request), cause.request // PLACES
        if request is None:
            chain.open += 1
            return
        taken = self.caused.get((chain.elements[sequence].hash, request.index))
        if taken is not None:
            raise Refused(
                f"cause: request {cause.request} was delivered, as element {taken[1]} of {taken[0]}"
            )
        chain.checked += 1


def _actors_rejection(text):
    try:
        return cbor.encode([1, text.decode("utf-8")])
    except UnicodeDecodeError:
        return b""
