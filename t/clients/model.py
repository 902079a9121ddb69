# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A model on loopback, for programs that want one: model.py [LOG]

It speaks the Messages of Anthropic, the Responses of OpenAI and the generateContent of Gemini,
and does what the prompt says: "@@say TEXT@@" answers TEXT, "@@run COMMAND@@" calls the tool that
runs commands and then repeats what that returned, and "@@slow TEXT@@" answers a word of TEXT each
0.1 s, over and over. Prints its port. LOG gets each request, a line of JSON.
"""
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRIPT = re.compile(r'@@(say|run|slow) (.*?)@@', re.S)
SLOW_WORDS = 600
log = open(sys.argv[1], 'a') if len(sys.argv) > 1 else None
lock = threading.Lock()


def texts(value):
    """Every text in a JSON value, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [text for item in value for text in texts(item)]


def script_of(value):
    """The last thing to do in a message, or to say so much."""
    found = SCRIPT.findall('\n'.join(texts(value)))
    return found[-1] if found else ('say', 'nothing to do')


def words_of(kind, text):
    if kind == 'slow':
        for i in range(SLOW_WORDS):
            yield f"{text} {i} "
            time.sleep(0.1)
    else:
        yield text


class Model(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def reply(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def begin(self):
        self.send_response(200)
        self.send_header('content-type', 'text/event-stream')
        self.send_header('connection', 'close')
        self.end_headers()
        self.close_connection = True

    def event(self, value, name=None):
        head = f'event: {name}\n' if name else ''
        self.wfile.write((head + 'data: ' + json.dumps(value) + '\n\n').encode())
        self.wfile.flush()

    def do_HEAD(self):
        self.reply({})

    def do_GET(self):
        self.reply({'models': [], 'data': [], 'object': 'list'})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('content-length') or 0))
        try:
            body = json.loads(body)
        except ValueError:
            body = {}
        if log:
            with lock:
                log.write(json.dumps({'path': self.path, 'body': body}) + '\n')
                log.flush()
        try:
            self.answer(self.path.split('?')[0], body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self, path, body):
        if path.endswith('/count_tokens'):
            self.reply({'input_tokens': 10})
        elif path.endswith('/messages'):
            self.anthropic(body)
        elif path.endswith('/responses'):
            self.openai(body)
        elif path.endswith(':streamGenerateContent'):
            self.begin()
            for part in self.gemini(body):
                self.event(part)
        elif path.endswith(':generateContent'):
            self.reply({**list(self.gemini(body))[-1], 'candidates': [
                {**list(self.gemini(body))[0]['candidates'][0], 'finishReason': 'STOP'}]})
        else:
            self.reply({})

    # ---- Anthropic ----

    def anthropic(self, body):
        last = [m['content'] for m in body['messages'] if m['role'] != 'system'][-1]
        result = [b for b in last if isinstance(b, dict) and b['type'] == 'tool_result'] \
            if isinstance(last, list) else []
        kind, text = script_of(last)
        if result and kind == 'say':
            kind, text = 'say', 'the tool returned: ' + '\n'.join(texts(result[-1].get('content')))
        elif not body.get('tools'):
            kind, text = 'say', 'a title'
        if not body.get('stream'):
            return self.reply({'id': 'msg_1', 'type': 'message', 'role': 'assistant',
                               'model': body['model'], 'content': [{'type': 'text', 'text': text}],
                               'stop_reason': 'end_turn', 'stop_sequence': None,
                               'usage': {'input_tokens': 7, 'output_tokens': 5}})
        self.begin()
        self.event({'type': 'message_start', 'message': {
            'id': f'msg_{time.time_ns()}', 'type': 'message', 'role': 'assistant', 'model': body['model'],
            'content': [], 'stop_reason': None, 'stop_sequence': None,
            'usage': {'input_tokens': 7, 'output_tokens': 1}}}, 'message_start')
        if kind == 'run':
            block = {'type': 'tool_use', 'id': f'toolu_{time.time_ns()}', 'name': 'Bash', 'input': {}}
            delta = [{'type': 'input_json_delta', 'partial_json': json.dumps(
                {'command': text, 'description': 'do it'})}]
        else:
            block = {'type': 'text', 'text': ''}
            delta = ({'type': 'text_delta', 'text': w} for w in words_of(kind, text))
        self.event({'type': 'content_block_start', 'index': 0, 'content_block': block},
                   'content_block_start')
        for d in delta:
            self.event({'type': 'content_block_delta', 'index': 0, 'delta': d}, 'content_block_delta')
        self.event({'type': 'content_block_stop', 'index': 0}, 'content_block_stop')
        self.event({'type': 'message_delta', 'delta': {
            'stop_reason': 'tool_use' if kind == 'run' else 'end_turn', 'stop_sequence': None},
            'usage': {'output_tokens': 5}}, 'message_delta')
        self.event({'type': 'message_stop'}, 'message_stop')

    # ---- OpenAI ----

    def openai(self, body):
        items = body['input'] if isinstance(body['input'], list) else [body['input']]
        last = items[-1]
        kind, text = script_of(last)
        if isinstance(last, dict) and last.get('type', '').endswith('_output'):
            kind, text = 'say', 'the tool returned: ' + '\n'.join(texts(last.get('output')))
        tools = [t.get('name') for t in body.get('tools') or []]
        self.begin()
        self.event({'type': 'response.created', 'response': {'id': 'resp_1'}}, 'response.created')
        if kind == 'run':
            item = self.function_call(tools, text)
            self.event({'type': 'response.output_item.done', 'output_index': 0, 'item': item},
                       'response.output_item.done')
        else:
            self.speak(words_of(kind, text))
        self.event({'type': 'response.completed', 'response': {'id': 'resp_1', 'usage': {
            'input_tokens': 7, 'input_tokens_details': {'cached_tokens': 0}, 'output_tokens': 5,
            'output_tokens_details': {'reasoning_tokens': 0}, 'total_tokens': 12}}},
            'response.completed')

    def function_call(self, tools, text):
        if 'exec_command' in tools:
            name, args = 'exec_command', {'cmd': text, 'sandbox_permissions': 'require_escalated',
                                          'justification': 'the test wants it'}
        elif 'shell_command' in tools:
            name, args = 'shell_command', {'command': text, 'sandbox_permissions': 'require_escalated',
                                           'justification': 'the test wants it'}
        else:
            name, args = 'shell', {'command': ['sh', '-c', text],
                                   'sandbox_permissions': 'require_escalated',
                                   'justification': 'the test wants it'}
        return {'type': 'function_call', 'id': 'fc_1', 'call_id': f'call_{time.time_ns()}',
                'name': name, 'arguments': json.dumps(args)}

    def speak(self, words):
        said = ''
        item = {'type': 'message', 'role': 'assistant', 'id': f'msg_{time.time_ns()}', 'content': []}
        self.event({'type': 'response.output_item.added', 'output_index': 0, 'item': item},
                   'response.output_item.added')
        for word in words:
            said += word
            self.event({'type': 'response.output_text.delta', 'item_id': 'msg_1', 'output_index': 0,
                        'content_index': 0, 'delta': word}, 'response.output_text.delta')
        item = dict(item, content=[{'type': 'output_text', 'text': said, 'annotations': []}])
        self.event({'type': 'response.output_item.done', 'output_index': 0, 'item': item},
                   'response.output_item.done')

    # ---- Gemini ----

    def gemini(self, body):
        last = body['contents'][-1]
        returned = [p['functionResponse'] for p in last['parts'] if 'functionResponse' in p]
        kind, text = script_of(last)
        if (body.get('generationConfig') or {}).get('responseMimeType') == 'application/json':
            kind, text = 'say', json.dumps({'reasoning': 'x', 'model_choice': 'flash',
                                            'complexity_reasoning': 'x', 'complexity_score': 1})
        elif returned:
            kind, text = 'say', 'the tool returned: ' + '\n'.join(texts(returned[-1].get('response')))
        if kind == 'run':
            parts = [[{'functionCall': {'name': 'run_shell_command', 'args': {
                'command': text, 'description': 'do it'}}}]]
        else:
            parts = ([{'text': w}] for w in words_of(kind, text))
        for part in parts:
            yield {'candidates': [{'content': {'role': 'model', 'parts': part}, 'index': 0}],
                   'modelVersion': 'test'}
        yield {'candidates': [{'content': {'role': 'model', 'parts': [{'text': ''}]},
                               'finishReason': 'STOP', 'index': 0}],
               'usageMetadata': {'promptTokenCount': 7, 'candidatesTokenCount': 5,
                                 'totalTokenCount': 12}, 'modelVersion': 'test'}


server = ThreadingHTTPServer(('127.0.0.1', 0), Model)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
