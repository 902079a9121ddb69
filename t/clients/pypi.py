#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Stories of the ConnectOnion client from PyPI, unmodified, at a server with the demo agent.

    pypi.py URL STORY...

INVITE is a code that opens the server's door, MASTER the pid whose children are workers.
ANONYMOUS=1 tells the stories without keys. RELAY, an http:// or https:// URL, is a relay through
which the server is reached instead of directly. VERSION is that of the client, if it is not the
pinned one; an older one knows the stories "small", "question" and "call" only.
"""
import asyncio
import base64
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
import urllib.request
from typing import Any

from kit import PATIENCE, Directory, Line, fails, ok, same, wait_for

import connectonion
from connectonion import address as addresses
from connectonion import connect

try:
    from connectonion.network.connect import ApprovalPendingError, TurnTimeoutError
except ImportError:  # an older one
    pass

URL = sys.argv[1]
RELAY = os.environ.get("RELAY")
AT = RELAY or URL
PNG = ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk"
       "YAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
LONG = 60 * PATIENCE

directory = Directory()


def info(url: str) -> dict:
    with urllib.request.urlopen(url + "/info") as answer:
        return json.load(answer)


HOST = info(URL)["address"]


def keys() -> Any:
    """A caller of its own for each agent object; False: nobody."""
    return False if os.environ.get("ANONYMOUS") else addresses.generate()


def meet(url: str = AT, who: Any = None) -> Any:
    """connect(), by way of the directory, to the server at url; or to the relay there."""
    who = keys() if who is None else who
    if RELAY:
        return connect(HOST, keys=who, relay_url=url.replace("http", "ws", 1))
    directory.add(HOST, url)
    return connect(HOST, keys=who, relay_url=directory.url)


# ---- the stories ----

def talk() -> None:
    agent = meet()
    answer = agent.input("echo hello", timeout=LONG)
    same((answer.text, answer.done), ("hello", True), "input() returns the result")
    same(agent.status, "idle", "and is idle again")
    if not RELAY:
        ok(any("/api/agents/" in path for path in directory.asked),
           "it asked where the agent is")
    session = agent.current_session["session_id"]
    agent.input("My name is Zoë", timeout=LONG)
    answer = agent.input("What is my name?", timeout=LONG)
    ok("Zoë" in answer.text, "the conversation goes on") or print("#", answer.text)
    same(agent.current_session["session_id"], session, "in the same session")
    agent.input("stream 3", timeout=LONG)
    tools = [item for item in agent.ui if item["type"] == "tool_call"]
    same([item["status"] for item in tools], ["done"] * 3, "tools are shown with their results")
    ok(all(item["result"] for item in tools), "each of which has its text")
    agent.reset()
    answer = agent.input("What is my name?", timeout=LONG)
    ok("Zoë" not in answer.text, "reset() begins another session")
    long_text = "€" * 300_000
    same(agent.input("echo " + long_text, timeout=LONG).text, long_text,
         "a long text comes back whole")


def next_second() -> None:
    """CONNECTs in clear of one caller within a second are alike, and are used once."""
    now = int(time.time())
    wait_for(5, lambda: int(time.time()) > now)


def small() -> None:
    """What every version can do, also in clear."""
    agent = meet()
    answer = agent.input("echo hello", timeout=LONG)
    same((answer.text, answer.done), ("hello", True), "input() returns the result")
    next_second()
    agent.input("My name is Zoë", timeout=LONG)
    next_second()
    ok("Zoë" in agent.input("What is my name?", timeout=LONG).text, "the conversation goes on")
    answers: list = [None] * 5

    def one(n: int) -> None:
        answers[n] = meet().input(f"echo {n}", timeout=LONG).text

    threads = [threading.Thread(target=one, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    same(answers, [str(n) for n in range(5)], "five clients at once get their own answers")


def question() -> None:
    """As every version asks: the next input() answers."""
    agent = meet()
    answer = agent.input("ask Which?|red|green", timeout=LONG)
    same((answer.text, answer.done), ("Which?", False), "a question ends input(), not done")
    next_second()
    same(agent.input("green", timeout=LONG).text, "You answered: green",
         "the next input() is the answer")


def megabytes() -> None:
    agent = meet()
    text = "x" * 2_000_000
    ok(agent.input("echo " + text, timeout=LONG).text == text, "2 MB go there and come back")
    big = {"name": "big.bin", "data": base64.b64encode(bytes(2 << 20)).decode()}
    ok("big.bin" in agent.input("look", timeout=LONG, files=[big]).text, "a file of 2 MB arrives")


def sealed() -> None:
    line = Line(AT)
    same(meet(line.url).input("echo between us", timeout=LONG).text, "between us",
         "a caller with keys seals the connection")
    ok(b'"SEALED_OK"' in line.down and b"between us" not in line.down,
       "and nobody on the way can read it")


def talk_async() -> None:
    async def both() -> list:
        agents = [meet() for _ in range(8)]
        return await asyncio.gather(*(
            agent.input_async(f"echo {n}", timeout=LONG) for n, agent in enumerate(agents)))

    same([answer.text for answer in asyncio.run(both())], [str(n) for n in range(8)],
         "eight clients of one loop are served at once")


def ask() -> None:
    agent = meet()
    answer = agent.input("ask Which?|red|green", timeout=LONG)
    same((answer.text, answer.done), ("Which?", False), "a question ends input(), not done")
    same(agent.status, "waiting", "the client waits")
    shown = [item for item in agent.ui if item["type"] == "ask_user"]
    same(shown[-1]["options"], ["red", "green"], "with the options")
    answer = agent.input("green", timeout=LONG)
    same((answer.text, answer.done), ("You answered: green", True),
         "the next input() is the answer")
    for word in ("one", "two", "three"):
        same(agent.input("ask Again?", timeout=LONG).done, False, f"asked again: {word}")
        same(agent.input(word, timeout=LONG).text, f"You answered: {word}", "and answered")
    asked = []

    def reply(event: dict) -> str:
        asked.append(event)
        return "blue"

    answer = agent.input("ask Colour?|red|blue", timeout=LONG, on_ask=reply)
    same(answer.text, "You answered: blue", "on_ask answers on the same connection")
    ok(asked and isinstance(asked[0].get("id"), str), "a question has an id")


def approve() -> None:
    agent = meet()
    seen = []

    def yes(event: dict) -> dict:
        seen.append(event)
        return {"approved": True, "scope": "once"}

    same(agent.input("approve bash", timeout=LONG, on_approval=yes).text,
         "bash was approved and ran.", "on_approval lets a tool run")
    same((seen[0]["tool"], type(seen[0]["arguments"])), ("bash", dict), "it is told which")
    same(agent.input("approve bash", timeout=LONG, on_approval=lambda event: False).text,
         "bash was not approved.", "or does not")
    for allowed, words in ((True, "bash was approved and ran."),
                           (False, "bash was not approved.")):
        fails(ApprovalPendingError, "waiting for approval",
              lambda: agent.input("approve bash", timeout=LONG), "without it, input() says so")
        same(agent.respond_to_approval(allowed, timeout=LONG).text, words,
             "respond_to_approval() goes on with the turn")
    same(agent.input("echo after", timeout=LONG).text, "after", "and the session goes on")


def stop_live(agent: Any = None) -> None:
    agent = agent or meet()
    answers: list = []
    running = threading.Thread(
        target=lambda: answers.append(agent.input("stream 6000 10", timeout=LONG)))
    running.start()
    ok(wait_for(20, lambda: any(item["type"] == "tool_call" for item in agent.ui)),
       "a turn runs")
    same(agent.stop(), True, "stop() reaches it")
    running.join(LONG)
    same([answer.done for answer in answers], [True], "and input() returns")


def stop() -> None:
    agent = meet()
    stop_live(agent)
    fails(TurnTimeoutError, "may still be running",
          lambda: agent.input("stream 6000 10", timeout=1), "input() ends at its deadline")
    same(agent.status, "unknown", "without knowing of the turn")
    same(agent.stop(timeout=LONG), True, "stop() ends it by coming back")
    same(agent.stop(timeout=LONG), False, "nothing runs any more")
    same(agent.input("echo on", timeout=LONG).text, "on", "the session can be used")
    same(agent.stop(timeout=LONG), False, "an ended turn is not taken for a running one")


def files() -> None:
    agent = meet()
    data = "data:text/plain;base64," + base64.b64encode("grüße\n".encode()).decode()
    got = agent.input("look", timeout=LONG, images=[PNG],
                      files=[{"name": "a.txt", "data": data}, {"name": "b.txt", "data": data}])
    ok("a.txt" in got.text and "b.txt" in got.text, "files arrive") or print("#", got.text)
    ok("Image 1: image/png" in got.text, "and images") or print("#", got.text)
    many = [{"name": f"{n}.txt", "data": data} for n in range(11)]
    fails(ConnectionError, "Too many files: 11 (max: 10)",
          lambda: agent.input("look", timeout=LONG, files=many), "too many are refused")
    same(agent.input("echo still", timeout=LONG).text, "still", "and the session goes on")
    big = {"name": "big.bin", "data": base64.b64encode(bytes(9 << 20)).decode()}
    ok("big.bin" in agent.input("look", timeout=LONG, files=[big]).text, "one of 9 MiB")


def quick() -> None:
    who = keys()
    same([meet(who=who).input(f"echo {n}", timeout=LONG).text for n in range(5)],
         [str(n) for n in range(5)], "five calls of one caller, within a second or two")
    answers: list = [None] * 8

    def one(n: int) -> None:
        answers[n] = meet(who=who).input(f"echo {n}", timeout=LONG).text

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    same(answers, [str(n) for n in range(8)], "eight calls of one caller at once")


def invited() -> Any:
    """An agent object whose caller has come through the door."""
    agent = meet()
    agent.input("echo hello", timeout=LONG,
                on_onboard=lambda methods, amount: {"invite_code": os.environ["INVITE"]})
    return agent


def call() -> None:
    agent = invited()
    got = agent.call("calculate", timeout=LONG, expression="6*7")
    same((got.ok, got.text), (True, "42"), "call() runs a tool without the model")
    got = agent.call("translate", timeout=LONG, text="hi")
    same(got.error, "blocked: 'translate' is not in the permission whitelist. Allow it by "
         "adding a rule to .co/host.yaml permissions.", "only such as host.yaml allows")
    got = agent.call("nothing", timeout=LONG)
    ok((got.error or "").startswith("unknown tool 'nothing' (available: ["),
       "an unknown one is named") or print("#", got.error)


def call_refused() -> None:
    got = meet().call("calculate", timeout=LONG, expression="6*7")
    ok((got.error or "").startswith("forbidden: exec requires"),
       "a stranger may not call()") or print("#", got.error)


def modes() -> None:
    agent = meet()
    agent.input("echo hello", timeout=LONG)
    words = [mode["id"] for mode in agent.available_modes]
    ok("read-only" in words and "auto" in words, "modes are offered") or print("#", words)
    agent.set_session_mode("read-only", timeout=LONG)
    same(agent.current_session["mode"], "read-only", "one is taken")
    agent.input("echo again", timeout=LONG)
    same(agent.current_session["mode"], "read-only", "and stays")
    fails(ValueError, "not available", lambda: agent.set_session_mode("full-access"),
          "full access is not to be had")


def browser() -> None:
    got = meet().remote_browser("open", timeout=LONG)
    ok(got["ok"] is False and got["code"] != "TIMEOUT",
       "what the server does not have is refused at once")


# What a turn of "stream 40" must leave, whatever happened to the line.
def is_whole(agent: Any, text: str) -> bool:
    last = max(n for n, item in enumerate(agent.ui) if item["type"] == "user")
    tools = [item for item in agent.ui[last:] if item["type"] == "tool_call"]
    return (text == "Streamed 40 steps." and len(tools) == 40
            and all(item["status"] == "done" for item in tools))


def roam() -> None:
    line = Line(AT)
    agent = meet(line.url)
    agent.input("echo begin", timeout=LONG)
    for n in range(6):
        # Not within a handshake: the client does not try again then.
        line.cut_later((6_000, 16_000), (2_000, 16_000))
        answer = agent.input("stream 40 10", timeout=LONG)
        ok(is_whole(agent, answer.text), "a turn over a bad line is whole")
    ok(line.cuts >= 6, "which was cut in each of them")
    line.budgets = []
    same(agent.input("echo end", timeout=LONG).text, "end", "the conversation goes on")


def missed_end() -> None:
    """The turn ends while the client is away."""
    line = Line(AT)
    agent = meet(line.url)
    agent.input("echo begin", timeout=LONG)
    for n in range(2):
        cutter = threading.Thread(target=lambda: (
            wait_for(20, lambda: agent.ui[-1]["type"] == "tool_call"), line.cut()))
        cutter.start()
        answer = agent.input("stream 40 5", timeout=LONG)
        cutter.join(LONG)
        ok(is_whole(agent, answer.text), "a turn that ended meanwhile is told to its end")
    same(agent.input("echo end", timeout=LONG).text, "end", "and is not taken for the next")


def through() -> None:
    """One turn of six seconds, in which something happens to the relay."""
    agent = meet()
    answer = agent.input("stream 40 150", timeout=LONG)
    ok(is_whole(agent, answer.text), "a turn is whole whatever happened to the relay")
    same(agent.input("echo after", timeout=LONG).text, "after", "and the session goes on")


def workers() -> list[int]:
    master = int(os.environ["MASTER"])
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as line:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                words = line.read()
        except OSError:
            continue
        if parent == master and "worker" in words:
            found.append(int(name))
    return found


def killed() -> None:
    """Each worker is killed in turn while turns run."""
    agents = [meet() for _ in range(4)]
    results: list = [None] * len(agents)

    def one(n: int) -> None:
        answer = agents[n].input("stream 40 30", timeout=LONG)
        results[n] = is_whole(agents[n], answer.text)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(agents))]
    for thread in threads:
        thread.start()
    ok(wait_for(20, lambda: all(any(item["type"] == "tool_call" for item in agent.ui)
                                for agent in agents)), "four turns run")
    for pid in random.sample(workers(), len(workers())):
        before = set(workers())
        os.kill(pid, signal.SIGKILL)
        wait_for(20, lambda: len(workers()) == len(before) and pid not in workers())
    for thread in threads:
        thread.join(LONG)
    same(results, [True] * len(agents), "they come through when every worker is killed")


def gate() -> None:
    agent = meet()
    fails(ConnectionError, "admits strangers only after onboarding",
          lambda: agent.input("echo hello", timeout=LONG), "a stranger meets the door")
    fails(ConnectionError, "Invalid invite code",
          lambda: agent.input("echo hello", timeout=LONG,
                              on_onboard=lambda methods, amount: {"invite_code": "wrong"}),
          "which a wrong code does not open")
    offered = []

    def code(methods: list, amount: Any) -> dict:
        offered.append(methods)
        return {"invite_code": os.environ["INVITE"]}

    same(agent.input("echo hello", timeout=LONG, on_onboard=code).text, "hello",
         "the right one does, and the prompt runs")
    same(offered, [["invite_code"]], "the client was told how")
    same(agent.input("echo again", timeout=LONG).text, "again", "once is enough")
    same(agent.call("calculate", timeout=LONG, expression="2+2").text, "4",
         "a contact may call()")
    fails(ConnectionError, "signed request required",
          lambda: meet(who=False).input("echo hello", timeout=LONG), "nobody is let in")


def strict() -> None:
    fails(ConnectionError, "forbidden: Denied by fast rules",
          lambda: meet().input("echo hello", timeout=LONG), "a strict host refuses strangers")
    fails(ConnectionError, "signed request required",
          lambda: meet(who=False).input("echo hello", timeout=LONG), "and nobody")


def owner() -> None:
    mine, theirs = meet(), meet()
    mine.input("My name is Zoë", timeout=LONG)
    theirs._current_session = {"session_id": mine.current_session["session_id"]}
    answer = theirs.input("What is my name?", timeout=LONG)
    ok("Zoë" not in answer.text, "another caller does not get into a session by its id")
    ok(theirs.current_session["session_id"] != mine.current_session["session_id"],
       "but into one of its own")
    ok("Zoë" in mine.input("What is my name?", timeout=LONG).text, "which harms nobody")


def main() -> None:
    same(connectonion.__version__, os.environ.get("VERSION", "1.9.2"),
         "the client is the pinned one")
    for story in sys.argv[2:]:
        print(f"# {story}", flush=True)
        try:
            globals()[story]()
        except Exception:
            ok(False, f"{story} goes on to its end")
            traceback.print_exc(file=sys.stdout)
    print("# the end", flush=True)


main()
