# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An exec: agent in persistent mode. A turn is a thread, and does what its prompt says, a
JSON array of steps:

    {"type":...}      write this line; OUTPUT and ERROR end the turn
    "listen"          wait for a line, and write it as {"type":"heard","line":{...}}
    "deaf"            ignore INTERRUPT and CLOSE from now on
    "exit", "kill"    end the process: exit with status 3, or be killed
    "lost"            say LOST, then exit
    "mute"            write no more to the socket, and go on
    "freeze"          stop the process until it is told to continue (SIGCONT)
    ["raw",TEXT]      write this text as it is
    ["until",FILE]    wait until the file is there
    ["write",N,SIZE]  write N events of SIZE bytes; wait for credit
    ["flood",N,SIZE]  the same without counting credit
    ["frame",{...}]   write a frame of the process itself, number 0

The end is OUTPUT "done". Other prompts are echoed, with the id of the process behind them.
EXEC is answered with the tool and its arguments. The command line may have:

    --mark FILE       append "start PID", "drain PID" and "end PID" to the file
    --slow FILE       say READY only when the file is there
    --fail FILE       exit with status 1 while the file is there
    --full FILE       give as many turns back (RETURN) as the file has bytes
    --pings           say that PING is answered, and do so
    --killed FILE     be killed while it loads, as often as the file has bytes
"""
import json, os, queue, signal, socket, sys, threading, time

WINDOW = 262144

lock = threading.Lock()
turns = {}
is_draining = False


def option(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def mark(word):
    if option('--mark'):
        with open(option('--mark'), 'a') as f:
            f.write(f'{word} {os.getpid()}\n')


def raw(data):
    with lock:
        while data:
            data = data[os.write(1, data):]


def frame(number, line):
    raw(b'%d %s\n' % (number, json.dumps(line).encode()))


def leave():
    mark('end')
    os._exit(0)


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


class Stopped(Exception):
    pass


class Turn(threading.Thread):
    def __init__(self, number, task):
        super().__init__(daemon=True)
        self.number, self.task = number, task
        self.lines = queue.Queue()
        self.credit = WINDOW
        self.has_credit = threading.Condition()
        self.is_deaf = self.is_stopped = False

    def take(self, line):
        if line['type'] == 'CREDIT':
            with self.has_credit:
                self.credit += line['bytes']
                self.has_credit.notify()
            return
        if line['type'] in ('INTERRUPT', 'CLOSE'):
            self.is_stopped = True
        self.lines.put(line)

    def say(self, line):
        frame(self.number, line)

    def say_counted(self, line):
        with self.has_credit:
            while self.credit <= 0:
                self.has_credit.wait()
            self.check()
            self.credit -= len(json.dumps(line)) + len(str(self.number)) + 2
        self.say(line)

    def check(self):
        if self.is_stopped and not self.is_deaf:
            raise Stopped

    def listen(self):
        line = self.lines.get()
        self.check()
        self.say({'type': 'heard', 'line': line})

    def step(self, step):
        self.check()
        if isinstance(step, dict):
            self.say(step)
            return step['type'] not in ('OUTPUT', 'ERROR', 'RETURN')
        word, *more = [step] if isinstance(step, str) else step
        if word == 'listen':
            self.listen()
        elif word == 'deaf':
            self.is_deaf = True
        elif word == 'exit':
            os._exit(3)
        elif word == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == 'lost':
            self.say({'type': 'LOST', 'reason': 'exited', 'message': 'it said so'})
            os._exit(3)
        elif word == 'freeze':
            os.kill(os.getpid(), signal.SIGSTOP)
        elif word == 'mute':
            socket.socket(fileno=1).shutdown(socket.SHUT_WR)
            time.sleep(1000)
        elif word == 'raw':
            raw(more[0].encode())
        elif word == 'until':
            while not os.path.exists(more[0]):
                self.check()
                time.sleep(0.01)
        elif word == 'frame':
            frame(0, more[0])
        else:
            say = self.say_counted if word == 'write' else self.say
            for i in range(more[0]):
                say({'type': 'x', 'i': i, 'fill': 'x' * more[1]})
        return True

    def play(self):
        if self.task['type'] == 'EXEC':
            self.say({'type': 'EXEC_RESULT', 'status': 'success',
                      'result': json.dumps([self.task['tool'], self.task['args']])})
            return
        if option('--full') and os.path.getsize(option('--full')):
            os.truncate(option('--full'), os.path.getsize(option('--full')) - 1)
            self.say({'type': 'RETURN'})
            return
        try:
            steps = json.loads(self.task['prompt'])
        except ValueError:
            steps = None
        if not isinstance(steps, list):
            self.say({'type': 'OUTPUT', 'result': f'{self.task["prompt"]} {os.getpid()}'})
            return
        for step in steps:
            if not self.step(step):
                return
        self.say({'type': 'OUTPUT', 'result': 'done'})

    def run(self):
        try:
            self.play()
        except Stopped:
            self.say({'type': 'OUTPUT', 'result': 'stopped'})
        with lock:
            del turns[self.number]
            if is_draining and not turns:
                leave()


def be_killed(path):
    left = os.path.getsize(path) if os.path.exists(path) else 0
    if left:
        os.truncate(path, left - 1)
        os.kill(os.getpid(), signal.SIGKILL)


def main():
    global is_draining
    mark('start')
    if option('--fail') and os.path.exists(option('--fail')):
        sys.exit('frames.py: it fails')
    if option('--killed'):
        be_killed(option('--killed'))
    if option('--slow'):
        wait_for(option('--slow'))
    frame(0, {'type': 'READY', 'about': {'tools': ['read_file']},
              'pings': '--pings' in sys.argv})
    for text in sys.stdin:
        number, line = text.split(' ', 1)
        number, line = int(number), json.loads(line)
        if number == 0 and line['type'] == 'DRAIN':
            mark('drain')
            with lock:
                is_draining = True
                if not turns:
                    leave()
        elif number == 0 and line['type'] == 'PING':
            frame(0, {'type': 'PONG'})
        elif line['type'] in ('INPUT', 'EXEC') and 'id' not in line:
            with lock:
                turns[number] = Turn(number, line)
            turns[number].start()
        elif number in turns:
            turns[number].take(line)
    leave()


main()
