"""What every file of :mod:`make_root_files` is written with: plain branches, and classes of a user's."""

import functools
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ROOT
from root_content import CANDIDATES, COUNTS, EVENT_ID, EVENT_NAMES, MET, N_EVENTS, TABLE, rows

WIDTH = 8
"""Slots of a fixed array."""
CODES = {"F": "f", "D": "d", "f": "f", "d": "d", "I": "i", "i": "I", "L": "q", "l": "Q"}
CODES |= {"S": "h", "s": "H", "B": "b", "b": "B"}
ROOT.gErrorIgnoreLevel = ROOT.kError
ROOT.gInterpreter.Declare("""
#include <deque>
#include <list>
#include <variant>
#include "ROOT/RField.hxx"
#include "ROOT/RNTupleModel.hxx"
#include "ROOT/RNTupleWriter.hxx"
#include "ROOT/RVec.hxx"

void AddHalf(ROOT::RNTupleModel &model, const std::string &name) {
  auto field = std::make_unique<ROOT::RField<std::vector<float>>>(name);
  dynamic_cast<ROOT::RField<float> &>(*field->GetMutableSubfields()[0]).SetHalfPrecision();
  model.AddField(std::move(field));
}
void AddField(ROOT::RNTupleModel &model, const std::string &name, const std::string &type) {
  model.AddField(ROOT::RFieldBase::Create(name, type).Unwrap());
}
void WriteLate(const std::string &path, const std::vector<std::string> &names) {
  auto model = ROOT::RNTupleModel::Create();
  for (auto &name : names) model->MakeField<std::vector<float>>(name);
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path);
  writer->Fill();
  writer->CommitCluster();
  auto updater = writer->CreateModelUpdater();
  updater->BeginUpdate();
  auto met = updater->MakeField<float>("genMet_pt");
  updater->MakeField<float>("genMet_phi");
  updater->CommitUpdate();
  *met = 50;
  writer->Fill();
}
template <typename T> void Push(std::vector<T> &values, double value) { values.push_back(value); }
void Push(std::vector<std::variant<short, float>> &values, double value) {
  values.emplace_back(static_cast<short>(value));
}
""")


def opened(path: Path, compression: int = 509) -> "ROOT.TFile":
    return ROOT.TFile(str(path), "RECREATE", "", compression)


class Writer:
    """A tree of plain branches, filled event by event from what the branches stand for."""

    def __init__(self, tree: "ROOT.TTree", counter: str = "I") -> None:
        self.tree = tree
        self._fill: list[Callable[[int], None]] = []
        if counter:
            self.scalar(f"n{TABLE}", counter, COUNTS)

    def scalar(self, name: str, leaf: str, values: np.ndarray, dimension: str = "") -> None:
        buffer = array(CODES[leaf[0]], [0])
        self.tree.Branch(name, buffer, f"{name}{dimension}/{leaf}")
        self._fill.append(lambda event: buffer.__setitem__(0, values[event].item()))

    def counted(self, name: str, leaf: str, dimension: str | None = None) -> None:
        values, code = CANDIDATES[name], CODES[leaf[0]]
        buffer = array(code, [0] * WIDTH)
        size = f"n{TABLE}" if dimension is None else dimension
        self.tree.Branch(f"{TABLE}_{name}", buffer, f"{TABLE}_{name}[{size}]/{leaf}")

        def fill(event: int) -> None:
            # What lies behind the last candidate must not matter.
            chosen = values[rows(event)].tolist() + [77] * WIDTH
            for slot in range(WIDTH):
                buffer[slot] = chosen[slot] if code in "fd" else int(chosen[slot])

        self._fill.append(fill)

    def container(self, name: str, kind: str) -> None:
        values, holder = CANDIDATES[name], made(kind)
        self.tree.Branch(f"{TABLE}_{name}", holder)

        def fill(event: int) -> None:
            holder.clear()
            for value in values[rows(event)].tolist():
                holder.push_back(value)

        self._fill.append(fill)

    def event(self, leaves: str = "iil") -> None:
        for column, (name, leaf) in enumerate(zip(EVENT_NAMES, leaves, strict=True)):
            self.scalar(name, leaf, EVENT_ID[:, column])

    def met(self, leaf: str = "F", dimension: str = "") -> None:
        for name, values in MET.items():
            self.scalar(name, leaf, values, dimension)

    def candidates(self, **leaves: str) -> None:
        usual = dict.fromkeys(CANDIDATES, "F") | {"pdgId": "I", "charge": "B"}
        for name, leaf in (usual | leaves).items():
            self.counted(name, leaf)

    def fill(self, first: int = 0, last: int = N_EVENTS) -> None:
        for event in range(first, last):
            for fill in self._fill:
                fill(event)
            self.tree.Fill()


def made(kind: str) -> object:
    """Return an object of a template like ``std::vector<float>``."""
    name, inner = kind.rstrip(">").split("<", 1)
    template = ROOT
    for part in name.split("::"):
        template = getattr(template, part)
    return template[inner]()


def plain(
    path: Path, compression: int = 509, *, counter: str = "I", flush: int = 0, **leaves: str
) -> None:
    file = opened(path, compression)
    writer = Writer(ROOT.TTree("Events", ""), counter)
    if flush:
        writer.tree.SetAutoFlush(flush)  # events per compressed block
    writer.event()
    writer.met()
    writer.candidates(**leaves)
    writer.fill()
    file.Write()
    file.Close()


@functools.cache
def declare(folder: Path) -> None:
    """Compile classes of a user's."""
    source = folder / "test_classes.h"
    source.write_text(
        "#pragma once\n#include <vector>\n"
        "struct TestCandidate {\n"
        "  float pt, phi, puppiWeight;\n  int pdgId;\n  short charge;\n"
        "  Double32_t eta; //[-4,4,24]\n};\n"
        "struct TestMet { float pt; Double32_t phi; //[-4,4,32]\n};\n"
        "#ifdef __ROOTCLING__\n#pragma link C++ class TestCandidate+;\n"
        "#pragma link C++ class std::vector<TestCandidate>+;\n"
        "#pragma link C++ class TestMet+;\n#endif\n"
    )
    ROOT.gROOT.ProcessLine(f".L {source}+")


def fill_objects(objects: object, event: int) -> None:
    objects.clear()
    for number in range(*rows(event).indices(len(CANDIDATES["pt"]))):
        one = ROOT.TestCandidate()
        for name, values in CANDIDATES.items():
            setattr(one, name, values[number].item())
        objects.push_back(one)
