"""Damage to files, and what files hold that are whole."""
import hashlib
from pathlib import Path

import h5py

import statefile

CANDIDATE_MAGIC = b"ROBOTCAN"
BLOCK = 4096


def truncate(draw, image):
    return image[: draw.randrange(1, len(image))]


def flip(draw, image):
    at = draw.randrange(len(image))
    return image[:at] + bytes([image[at] ^ 1 << draw.randrange(8)]) + image[at + 1 :]


def zero_block(draw, image):
    at = draw.randrange(0, len(image), BLOCK)
    n = len(image[at : at + BLOCK])
    return image[:at] + bytes(n) + image[at + n :]


def empty(draw, image):
    return b""


def garbage(draw, image):
    return draw.randbytes(len(image))


def remove(draw, image):
    return None


WAYS = [truncate, flip, flip, zero_block, empty, garbage, remove]


def damage(draw, path):
    """Damage a file in a drawn way, whose name is returned."""
    image = path.read_bytes()
    while True:
        way = draw.choice(WAYS)
        damaged = way(draw, image)
        if damaged != image:
            break
    path.unlink() if damaged is None else path.write_bytes(damaged)
    return way.__name__


def is_whole(path):
    """Whether a checksummed file (common/state/checksummed.h) is what was written."""
    image = path.read_bytes()
    rest = image[: statefile.DIGEST.start] + image[statefile.END :]
    return len(image) > statefile.END and hashlib.sha256(rest).digest() == image[statefile.DIGEST]


def format_version(path):
    return int.from_bytes(path.read_bytes()[statefile.VERSION], "little")


def candidate_files(output):
    return sorted(Path(f"{output}.d").glob("*.h5"))


def done_candidates(output):
    """What is done by the files of candidates: {architecture: (path, inode, time of the last change)}."""
    done = {}
    for path in candidate_files(output):
        if not is_whole(path) or path.read_bytes()[:8] != CANDIDATE_MAGIC:
            continue
        with h5py.File(path, "r") as file:
            if file.attrs["done"]:
                arch = file.attrs["arch"]
                info = path.stat()
                done[arch.decode() if isinstance(arch, bytes) else arch] = (path, info.st_ino, info.st_mtime_ns)
    return done
