# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Generators of random numbers, of which each turn must have its own.

One that the file has seeded begins each turn where the file left it; the others get a new
seed. secrets, uuid4(), tempfile and OpenSSL need nothing: they ask the system, or heed the
fork.
"""
from __future__ import annotations

import functools
import random
import secrets
import sys
from typing import Any, Callable

from .objects import objects_of

# MT19937 of numpy may forget the seed it has drawn: as many blocks of numbers are compared.
BLOCKS_MAX = 100
BLOCK = 624

DRAWN_MAX = 10_000


class Generators:
    """Open from before the file runs until find(), to hear which of them are seeded."""

    def __init__(self) -> None:
        self.seeded: dict[int, bool] = {}  # by the id of the generator
        self.drawn: set[int] = set()  # what numpy may have drawn as seeds
        self.states: list[tuple[random.Random, Any]] = []  # of seeded ones
        self.renewals: list[Callable[[], None]] = []
        self.originals = random.Random.seed, random.Random.setstate, secrets.randbits
        self.replace(self.heard_seed(), self.heard_state(), self.heard_bits())

    def replace(self, seed: Any, setstate: Any, randbits: Any) -> None:
        random.Random.seed, random.Random.setstate = seed, setstate  # type: ignore
        main = random._inst  # type: ignore[attr-defined]
        random.seed, random.setstate = main.seed, main.setstate
        secrets.randbits = randbits

    def heard_seed(self) -> Any:
        original = random.Random.seed

        @functools.wraps(original)
        def seed(generator: random.Random, *args: Any, **kwargs: Any) -> None:
            original(generator, *args, **kwargs)
            self.seeded[id(generator)] = next(iter((*args, *kwargs.values())), None) is not None

        return seed

    def heard_state(self) -> Any:
        original = random.Random.setstate

        @functools.wraps(original)
        def setstate(generator: random.Random, state: Any) -> None:
            original(generator, state)
            self.seeded[id(generator)] = True

        return setstate

    def heard_bits(self) -> Any:
        original = secrets.randbits

        @functools.wraps(original)
        def randbits(k: int) -> int:
            bits = original(k)
            if len(self.drawn) < DRAWN_MAX:
                self.drawn.add(bits)
            return bits

        return randbits

    def keep(self) -> None:
        """Once the file has run: know the states of the generators that it has seeded."""
        self.states = [(one, one.getstate()) for one in objects_of(random.Random)
                       if self.seeded.get(id(one))]

    def find(self) -> None:
        """Once all is loaded: give the seeded ones their states again, and know the others."""
        self.replace(*self.originals)
        for one, state in self.states:
            one.setstate(state)
            if one is random._inst:  # type: ignore[attr-defined]
                self.renewals.append(functools.partial(one.setstate, state))  # a fork seeds it
        for one in objects_of(random.Random):
            # A class with a seed() of its own decides for itself.
            if type(one).seed is random.Random.seed and not self.seeded.get(id(one)):
                self.renewals.append(one.seed)
        if "numpy.random" in sys.modules:
            self.find_numpy(sys.modules["numpy.random"])
        if "uuid" in sys.modules:
            uuid = sys.modules["uuid"]
            self.renewals.append(functools.partial(renew_uuid, uuid, uuid.getnode()))

    def find_numpy(self, numpy: Any) -> None:
        for one in objects_of(numpy.BitGenerator, numpy.RandomState):
            bits = getattr(one, "_bit_generator", one)
            if not is_drawn(bits, self.drawn, numpy):
                continue
            if one is bits:
                self.renewals.append(functools.partial(renew_bits, bits))
            elif isinstance(bits, numpy.MT19937):
                self.renewals.append(one.seed)  # it also has a number in advance

    def renew(self) -> None:
        """In a turn: each generator that was not seeded gets a new seed."""
        for renewal in self.renewals:
            try:
                renewal()
            except Exception as error:
                print(f"a generator of random numbers keeps its state: {error}", file=sys.stderr)


def is_drawn(bits: Any, drawn: set[int], numpy: Any) -> bool:
    """Whether the seed of numpy's generator was drawn."""
    sequence = getattr(bits, "seed_seq", None) or getattr(bits, "_seed_seq", None)
    if sequence is None:
        return isinstance(bits, numpy.MT19937) and any(
            is_of_seed(bits, numpy.SeedSequence(seed), numpy) for seed in drawn)
    entropy = getattr(sequence, "entropy", None)
    if not isinstance(entropy, int) or entropy not in drawn:
        return False
    # A copy of a seeded one, such as by jumped(), has another part that does not change.
    ours, its = (one.state["state"] for one in (bits, type(bits)(sequence)))
    return (ours.get("inc") == its.get("inc")
            and (isinstance(bits, numpy.MT19937) or same(ours.get("key"), its.get("key"))))


def same(a: Any, b: Any) -> bool:
    return list(() if a is None else a) == list(() if b is None else b)


def is_of_seed(bits: Any, sequence: Any, numpy: Any) -> bool:
    """Whether the state of the MT19937 comes from the seed, as after RandomState.seed()."""
    other = numpy.MT19937(sequence)
    state = bits.state["state"]["key"]
    for _ in range(BLOCKS_MAX):
        if same(state, other.state["state"]["key"]):
            return True
        other.random_raw(BLOCK, output=False)
    return False


def renew_bits(bits: Any) -> None:
    bits.state = type(bits)().state


def renew_uuid(uuid: Any, node: int) -> None:
    """The clock of libuuid would go on in all turns alike: use Python's, with one of its own."""
    clock = secrets.randbits(14)
    if node >> 40 & 1:
        node = secrets.randbits(48) | 1 << 40  # the machine has no address
    uuid._node = node
    uuid._generate_time_safe = lambda: (uuid.uuid1(node, clock).bytes, None)
