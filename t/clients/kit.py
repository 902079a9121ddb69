# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What the stories of pypi.py are told with: checks, a directory, a bad line.

Checks are printed as TAP lines, which t/clients/Clients.pm takes over. Nothing here may
reach beyond this machine: a connection to anywhere else ends the program.
"""
import http.server
import json
import os
import random
import socket
import sys
import threading
import time
from typing import Any, Callable

PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def stay_at_home(event: str, args: tuple) -> None:
    """An audit hook: only loopback may be connected to or looked up."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in LOOPBACK:
        print(f"not ok - the client wanted to reach {host}", flush=True)
        os._exit(1)


sys.addaudithook(stay_at_home)


# ---- checks ----

def ok(is_so: Any, name: str) -> bool:
    print(f"{'ok' if is_so else 'not ok'} - {name}", flush=True)
    return bool(is_so)


def same(got: Any, wanted: Any, name: str) -> bool:
    if ok(got == wanted, name):
        return True
    print(f"# got {got!r}, wanted {wanted!r}", flush=True)
    return False


def fails(kind: type, words: str, do: Callable[[], Any], name: str) -> None:
    """do() must raise this kind of error, with these words in it."""
    try:
        got: Any = do()
    except kind as error:
        if words in str(error):
            ok(True, name)
            return
        got = error
    except Exception as error:
        got = error
    same(f"{type(got).__name__}: {got}", f"{kind.__name__}: {words}", name)


def wait_for(seconds: float, is_so: Callable[[], Any]) -> Any:
    end = time.monotonic() + seconds * PATIENCE
    while True:
        answer = is_so()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.01)


# ---- the directory ----

class Directory:
    """The relay's part in a direct connection: it knows where an agent is."""

    def __init__(self) -> None:
        directory = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = self.path.rsplit("/", 1)[-1]
                directory.asked.append(self.path)
                endpoint = directory.endpoints.get(address)
                body = json.dumps({"endpoints": [endpoint] if endpoint else []}).encode()
                self.send_response(200 if endpoint else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: Any) -> None:
                pass

        self.endpoints: dict[str, str] = {}
        self.asked: list[str] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"ws://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, address: str, endpoint: str) -> None:
        self.endpoints[address] = endpoint


# ---- a bad line ----

class Line:
    """A TCP proxy whose connections can be cut, at once or after some bytes."""

    def __init__(self, url: str) -> None:
        host, port = url.rsplit("/", 1)[-1].split(":")
        self.target = (host, int(port))
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.lock = threading.Lock()
        self.budgets: list[int] = []  # of the next connections, in bytes to the client
        self.cuts = 0
        self.down = b""  # what the server said first, on the wire
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(a, b, a is server),
                                 daemon=True).start()

    def carry(self, a: socket.socket, b: socket.socket, is_down: bool) -> None:
        budget = None
        try:
            while data := a.recv(65536):
                if is_down and len(self.down) < 1 << 20:
                    self.down += data
                if is_down and budget is None and b"101 Switching" in data[:40]:
                    budget = self.budgets.pop(0) if self.budgets else 1 << 60
                if budget is not None:
                    budget -= len(data)
                    if budget < 0:
                        self.cuts += 1
                        break
                b.sendall(data)
        except OSError:
            pass
        self.close(a, b)

    def close(self, *pair: socket.socket) -> None:
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self) -> None:
        """End every connection, now."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            self.close(*pair)
        self.cuts += 1

    def cut_later(self, *ranges: tuple[int, int]) -> None:
        """Let the next connections be cut, each after so many bytes: least, most."""
        self.budgets = [random.randrange(*least_most) for least_most in ranges]
