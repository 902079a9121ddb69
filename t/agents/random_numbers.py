# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Generators of random numbers that the file makes, some with a seed."""
import json
import os
import random
import secrets
import ssl
import tempfile
import uuid

import numpy
from connectonion import Agent, create_app
from scripted import Scripted


class Own(random.Random):
    """It has a seed, whatever it is given."""

    def seed(self, *args):
        super().seed(77)


plain = random.Random()
seeded = random.Random(5)
seeded_later = random.Random()
seeded_later.seed("later")
seeded_by_state = random.Random()
seeded_by_state.setstate(seeded.getstate())
own = Own()
bits = numpy.random.default_rng()
spawned = bits.spawn(1)[0]
counter = numpy.random.Generator(numpy.random.Philox())
legacy = numpy.random.RandomState()
legacy.randn()  # and has the next number ready
seeded_bits = numpy.random.default_rng([1, 2])
seeded_legacy = numpy.random.RandomState(7)
jumped = numpy.random.Generator(numpy.random.PCG64(42).jumped())
seeded.random()
uuid.uuid1()
ssl.RAND_bytes(4)
tempfile.mktemp()
if os.environ.get("SEED"):
    random.seed(int(os.environ["SEED"]))
    numpy.random.seed(int(os.environ["SEED"]))
else:
    numpy.random.seed(1)
    numpy.random.seed()
    numpy.random.random(2000)


def draw(text: str) -> str:
    """Draw from each."""
    return json.dumps({
        "seeded": {
            "Random": seeded.random(), "Random.seed()": seeded_later.random(),
            "Random.setstate()": seeded_by_state.random(), "a class of Random": own.random(),
            "default_rng()": seeded_bits.random(), "RandomState": seeded_legacy.random(),
            "PCG64.jumped()": jumped.random()},
        "modules": {"random": random.random(), "numpy.random": numpy.random.random()},
        "fresh": {
            "Random": plain.random(), "default_rng()": bits.random(),
            "Generator.spawn()": spawned.random(), "Philox": counter.random(),
            "RandomState": legacy.randn(), "uuid1()": uuid.uuid1().hex,
            "uuid4()": uuid.uuid4().hex, "secrets": secrets.token_hex(8),
            "ssl": ssl.RAND_bytes(8).hex(), "tempfile": tempfile.mktemp()},
        "clock": {"uuid1()": uuid.uuid1().clock_seq}})


app = create_app(lambda: Agent("numbers", llm=Scripted(), tools=[draw]))
