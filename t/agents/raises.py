# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A factory that fails."""
from connectonion import host


def create_agent():
    raise LookupError("no key is set")


host(create_agent)
