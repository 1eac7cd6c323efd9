#!/usr/bin/env python3
"""Makes a NAND dump of flash content: adds spare bytes with error correcting codes, then flips bits and marks blocks.

A second writer, which shares no code and no method with the reader: generator polynomials from minimal polynomials by
linear algebra, remainders by long division of big numbers, Hamming codes bit by bit.

nand_oob.py SCHEME IN OUT [flip=EVERY] [break=PAGE,…] [bad=BLOCK,…]; prints how many bits were flipped where.
"""
import sys

# page, spare, bytes a code word, (m, t, primitive polynomial) or None for Hamming
SCHEMES = {
    "hamming-small": (512, 16, 256, None),
    "hamming": (2048, 64, 256, None),
    "hamming-512": (4096, 128, 512, None),
    "bch4": (2048, 64, 512, (13, 4, 0x201B)),
    "bch8": (2048, 64, 512, (13, 8, 0x201B)),
    "bch8-4k": (4096, 224, 512, (13, 8, 0x201B)),
    "bch8-1k": (4096, 128, 1024, (14, 8, 0x402B)),
    "omap8": (2048, 64, 512, (13, 8, 0x201B)),
    "pmecc4": (2048, 64, 512, (13, 4, 0x201B)),
    "broadcom4": (2048, 64, 512, (13, 4, 0x201B)),
    "broadcom4-14": (2048, 64, 512, (14, 4, 0x5803)),
    "allwinner16": (4096, 128, 1024, (14, 16, 0x5803)),
    "bch24-16k": (16384, 1280, 1024, (14, 24, 0x402B)),
    "qualcomm8": (2048, 128, 512, (13, 8, 0x201B)),
    "blank": (2048, 64, 512, None),
}


def minimal_polynomial(power, m, primitive):
    """Of a^power: the first of its powers that the lower ones sum to."""

    def times(a, b):
        out = 0
        while b:
            if b & 1:
                out ^= a
            b >>= 1
            a <<= 1
            if a >> m:
                a ^= primitive
        return out

    beta = 1
    for _ in range(power):
        beta = times(beta, 2)
    rows, value = [], 1  # (vector, combination of powers)
    for degree in range(m + 1):
        vector, combination = value, 1 << degree
        for other, other_combination in rows:
            if vector ^ other < vector:
                vector, combination = vector ^ other, combination ^ other_combination
        if vector == 0:
            return combination
        rows.append((vector, combination))
        rows.sort(reverse=True)
        value = times(value, beta)


def generator(m, t, primitive):
    factors = {minimal_polynomial(i, m, primitive) for i in range(1, 2 * t, 2)}
    product = 1
    for f in factors:
        out = 0
        for bit in range(f.bit_length()):
            if f >> bit & 1:
                out ^= product << bit
        product = out
    return product


class Bch:
    def __init__(self, m, t, primitive):
        self.g = generator(m, t, primitive)
        self.bits = self.g.bit_length() - 1
        self.bytes = (self.bits + 7) // 8
        self.steps = [self.divide(byte << self.bits) for byte in range(256)]

    def divide(self, number):
        while number.bit_length() > self.bits:
            number ^= self.g << (number.bit_length() - self.bits - 1)
        return number

    def remainder(self, message, nibble=None):
        r, mask = 0, (1 << self.bits) - 1
        for byte in message:
            r = (r << 8 & mask) ^ self.steps[r >> (self.bits - 8) ^ byte]
        if nibble is not None:
            r = self.divide((r << 4) ^ (nibble << self.bits))
        return r

    def code(self, message):
        return (self.remainder(message) << (8 * self.bytes - self.bits)).to_bytes(self.bytes, "big")


def turned(data):
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def hamming(message):
    lines, columns = [0] * 18, [0] * 6
    for at, byte in enumerate(message):
        if bin(byte).count("1") & 1:
            for k in range(9):
                lines[2 * k + (at >> k & 1)] ^= 1
        for bit in range(8):
            if byte >> bit & 1:
                for k in range(3):
                    columns[2 * k + (bit >> k & 1)] ^= 1
    number = lambda bits: sum(bit << i for i, bit in enumerate(bits))
    wide = number(lines[16:]) if len(message) == 512 else 0
    return bytes(x ^ 0xFF for x in (number(lines[8:16]), number(lines[:8]), number(columns) << 2 | wide))


def page_of(scheme, data, code):
    """A page with spare bytes, and per code word the places of all its bytes."""
    page, spare, step, _ = SCHEMES[scheme]
    raw = bytearray(data + b"\xff" * spare)
    steps = page // step
    words = [list(range(s * step, (s + 1) * step)) for s in range(steps)]
    if scheme == "blank":
        return raw, []
    if scheme == "qualcomm8":
        return qualcomm(data, code)
    for s in range(steps):
        part = bytes(data[s * step : (s + 1) * step])
        if scheme == "hamming-small":
            places, bytes_ = [[512, 513, 514], [515, 518, 519]][s], hamming(part)
        elif scheme.startswith("hamming"):
            places, bytes_ = [page + {64: 40, 128: 80}[spare] + 3 * s + i for i in range(3)], hamming(part)
        elif scheme.startswith("broadcom"):
            slice_, odd = page + 16 * s, scheme == "broadcom4"
            covered = part + bytes(raw[slice_ : slice_ + 9])
            words[s] += range(slice_, slice_ + 9)
            places = list(range(slice_ + 9, slice_ + 16))
            r = code.remainder(covered, 0xF if odd else None)
            bytes_ = (r | (0xF << code.bits if odd else 0)).to_bytes(7, "big")
        elif scheme == "allwinner16":
            at = page + 32 * s
            words[s] += range(at, at + 4)
            places = list(range(at + 4, at + 32))
            bytes_ = turned(code.code(turned(part + bytes(raw[at : at + 4]))))
        elif scheme == "pmecc4":
            places, bytes_ = [page + 36 + 7 * s + i for i in range(7)], turned(code.code(turned(part)))
        elif scheme == "omap8":
            places, bytes_ = [page + 2 + 14 * s + i for i in range(13)], code.code(part)
        else:  # as Linux's software does: at the end, erased flash is a code word
            mask = code.code(b"\xff" * step)
            first = page + spare - steps * code.bytes + s * code.bytes
            places = list(range(first, first + code.bytes))
            bytes_ = bytes(a ^ b ^ 0xFF for a, b in zip(code.code(part), mask))
        for place, byte in zip(places, bytes_):
            raw[place] = byte
        words[s] += places
    return raw, words


def qualcomm(data, code):
    raw, words, at = bytearray(b"\xff" * 2176), [], 0
    for w in range(4):
        base, first = 532 * w, 2048 - 3 * 532
        size = 516 if w < 3 else 500
        part = bytes(data[at : at + size]) + b"\xff" * (516 - size)
        at += size
        raw[base : base + first] = part[:first]
        raw[base + first + 1 : base + 517] = part[first:]
        raw[base + 517 : base + 530] = code.code(part)
        words.append([base + i for i in range(530) if i != first])
    return raw, words


def main():
    scheme, source, target, *rest = sys.argv[1:]
    options = dict(option.split("=") for option in rest)
    numbers = lambda name: [int(x) for x in options.get(name, "").split(",") if x]
    page, spare, _, shape = SCHEMES[scheme]
    code = Bch(*shape) if shape else None
    strength = shape[1] if shape else 1
    every, broken, bad = int(options.get("flip", "0")), numbers("break"), numbers("bad")
    per_block = {512: 32}.get(page, 64)
    content = open(source, "rb").read()
    content += b"\xff" * (-len(content) % (page * per_block))
    out, flipped, pages, state = bytearray(), 0, 0, 1
    for number in range(len(content) // page):
        data = content[number * page : (number + 1) * page]
        if number // per_block in bad:
            out += b"\0" * (page + spare)
            continue
        if data == b"\xff" * page:
            out += b"\xff" * (page + spare)
            continue
        raw, words = page_of(scheme, data, code)
        flips = []
        if every and words and number % every == 0:
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            flips = [(state >> 8) % len(words)] * (1 + (state >> 16) % strength)
            flipped, pages = flipped + len(flips), pages + 1
        if number in broken:
            flips = [0] * (strength + (3 if shape else 1))
        seen = set()
        for word in flips:
            while True:
                state = state * 1103515245 + 12345 & 0x7FFFFFFF
                place, bit = words[word][(state >> 8) % len(words[word])], state >> 27 & 7
                if (place, bit) not in seen and not (code and place in words[word][-1:]):
                    break
            seen.add((place, bit))
            raw[place] ^= 1 << bit
        out += raw
    open(target, "wb").write(out)
    print(f"{flipped} in {pages} pages")


main()
