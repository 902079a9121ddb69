# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A stand-in of systemd for one service: sockets, stored descriptors, notifications.

service_manager.py FOLDER NAME COMMAND...   NAME: that of the descriptor of a socket unit,
which listens on a free port; "-": there is no socket unit

Commands on standard input, one a line: start, stop, upgrade (USR2), kill (SIGKILL to the main process).
On standard output: "port N" at the start, "notify TEXT" (newlines as "|"), "exit STATUS".
"""
import ctypes
import os
import select
import signal
import socket
import sys


class Manager:
    def __init__(self, folder, name, command):
        self.command = command
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: all are ours at last
        self.path = folder + "/notify"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.unit = None
        self.store = {}
        self.main = 0
        if name != "-":
            self.unit = (name, socket.create_server(("127.0.0.1", 0)))
            self.say("port %d" % self.unit[1].getsockname()[1])

    def say(self, text):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def passed(self):
        unit = [(self.unit[0], self.unit[1].fileno())] if self.unit else []
        return unit + list(self.store.items())

    def start(self):
        passed = self.passed()
        self.main = os.fork()
        if self.main:
            return
        high = [os.dup2(fd, 100 + i) for i, (_, fd) in enumerate(passed)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i, inheritable=True)
            os.close(fd)
        if passed:
            os.environ["LISTEN_FDS"] = str(len(passed))
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in passed)
        os.environ["NOTIFY_SOCKET"] = self.path
        os.environ["FDSTORE"] = "1"
        os.execv(self.command[0], self.command)

    def hear(self):
        data, fds, _, _ = socket.recv_fds(self.sock, 4096, 4)
        text = data.decode()
        lines = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
        if "FDSTORE" in lines:
            for fd in fds:
                self.store[lines.get("FDNAME", "stored")] = fd
        elif "FDSTOREREMOVE" in lines:
            fd = self.store.pop(lines.get("FDNAME"), None)
            if fd is not None:
                os.close(fd)
        if "MAINPID" in lines:
            self.main = int(lines["MAINPID"])
        self.say("notify " + text.replace("\n", "|"))

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self.main:
                self.say("exit %d" % status)
                self.main = 0

    def order(self, word):
        if word == "start":
            self.start()
        elif word == "stop" and self.main:
            os.kill(self.main, signal.SIGTERM)
        elif word == "upgrade" and self.main:
            os.kill(self.main, signal.SIGUSR2)
        elif word == "kill" and self.main:
            os.kill(self.main, signal.SIGKILL)

    def run(self):
        rest = b""
        while True:
            ready = select.select([self.sock, 0], [], [], 0.05)[0]
            if self.sock in ready:
                self.hear()
            if 0 in ready:
                data = os.read(0, 4096)
                if not data:
                    break
                *words, rest = (rest + data).split(b"\n")
                for word in words:
                    self.order(word.decode())
            self.reap()
        if self.main:
            os.kill(self.main, signal.SIGKILL)


Manager(sys.argv[1], sys.argv[2], sys.argv[3:]).run()
