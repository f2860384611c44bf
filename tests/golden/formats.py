#!/usr/bin/env python3
"""Writes the files in tests/golden/formats/, which the format tests read.

Needs numpy and safetensors: python3 -m venv v && v/bin/pip install numpy safetensors && v/bin/python formats.py
The tests know the values: element i of an array of type T is value(T, i).
"""
import gzip
import io
import json
import pathlib
import struct
import zipfile

import numpy as np
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).parent / "formats"


def array(dtype, shape):
    i = np.arange(int(np.prod(shape, dtype=np.int64)))
    kind = np.dtype(dtype).kind
    if kind == "f":
        flat = (i - 5) * 0.125
    elif kind == "b":
        flat = i % 3 == 0
    elif np.dtype(dtype).itemsize == 1:
        flat = (7 * i) % 251
    else:
        flat = (i - 3) * 1000003
    return flat.astype(dtype).reshape(shape)


def write(name, content):
    (OUT / name).write_bytes(content)


def npy(a, **options):
    out = io.BytesIO()
    np.lib.format.write_array(out, a, **options)
    return out.getvalue()


def safetensors():
    tensors = {
        "f32": array("<f4", (2, 3)),
        "f64": array("<f8", (4,)),
        "f16": array("<f2", (3, 2)),
        "i32": array("<i4", (5,)),
        "i64": array("<i8", (2, 2)),
        "u8": array("u1", (3, 3)),
        "bool": array("?", (7,)),
        "scalar": array("<f4", ()),
        "empty": array("<f4", (0, 3)),
        "i16": array("<i4", (4,)).astype("<i2"),  # of no type that Fovea has
    }
    save_file(tensors, OUT / "numpy.safetensors", metadata={"format": "np", "author": "Zoë \"Z\""})

    (OUT / "numpy.safetensors").chmod(0o644)

    # By hand: bf16, which numpy lacks, behind one byte that misaligns it, in a header that nobody padded.
    bf16 = (array("<f4", (6,)).view("<u4") >> 16).astype("<u2").tobytes()
    header = {
        "odd": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "bf16": {"dtype": "BF16", "shape": [6], "data_offsets": [1, 13]},
        "f32": {"dtype": "F32", "shape": [2, 2], "data_offsets": [13, 29]},
        "seven": {"dtype": "U8", "shape": [1] * 7, "data_offsets": [29, 30]},
        "f8": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [30, 32]},
    }
    text = json.dumps(header).encode()
    data = b"\x07" + bf16 + array("<f4", (2, 2)).tobytes() + b"\x00" + b"\x00\x00"
    write("misaligned.safetensors", struct.pack("<Q", len(text)) + text + data)


def numpy_files():
    for dtype in ("<f4", "<f8", "<f2", "<i4", "<i8", "u1", "?", ">f4", ">f8", ">f2", ">i4", ">i8"):
        order = "big_" if dtype[0] == ">" else ""
        write(f"{order}{np.dtype(dtype).name}.npy", npy(array(dtype, (2, 3, 4))))
    write("fortran.npy", npy(np.asfortranarray(array("<f4", (2, 3, 4)))))
    write("fortran_big_f16.npy", npy(np.asfortranarray(array(">f2", (3, 2)))))
    write("scalar.npy", npy(array("<f8", ())))
    write("vector.npy", npy(array("<f4", (5,))))
    write("empty.npy", npy(array("<i4", (2, 0, 3))))
    write("version2.npy", npy(array("<f4", (2, 2)), version=(2, 0)))
    write("version3.npy", npy(array("<f4", (2, 2)), version=(3, 0)))

    arrays = {"weights": array("<f4", (4, 5)), "labels": array("<i8", (6,)), "ä/b": array("u1", (2, 2))}
    np.savez(OUT / "stored.npz", **arrays)
    np.savez_compressed(OUT / "deflated.npz", **arrays, long=np.zeros(20000, "<f4"))

    class Stream(io.RawIOBase):  # cannot seek back, so that sizes come behind the data
        def __init__(self):
            self.content = b""

        def writable(self):
            return True

        def write(self, b):
            self.content += bytes(b)
            return len(b)

    def archive(out, **options):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for name, a in arrays.items():
                with z.open(zipfile.ZipInfo(name + ".npy"), "w", **options) as f:
                    f.write(npy(a))
            z.writestr("readme.txt", "no array")
            z.comment = b"a comment"

    stream = Stream()
    archive(stream)
    write("streamed.npz", stream.content)
    zipfile.ZIP64_LIMIT = 10
    zip64 = io.BytesIO()
    archive(zip64, force_zip64=True)
    write("zip64.npz", zip64.getvalue())


def idx(code, dtype, shape):
    sizes = struct.pack(f">{len(shape)}I", *shape)
    return bytes([0, 0, code, len(shape)]) + sizes + array(dtype, shape).tobytes()


def idx_files():
    write("u8.idx", idx(8, "u1", (3, 2, 2)))
    write("i32.idx", idx(12, ">i4", (5,)))
    write("f32.idx", idx(13, ">f4", (2, 3)))
    write("f64.idx.gz", gzip.compress(idx(14, ">f8", (2, 3)), mtime=0))
    long = idx(8, "u1", (100, 7))
    write("u8.idx.gz", gzip.compress(long[:300], mtime=0) + gzip.compress(long[300:], mtime=0) + bytes(9))


OUT.mkdir(exist_ok=True)
safetensors()
numpy_files()
idx_files()
