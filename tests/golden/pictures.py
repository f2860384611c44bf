#!/usr/bin/env python3
"""Writes the PNG files in tests/golden/pictures/, which the picture tests read. Needs nothing but Python.

A pixel of the 24 x 16 pattern is (10 x, 15 y, 128), grey is 10 x. The two JPEG files hold the first; libjpeg-turbo 2.1.5 wrote
them at quality 95 without chroma subsampling, one of them in progressive scans.
"""
import pathlib
import struct
import zlib

OUT = pathlib.Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 24, 16


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(bits, color, rows, before_data=b"", size=(WIDTH, HEIGHT)):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, color, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows), 9))
    return b"\x89PNG\r\n\x1a\n" + header + before_data + data + chunk(b"IEND", b"")


def rows(pixel):
    return [b"".join(bytes(pixel(x, y)) for x in range(WIDTH)) for y in range(HEIGHT)]


def write(name, content):
    (OUT / name).write_bytes(content)


if __name__ == "__main__":
    write("rgb.png", png(8, 2, rows(lambda x, y: (10 * x, 15 * y, 128))))
    write("grey.png", png(8, 0, rows(lambda x, y: (10 * x,))))
    write("grey16.png", png(16, 0, rows(lambda x, y: (10 * x, 10 * x))))  # 10 x times 257
    write("half_transparent.png", png(8, 6, rows(lambda x, y: (10 * x, 15 * y, 128, 255 if x < 12 else 0))))
    write("one_bit.png", png(1, 0, [bytes([0b10110000, 0, 0xFF])] * HEIGHT))
    palette = chunk(b"PLTE", bytes([1, 2, 3, 250, 100, 50]))
    write("palette.png", png(8, 3, rows(lambda x, y: (x % 2,)), palette))
