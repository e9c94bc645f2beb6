#!/usr/bin/env python3
"""idx.py FILE SIDE N: N gray images of SIDE x SIDE in the form of MNIST, FILE and FILE.labels."""
import random
import struct
import sys

path, side, n_images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
draw = random.Random(side)
with open(path, "wb") as file:
    file.write(struct.pack(">IIII", 0x803, n_images, side, side) + draw.randbytes(n_images * side * side))
with open(path + ".labels", "wb") as file:
    file.write(struct.pack(">II", 0x801, n_images) + bytes(i % 10 for i in range(n_images)))
