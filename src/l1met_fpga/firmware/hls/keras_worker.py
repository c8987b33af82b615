"""A process of a converted Keras model: events in one file, outputs in another.

Run as a script with the standard library alone. Arguments: library, function, number of events,
numbers per event of each input and of each output (joined by commas), file of the inputs (doubles,
one input after the other), file to write (the outputs likewise).
"""

import ctypes
import sys
from pathlib import Path


def main() -> None:
    """Run every event through the library's function."""
    library, function, n_events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sizes_in, sizes_out = ([int(n) for n in text.split(",")] for text in sys.argv[4:6])
    inputs = [(ctypes.c_double * (n_events * size))() for size in sizes_in]
    with Path(sys.argv[6]).open("rb") as file:
        for array in inputs:
            file.readinto(array)
    outputs = [(ctypes.c_double * (n_events * size))() for size in sizes_out]
    run = getattr(ctypes.CDLL(library), function)
    run.restype = None
    arrays = list(zip([*inputs, *outputs], [*sizes_in, *sizes_out], strict=True))
    for event in range(n_events):
        run(*(ctypes.byref(array, 8 * size * event) for array, size in arrays))
    with Path(sys.argv[7]).open("wb") as file:
        file.writelines(outputs)


if __name__ == "__main__":
    main()
