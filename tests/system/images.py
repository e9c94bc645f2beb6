#!/usr/bin/env python3
"""images.py FILE N SEED: write N images in the form of CIFAR-10, the same for the same seed: the classes take turns, and every
image is halfway between one of its class and noise."""
import random
import sys

N_PIXELS = 3 * 32 * 32
N_CLASSES = 10

path, n_images, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
draw = random.Random(seed)
typical = [draw.randbytes(N_PIXELS) for _ in range(N_CLASSES)]
with open(path, "wb") as file:
    for i in range(n_images):
        label = i % N_CLASSES
        noise = draw.randbytes(N_PIXELS)
        file.write(bytes([label]) + bytes((a + b) // 2 for a, b in zip(typical[label], noise)))
