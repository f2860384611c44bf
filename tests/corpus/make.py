#!/usr/bin/env python3
"""Makes the malformed files in tests/corpus/{safetensors,npy,npz,idx,png,jpeg}/: every one must make its reader throw.

Needs nothing but Python. Each file has one defect, which its name tells.
"""
import gzip
import io
import json
import pathlib
import shutil
import struct
import warnings
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent


def write_all(folder, files):
    out = HERE / folder
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    for name, content in files.items():
        (out / name).write_bytes(content)


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def make_safetensors():
    one = '"dtype":"F32","shape":[1],"data_offsets":[0,4]'
    four = bytes(4)
    s = safetensors
    good = s({"a": entry()}, four)
    write_all("safetensors", {
        "empty": b"",
        "seven_bytes": bytes(7),
        "length_only": struct.pack("<Q", 2),
        "length_zero": struct.pack("<Q", 0),
        "length_past_end": s({"a": entry()}, four, length=1000),
        "length_over_limit": s({"a": entry()}, four, length=100_000_001),
        "length_huge": s({"a": entry()}, four, length=2**64 - 1),
        "length_short": s({"a": entry()}, four, length=20),
        "truncated_header": good[:30],
        "truncated_data": good[:-1],
        "data_left_over": good + b"\0",
        "starts_with_space": s(" {%s}" % f'"a":{{{one}}}', four),
        "starts_with_mark": s(b"\xef\xbb\xbf" + f'{{"a":{{{one}}}}}'.encode(), four),
        "zero_padding": s(f'{{"a":{{{one}}}}}\0\0', four),
        "zero_hides_text": s(f'{{"a":{{{one}}}}}\0{{', four),
        "text_behind": s(f'{{"a":{{{one}}}}}x', four),
        "list_at_top": s("[1]"),
        "number_at_top": s("{1}"),
        "no_json": s("{" * 64),
        "deep_lists": s('{"a":{"shape":' + "[" * 5000),
        "deep_objects": s('{"a":' * 5000),
        "bad_utf8": s(b'{"\xff":{' + one.encode() + b"}}", four),
        "bad_escape": s(f'{{"\\ud800":{{{one}}}}}', four),
        "name_twice": s(f'{{"a":{{{one}}},"a":{{{one}}}}}', four),
        "field_twice": s(f'{{"a":{{{one},"dtype":"F32"}}}}', four),
        "metadata_twice": s('{"__metadata__":{},"__metadata__":{}}'),
        "metadata_key_twice": s('{"__metadata__":{"k":"v","k":"v"}}'),
        "metadata_number": s('{"__metadata__":{"k":1}}'),
        "metadata_object": s('{"__metadata__":{"k":{}}}'),
        "metadata_string": s('{"__metadata__":"x"}'),
        "metadata_null": s('{"__metadata__":null}'),
        "entry_empty": s('{"a":{}}'),
        "entry_list": s('{"a":[]}'),
        "entry_null": s('{"a":null}'),
        "no_dtype": s('{"a":{"shape":[1],"data_offsets":[0,4]}}', four),
        "no_shape": s('{"a":{"dtype":"F32","data_offsets":[0,4]}}', four),
        "no_offsets": s('{"a":{"dtype":"F32","shape":[1]}}', four),
        "unknown_field": s(f'{{"a":{{{one},"x":1}}}}', four),
        "unknown_dtype": s({"a": entry("F33")}, four),
        "dtype_number": s('{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}', four),
        "shape_string": s('{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}', four),
        "shape_negative": s({"a": entry(shape=[-1])}, four),
        "shape_fraction": s({"a": entry(shape=[1.0])}, four),
        "shape_past_u64": s({"a": entry(shape=[2**64])}, four),
        "shape_nested": s({"a": entry(shape=[[1]])}, four),
        "shape_true": s({"a": entry(shape=[True])}, four),
        "shape_overflows_to_fit": s({"a": entry(shape=[2**62 + 1])}, four),
        "shape_overflows_to_zero": s({"a": entry("U8", [2**32, 2**32], [0, 0])}),
        "shape_overflows_beside_zero": s({"a": entry(shape=[2**40, 2**40, 0], offsets=[0, 0])}),
        "shape_of_100": s({"a": entry(shape=[1] * 100)}, four),
        "span_too_short": s({"a": entry(shape=[2])}, four),
        "span_too_long": s({"a": entry(shape=[1], offsets=[0, 8])}, bytes(8)),
        "span_not_empty": s({"a": entry(shape=[0])}, four),
        "half_a_byte": s({"a": entry("F4", [1], [0, 0])}),
        "one_offset": s({"a": entry(offsets=[0])}, four),
        "three_offsets": s({"a": entry(offsets=[0, 4, 4])}, four),
        "offsets_reversed": s({"a": entry(offsets=[4, 0])}, four),
        "offset_negative": s({"a": entry(offsets=[-4, 0])}, four),
        "offset_past_end": s({"a": entry(offsets=[4, 8])}, four),
        "offset_huge": s({"a": entry(offsets=[2**64 - 4, 2**64])}, four),
        "offset_wraps": s({"a": entry(offsets=[2**64 - 4, 2**64 - 1])}, four),
        "gap_at_start": s({"a": entry(offsets=[4, 8])}, bytes(8)),
        "gap_between": s({"a": entry(), "b": entry(offsets=[8, 12])}, bytes(12)),
        "overlap": s({"a": entry(shape=[2], offsets=[0, 8]), "b": entry(shape=[2], offsets=[4, 12])}, bytes(12)),
        "same_span": s({"a": entry(), "b": entry()}, four),
        "empty_inside_another": s({"a": entry(), "b": entry(shape=[0], offsets=[2, 2])}, four),
        "no_tensor_for_data": s("{}", four),
        "seven_dimensions": s({"a": entry(shape=[1] * 7)}, four),
        "type_without_tensor": s({"a": entry("C64", offsets=[0, 8])}, bytes(8)),
        "i64_too_large": s({"a": entry("I64", offsets=[0, 8])}, struct.pack("<q", 2**31)),
        "i64_too_small": s({"a": entry("I64", offsets=[0, 8])}, struct.pack("<q", -2**31 - 1)),
        "bool_two": s({"a": entry("BOOL", offsets=[0, 1])}, b"\2"),
    })


def npy(descr="'<f4'", fortran="False", shape="(2,)", data=bytes(8), version=(1, 0), header=None, length=None):
    if header is None:
        header = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    text = header.encode("latin1") + b"\n"
    count = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", count) + text + data


def make_npy():
    good = npy()
    write_all("npy", {
        "empty": b"",
        "magic_only": good[:6],
        "no_length": good[:8],
        "other_magic": b"\x93NUMPX" + good[6:],
        "version_0": npy(version=(0, 0)),
        "version_4": npy(version=(4, 0)),
        "version_1_1": npy(version=(1, 1)),
        "truncated_header": good[:40],
        "truncated_data": good[:-1],
        "data_left_over": good + b"\0",
        "header_past_end": npy(length=60000),
        "header_over_limit": npy(version=(2, 0), length=2**32 - 1),
        "header_empty": npy(header="", length=0),
        "header_no_dictionary": npy(header="[]"),
        "header_open": npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (2,)"),
        "header_string_open": npy(header="{'descr': '<f4"),
        "header_call": npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': f(2)}"),
        "text_behind": npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x"),
        "key_twice": npy(header="{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"),
        "key_missing": npy(header="{'descr': '<f4', 'shape': (2,), }"),
        "key_unknown": npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}"),
        "no_commas": npy(header="{'descr': '<f4' 'fortran_order': False 'shape': (2,)}"),
        "descr_record": npy("[('x', '<f4')]"),
        "descr_object": npy("'|O'"),
        "descr_text": npy("'<U2'"),
        "descr_complex": npy("'<c8'"),
        "descr_i2": npy("'<i2'", data=bytes(4)),
        "descr_without_order": npy("'f4'"),
        "descr_order_unknown": npy("'|f4'"),
        "descr_empty": npy("''"),
        "descr_number": npy("4"),
        "fortran_word": npy(fortran="Falsch"),
        "fortran_number": npy(fortran="0"),
        "shape_number": npy(shape="2"),
        "shape_no_comma": npy(shape="(2)"),
        "shape_negative": npy(shape="(-2,)"),
        "shape_fraction": npy(shape="(2.0,)"),
        "shape_word": npy(shape="(two,)"),
        "shape_open": npy(shape="(2,"),
        "shape_comma_only": npy(shape="(,)"),
        "shape_overflows_to_fit": npy(shape=f"({2**62 + 2},)"),
        "shape_overflows_to_zero": npy(shape=f"({2**32}, {2**32})", data=b""),
        "shape_overflows_beside_zero": npy(shape=f"({2**40}, {2**40}, 0)", data=b""),
        "shape_of_30_digits": npy(shape=f"({10**30},)"),
        "shape_huge": npy(shape="(1000000000000,)"),
        "seven_dimensions": npy(shape="(1, 1, 1, 1, 1, 1, 2)"),
        "dimensions_100": npy(shape="(" + "1, " * 100 + ")"),
        "fortran_truncated": npy(fortran="True", shape="(2, 3)"),
        "i8_too_large": npy("'<i8'", data=struct.pack("<qq", 0, 2**31)),
        "i8_too_small_big_endian": npy("'>i8'", data=struct.pack(">qq", 0, -2**31 - 1)),
        "bool_two": npy("'|b1'", data=b"\1\2"),
    })


def archive(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as z:
        warnings.simplefilter("ignore")
        for name, content in members:
            z.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return out.getvalue()


def patched(content, mark, shift, value, size=2):
    """`content` with a number put `shift` bytes behind the last place of `mark`."""
    at = content.rindex(mark) + shift
    return content[:at] + value.to_bytes(size, "little") + content[at + size:]


def make_npz():
    local, central, end = b"PK\3\4", b"PK\1\2", b"PK\5\6"
    s = archive([("a.npy", npy())])
    d = archive([("a.npy", npy(shape="(200,)", data=bytes(800)))], zipfile.ZIP_DEFLATED)
    text = npy(shape="(200,)", data=bytes(800))
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = raw.compress(npy(shape="(1000000,)", data=bytes(4000000))) + raw.flush()

    def deflated(compressed, size, crc):
        """An archive of one member with the sizes and the check sum that it is told."""
        body = struct.pack("<HHHHHIII", 20, 0, 8, 0, 33, crc, len(compressed), size) + struct.pack("<HH", 5, 0)
        first = local + body + b"a.npy" + compressed
        entry = central + struct.pack("<H", 20) + body + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a.npy"
        tail = end + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(first), 0)
        return first + entry + tail

    zip64 = end + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, 2**63, 1)
    files = {
        "empty": b"",
        "no_archive": b"this is text, not an archive of anything",
        "npy_only": npy(),
        "end_truncated": s[:-1],
        "end_missing": s[:-22],
        "byte_behind_end": s + b"x",
        "comment_short": patched(s, end, 20, 5),
        "two_disks": patched(s, end, 4, 1),
        "count_zero": patched(s, end, 10, 0),
        "count_two": patched(s, end, 10, 2),
        "directory_size_short": patched(s, end, 12, 10, 4),
        "directory_size_long": patched(s, end, 12, 2**31, 4),
        "directory_offset_past_end": patched(s, end, 16, 2**31, 4),
        "directory_offset_zero": patched(s, end, 16, 0, 4),
        "zip64_without_locator": zip64,
        "zip64_locator_wild": locator + zip64,
        "zip64_record_missing": bytes(56) + b"PK\6\7" + struct.pack("<IQI", 0, 0, 1) + zip64,
        "zip64_directory_wild": b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, 2**64 - 46, 46)
        + b"PK\6\7" + struct.pack("<IQI", 0, 0, 1) + zip64,
        "entry_mark": patched(s, central, 0, 0),
        "name_past_end": patched(s, central, 28, 60000),
        "extra_past_end": patched(s, central, 30, 60000),
        "comment_past_end": patched(s, central, 32, 60000),
        "encrypted": patched(s, central, 8, 1),
        "method_unknown": patched(s, central, 10, 12),
        "stored_sizes_differ": patched(s, central, 24, 7, 4),
        "sizes_in_missing_zip64": patched(patched(s, central, 20, 0xFFFFFFFF, 4), central, 24, 0xFFFFFFFF, 4),
        "name_twice": archive([("a.npy", npy()), ("a.npy", npy())]),
        "member_offset_past_end": patched(s, central, 42, 2**31, 4),
        "member_offset_wrong": patched(s, central, 42, 3, 4),
        "member_name_differs": patched(s, local, 30, ord("b"), 1),
        "member_extra_past_end": patched(s, local, 28, 60000),
        "check_sum": patched(s, central, 16, 1, 4),
        "check_sum_deflated": patched(d, central, 16, 1, 4),
        "data_flipped": s.replace(bytes(8), b"\0\0\0\1\0\0\0\0"),
        "deflated_garbage": deflated(b"\xff" * 40, 100, 0),
        "deflated_truncated": deflated(bomb[:50], 4000128, 0),
        "deflated_size_small": patched(d, central, 24, 700, 4),
        "deflated_size_tiny": patched(d, central, 24, 4, 4),
        "deflated_size_large": patched(d, central, 24, 2000, 4),
        "deflated_size_bomb": patched(d, central, 24, 0xFFFFFFFE, 4),
        "deflated_holds_more": deflated(bomb, len(npy()), zlib.crc32(npy())),
        "deflated_bytes_behind": deflated(zlib.compress(text, 9, -15) + b"xx", len(text), zlib.crc32(text)),
        "array_not_npy": archive([("a.npy", b"no array here, but long enough")]),
        "array_empty": archive([("a.npy", b"")]),
        "array_truncated": archive([("a.npy", npy()[:-1])]),
        "array_truncated_deflated": archive([("a.npy", text[:-1])], zipfile.ZIP_DEFLATED),
        "array_header_wild": archive([("a.npy", npy(version=(2, 0), length=2**31))], zipfile.ZIP_DEFLATED),
        "array_shape_huge": archive([("a.npy", npy(shape="(1000000000000,)"))], zipfile.ZIP_DEFLATED),
    }
    write_all("npz", files)


def idx(code=8, sizes=(3,), data=bytes(3), rank=None):
    return bytes([0, 0, code, len(sizes) if rank is None else rank]) + struct.pack(f">{len(sizes)}I", *sizes) + data


def make_idx():
    def packed(content):
        return gzip.compress(content, mtime=0)

    good = packed(idx())
    long = packed(idx(sizes=[5000], data=bytes(5000)))
    write_all("idx", {
        "empty": b"",
        "three_bytes": bytes(3),
        "magic": b"\1" + idx()[1:],
        "magic_second": b"\0\1" + idx()[2:],
        "type_0": idx(0),
        "type_i8": idx(9),
        "type_255": idx(255),
        "rank_0": idx(sizes=[], data=b"\0"),
        "rank_7": idx(sizes=[1] * 7, data=b"\0"),
        "rank_255": idx(rank=255),
        "sizes_truncated": idx(rank=2, data=b""),
        "truncated": idx()[:-1],
        "left_over": idx() + b"\0",
        "truncated_f64": idx(14, [2], bytes(15)),
        "size_huge": idx(sizes=[2**32 - 1]),
        "sizes_overflow_to_zero": idx(sizes=[2**31, 2**31, 4], data=b""),
        "sizes_overflow_beside_zero": idx(sizes=[2**31, 2**31, 2**31, 0], data=b""),
        "sizes_overflow_to_fit": idx(sizes=[2**31, 2**31, 2**31], data=b""),
        "gz_empty": good[:2],
        "gz_of_nothing": packed(b""),
        "gz_header_only": good[:10],
        "gz_truncated": good[:-9],
        "gz_no_check_sum": good[:-8],
        "gz_check_sum": good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
        "gz_length": good[:-1] + b"\1",
        "gz_method": good[:2] + b"\7" + good[3:],
        "gz_garbage": good[:10] + b"\xff" * 40,
        "gz_data_flipped": long[:20] + bytes([long[20] ^ 0x55]) + long[21:],
        "gz_text_behind": good + b"text",
        "gz_left_over": packed(idx() + b"\0"),
        "gz_left_over_long": packed(idx() + bytes(1000)),
        "gz_left_over_member": good + packed(b"\0"),
        "gz_too_short": packed(idx()[:-1]),
        "gz_size_huge": packed(idx(sizes=[2**32 - 1])),
        "gz_sizes_overflow": packed(idx(sizes=[2**31, 2**31, 2**31])),
        "gz_type": packed(idx(9)),
    })


def png(width=2, height=2, bits=8, color=0, data=b"\0\1\2\0\3\4", palette=None, interlace=0):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlace)),
            b"" if palette is None else chunk(b"PLTE", palette), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]


def make_png():
    magic, header, _, data, end = png()
    good = b"".join(png())
    joined = b"".join
    write_all("png", {
        "empty": b"",
        "text": b"this is no picture",
        "magic_only": magic,
        "magic_wrong": b"\x89PNG\n\n\x1a\n" + good[8:],
        "gif": b"GIF89a" + bytes(20),
        "header_cut": good[:20],
        "header_missing": magic + data + end,
        "header_check_sum": good[:29] + bytes([good[29] ^ 1]) + good[30:],
        "header_length_huge": magic + b"\xff\xff\xff\xff" + header[4:] + data + end,
        "data_missing": magic + header + end,
        "data_cut": good[:-12 - len(data) // 2],
        "data_length_huge": magic + header + b"\x7f\xff\xff\xff" + data[4:] + end,
        "data_check_sum": magic + header + data[:-1] + bytes([data[-1] ^ 1]) + end,
        "data_short": joined(png(data=b"\0\1\2")),
        "data_garbage": magic + header + struct.pack(">I", 9) + b"IDATgarbage!!" + struct.pack(">I", zlib.crc32(b"IDATgarbage!!")) + end,
        "width_zero": joined(png(width=0)),
        "height_zero": joined(png(height=0)),
        "size_huge": joined(png(width=2**31 - 1, height=2**31 - 1)),
        "size_past_limit": joined(png(width=60000, height=60000)),
        "size_past_data": joined(png(width=1000, height=1000)),
        "size_negative": joined(png(width=2**32 - 1)),
        "bits_3": joined(png(bits=3)),
        "bits_color_mismatch": joined(png(bits=4, color=2)),
        "color_1": joined(png(color=1)),
        "filter_9": joined(png(data=b"\x09\1\2\x09\3\4")),
        "interlace_2": joined(png(interlace=2)),
        "palette_missing": joined(png(color=3)),
        "palette_length": joined(png(color=3, palette=b"\1\2\3\4")),
        "palette_behind": magic + png(color=3)[1] + data + png(palette=b"\1\2\3")[2] + end,
    })


def make_jpeg():
    good = (HERE.parent / "golden/pictures/baseline.jpg").read_bytes()
    progressive = (HERE.parent / "golden/pictures/progressive.jpg").read_bytes()
    frame, huffman, table, scan = (good.index(bytes([0xFF, m])) for m in (0xC0, 0xC4, 0xDB, 0xDA))

    def with_size(height, width):
        return good[:frame + 5] + struct.pack(">HH", height, width) + good[frame + 9:]

    def without(at):
        length = int.from_bytes(good[at + 2:at + 4], "big")
        return good[:at] + good[at + 2 + length:]

    write_all("jpeg", {
        "magic_only": good[:3],
        "start_only": good[:2],
        "two_starts": good[:2] + good,
        "end_at_once": b"\xff\xd8\xff\xd9",
        "tables_only": good[:frame] + b"\xff\xd9",
        "frame_cut": good[:frame + 8],
        "frame_length": good[:frame + 2] + b"\0\2" + good[frame + 4:],
        "frame_twice": good[:scan] + good[frame:scan] + good[scan:],
        "frame_missing": without(frame),
        "frame_lossless": good[:frame + 1] + b"\xc3" + good[frame + 2:],
        "precision_12": good[:frame + 4] + b"\x0c" + good[frame + 5:],
        "components_0": good[:frame + 9] + b"\0" + good[frame + 10:],
        "components_4": good[:frame + 2] + b"\0\x14" + good[frame + 4:frame + 9] + b"\4" + good[frame + 10:frame + 19] +
                        b"\4\x11\0" + good[frame + 19:],
        "sampling_zero": good[:frame + 11] + b"\0" + good[frame + 12:],
        "height_zero": with_size(0, 24),
        "width_zero": with_size(16, 0),
        "size_past_data": with_size(16, 2000),
        "size_past_limit": with_size(65000, 65000),
        "size_huge": with_size(65535, 65535),
        "huffman_counts": good[:huffman + 5] + b"\xff" * 16 + good[huffman + 21:],
        "quantization_missing": without(table),
        "scan_missing": good[:scan] + b"\xff\xd9",
        "scan_cut": good[:scan + 6],
        "scan_component": good[:scan + 5] + b"\x09" + good[scan + 6:],
        "data_missing": good[:scan + 14] + b"\xff\xd9",
        "data_cut": good[:-40],
        "data_garbage": good[:scan + 14] + b"\xff\0" * 100 + b"\xff\xd9",
        "end_missing": good[:-2],
        "progressive_cut": progressive[:len(progressive) // 2],
        "progressive_end_early": progressive[:progressive.index(b"\xff\xda") + 10] + b"\xff\xd9",
    })


make_safetensors()
make_npy()
make_npz()
make_idx()
make_png()
make_jpeg()
