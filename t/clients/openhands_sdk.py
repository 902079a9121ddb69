#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Stories of OpenHands' SDK, unmodified, with its workspace at our address.

    openhands_sdk.py URL STORY...
"""
import os
import sys
import threading
import time
import traceback
from typing import Any, Callable

os.environ["OPENHANDS_SUPPRESS_BANNER"] = "1"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LOG_LEVEL"] = "CRITICAL"

import kit
from kit import PATIENCE, ok, same

from openhands.sdk import LLM, Agent, Conversation, Workspace
from openhands.sdk.event import (
    ActionEvent,
    Event,
    MessageEvent,
    ObservationEvent,
    PauseEvent,
    UserRejectObservation,
)

URL = sys.argv[1]
KEY = os.environ.get("STORY_KEY")
LONG = 20 * PATIENCE
AGENT = Agent(llm=LLM(model="any", api_key="none", usage_id="any"), tools=[])


def workspace(key: str | None = KEY) -> Any:
    return Workspace(host=URL, api_key=key)


def talk(**more: Any) -> Any:
    return Conversation(agent=AGENT, workspace=workspace(), visualizer=None, **more)


def texts(conversation: Any, source: str) -> list[str]:
    return [
        event.llm_message.content[0].text
        for event in conversation.state.events
        if isinstance(event, MessageEvent) and event.source == source
    ]


def status(conversation: Any) -> str:
    conversation.state.refresh_from_server()
    return conversation.state.execution_status.value


def wait_for(what: Callable[[], Any]) -> Any:
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.05)
    return None


def turn() -> None:
    seen: list[Event] = []
    c = talk(callbacks=[seen.append], delete_on_close=False)
    same(status(c), "idle", "a new conversation is idle")
    c.send_message("What is 42 * 17?")
    same(status(c), "idle", "a message does not run")
    begun = time.monotonic()
    c.run()
    ok(time.monotonic() - begun < 5 * PATIENCE, "a run ends when the turn does")
    same(texts(c, "agent"), ["The result of 42 * 17 is 714."], "the result is a message")
    same(texts(c, "user"), ["What is 42 * 17?"], "the prompt is a message of the user")
    kinds = [type(event) for event in seen]
    ok(ActionEvent in kinds and ObservationEvent in kinds, "callbacks hear of tools")
    c.send_message("My name is Ada")
    c.send_message("What is my name?")
    c.run()
    ok("Ada" in texts(c, "agent")[-1], "two messages are one run")
    again = talk(conversation_id=c.id, delete_on_close=False)
    same(
        [event.id for event in again.state.events if event.source != "environment"],
        [event.id for event in c.state.events if event.source != "environment"],
        "a conversation that is attached again has the same events",
    )
    again.send_message("What is 2 + 3?")
    again.run()
    ok(wait_for(lambda: "5" in texts(c, "agent")[-1]), "the first client hears what the second says")
    ok(again.state.agent.llm.model.startswith("co-hostd/"), "the agent is the server's")
    same(again.conversation_stats.usage_to_metrics, {}, "statistics can be read")
    c.close()
    again.close()


def idle() -> None:
    c = talk()
    begun = time.monotonic()
    c.run()
    c.send_message("echo one")
    c.run()
    c.run()
    ok(time.monotonic() - begun < 10 * PATIENCE, "runs with nothing to do return")
    same(len(texts(c, "user")), 1, "runs with nothing to do say nothing")
    c.close()


def pause() -> None:
    c = talk()
    c.send_message("sleep 60000")
    c.run(blocking=False)
    ok(wait_for(lambda: status(c) == "running"), "a run that does not block has begun")
    threading.Timer(0.3, c.pause).start()
    c.run()
    same(status(c), "paused", "a run that is paused returns")
    ok(any(isinstance(event, PauseEvent) for event in c.state.events), "a pause is an event")
    c.send_message("echo after it")
    c.run()
    ok("after it" in texts(c, "agent")[-1], "a conversation goes on after a pause")
    c.close()


def approval() -> None:
    c = talk()
    for reject, said in ((False, "approved and ran"), (True, "not approved")):
        c.send_message("approve bash")
        c.run()
        same(status(c), "waiting_for_confirmation", "an action waits for a confirmation")
        if reject:
            c.reject_pending_actions("too risky")
        c.run()
        ok(wait_for(lambda: said in texts(c, "agent")[-1]), f"an action is {said}")
    ok(
        any(isinstance(event, UserRejectObservation) for event in c.state.events),
        "a rejection is an event",
    )
    c.send_message("ask Which?|red|green")
    c.run()
    ok("Which?" in texts(c, "agent")[-1], "a question ends the run")
    c.send_message("green")
    c.run()
    ok("green" in texts(c, "agent")[-1], "the next run answers it")
    c.close()


def ends() -> None:
    c = talk()
    c.send_message("fail because")
    try:
        c.run()
        ok(False, "a turn that fails is an error")
    except Exception as error:
        ok("failed" in str(error), "a turn that fails is an error")
    c.set_title("A title of its own")
    c.state.refresh_from_server()
    same(c.state._cached_state["title"], "A title of its own", "a title is kept")
    for lacks in (lambda: c.ask_agent("x"), c.condense, lambda: c.update_secrets({"a": "b"})):
        try:
            lacks()
            ok(False, "what the server does not do raises")
        except Exception as error:
            ok("501" in str(error), "what the server does not do raises")
    c.send_message("echo still here")
    c.run()
    ok("still here" in texts(c, "agent")[-1], "a conversation goes on after errors")
    c.close()
    fresh = talk(conversation_id=c.id)
    same(texts(fresh, "user"), [], "a conversation that was closed is deleted")
    fresh.close()


def killed() -> None:
    """The test kills the workers one after the other while this runs."""
    c = talk()
    c.send_message("stream 40 100")
    print("# running", flush=True)
    c.run()
    calls = [event for event in c.state.events if isinstance(event, ActionEvent)]
    same(len(calls), 40, "a run has all its events although workers were killed")
    same(len({event.id for event in calls}), 40, "each event came once")
    same(status(c), "finished", "a run ends although workers were killed")
    c.close()


def refused() -> None:
    for key, name in (("wrong", "a wrong key"), (None, "no key")):
        try:
            Conversation(agent=AGENT, workspace=workspace(key), visualizer=None)
            ok(False, f"{name} is refused")
        except Exception as error:
            ok("401" in str(error), f"{name} is refused")
    turn()


for story in sys.argv[2:]:
    try:
        globals()[story]()
    except Exception:
        traceback.print_exc()
        ok(False, f"the story {story} was told")
print("# the end", flush=True)
os._exit(0)
