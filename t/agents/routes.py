# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent with HTTP routes of its own."""
import pathlib
import time

from connectonion import Agent, host
from connectonion.network.host.http_routes import HTTPResponse, HTTPRouter
from scripted import TOOLS, Scripted

http = HTTPRouter()


@http.public.get("/hello/{name}")
def hello(name, request):
    return {"hello": name, "query": request.query, "identity": request.identity}


@http.public.post("/echo")
def echo(request):
    return {"got": request.json()}


@http.public.get("/nothing")
def nothing():
    return None


@http.public.post("/heads")
def heads(request):
    return HTTPResponse(request.headers["host"] + " " + request.headers["content-length"],
                        headers={"Content-Type": "text/x-heads", "X-Other": "kept"})


@http.public.get("/wait")
def wait(request):
    """Say in a file that it runs, and end when another one is there."""
    place = pathlib.Path(request.query["dir"][0])
    (place / "runs").touch()
    while not (place / "go").exists():
        time.sleep(0.02)
    return "went"


@http.contacts.get("/secret")
async def secret(request):
    return HTTPResponse("for " + request.identity, status=203, headers={"x-kind": "secret"})


def create_agent():
    return Agent("router", llm=Scripted(), tools=TOOLS)


host(create_agent, trust="open", http=http)
