"""Prints the scalars of the event files in a folder as JSON: {tag: [[step, value], ...]}.

    read_events.py framing FOLDER      own reader of records and messages; a torn last record is skipped
    read_events.py tensorboard FOLDER  TensorBoard's EventAccumulator; exits with 77 where it is not installed

Values that are not finite are texts: "nan", "inf", "-inf".
"""

import json
import math
import pathlib
import struct
import sys

SKIPPED = 77


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    while len(data) >= 12:
        length, check = struct.unpack_from("<QI", data)
        assert check == masked(data[:8]), "CRC of a length"
        if len(data) < 16 + length:
            break
        event = data[12 : 12 + length]
        assert struct.unpack_from("<I", data, 12 + length)[0] == masked(event), "CRC of a record"
        yield event
        data = data[16 + length :]


def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return number, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif kind == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            assert kind == 2, f"wire type {kind}"
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size, "a message ends too early"
        yield key >> 3, value


def own_scalars(folder):
    scalars = {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        events = [dict(fields(event)) for event in records(path.read_bytes())]
        assert events[0][3] == b"brain.Event:2", "the first record gives the version"
        for event in events[1:]:
            assert event[1] > 0, "wall time"
            step = event[2] - (1 << 64 if event[2] >> 63 else 0)
            for _, value in fields(event[5]):
                value = dict(fields(value))
                scalars.setdefault(value[1].decode(), []).append([step, value[2]])
    return scalars


def tensorboard_scalars(folder):
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        sys.exit(SKIPPED)
    accumulator = EventAccumulator(folder)
    accumulator.Reload()
    return {
        tag: [[event.step, event.value] for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def main():
    reader = {"framing": own_scalars, "tensorboard": tensorboard_scalars}[sys.argv[1]]
    scalars = reader(sys.argv[2])
    shown = {
        tag: [[step, value if math.isfinite(value) else str(value)] for step, value in points]
        for tag, points in scalars.items()
    }
    print(json.dumps(shown))


if __name__ == "__main__":
    main()
