"""Write the small ROOT files that the readers are tested with; needs ROOT 6.36 or newer.

``python make_root_files.py FOLDER [LAYOUT ...]``; every layout is one file, or several whose names
begin with its name. What they hold stands in ``tests/root_content.py``.
"""

import sys
from array import array
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
import ROOT
from root_content import (
    CANDIDATES,
    EVENT_ID,
    EVENT_NAMES,
    MET,
    N_EVENTS,
    TABLE,
    rows,
)
from root_writer import WIDTH, Writer, declare, fill_objects, opened, plain


def containers(path: Path, reals: str, integers: str) -> None:
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""), "")
    writer.event()
    writer.met()
    for name in CANDIDATES:
        writer.container(name, integers if name in ("pdgId", "charge") else reals)
    writer.fill()
    file.Write()
    file.Close()


def fixed(path: Path) -> None:
    """Every candidate property has WIDTH slots; a counter says how many are filled."""
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""))
    writer.event()
    writer.met()
    for name in CANDIDATES:
        writer.counted(name, "I" if name in ("pdgId", "charge") else "F", str(WIDTH))
    writer.fill()
    file.Write()
    file.Close()


def scalars(path: Path, **options: str) -> None:
    """Single numbers as arrays of one, event numbers as doubles."""
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""))
    writer.event(options.get("event", "DDD"))
    writer.met(options.get("met", "F"), options.get("dimension", "[1]"))
    writer.candidates()
    writer.fill()
    file.Write()
    file.Close()


def short_branch(path: Path) -> None:
    """A branch that was not filled for the last two events."""
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""))
    writer.event()
    writer.met()
    writer.candidates()
    writer.fill()
    late = array("f", [0])
    branch = writer.tree.Branch("L1PFMet_pt", late, "L1PFMet_pt/F")
    writer.tree.Branch("L1PFMet_phi", late, "L1PFMet_phi/F")
    for _ in range(N_EVENTS - 2):
        branch.Fill()
    for _ in range(N_EVENTS):
        writer.tree.GetBranch("L1PFMet_phi").Fill()
    file.Write()
    file.Close()


def offset_map(path: Path) -> None:
    file = opened(path)
    tree = ROOT.TTree("Events", "")
    features = ROOT.ROOT.TIOFeatures()
    features.Set("kGenerateOffsetMap")
    tree.SetIOFeatures(features)
    writer = Writer(tree)
    writer.event()
    writer.met()
    writer.candidates()
    writer.fill()
    file.Write()
    file.Close()


def cycles(path: Path) -> None:
    """The tree as it was after half of the events, and the whole one."""
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""))
    writer.event()
    writer.met()
    writer.candidates()
    writer.fill(0, 6)
    writer.tree.Write()
    writer.fill(6)
    writer.tree.Write()
    file.Close()


def merged(path: Path) -> None:
    """Two files of half the events each, put together as hadd does."""
    halves = [path.with_name(f"half{number}.root") for number in (0, 1)]
    for number, half in enumerate(halves):
        file = opened(half)
        writer = Writer(ROOT.TTree("Events", ""))
        writer.event()
        writer.met()
        writer.candidates()
        writer.fill(6 * number, 6 * number + 6)
        file.Write()
        file.Close()
    merger = ROOT.TFileMerger(False)
    merger.OutputFile(str(path), "RECREATE", 509)
    for half in halves:
        merger.AddFile(str(half))
    merger.Merge()
    for half in halves:
        half.unlink()


def friend(path: Path, other: Path | None = None, *, index: bool = False) -> None:
    """The generator's MET in a tree of its own, tied to the events as a friend."""
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""))
    writer.event()
    writer.candidates()
    writer.fill()
    apart = file if other is None else opened(other)
    apart.cd()
    truth = Writer(ROOT.TTree("Truth", ""), "")
    if index:
        truth.event()
    truth.met()
    truth.fill()
    if index:
        truth.tree.BuildIndex("event")
    if other is None:
        writer.tree.AddFriend(truth.tree)
    else:
        truth.tree.Write()
        writer.tree.AddFriend("Truth", other.name)
    file.cd()
    writer.tree.Write()
    if other is None:
        truth.tree.Write()
    else:
        apart.Close()
    file.Close()


def split_objects(path: Path) -> None:
    """Objects of a class of a user's, their members in branches of their own."""
    declare(path.parent)
    file = opened(path)
    tree = ROOT.TTree("Events", "")
    writer = Writer(tree, "")
    writer.event()
    candidates = ROOT.std.vector["TestCandidate"]()
    met = ROOT.TestMet()
    tree.Branch(TABLE, candidates, 32000, 99)
    tree.Branch("genMet.", met, 32000, 99)
    for event in range(N_EVENTS):
        fill_objects(candidates, event)
        met.pt, met.phi = MET["genMet_pt"][event].item(), MET["genMet_phi"][event].item()
        writer.fill(event, event + 1)
    file.Write()
    file.Close()


def leaf_list(path: Path) -> None:
    """The MET as one branch of two leaves."""
    file = opened(path)
    writer = Writer(ROOT.TTree("Events", ""))
    writer.event()
    writer.candidates()
    pair = array("f", [0, 0])
    writer.tree.Branch("genMet", pair, "pt/F:phi/F")
    for event in range(N_EVENTS):
        pair[0], pair[1] = MET["genMet_pt"][event], MET["genMet_phi"][event]
        writer.fill(event, event + 1)
    file.Write()
    file.Close()


def rntuple(path: Path, reals: str = "float", integers: str = "short") -> None:
    """An RNTuple of two clusters with a vector per property, or one vector of objects."""
    model = ROOT.RNTupleModel.Create()
    whole = zip(EVENT_NAMES, ("std::uint32_t", "std::uint32_t", "std::uint64_t"), strict=True)
    for name, kind in (*whole, *((name, "float") for name in MET)):
        ROOT.AddField(model, name, kind)
    if reals == "objects":
        declare(path.parent)
        ROOT.AddField(model, TABLE, "std::vector<TestCandidate>")
    else:
        for name in CANDIDATES:
            kind = integers if name in ("pdgId", "charge") else reals
            if kind == "half":
                ROOT.AddHalf(model, f"{TABLE}_{name}")
            else:
                ROOT.AddField(model, f"{TABLE}_{name}", f"std::vector<{kind}>")
    options = ROOT.RNTupleWriteOptions()
    options.SetCompression(509)
    writer = ROOT.RNTupleWriter.Recreate(model, "Events", str(path), options)
    for event in range(N_EVENTS):
        writer.Fill(filled(writer.CreateEntry(), event, reals == "objects"))
        if event == N_EVENTS // 2 - 1:
            writer.CommitCluster()
    del writer


def rntuple_from_tree(path: Path, *, imported: bool) -> None:
    """A tree that ROOT itself made an RNTuple of."""
    source = path.with_suffix(".tmp")
    plain(source)
    if imported:
        importer = ROOT.Experimental.RNTupleImporter.Create(str(source), "Events", str(path))
        importer.SetIsQuiet(True)
        importer.Import()
    else:
        options = ROOT.RDF.RSnapshotOptions()
        options.fOutputFormat = ROOT.RDF.ESnapshotOutputFormat.kRNTuple
        ROOT.RDataFrame("Events", str(source)).Snapshot("Events", str(path), "", options)
    source.unlink()


def rntuple_late(path: Path) -> None:
    """A field that was added after the first cluster."""
    ROOT.WriteLate(str(path), [f"{TABLE}_{name}" for name in CANDIDATES])


def filled(entry: object, event: int, objects: bool) -> object:
    for column, name in enumerate(EVENT_NAMES):
        entry[name] = EVENT_ID[event, column].item()
    for name, values in MET.items():
        entry[name] = values[event].item()
    if objects:
        fill_objects(entry[TABLE], event)
        return entry
    for name, values in CANDIDATES.items():
        holder = entry[f"{TABLE}_{name}"]
        holder.clear()
        for value in values[rows(event)].tolist():
            ROOT.Push(holder, value)
    return entry


def variations(path: Path) -> None:
    """A snapshot of an RDataFrame that keeps what its variations select."""
    plain(path.with_suffix(".tmp"))
    frame = ROOT.RDataFrame("Events", str(path.with_suffix(".tmp")))
    varied = "ROOT::RVecF{genMet_pt - 20, genMet_pt + 20}"
    frame = frame.Vary("genMet_pt", varied, ["down", "up"]).Filter("genMet_pt > 50")
    options = ROOT.RDF.RSnapshotOptions()
    options.fIncludeVariations = True
    names = [f"{TABLE}_{name}" for name in CANDIDATES] + ["genMet_pt", "genMet_phi"]
    frame.Snapshot("Events", str(path), names, options)
    path.with_suffix(".tmp").unlink()


PACKED = {"pt": "d[0,4096,24]", "eta": "d[-10,10,20]", "phi": "f[-3.2,3.2,20]"}
PACKED |= {"puppiWeight": "f[0,1,16]"}
CUT = {"pt": "f[0,0,14]", "eta": "f[0,0,13]", "phi": "f[0,0,14]", "puppiWeight": "f"}
NAMED = {"pt": "d", "eta": "d[-pi,pi]", "phi": "d[-twopi,twopi,30]", "puppiWeight": "d[0,0,12]"}
LAYOUTS: dict[str, Callable[[Path], None]] = {
    **{
        f"counter_{code}": lambda path, code=code, leaf=leaf: plain(
            path, counter=code, pdgId=leaf, charge="L" if leaf == "D" else "S"
        )
        for code, leaf in zip("IiLlSsBb", "ILSIDFLS", strict=True)
    },
    "doubles": lambda path: plain(path, **dict.fromkeys(CANDIDATES, "D")),
    "baskets": lambda path: plain(path, flush=5, **PACKED),
    "packed": lambda path: plain(path, **PACKED),
    "packed_doubles": lambda path: plain(path, **NAMED),
    "packed_floats": lambda path: plain(path, **CUT),
    "packed_met": lambda path: scalars(path, event="iil", met="d[-4,1020,32]", dimension=""),
    "double_met": lambda path: scalars(path, event="iil", met="d", dimension=""),
    "half_met": lambda path: scalars(path, event="iil", met="f", dimension=""),
    "vector": lambda path: containers(path, "std::vector<float>", "std::vector<int>"),
    "rvec": lambda path: containers(path, "ROOT::VecOps::RVec<float>", "ROOT::VecOps::RVec<short>"),
    "list": lambda path: containers(path, "std::list<float>", "std::list<int>"),
    "vector_double32": lambda path: containers(path, "std::vector<Double32_t>", "std::vector<int>"),
    "vector_float16": lambda path: containers(path, "std::vector<Float16_t>", "std::vector<int>"),
    "deque": lambda path: containers(path, "std::deque<float>", "std::vector<int>"),
    "fixed": fixed,
    "scalars": scalars,
    "short_branch": short_branch,
    "offset_map": offset_map,
    "compression_301": lambda path: plain(path, 301),
    "cycles": cycles,
    "merged": merged,
    "friend": friend,
    "friend_apart": lambda path: friend(path, path.with_name("friend_apart_truth.root")),
    "friend_index": lambda path: friend(path, index=True),
    "split_objects": split_objects,
    "leaf_list": leaf_list,
    "variations": variations,
    "rntuple": rntuple,
    "rntuple_half": lambda path: rntuple(path, "half"),
    "rntuple_objects": lambda path: rntuple(path, "objects"),
    "rntuple_imported": lambda path: rntuple_from_tree(path, imported=True),
    "rntuple_snapshot": lambda path: rntuple_from_tree(path, imported=False),
    "rntuple_late": rntuple_late,
    "rntuple_variant": lambda path: rntuple(path, integers="std::variant<short,float>"),
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or LAYOUTS:
        LAYOUTS[name](folder / f"{name}.root")


if __name__ == "__main__":
    main()
