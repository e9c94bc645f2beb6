#!/usr/bin/env python3
"""from_onnx_check.py MODEL.onnx IMAGES.h5: the network that jobs/pytorch/from_onnx.py makes of a model gives the logits that its
nodes give one by one."""
import pathlib
import sys

import h5py
import onnx
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "jobs" / "pytorch"))
import from_onnx
from onnx_check import run

network, mean, std, _ = from_onnx.load(sys.argv[1])
with h5py.File(sys.argv[2]) as file:
    images = file["images"][:].astype("float32") / 255
mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (mean, std))
network.eval()
with torch.no_grad():
    logits = network((torch.tensor(images) - mean) / std)
expected, = run(onnx.load(sys.argv[1]).graph, images)
difference = (logits - expected).abs().max().item()
assert difference < 1e-4, difference
