# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What the agent of hazards.py talks to: it says again what it is told, after a while.

Prints the ports of its HTTP server, of a server of lines "NUMBER TEXT", which answers the
lines of a connection in any order, and of its gRPC server, whose method is /Peer/Say.
"""
import concurrent.futures
import http.server
import random
import socketserver
import threading
import time

try:
    import grpc
except ImportError:
    grpc = None


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(random.random() * 0.01)
        body = self.path.strip("/").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            threading.Timer(random.random() * 0.01, self.wfile.write, (line,)).start()


class LineServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


def say(text, context):
    time.sleep(random.random() * 0.01)
    return text


def serve_grpc():
    """Returns the server and its port, 0 without gRPC. Messages are bytes as they are."""
    if not grpc:
        return None, 0
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
    handler = grpc.unary_unary_rpc_method_handler(say)
    server.add_generic_rpc_handlers([
        grpc.method_handlers_generic_handler("Peer", {"Say": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Http)
lines = LineServer(("127.0.0.1", 0), Lines)
threading.Thread(target=lines.serve_forever, daemon=True).start()
calls, calls_port = serve_grpc()
print(web.server_address[1], lines.server_address[1], calls_port, flush=True)
web.serve_forever()
