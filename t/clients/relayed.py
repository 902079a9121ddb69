# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The agent of agent.py behind the package's own host, at a relay (PORT, TRUST, RELAY)."""
import os

from agent import create_agent
from connectonion import host

host(create_agent, port=int(os.environ["PORT"]), trust=os.environ.get("TRUST", "open"),
     relay_url=os.environ["RELAY"])
