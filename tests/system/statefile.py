#!/usr/bin/env python3
"""Damage a state file on purpose, for the tests of what is refused.

  statefile.py flip FILE BIT          flip one bit, counted from the start of the file
  statefile.py version FILE NUMBER    another format version; the digest is made to match
  statefile.py edit FILE STATEMENT    run STATEMENT on `f`, the file opened by h5py; size and digest are made to match

The user block is described in common/state/statefile_internal.h.
"""
import hashlib
import sys

VERSION, SIZE, DIGEST, END = slice(8, 16), slice(16, 24), slice(480, 512), 512


def checksum(image):
    """Make size and digest match the rest of the image."""
    image[SIZE] = len(image).to_bytes(8, "little")
    image[DIGEST] = hashlib.sha256(image[: DIGEST.start] + image[END:]).digest()


def read(path):
    with open(path, "rb") as file:
        return bytearray(file.read())


def write(path, image):
    with open(path, "wb") as file:
        file.write(image)


def flip(path, bit):
    image = read(path)
    image[int(bit) // 8] ^= 1 << (int(bit) % 8)
    write(path, image)


def version(path, number):
    image = read(path)
    image[VERSION] = int(number).to_bytes(8, "little")
    checksum(image)
    write(path, image)


def edit(path, statement):
    import h5py

    with h5py.File(path, "r+") as f:
        exec(statement, {"f": f})
    image = read(path)
    checksum(image)
    write(path, image)


if __name__ == "__main__":
    {"flip": flip, "version": version, "edit": edit}[sys.argv[1]](*sys.argv[2:])
