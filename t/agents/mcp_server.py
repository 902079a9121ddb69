#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A small MCP server for tests, without packages, that can also misbehave.

	mcp_server.py stdio WORD...	on standard input and output
	mcp_server.py http WORD...	on 127.0.0.1; the first line it prints is its URL

Words: legacy (knows initialize only), modern (server/discover only; otherwise both), mute
(legacy, and silent to what it does not know), hang (answers nothing), session (legacy HTTP
with sessions), sse (answers are event streams), dies (exits at once), strange (prints
nonsense first), pages (three pages of tools), token=T (asks for a bearer token), log=FILE
(appends each message that comes).
"""
import json
import os
import sys
import threading
import time

MODERN, LEGACY = "2026-07-28", "2025-11-25"
words = set(sys.argv[2:])
options = dict(w.split("=", 1) for w in words if "=" in w)
lock = threading.Lock()
cancelled = {}
answers = {}  # to our own requests, by id
extra = []  # tools that were added
sessions = set()
kept = {}  # what is left of streams that were cut


def schema(**properties):
    return {"type": "object", "properties": {k: {"type": v} for k, v in properties.items()}}


TOOLS = [
    {"name": "echo", "description": "Say it again", "inputSchema": schema(text="string"),
     "annotations": {"readOnlyHint": True}},
    {"name": "environment", "description": "Names of variables", "inputSchema": schema()},
    {"name": "ask", "description": "Ask the user", "inputSchema": schema()},
    {"name": "sleep", "description": "Wait", "inputSchema": schema(seconds="number")},
    {"name": "die", "description": "End", "inputSchema": schema()},
    {"name": "wrong_id", "description": "Answer with another id", "inputSchema": schema()},
    {"name": "flood", "description": "Notify n times", "inputSchema": schema(n="integer")},
    {"name": "big", "description": "Return n bytes", "inputSchema": schema(n="integer")},
    {"name": "fail", "description": "Fail", "inputSchema": schema()},
    {"name": "garbage", "description": "Print no JSON", "inputSchema": schema()},
    {"name": "grow", "description": "Add a tool", "inputSchema": schema()},
    {"name": "forget", "description": "Forget all sessions", "inputSchema": schema()},
    {"name": "cut", "description": "Cut the stream", "inputSchema": schema()},
    {"name": "where", "description": "The working directory", "inputSchema": schema()},
    {"name": "marked", "description": "With a header", "inputSchema": {
        "type": "object", "properties": {"r": {"type": "string", "x-mcp-header": "Region"}}}},
]

FORM = {"mode": "form", "message": "Which colour?", "requestedSchema": {
    "type": "object", "required": ["colour", "count"], "properties": {
        "colour": {"type": "string", "enum": ["red", "green"]},
        "count": {"type": "integer", "title": "How many"}}}}


def note(message, headers=None):
    if "log" in options:
        with lock, open(options["log"], "a") as f:
            f.write(json.dumps({"message": message, "headers": dict(headers or {})}) + "\n")


def text(s, **more):
    return {"resultType": "complete", "content": [{"type": "text", "text": s}], **more}


class Call:
    """One request, and the way back."""

    def __init__(self, message, send, modern, headers):
        self.message, self.send, self.modern = message, send, modern
        self.headers = headers
        self.id = message.get("id")
        self.params = message.get("params") or {}

    def result(self, result):
        self.send({"jsonrpc": "2.0", "id": self.id, "result": result})

    def error(self, code, message):
        self.send({"jsonrpc": "2.0", "id": self.id, "error": {"code": code, "message": message}})

    def ask_user(self):
        """The user's answer in either generation; None: it was asked for."""
        if self.modern:
            given = self.params.get("inputResponses")
            if given and self.params.get("requestState") == "state \u00e4":
                return given["colour"]
            self.result({"resultType": "input_required", "requestState": "state \u00e4",
                         "inputRequests": {"colour": {"method": "elicitation/create", "params": FORM}}})
            return None
        number = "ask-%s" % self.id
        ready = answers[number] = [threading.Event(), None]
        self.send({"jsonrpc": "2.0", "id": number, "method": "elicitation/create", "params": FORM})
        ready[0].wait(60)
        return ready[1]

    def tool(self):
        name, args = self.params.get("name"), self.params.get("arguments") or {}
        stop = cancelled.setdefault(self.id, threading.Event())
        token = (self.params.get("_meta") or {}).get("progressToken")
        if name == "echo" or name in extra:
            self.result(text(args.get("text", "")))
        elif name == "environment":
            self.result(text(" ".join(sorted(os.environ))))
        elif name == "where":
            self.result(text(os.getcwd()))
        elif name == "marked":
            self.result(text(str((self.headers or {}).get("Mcp-Param-Region"))))
        elif name == "ask":
            answer = self.ask_user()
            if answer is not None:
                self.result(text(json.dumps(answer, sort_keys=True)))
        elif name == "sleep":
            end = time.monotonic() + args.get("seconds", 1)
            self.send({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": token, "progress": 1, "total": 2, "message": "half"}})
            while time.monotonic() < end and not stop.is_set():
                time.sleep(0.01)
            if not stop.is_set():
                self.result(text("slept"))
        elif name == "die":
            os._exit(3)
        elif name == "wrong_id":
            self.send({"jsonrpc": "2.0", "id": 987654, "result": text("not yours")})
        elif name == "flood":
            for i in range(args["n"]):
                self.send({"jsonrpc": "2.0", "method": "notifications/message",
                           "params": {"level": "info", "data": i}})
            self.result(text("flooded"))
        elif name == "big":
            self.result(text("x" * args["n"]))
        elif name == "fail":
            self.result(text("it broke", isError=True))
        elif name == "garbage":
            self.send("this is not JSON")
            self.send([1, 2])
            self.send({"jsonrpc": "2.0", "id": 5})
            self.result(text("after garbage"))
        elif name == "grow":
            extra.append("grown")
            self.result(text("grown"))
            self.send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        elif name == "forget":
            sessions.clear()
            self.result(text("forgotten"))
        elif name == "cut":
            self.result(text("resumed"))
        else:
            self.error(-32602, "Unknown tool: %s" % name)

    def list(self):
        tools = TOOLS + [{"name": n, "inputSchema": schema(text="string")} for n in extra]
        page = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": tools}
        if "pages" in words:
            at = int(self.params.get("cursor") or 0)
            page["tools"] = tools[at * 6:at * 6 + 6]
            if at < 2:
                page["nextCursor"] = str(at + 1)
        self.result(page)

    def run(self):
        method = self.message.get("method")
        legacy = "modern" not in words
        if "hang" in words:
            return
        if method == "server/discover" and not words & {"legacy", "mute"}:
            self.result({"resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                         "supportedVersions": [MODERN], "capabilities": {"tools": {}}})
        elif method == "initialize" and legacy:
            self.result({"protocolVersion": LEGACY, "serverInfo": {"name": "t", "version": "1"},
                         "capabilities": {"tools": {"listChanged": True}}})
        elif method == "tools/list":
            self.list()
        elif method == "tools/call":
            self.tool()
        elif method == "ping":
            self.result({})
        elif "mute" not in words:
            self.error(-32601, "Method not found")


def is_modern(message):
    meta = (message.get("params") or {}).get("_meta") or {}
    return "io.modelcontextprotocol/protocolVersion" in meta


def take(message, send, headers=None):
    """Handle what a client says; False: it is no request."""
    note(message, headers)
    if message.get("method") == "notifications/cancelled":
        cancelled.setdefault(message["params"]["requestId"], threading.Event()).set()
    elif "method" not in message and message.get("id") in answers:
        answers[message["id"]][1] = message.get("result")
        answers[message["id"]][0].set()
    elif "id" in message and "method" in message:
        return Call(message, send, is_modern(message), headers)
    return None


# ---- standard input and output ----


def stdio():
    def send(message):
        with lock:
            sys.stdout.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
            sys.stdout.flush()

    if "strange" in words:
        send("Listening on stdio")
    for line in sys.stdin:
        call = take(json.loads(line), send)
        if call:
            threading.Thread(target=call.run, daemon=True).start()


# ---- HTTP ----


def serve():
    import http.server  # slow, and programs do not need it

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def plain(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def begin_stream(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True

        def event(self, message, number=None):
            data = message if isinstance(message, str) else json.dumps(message)
            with lock:
                if number is not None:
                    self.wfile.write(("id: %s\nretry: 10\n" % number).encode())
                self.wfile.write(("data: %s\n\n" % data).encode())
                self.wfile.flush()

        def do_GET(self):
            number = self.headers.get("Last-Event-ID")
            note({"get": number}, self.headers)
            if number not in kept:
                return self.plain(405)
            self.begin_stream()
            for message in kept.pop(number):
                self.event(message, number + "x")

        def allowed(self, message):
            if "token" in options and self.headers.get("Authorization") != "Bearer " + options["token"]:
                self.plain(401, b"no such token")
                return False
            if "session" in words and not is_modern(message) and message.get("method") != "initialize" \
                    and self.headers.get("Mcp-Session-Id") not in sessions:
                self.plain(404, b"no such session")
                note({"refused": message.get("method")}, self.headers)
                return False
            return True

        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.allowed(message):
                return
            got = []
            streams = "sse" in words or (message.get("params") or {}).get("name") in (
                "ask", "sleep", "flood", "cut", "garbage")
            call = take(message, got.append, self.headers)
            if not call:
                return self.plain(202)
            if message["method"] == "server/discover" and words & {"legacy"}:
                return self.plain(400, b"Bad Request: no valid session ID")
            if message.get("method") == "initialize" and "session" in words:
                sessions.add("s%d" % len(sessions))
                call.run()
                return self.plain(200, json.dumps(got[0]).encode(), Content_Type="application/json",
                                  Mcp_Session_Id="s%d" % (len(sessions) - 1))
            if not streams:
                call.run()
                if not got:
                    return time.sleep(60)
                return self.plain(200, json.dumps(got[0]).encode(), Content_Type="application/json")
            self.begin_stream()
            self.event("", "e%s" % call.id)
            if call.params.get("name") == "cut":
                call.run()
                kept["e%s" % call.id] = got
                return
            call.send = self.event
            call.run()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print("http://127.0.0.1:%d/mcp" % server.server_address[1], flush=True)
    server.serve_forever()


if "dies" in words:
    sys.exit("cannot start")
if sys.argv[1] == "stdio":
    stdio()
else:
    serve()
