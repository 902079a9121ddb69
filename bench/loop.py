#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What the agent of bench/agent.py costs without a host: create_agent() and input() in a loop.

    loop.py PROCESSES SECONDS

Prints the rate of all processes together, and the time of a turn in microseconds, as
NAME=NUMBER words. A fifth of the time before is warm-up.
"""
import multiprocessing
import sys
import time
from typing import Any

import agent


def loop(seconds: float, start: Any, rates: Any) -> None:
    """Run turns; all processes begin to count together."""
    warm = time.monotonic() + seconds / 5
    while time.monotonic() < warm:
        agent.create_agent().input("echo hello")
    start.wait()
    done = 0
    begin = now = time.monotonic()
    while now < begin + seconds:
        agent.create_agent().input("echo hello")
        done += 1
        now = time.monotonic()
    rates.put(done / (now - begin))


def main() -> None:
    """Start the processes, none of which is a fork, and add up their rates."""
    n, seconds = int(sys.argv[1]), float(sys.argv[2])
    context = multiprocessing.get_context("spawn")
    start, rates = context.Barrier(n), context.Queue()
    processes = [context.Process(target=loop, args=(seconds, start, rates)) for _ in range(n)]
    for process in processes:
        process.start()
    found = [rates.get(timeout=60 + seconds) for _ in processes]
    for process in processes:
        process.join()
    print(f"rate={sum(found):.1f} us={1e6 * n / sum(found):.1f}")


if __name__ == "__main__":
    main()
