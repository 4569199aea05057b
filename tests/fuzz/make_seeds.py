"""Writes the seeds of the targets that read binary files, into seeds/ beside this file: needs PyTorch and h5py.

The others are written by hand.
"""

import io
import json
import pathlib
import pickle
import struct
import zipfile

import h5py
import numpy
import torch

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"
WEIGHTS = {"conv1.weight": torch.arange(6.0).view(2, 3), "fc.bias": torch.arange(3), "flag": torch.tensor([True, False])}


def write(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def safetensors(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def saved(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def hdf5(fill, **options):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        fill(file)
    return buffer.getvalue()


def image_set(file):
    pixels = numpy.arange(2 * 3 * 4 * 4, dtype=numpy.uint8).reshape(2, 3, 4, 4)
    file.create_dataset("images", data=pixels, chunks=(1, 3, 4, 4), compression="gzip", shuffle=True, fletcher32=True)
    file["labels"] = numpy.array([1, 3], dtype=">i2")


def plain_set(file):
    file["images"] = numpy.linspace(0, 1, 2 * 3 * 4 * 4, dtype=numpy.float16).reshape(2, 3, 4, 4)
    file["labels"] = numpy.array([1, 3], dtype=numpy.uint8)
    file["group/more"] = numpy.zeros((2, 3, 4, 4))


def leading_out(file):
    file["images"] = h5py.ExternalLink("/etc/passwd", "/images")
    file["labels"] = h5py.SoftLink("/images")


def artifact(file):
    file.attrs["kind"] = "evaluation"
    file.attrs["count"] = 3
    file.attrs["share"] = 0.5
    file.create_dataset("labels", data=numpy.arange(3))
    file.create_dataset("state/conv1.weight", data=numpy.ones((2, 3), dtype=numpy.float32))
    file.create_dataset("success", data=numpy.ones(3, dtype=numpy.uint8))


two = {"b": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}, "__metadata__": {"format": "pt"},
       "a": {"dtype": "BOOL", "shape": [2], "data_offsets": [8, 10]}, "e": {"dtype": "I64", "shape": [0], "data_offsets": [10, 10]}}
write("safetensors", "two", safetensors(two, bytes(8) + b"\1\0"))
write("safetensors", "nothing", safetensors({}, b""))
write("pth", "zip", saved(WEIGHTS))
write("pth", "legacy", saved(WEIGHTS, _use_new_zipfile_serialization=False))
write("pth", "checkpoint", saved({"epoch": 3, "model": WEIGHTS, "rates": [0.5, None]}, pickle_protocol=4))
for protocol in (2, 4):
    with zipfile.ZipFile(io.BytesIO(saved(WEIGHTS, pickle_protocol=protocol))) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        # The file of the target has to have room for the storages.
        write("pickle", f"protocol{protocol}", archive.read(name) + bytes(64))
write("pickle", "call", pickle.dumps(print, protocol=2))
write("image_set", "chunked", hdf5(image_set))
write("image_set", "plain", hdf5(plain_set))
write("image_set", "latest", hdf5(image_set, libver="latest"))
write("image_set", "links", hdf5(leading_out))
write("artifact", "evaluation", hdf5(artifact, userblock_size=512))
