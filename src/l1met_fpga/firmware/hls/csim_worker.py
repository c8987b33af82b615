"""A process of the C simulation: candidates on standard input, codes on standard output.

Run as a script with the standard library alone, so that it starts at once and a crash of the C++
ends only it. Arguments: library, function, number of events, bytes per event of each column,
outputs per event. Input: the columns one after the other (int16); output: codes (int64).
"""

import ctypes
import sys


def main() -> None:
    """Simulate what standard input holds."""
    library, function = sys.argv[1:3]
    n_events, n_outputs, *event_bytes = (int(text) for text in sys.argv[3:])
    columns = [sys.stdin.buffer.read(n_events * size) for size in event_bytes]
    codes = (ctypes.c_int64 * (n_events * n_outputs))()
    getattr(ctypes.CDLL(library), function)(ctypes.c_int64(n_events), *columns, codes)
    sys.stdout.buffer.write(codes)


if __name__ == "__main__":
    main()
