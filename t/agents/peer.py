# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What the agent of hazards.py talks to: it says again what it is told, after a while.

Prints the ports of its HTTP server, and of a server of lines "NUMBER TEXT", which answers
the lines of a connection in any order.
"""
import http.server
import random
import socketserver
import threading
import time


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


web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Http)
lines = LineServer(("127.0.0.1", 0), Lines)
threading.Thread(target=lines.serve_forever, daemon=True).start()
print(web.server_address[1], lines.server_address[1], flush=True)
web.serve_forever()
