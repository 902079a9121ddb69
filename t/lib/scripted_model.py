# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A language model on loopback that follows scripts: scripted_model.py SCRIPTS LOG

SCRIPTS is a file of JSON: {NAME: [ANSWER, ...]}. A prompt, or a summary of what was
before, that holds "@NAME" gets the answers in
turn ($1 in them is the word behind the name), one for each question: the number of answers that follow the prompt in the conversation says
which. So it remembers nothing, and each question may be asked again. Who asks for a summary gets the first answer
of the script "summary". Chat completions of OpenAI
and messages of Anthropic are served, as streams or whole. Prints its port. LOG gets a line of
JSON for each request.

An answer may have text, thinking, calls ([{id, name, args}], args an object, or a text for what is
no JSON), usage ([input, output], or null), piece (characters at a time), pause (seconds between
pieces), delay (seconds before it), finish, done (false: no [DONE]), cut (true: the connection
ends, after hang seconds), status with body and headers, raw (the body of the stream itself), endless (text that does
not end), times (only so many requests get it, counted by conversation; then the next one).
"""
import asyncio
import base64
import json
import re
import sys

scripts = json.load(open(sys.argv[1]))
log = open(sys.argv[2], 'a')
seen = {}
NAME = re.compile(r'@([a-z0-9-]+) ?([a-z0-9-]*)')


def texts(content):
    if isinstance(content, str):
        return content
    return '\n'.join(p.get('text', '') for p in content or [] if p.get('type') == 'text')


def is_prompt(message):
    return message['role'] == 'user' and NAME.search(texts(message['content']))


def choose(messages):
    """The answer that is due, and the word for it."""
    first = texts(messages[0]['content'] if messages[0]['role'] != 'system' else messages[1]['content'])
    if first.startswith('Below is the record'):
        return scripts.get('summary', [{'text': 'A summary.'}])[0]
    if first.startswith('[What was said') and NAME.search(first):
        return due(NAME.search(first).group(1), messages, 0)
    at = max((i for i, m in enumerate(messages) if is_prompt(m)), default=None)
    if at is None:
        return {'text': 'no script'}
    name, word = NAME.search(texts(messages[at]['content'])).groups()
    return filled(due(name, messages, at), word)


def due(name, messages, at):
    answers = scripts.get(name)
    if answers is None:
        return {'text': f'no script {name}'}
    step = sum(m['role'] == 'assistant' for m in messages[at:])
    key = json.dumps(messages)
    seen[key] = seen.get(key, 0) + 1
    skipped, count = 0, seen[key]
    for answer in answers:
        times = answer.get('times')
        if times is not None:
            if skipped == step and count <= times:
                return answer
            if skipped == step:
                count -= times
            continue
        if skipped == step:
            return answer
        skipped += 1
    return {'text': f'the script {name} has ended'}


def pieces(text, size):
    return [text[i:i + size] for i in range(0, len(text), size)]


def filled(value, word):
    """The answer, with $1 replaced by the word that follows the name in the prompt."""
    return json.loads(json.dumps(value).replace('$1', word))


def args_text(call):
    args = call.get('args', {})
    if isinstance(args, dict) and '_size' in args:
        return json.dumps({'text': 'x' * args['_size']})
    return args if isinstance(args, str) else json.dumps(args)


# ---- OpenAI ----

def openai_stream(answer):
    def chunk(delta, finish=None, **more):
        return 'data: ' + json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'model': 'm', 'choices': [
            {'index': 0, 'delta': delta, 'finish_reason': finish}], **more}) + '\n\n'
    size = answer.get('piece', 20)
    yield chunk({'role': 'assistant', 'content': ''})
    for part in pieces(answer.get('thinking', ''), size):
        yield chunk({'reasoning_content': part})
    for part in pieces(answer.get('text', ''), size):
        yield chunk({'content': part})
    for i, call in enumerate(answer.get('calls', [])):
        text = args_text(call)
        yield chunk({'tool_calls': [{'index': i, 'id': call.get('id', f'call_{i}'), 'type': 'function',
                                     'function': {'name': call['name'], 'arguments': ''},
                                     **call.get('more', {})}]})
        for part in pieces(text, max(size, len(text) // 50)):
            yield chunk({'tool_calls': [{'index': i, 'function': {'arguments': part}}]})
    if answer.get('cut'):
        return
    finish = answer.get('finish', 'tool_calls' if answer.get('calls') else 'stop')
    if finish:
        yield chunk({}, finish)
    usage = answer.get('usage', [100, 20])
    if usage:
        yield 'data: ' + json.dumps({'choices': [], 'usage': {
            'prompt_tokens': usage[0], 'completion_tokens': usage[1],
            'total_tokens': sum(usage)}}) + '\n\n'
    if answer.get('done', True):
        yield 'data: [DONE]\n\n'


def openai_whole(answer):
    message = {'role': 'assistant', 'content': answer.get('text')}
    if answer.get('calls'):
        message['tool_calls'] = [{'id': c.get('id', f'call_{i}'), 'type': 'function', 'function': {
            'name': c['name'], 'arguments': args_text(c)}} for i, c in enumerate(answer['calls'])]
    usage = answer.get('usage', [100, 20]) or [0, 0]
    return {'choices': [{'index': 0, 'message': message, 'finish_reason': 'stop'}], 'usage': {
        'prompt_tokens': usage[0], 'completion_tokens': usage[1]}}


# ---- Anthropic ----

def anthropic_stream(answer):
    def event(name, **more):
        return f'event: {name}\ndata: ' + json.dumps({'type': name, **more}) + '\n\n'
    size = answer.get('piece', 20)
    usage = answer.get('usage', [100, 20]) or [0, 0]
    yield event('message_start', message={'id': 'msg', 'role': 'assistant', 'content': [],
                                          'usage': {'input_tokens': usage[0], 'output_tokens': 0}})
    blocks = []
    if answer.get('thinking'):
        blocks.append(({'type': 'thinking', 'thinking': ''}, 'thinking_delta', 'thinking', answer['thinking']))
    if answer.get('text'):
        blocks.append(({'type': 'text', 'text': ''}, 'text_delta', 'text', answer['text']))
    for i, call in enumerate(answer.get('calls', [])):
        blocks.append(({'type': 'tool_use', 'id': call.get('id', f'toolu_{i}'), 'name': call['name'],
                        'input': {}}, 'input_json_delta', 'partial_json', args_text(call)))
    for index, (block, kind, key, text) in enumerate(blocks):
        yield event('content_block_start', index=index, content_block=block)
        for part in pieces(text, max(size, len(text) // 50)):
            yield event('content_block_delta', index=index, delta={'type': kind, key: part})
        yield event('content_block_stop', index=index)
    if answer.get('cut'):
        return
    finish = answer.get('finish', 'tool_use' if answer.get('calls') else 'end_turn')
    if finish:
        yield event('message_delta', delta={'stop_reason': finish}, usage={'output_tokens': usage[1]})
    if answer.get('done', True):
        yield event('message_stop')


def anthropic_messages(body):
    """In the form that choose() knows."""
    for m in body['messages']:
        content = m['content']
        if isinstance(content, list) and any(p['type'] == 'tool_result' for p in content):
            content = [p for p in content if p['type'] == 'text']
        yield {'role': m['role'], 'content': content}


# ---- HTTP ----

class Cut(Exception):
    pass


async def send_stream(writer, answer, parts):
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
                 b'Transfer-Encoding: chunked\r\n\r\n')
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode('utf-8', 'surrogatepass')
        writer.write(b'%x\r\n%s\r\n' % (len(data), data))
        await writer.drain()
        if answer.get('pause'):
            await asyncio.sleep(answer['pause'])
    if answer.get('cut'):
        await asyncio.sleep(answer.get('hang', 0))
        raise Cut
    writer.write(b'0\r\n\r\n')
    await writer.drain()


def send_whole(writer, status, body, headers=None):
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    head = ''.join(f'{k}: {v}\r\n' for k, v in (headers or {}).items())
    writer.write(f'HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{head}'
                 f'Content-Length: {len(data)}\r\n\r\n'.encode() + data)


def endless():
    while True:
        yield 'data: ' + json.dumps({'choices': [{'delta': {'content': 'and so on ' * 1000}}]}) + '\n\n'


async def respond(writer, path, body, answer):
    if answer.get('delay'):
        await asyncio.sleep(answer['delay'])
    is_anthropic = path.endswith('/messages')
    if 'status' in answer:
        send_whole(writer, answer['status'], answer.get('body', {}), answer.get('headers'))
    elif 'raw64' in answer:
        await send_stream(writer, answer, [base64.b64decode(answer['raw64'])])
    elif 'raw' in answer:
        await send_stream(writer, answer, [answer['raw']] if answer['raw'] else [])
    elif answer.get('endless'):
        await send_stream(writer, answer, endless())
    elif answer.get('whole'):
        send_whole(writer, 200, openai_whole(answer))
    else:
        await send_stream(writer, answer, (anthropic_stream if is_anthropic else openai_stream)(answer))


async def serve_one(reader, writer):
    head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1').split('\r\n')
    headers = {k.strip().lower(): v.strip() for k, v in (h.split(':', 1) for h in head[1:] if ':' in h)}
    if headers.get('expect'):
        writer.write(b'HTTP/1.1 100 Continue\r\n\r\n')
    body = json.loads(await reader.readexactly(int(headers.get('content-length') or 0)) or b'{}')
    path = head[0].split(' ')[1]
    log.write(json.dumps({'path': path, 'headers': headers, 'body': body}) + '\n')
    log.flush()
    messages = list(anthropic_messages(body)) if path.endswith('/messages') else body.get('messages', [])
    await respond(writer, path, body, choose(messages))


async def serve(reader, writer):
    try:
        while True:
            await serve_one(reader, writer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, Cut):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0, limit=1 << 26, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
