"""What the trail holds, read from its segments, and when that became durable."""
import json
import os
import pathlib
import re
import struct

from .agent import BenchError

HEADER_BYTES = 64
RECORD = struct.Struct("<II")
TRACING = pathlib.Path("/sys/kernel/tracing")


def segments(trail_dir):
    """Segment files of the newest epoch, oldest first."""
    epochs = sorted(pathlib.Path(trail_dir).glob("epoch-[0-9]*[0-9]"))
    if not epochs:
        raise BenchError(f"no trail in {trail_dir}")
    return sorted((epochs[-1] / "segments").glob("*.seg"))


def entries(path, offset=HEADER_BYTES):
    """(end offset, bytes) of each whole record of a segment from an offset on."""
    with open(path, "rb") as file:
        file.seek(offset)
        data = file.read()
    at = 0
    while at + RECORD.size <= len(data):
        size, _ = RECORD.unpack_from(data, at)
        if size == 0 or at + RECORD.size + size > len(data):
            break
        at += RECORD.size + size
        yield offset + at, data[at - size:at]


def events_with(trail_dir, kind, token):
    """[(segment, end offset, entry)] of the events of a kind with an argument TOKEN-<number>."""
    needle, quoted = f'"{token}-'.encode(), f'"kind":"{kind}"'.encode()
    return [(path, end, json.loads(entry)) for path in segments(trail_dir)
            for end, entry in entries(path) if needle in entry and quoted in entry]


def exec_numbers(trail_dir, token):
    """The different numbers of the successful execs with an argument TOKEN-<number>."""
    numbers = set()
    for _, _, entry in events_with(trail_dir, "exec", token):
        if entry.get("result", 0) >= 0:
            numbers.update(int(text.rpartition("-")[2]) for text in entry["process"]["args"]
                           if text.startswith(f"{token}-"))
    return numbers


class SyncTrace:
    """Records when a process writes and syncs, by the kernel's own tracepoints and boot clock."""

    CALLS = ("pwrite64", "fdatasync")

    def __init__(self, pid):
        self.pid = pid
        self.instance = TRACING / "instances" / f"cofferdam_bench_{os.getpid()}"

    def __enter__(self):
        if not (TRACING / "events/syscalls/sys_enter_fdatasync").is_dir():
            raise BenchError("tracefs with system call tracepoints is not mounted")
        self.instance.mkdir()
        self._write("trace_clock", "boot")
        self._write("buffer_size_kb", "8192")
        threads = " || ".join(f"common_pid == {task}" for task in os.listdir(
            f"/proc/{self.pid}/task"))
        for call in self.CALLS:
            for side in ("enter", "exit"):
                self._write(f"events/syscalls/sys_{side}_{call}/filter", threads)
                self._write(f"events/syscalls/sys_{side}_{call}/enable", "1")
        return self

    def __exit__(self, *_):
        self._write("events/enable", "0")
        self.instance.rmdir()

    def _write(self, name, text):
        (self.instance / name).write_text(text, encoding="ascii")

    def descriptors(self, path):
        """Descriptors under which the traced process holds a file: one to write, some to read."""
        folder = f"/proc/{self.pid}/fd"
        return {int(name) for name in os.listdir(folder)
                if os.readlink(f"{folder}/{name}") == str(path)}

    def calls(self):
        """[(name, descriptor, end offset of a write, begin s, end s)] in order of their ends."""
        line = re.compile(r"-(\d+)\s+\[\d+\].*?\s(\d+\.\d+): sys_(pwrite64|fdatasync)(.*)")
        begun, done = {}, []
        for text in (self.instance / "trace").read_text(encoding="utf-8",
                                                        errors="replace").splitlines():
            found = line.search(text)
            if not found:
                continue
            thread, when, name, rest = found.groups()
            if rest.startswith("("):
                values = dict(re.findall(r"(\w+): ([0-9a-fx]+)", rest))
                begun[thread] = (name, int(values["fd"], 16), int(values.get("pos", "0"), 16),
                                 float(when))
            elif thread in begun and begun[thread][0] == name:
                _, descriptor, position, begin = begun.pop(thread)
                result = int(rest.split("->")[1].strip(), 16)
                if result < 1 << 62:  # not an error
                    done.append((name, descriptor, position + result, begin, float(when)))
        return done

    def latencies_ms(self, trail_dir, token):
        """Milliseconds from each exec with the token, as the kernel timed it, to the end of the
        first fdatasync that began after its entry was written whole."""
        newest = segments(trail_dir)[-1]
        descriptors = self.descriptors(newest)
        calls = [call for call in self.calls() if call[1] in descriptors]
        writes = [call for call in calls if call[0] == "pwrite64"]
        syncs = [call for call in calls if call[0] == "fdatasync"]
        found = []
        for path, end, entry in events_with(trail_dir, "exec", token):
            if path != newest:
                raise BenchError("the trail began a new segment meanwhile; measure again")
            written = next((call[4] for call in writes if call[2] >= end), None)
            synced = next((call[4] for call in syncs if written and call[3] >= written), None)
            if synced is None:
                raise BenchError("an entry was never synced")
            found.append(synced * 1e3 - entry["boot"] / 1e6)
        return found
