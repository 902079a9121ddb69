# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent whose tools do to their process what turns should not notice of each other."""
import asyncio
import contextvars
import ctypes
import faulthandler
import logging
import os
import subprocess
import sys
import threading
import time

from connectonion import Agent, host
from connectonion.core.llm import LLM, LLMResponse, ToolCall
from connectonion.core.usage import TokenUsage
from connectonion.network import HTTPRouter

if os.environ.get("FAULTHANDLER"):
    faulthandler.enable()

logging.basicConfig(level=logging.INFO, format="%(message)s")  # keeps today's sys.stderr
loop = asyncio.get_event_loop_policy().get_event_loop()
seen = contextvars.ContextVar("seen", default="nothing")
signal = asyncio.Event()
counts = {}
router = HTTPRouter()


@router.public.get("/loop")
async def same_loop(request):
    return {"same": asyncio.get_running_loop() is loop, "query": request.query}


class Steps(LLM):
    """Calls the tools of the newest prompt, "TOOL ARGUMENT; TOOL ARGUMENT", one after another."""

    model = "steps"

    def complete(self, messages, tools=None, **kwargs):
        at = max(i for i, m in enumerate(messages) if m["role"] == "user")
        results = [m["content"] for m in messages[at:] if m["role"] == "tool"]
        steps = messages[at]["content"].split("; ")
        if len(results) == len(steps):
            return LLMResponse("; ".join(results), [], None, TokenUsage())
        name, _, text = steps[len(results)].partition(" ")
        call = ToolCall(name, {"text": text}, f"call-{len(messages)}")
        return LLMResponse(None, [call], None, TokenUsage())

    def structured_complete(self, messages, output_schema, **kwargs):
        raise NotImplementedError


def say(text: str) -> str:
    return text


def hold(text: str) -> str:
    """Wait until there is such a file."""
    while not os.path.exists(text):
        time.sleep(0.01)
    return "held"


def spin(text: str, agent) -> str:
    """Work for ever, and say when that begins."""
    agent.io.log("spinning")
    while True:
        pass


def pid(text: str) -> str:
    return str(os.getpid())


def flood(text: str, agent) -> str:
    """Send that many events of a thousand bytes."""
    for n in range(int(text)):
        agent.io.log("blob", n=n, data="x" * 900)
    return "flooded"


def shout(text: str) -> str:
    """Print in all ways."""
    print(text, "on", "stdout")
    print(text, "on stderr", file=sys.stderr)
    logging.info("%s by logging", text)
    sys.stdout.buffer.write(f"{text} as bytes\n".encode())
    thread = threading.Thread(target=print, args=(text, "in a thread"))
    thread.start()
    thread.join()
    print(text, "without an end of line", end="")
    return "shouted"


def go(text: str) -> str:
    os.chdir(text)
    os.umask(0o77)
    return os.getcwd()


def where(text: str) -> str:
    mask = os.umask(0)
    os.umask(mask)
    return f"{os.getcwd()} {mask:o}"


def recall(text: str) -> str:
    """Say what this context had seen, and let it see something else."""
    before = seen.get()
    seen.set(text)
    return before


def quit(text: str) -> str:
    os._exit(int(text))


def replace(text: str) -> str:
    os.execl("/bin/true", "true")


def crash(text: str) -> str:
    if text == "overflow":
        sys.setrecursionlimit(1 << 30)
        deep = []
        for _ in range(1 << 20):
            deep = [deep]
        repr(deep)
    elif text == "abort":
        os.abort()
    return ctypes.string_at(0)


def clutch(text: str) -> str:
    """Keep the lock of the interpreter."""
    ctypes.PyDLL(None).sleep(int(text))
    return "kept"


def hoard(text: str) -> str:
    """Keep that many MB of memory."""
    counts["hoard"] = b"x" * (int(text) << 20)
    return hold("/no/such/file")


def split(text: str, agent) -> str:
    """Fork: the child goes on as the turn does."""
    reads, writes = os.pipe()
    if os.fork() == 0:
        os.close(reads)
        print("printed by the child")
        agent.io.log("child")
        return "child"
    os.close(writes)
    os.read(reads, 1)  # until the child has ended
    os.close(reads)
    return "parent"


def count(text: str) -> str:
    counts[text] = counts.get(text, 0) + 1
    return str(counts[text])


def breed(text: str) -> str:
    """Try to start so many processes, which stay; say how many there are."""
    bred = []
    for _ in range(int(text)):
        try:
            bred.append(subprocess.Popen(["sleep", "600"]))
        except OSError:
            break
    alive = -1
    while alive != (now := sum(process.poll() is None for process in bred)):
        alive = now
        time.sleep(0.5)  # for those to end that cannot stay
    return str(alive)


def crowd(text: str) -> str:
    """Start so many threads, which stay."""
    for n in range(int(text)):
        try:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        except RuntimeError as error:
            return f"{n}: {error}"
    return text


def exhaust(text: str) -> str:
    """Let no further thread of the process start, as when there are too many for the system."""
    def refuse(*args):
        raise RuntimeError("can't start new thread")
    threading._start_new_thread = refuse
    return "exhausted"


def shut(text: str) -> str:
    """Close all descriptors."""
    os.closerange(3, 1000)
    time.sleep(60)
    return "shut"


class Untold:
    def __str__(self):
        raise ValueError("this cannot be told")


def spoil(text: str, agent) -> str:
    """Leave what is no JSON, and cannot be made of it, in the session."""
    agent.current_session["untold"] = Untold()
    return "spoilt"


def exits(text: str) -> str:
    sys.exit(text)


async def listen(text: str) -> str:
    await signal.wait()
    return f"heard {asyncio.get_running_loop() is loop}"


async def ring(text: str) -> str:
    signal.set()
    return "rung"


TOOLS = [say, hold, spin, pid, flood, shout, go, where, recall, quit, replace, crash, clutch, hoard,
         split, breed, crowd, exhaust, shut, spoil, count, exits, listen, ring]


class Asynchronous(Agent):
    """An agent whose input() has to be awaited."""

    async def input(self, prompt, session=None, **more):
        self.current_session = {"messages": [], "trace": [], **session}
        verb, _, text = prompt.partition(" ")
        if verb == "hold":
            while not os.path.exists(text):
                await asyncio.sleep(0.01)
        elif verb == "flood":
            for n in range(int(text)):
                self.io.log("blob", n=n, data="x" * 900)
        print("printed by", prompt)
        await asyncio.sleep(0)
        return f"{verb} {asyncio.get_running_loop() is loop}"


def create_agent():
    kind = Asynchronous if os.environ.get("ASYNCHRONOUS") else Agent
    return kind("unruly", llm=Steps(), tools=TOOLS, system_prompt="Do it.", quiet=True, log=False)


if __name__ == "__main__":
    host(create_agent, http=router)
