#!/usr/bin/env python3
"""class_folders.py FOLDER N SIDE SEED CLASS...: write N PNG images of SIDE x SIDE pixels into FOLDER/CLASS of every class, the
same for the same seed: every image is halfway between one of its class and noise."""
import os
import random
import struct
import sys
import zlib


def png(side, pixels):
    """A PNG of 8-bit RGB."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[y * side * 3:(y + 1) * side * 3] for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def main():
    folder, n_images, side, seed = sys.argv[1], *map(int, sys.argv[2:5])
    n_bytes = 3 * side * side
    draw = random.Random(seed)
    for name in sys.argv[5:]:
        typical = draw.randbytes(n_bytes)
        os.makedirs(os.path.join(folder, name))
        for i in range(n_images):
            pixels = bytes((a + b) // 2 for a, b in zip(typical, draw.randbytes(n_bytes)))
            with open(os.path.join(folder, name, f"{i:04}.png"), "wb") as file:
                file.write(png(side, pixels))


main()
