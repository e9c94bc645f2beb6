#!/usr/bin/env python3
"""own_space_check.py REPORT.json WINNER.onnx FOLDER SAID: the classes of the winner of docs/own-space.md, by its module in PyTorch and
by its file in onnxruntime where that is installed, on the test images in FOLDER. As many are right as the report says, and as SAID by
predict.py; but for images whose two largest logits differ by less than 1e-4, one in a thousand at most."""
import json
import sys

import export_pool
import mobile_space
import numpy as np
import torch
import train_cell

report, winner, folder, said = sys.argv[1:]
network, mean, std = export_pool.load(mobile_space.build, mobile_space.choices, winner)
images, labels = train_cell.read_files([f"{folder}/t10k-images-idx3-ubyte.gz", f"{folder}/t10k-labels-idx1-ubyte.gz"])
images = images.astype(np.float32) / 255
mean, std = (np.array(numbers, np.float32).reshape(1, -1, 1, 1) for numbers in (mean, std))
network.eval()
with torch.no_grad():
    logits = torch.cat([network(part) for part in torch.tensor((images - mean) / std).split(500)]).numpy()
classes = logits.argmax(1)
largest = np.sort(logits, 1)[:, -2:]
close = largest[:, 1] - largest[:, 0] < 1e-4
right = int((classes == labels).sum())
of_report = json.load(open(report))["repeats"][0]["best"]["target"] * len(labels) / 100
print(f"{len(labels)} images: {of_report:.2f} right by the report, {right} in PyTorch; {close.sum()} undecided")
assert close.sum() <= len(labels) / 1000
assert abs(of_report - round(of_report)) < 1e-6 and abs(round(of_report) - right) <= close.sum()
assert said.endswith(f" of {len(labels)} right") and abs(int(said.split()[0]) - right) <= close.sum(), said

try:
    import onnxruntime
except ImportError:
    print("SKIPPED: the winner's file in onnxruntime: it is not installed")
    sys.exit()
session = onnxruntime.InferenceSession(winner)
name = session.get_inputs()[0].name
others = np.concatenate([session.run(None, {name: part})[0] for part in np.array_split(images, 20)])
differ = (others.argmax(1) != classes) & ~close
print(f"onnxruntime: logits within {np.abs(others - logits).max():.1e} of PyTorch's, {differ.sum()} classes differ")
assert not differ.any()
