# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent with the model that the environment names (t/models/named)."""
import os

from connectonion import Agent, host
from connectonion.core.llm import create_llm


def lucky_number() -> str:
    """Tell the lucky number of today, which nobody can guess."""
    return os.environ["TEST_MODEL_NUMBER"]


def create_agent() -> Agent:
    llm = create_llm(os.environ["TEST_MODEL"], api_key=os.environ.get("TEST_MODEL_KEY"),
                     base_url=os.environ.get("TEST_MODEL_URL"))
    return Agent("model", llm=llm, tools=[lucky_number],
                 system_prompt="Answer in one short sentence. Use your tools.",
                 quiet=True, log=False)


if __name__ == "__main__":
    host(create_agent)
