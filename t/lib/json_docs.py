# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Makes JSON documents for t/12-json-differential.t, the same ones each time.

    json_docs.py FOLDER

writes into FOLDER, one document a line:
    python.in, python.ascii, python.utf8   as Python spells them, canonical forms
    mixed.in, mixed.ascii, mixed.utf8      the same with other escapes and spaces
    bad.in, bad.out                        damaged texts, Python's verdict on each
    script.in                              documents a JavaScript engine reads alike
"""
import json
import random
import sys

DOCUMENTS = 8000
DAMAGED = 8000

CHARS = ('abcZ09 "\\/\b\f\n\r\t\x00\x1f\x7f\x80\u00e9\u07ff\u0800\ud7ff\ue000'
         '\ufffd\uffff\u2028\U00010000\U0001f600\U0010ffff')
LONE = '\ud800\udbff\udc00\udfff'
COMPACT = (',', ':')


class Maker:
    """Random values; for_script leaves out what JavaScript spells otherwise."""

    def __init__(self, seed, for_script):
        self.random = random.Random(seed)
        self.for_script = for_script

    def text(self):
        n = self.random.choice((0, 1, 1, 2, 3, 5, 8, 9, 17, 40))
        chars = self.random.choice((CHARS, CHARS, 'abcdefgh', CHARS + LONE))
        made = ''.join(self.random.choice(chars) for _ in range(n))
        # Two lone halves that meet are one character once they are encoded.
        return made.encode('utf-16', 'surrogatepass').decode('utf-16',
                                                             'surrogatepass')

    def key(self):
        # JavaScript puts keys that look like numbers first, whatever one sorts.
        return ('k' if self.for_script else '') + self.text()

    def number(self):
        if self.for_script:
            most = self.random.choice((10, 2**31, 2**53 - 1))
            return self.random.randint(-most, most)
        return self.random.choice((
            self.random.randint(-10, 10), self.random.randint(-10**30, 10**30),
            self.random.random(), self.random.uniform(-1e22, 1e22), 1e16,
            1e-7, 5e-324, 1.7976931348623157e308, -0.0, 1.0, 0.1 + 0.2))

    def value(self, depth):
        kind = self.random.random()
        if depth and kind < .35:
            n = self.random.choice((0, 1, 2, 3, 5, 8))
            return {self.key(): self.value(depth - 1) for _ in range(n)}
        if depth and kind < .5:
            n = self.random.choice((0, 1, 2, 5))
            return [self.value(depth - 1) for _ in range(n)]
        if kind < .75:
            return self.text()
        if kind < .85:
            return self.random.choice((True, False, None))
        return self.number()

    def document(self):
        if self.random.random() < .01:  # more members than fit on a stack
            return {self.key(): i for i in range(100)}
        return self.value(4)


def spell_text(text, rnd):
    """A JSON string, each character plain or escaped in one of the legal ways."""
    out = []
    for c in text:
        short = {'"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b',
                 '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'}.get(c)
        must = ord(c) < 32 or c in '"\\' or '\ud800' <= c <= '\udfff'
        if short and rnd.random() < .5:
            out.append(short)
        elif must or rnd.random() < .2:
            units = c.encode('utf-16-be', 'surrogatepass')
            for i in range(0, len(units), 2):
                digits = units[i:i + 2].hex()
                out.append('\\u' + rnd.choice((digits, digits.upper())))
        else:
            out.append(c)
    return '"' + ''.join(out) + '"'


def spell(value, rnd):
    """The document in any legal spelling; numbers and words as Python's."""
    def space():
        return rnd.choice(('', '', '', ' ', '\t', ' \r  '))

    if isinstance(value, str):
        body = spell_text(value, rnd)
    elif isinstance(value, list):
        body = '[' + ','.join(spell(v, rnd) for v in value) + space() + ']'
    elif isinstance(value, dict):
        body = '{' + ','.join(
            space() + spell_text(k, rnd) + space() + ':' + spell(v, rnd)
            for k, v in value.items()) + space() + '}'
    else:
        body = json.dumps(value)
    return space() + body + space()


def canonical(value, ascii_only):
    text = json.dumps(value, sort_keys=True, separators=COMPACT,
                      ensure_ascii=ascii_only)
    if ascii_only:
        return text
    # A lone surrogate has no UTF-8; it stays an escape.
    return ''.join('\\u%04x' % ord(c) if '\ud800' <= c <= '\udfff' else c
                   for c in text)


def damage(text, rnd):
    """Cut, drop, double or replace something."""
    for _ in range(rnd.choice((1, 1, 2))):
        at = rnd.randrange(len(text) + 1)
        kind = rnd.randrange(4)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[:at] + text[at + 1:]
        elif kind == 2:
            text = text[:at] + text[at:at + 2] + text[at:]
        else:
            text = text[:at] + rnd.choice('{}[]",:\\ux0e-.t \té') + text[at + 1:]
    return text


def refuse_constant(name):
    raise ValueError(name)


def words(error):
    """Python 3.13 names a trailing comma; the versions before, what is behind it."""
    if not error.msg.startswith('Illegal trailing comma'):
        return str(error)
    bracket = error.pos + 1
    while error.doc[bracket] in ' \t\r\n':
        bracket += 1
    msg = 'Expecting value'
    if error.doc[bracket] == '}':
        msg = 'Expecting property name enclosed in double quotes'
    return str(json.JSONDecodeError(msg, error.doc, bracket))


def verdict(text):
    """What json.loads says, or None where this parser differs on purpose."""
    try:
        json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        return 'ERR ' + words(error)
    except ValueError:
        return None
    return 'fine'


def write(folder, name, lines):
    with open(folder + '/' + name, 'w', encoding='utf-8', newline='\n') as f:
        f.writelines(line + '\n' for line in lines)


def main(folder):
    rnd = random.Random(11)
    maker = Maker(7, False)
    documents = [maker.document() for _ in range(DOCUMENTS)]
    write(folder, 'python.in', (json.dumps(d) for d in documents))
    mixed = [spell(d, rnd) for d in documents]
    write(folder, 'mixed.in', mixed)
    for name in 'python', 'mixed':
        write(folder, name + '.ascii', (canonical(d, True) for d in documents))
        write(folder, name + '.utf8', (canonical(d, False) for d in documents))

    texts = (damage(rnd.choice(mixed)[:300], rnd) for _ in range(DAMAGED))
    judged = [(t, verdict(t)) for t in texts]
    judged = [(t, v) for t, v in judged if v]
    write(folder, 'bad.in', (t for t, _ in judged))
    write(folder, 'bad.out', (v for _, v in judged))

    script = Maker(13, True)
    write(folder, 'script.in',
          (json.dumps(script.document()) for _ in range(DOCUMENTS)))


if __name__ == '__main__':
    main(sys.argv[1])
