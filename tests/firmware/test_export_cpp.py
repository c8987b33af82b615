"""The exported C++ header against the int64 reference, and as a user compiles it."""

import shutil
import subprocess
from pathlib import Path

import networks
import numpy as np
import pytest
from met_head import met_codes, met_words
from require import require
from rtl_designs import N_SLOTS, random_candidates, small_network

from l1met_fpga.errors import ConversionError, DataError, ToolError, ToolMissingError
from l1met_fpga.firmware.export.cpp import build_command, cpp_files, export_cpp
from l1met_fpga.firmware.export.cpp_form import CppForm
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import Head
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.words import pack, unpack

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(autouse=True)
def _compiler():
    require("g++", shutil.which("g++") is not None, install="install GCC 10 or newer")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return tmp_path_factory.mktemp("libraries")


def assert_same(network, form, candidates):
    codes, words = form.predict(candidates)
    expected = met_codes(network, candidates)
    assert np.count_nonzero(codes["met"] != expected) == 0
    assert np.count_nonzero(words != met_words(network, expected)) == 0


@pytest.mark.parametrize("name", ["deepset", "deepmet", "garnet"])
def test_shipped_networks_agree_on_stress_events(name, libraries, rng):
    network = Network.load(MODELS / name / "network.json")
    events = stress_events(rng, n_random=300)
    assert len(events["pt"]) > 600
    assert_same(network, CppForm.compiled(network, libraries), events)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(networks.NETWORKS))
def test_networks_of_other_shapes_agree(name, libraries, rng):
    network = small_network(name)
    assert_same(network, CppForm.compiled(network, libraries), random_candidates(rng, 400))


def with_types(network, kinds):
    """The network with other types behind its quantizers; types of exact nodes follow."""

    changed = network
    for index, node in enumerate(network):
        kind = kinds.pop(0) if isinstance(node, net.Quantize) and kinds else node.type
        changed = replaced(changed, index, type=kind)
        if not isinstance(node, net.Quantize | net.Momentum | net.Table):
            changed = replaced(changed, index, type=changed.needed_type(changed.nodes[index]))
    return changed


def replaced(network, index, **values):
    nodes = list(network.nodes)
    nodes[index] = nodes[index].model_copy(update=values)
    return network.model_copy(update={"nodes": tuple(nodes)})


MODES = [(r, o) for r in Rounding for o in Overflow]


@pytest.mark.parametrize("part", range(4))
def test_every_rounding_and_overflow_mode_agrees(part, libraries, rng):
    """Seven quantizers per network, all 28 pairs of modes in four networks, of odd widths."""
    network = small_network("deepset")
    shapes = [(False, 2, 3), (True, 1, 5), (False, 3, 4), (True, 9, 4), (False, 2, 0)]
    shapes += [(True, 0, 6), (True, 8, 7)]
    modes = MODES[part::4]
    kinds = [FixedType(*s, *m) for s, m in zip(shapes, modes, strict=True)]
    changed = with_types(network, list(kinds))
    used = {n.type for n in changed if isinstance(n, net.Quantize)}
    assert set(kinds) <= used
    assert_same(changed, CppForm.compiled(changed, libraries), random_candidates(rng, 500))


@pytest.mark.slow
@pytest.mark.parametrize(("int_bits", "frac_bits"), [(20, 11), (2, -1), (4, 20), (1, 0)])
def test_wide_and_coarse_types_of_hidden_layers_agree(int_bits, frac_bits, libraries, rng):
    modes = (Rounding.RND_CONV, Overflow.WRAP)
    network = small_network("deepset")
    network = with_types(network, [FixedType(True, int_bits, frac_bits, *modes)] * 2)
    assert_same(network, CppForm.compiled(network, libraries), random_candidates(rng, 300))


def test_words_give_what_their_columns_give(libraries, rng):
    network = small_network("deepset")
    form = CppForm.compiled(network, libraries)
    shape = (500, N_SLOTS)
    words = rng.integers(0, 1 << 61, shape, dtype=np.uint64)
    words[rng.random(shape) < 0.3] &= ~np.uint64(0x3FFF)
    columns = unpack(words)
    expected = met_codes(network, columns)
    codes, gt = form.predict_words(words)
    assert np.count_nonzero(codes["met"] != expected) == 0
    assert np.count_nonzero(gt != met_words(network, expected)) == 0
    spare = words | np.uint64(0b111 << 61)
    assert np.count_nonzero(form.predict_words(spare)[0]["met"] != expected) == 0, (
        "as in the firmware"
    )


def test_every_column_reaches_the_network(libraries, rng):
    """Extra columns too: of charged and of neutral candidates only."""
    feature = FixedType(True, 12, 0)
    network = small_network("deepmet")
    nodes = list(network.nodes)
    extra = [
        net.InputColumn(
            name=n, inputs=(), shape=(N_SLOTS,), type=COLUMNS[n].type, column=n
        )
        for n in ("z0", "dxy", "quality", "em_id")
    ]  # fmt: skip
    index = next(i for i, n in enumerate(nodes) if n.op == "features")
    specs = tuple(
        net.Feature(name=n, column=n, kind="abs" if n == "z0" else "value", type=feature)
        for n in ("z0", "dxy", "quality", "em_id", "phi", "eta", "pt", "pid", "puppi_weight")
    )
    by_column = {n.column: n.name for n in (*extra, *nodes) if n.op == "input"}
    inputs = tuple(by_column[spec.column] for spec in specs)
    nodes[index] = nodes[index].model_copy(
        update={"inputs": inputs, "features": specs, "type": feature}
    )
    network = Network(
        name="extra", n_candidates=N_SLOTS, heads=network.heads, nodes=(*extra, *nodes)
    )
    network = with_types(network, [FixedType(True, 9, 3, Rounding.TRN, Overflow.WRAP)])
    columns = random_candidates(rng, 200)
    charged = columns["pid"] >= 2
    for name in ("z0", "dxy", "quality", "em_id"):
        kind = COLUMNS[name].type
        codes = rng.integers(kind.min_code, kind.max_code + 1, charged.shape)
        codes *= (columns["pt"] > 0) & (charged != (name == "em_id"))
        columns[name] = codes.astype(np.int16)
    form = CppForm.compiled(network, libraries)
    assert_same(network, form, columns)
    assert np.array_equal(form.predict_words(pack(columns))[0]["met"], met_codes(network, columns))


def test_every_size_and_direction_gives_the_word_of_the_rtl(libraries, rng):
    """One candidate of any pt and phi, weight one: MET of every size and direction."""
    network = small_network("deepmet")
    columns = random_candidates(rng, 20000, lengths=np.ones(20000, int))
    columns["pt"][:, 0] = np.exp(rng.uniform(0, np.log(16383), 20000))
    assert_same(network, CppForm.compiled(network, libraries), columns)


USER = """
#include "HEADER"
#include <cstdio>
#include <vector>

int main(int, char** arguments) {
    std::FILE* file = std::fopen(arguments[1], "rb");
    std::vector<std::uint64_t> words(SLOTS);
    while (std::fread(words.data(), 8, words.size(), file) == words.size()) {
        const auto met = NAMESPACE::predict(words.data(), static_cast<int>(words.size()));
        std::printf("%lld %lld %llu %d\\n", static_cast<long long>(met.met_x),
                    static_cast<long long>(met.met_y),
                    static_cast<unsigned long long>(met.gt_word), met.too_many);
    }
}
"""
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")


def compiled_user(network, slots, folder, *flags):
    """A program as a user writes it, around the header alone."""
    stem = f"l1met_{network.name}"
    (folder / f"{stem}.h").write_text(cpp_files(network)[f"{stem}.h"])
    source = USER.replace("HEADER", f"{stem}.h").replace("NAMESPACE", stem)
    (folder / "user.cpp").write_text(source.replace("SLOTS", str(slots)))
    command = ["g++", "-std=c++17", *flags, "user.cpp", "-o", "user"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]

    def run(words):
        words.astype("<u8").tofile(folder / "words.bin")
        out = subprocess.run(
            ["./user", "words.bin"], cwd=folder, check=False, capture_output=True, text=True
        )
        assert out.returncode == 0, out.stderr[-2000:]
        return np.array([[int(v) for v in line.split()] for line in out.stdout.splitlines()])

    return run


def test_header_alone_compiles_without_warnings_and_without_undefined_behaviour(tmp_path, rng):
    network = small_network("garnet")
    sanitize = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    run = compiled_user(network, N_SLOTS, tmp_path, *STRICT, *sanitize)
    columns = random_candidates(rng, 300)
    found = run(pack(columns))
    expected = met_codes(network, columns)
    assert np.array_equal(found[:, :2], expected)
    assert np.array_equal(found[:, 2].astype(np.uint64), met_words(network, expected))
    assert not found[:, 3].any()


def test_too_many_candidates_are_said_and_never_valid(tmp_path, rng):
    """As in the firmware: those beyond are not taken, the valid bit is 0."""
    network = small_network("deepmet")
    run = compiled_user(network, N_SLOTS + 1, tmp_path, "-O0")
    columns = random_candidates(rng, 50, lengths=np.full(50, N_SLOTS))
    words = pack(columns)
    found = run(np.concatenate([words, words[:, :1]], axis=1))
    assert np.array_equal(found[:, :2], met_codes(network, columns))
    assert found[:, 3].all()
    assert not (found[:, 2] & 1).any()


def test_two_networks_of_one_name_live_in_one_program(tmp_path, rng):
    """Other symbols, so that a linker or loader cannot take one for the other."""
    pair = [networks.random_deepmet(s, phi_units=(6,), n_candidates=N_SLOTS) for s in (1, 2)]
    for index, network in enumerate(pair):
        folder = tmp_path / str(index)
        export_cpp(network, folder)
        source = (
            f'#include "{index}/l1met_deepmet.h"\n'
            f"int met_{index}(const unsigned long* words) "
            f"{{ return l1met_deepmet::predict(words, {N_SLOTS}).met_x; }}\n"
        )
        (tmp_path / f"{index}.cpp").write_text(source)
    (tmp_path / "main.cpp").write_text(
        "#include <cstdio>\n"
        "int met_0(const unsigned long*); int met_1(const unsigned long*);\n"
        f"int main() {{ unsigned long words[{N_SLOTS}]; std::fread(words, 8, {N_SLOTS}, stdin);\n"
        'std::printf("%d %d", met_0(words), met_1(words)); }\n'
    )
    command = ["g++", "-std=c++17", "-w", "0.cpp", "1.cpp", "main.cpp", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    columns = random_candidates(rng, 1, lengths=np.array([N_SLOTS]))
    data = pack(columns).astype("<u8").tobytes()
    out = subprocess.run([tmp_path / "main"], input=data, check=True, capture_output=True)
    expected = [int(met_codes(network, columns)[0, 0]) for network in pair]
    assert expected[0] != expected[1]
    assert [int(word) for word in out.stdout.split()] == expected


def test_the_printed_command_builds_what_python_loads(tmp_path, rng):
    network = small_network("deepset")
    command = export_cpp(network, tmp_path / "out")
    subprocess.run(command.split(), cwd=tmp_path / "out", check=True)
    form = CppForm(tmp_path / "out" / "libl1met_deepset.so", network)
    assert_same(network, form, random_candidates(rng, 50))
    assert command == build_command(network)
    assert command in (tmp_path / "out" / "README.md").read_text()


def test_a_library_of_another_network_is_refused(libraries, tmp_path):
    network, other = small_network("deepset"), networks.random_deepset(9, n_candidates=N_SLOTS)
    CppForm.compiled(network, tmp_path)
    library = next(tmp_path.glob("*.so"))
    with pytest.raises(ToolError, match=r"belongs to other inputs: network was .* Export and"):
        CppForm(library, other)
    with pytest.raises(ToolError, match=r"is no library of `l1met export cpp`"):
        CppForm(MODELS / "deepset" / "network.json", network)


def test_a_compiled_library_is_used_again(tmp_path):
    network = small_network("deepmet")
    CppForm.compiled(network, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    CppForm.compiled(network, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_without_a_compiler_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match=r"'g\+\+' is not on PATH; install GCC"):
        CppForm.compiled(small_network("deepmet"), tmp_path)


def test_bad_arrays_are_refused(libraries, rng):
    form = CppForm.compiled(small_network("deepmet"), libraries)
    columns = random_candidates(rng, 3)
    with pytest.raises(DataError, match=r"needs the columns \['phi'\]"):
        form.predict({k: v for k, v in columns.items() if k != "phi"})
    with pytest.raises(DataError, match=r"column 'eta' has shape \(3, 5\)|'eta' has shape"):
        form.predict({**columns, "eta": columns["eta"][:, :5]})
    with pytest.raises(DataError, match=r"has shape \(3, 32\); expected .* at most 16 slots"):
        form.predict({k: np.concatenate([v, v], axis=1) for k, v in columns.items()})
    with pytest.raises(DataError, match=r"column 'pid' holds codes .* its type allows 0 to 7"):
        form.predict({**columns, "pid": columns["pid"] + 8})
    with pytest.raises(DataError, match=r"words must be uint64 .* at most 16 slots; got int64"):
        form.predict_words(np.zeros((3, 4), np.int64))


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConversionError, match=r"is not empty and is no earlier `l1met export cpp`"):
        export_cpp(small_network("deepmet"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_working_folder_and_links_stay(tmp_path, monkeypatch):
    network = small_network("deepmet")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    export_cpp(network, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "l1met_deepmet.h").is_file()
    monkeypatch.chdir(tmp_path / "real")
    with pytest.raises(ConversionError, match=r"is the working folder; choose another --output"):
        export_cpp(network, Path())
    assert (tmp_path / "real" / "l1met_deepmet.h").is_file()


def test_an_earlier_export_is_replaced_only_by_a_whole_one(tmp_path):
    network = small_network("deepmet")
    export_cpp(network, tmp_path / "out")
    wide = FixedType(True, 55, 5)
    broken = replaced(network, len(network.nodes) - 1, type=wide)
    before = {p: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    with pytest.raises(ConversionError, match=r"px, py of type ap_fixed<61,56.* 63 are there"):
        export_cpp(broken, tmp_path / "out")
    assert {p: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    export_cpp(network, tmp_path / "out")
    assert {p: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before


def test_what_cannot_be_exact_is_refused_by_name():
    network = small_network("deepmet")
    with pytest.raises(ConversionError, match=r"network name 'deep met' cannot be part of a name"):
        cpp_files(network.model_copy(update={"name": "deep met"}))
    fine = FixedType(True, 2, 55, Rounding.RND, Overflow.SAT)
    with pytest.raises(ConversionError, match=r"node 'met_xy': bringing .* needs an integer of"):
        cpp_files(replaced(network, len(network.nodes) - 1, type=fine))
    narrow = next(i for i, n in enumerate(network.nodes) if n.name == "weights_dense")
    with pytest.raises(ConversionError, match=r"'weights_dense' .* cannot hold every result"):
        cpp_files(replaced(network, narrow, type=FixedType(True, 1, 2)))


def test_heads_per_candidate_are_refused():
    network = small_network("deepmet")
    head = Head(name="weight", kind="scalar", size=1, per="row").of_node("weights")
    used = ("pt", "eta", "pid", "puppi_weight", "features", "phi_0", "weights")
    nodes = tuple(n for n in network.nodes if n.name.removesuffix("_dense") in used)
    weights = Network(name="weights", n_candidates=N_SLOTS, heads=(head,), nodes=nodes)
    with pytest.raises(
        ConversionError, match=r"head 'weight' has a result per candidate; generated C\+\+"
    ):
        cpp_files(weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deepset", "deepmet", "garnet"])
def test_shipped_networks_agree_on_100_000_events(name, libraries, rng):
    network = Network.load(MODELS / name / "network.json")
    form = CppForm.compiled(network, libraries)
    for _ in range(10):
        assert_same(network, form, stress_events(rng, n_random=5000))
