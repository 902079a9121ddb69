# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Makes payloads for t/12-canonical-differential.t, the same ones each time.

    canonical_docs.py FOLDER COUNT

writes into FOLDER, one payload a line:
    payload.in              objects in any legal spelling
    payload.A .B .C .ANNOUNCE   what Python signs of each
"""
import json
import random
import struct
import sys

from json_docs import CHARS, LONE, spell_text

COMPACT = (',', ':')
POOL = 3000
KEYS = ('prompt', 'to', 'timestamp', 'type', 'nonce', 'args', 'a', 'B', '', 'é',
        '0', '9', '10', '01', '-1', '1.5', '4294967294', '4294967295', ' ', '!')
NUMBERS = ('0', '-0', '0.0', '-0.0', '1E2', '1e-7', '1e21', '1e16', '1.10',
           '123456789012345680000', '1e+05', '0.1e1', '9007199254740993',
           '5e-324', '1.7976931348623157e308', '2.2250738585072014E-308')


def made_text(rnd):
    chars = rnd.choice((CHARS, 'abcdefgh', 'abc \u4f60\u597d', CHARS + LONE))
    text = ''.join(rnd.choices(chars, k=rnd.choice((0, 1, 2, 3, 8, 17, 40))))
    # Two lone halves that meet are one character once they are encoded.
    return text.encode('utf-16', 'surrogatepass').decode('utf-16',
                                                         'surrogatepass')


def made_double(rnd):
    """Any finite double, powers of two and their neighbours more often."""
    bits = rnd.getrandbits(64)
    if rnd.random() < .3:
        bits = (bits >> 52 << 52) + rnd.choice((-1, 0, 0, 1)) & (1 << 64) - 1
    value = struct.unpack('<d', struct.pack('<Q', bits))[0]
    return value if value - value == 0 else 0.5


def spell_number(rnd):
    kind = rnd.random()
    if kind < .3:
        return str(rnd.randint(-10, 1702234567))
    if kind < .4:
        return str(rnd.randint(-10**30, 10**30))
    if kind < .5:
        return rnd.choice(NUMBERS)
    if kind < .7:
        return repr(rnd.randint(0, 10**13) / 1000)
    if kind < .85:
        return repr(made_double(rnd))
    return '%.*e' % (rnd.randint(0, 20), made_double(rnd) / 2)


class Maker:
    """Random payloads as text, from strings that were made once."""

    def __init__(self, seed):
        self.random = rnd = random.Random(seed)
        texts = [made_text(rnd) for _ in range(POOL)]
        self.texts = [spell_text(text, rnd) for text in texts]
        self.keys = [(key, spell_text(key, rnd))
                     for key in list(KEYS) * 40 + texts]

    def value(self, depth):
        kind = self.random.random()
        if depth and kind < .25:
            return self.object(depth - 1)
        if depth and kind < .35:
            n = self.random.randrange(4)
            return '[' + ','.join(self.value(depth - 1) for _ in range(n)) + ']'
        if kind < .65:
            return self.random.choice(self.texts)
        if kind < .75:
            return self.random.choice(('true', 'false', 'null'))
        return spell_number(self.random)

    def object(self, depth):
        members = dict(self.random.choices(self.keys,
                                           k=self.random.randrange(6)))
        space = self.random.choice(('', '', ' '))
        return '{' + (',' + space).join(
            key + ':' + space + self.value(depth)
            for key in members.values()) + '}'


def utf8(text):
    """A lone surrogate has no UTF-8; JavaScript writes it as an escape."""
    return ''.join('\\u%04x' % ord(c) if '\ud800' <= c <= '\udfff' else c
                   for c in text) if not text.isascii() else text


def main(folder, count):
    maker = Maker(23)
    lines = [maker.object(3) for _ in range(count)]
    forms = {name: [] for name in ('in', 'A', 'B', 'C', 'ANNOUNCE')}
    for line in lines:
        value = json.loads(line)
        top = {key: value[key] for key in sorted(value)}
        forms['in'].append(line)
        forms['A'].append(json.dumps(value, sort_keys=True, separators=COMPACT))
        forms['B'].append(utf8(json.dumps(
            value, sort_keys=True, separators=COMPACT, ensure_ascii=False)))
        forms['C'].append(utf8(json.dumps(
            top, separators=COMPACT, ensure_ascii=False)))
        forms['ANNOUNCE'].append(json.dumps(value, sort_keys=True))
    for name, texts in forms.items():
        path = folder + '/payload.' + name
        with open(path, 'w', encoding='utf-8', newline='\n') as f:
            f.writelines(text + '\n' for text in texts)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
