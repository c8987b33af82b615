"""HEPData records: what they hold is what stands in the CSV files; hepdata_lib writes them."""

import pytest
import yaml
from typer.testing import CliRunner

from l1met_fpga import packages
from l1met_fpga.cli.app import app
from l1met_fpga.errors import ReportError, ToolMissingError
from l1met_fpga.report.hepdata import NumberTable, number_tables, write_hepdata

HEAD = "panel,curve,x,x_low,x_high,y,y_low,y_high\n"
WIDTHS = (
    "width [GeV],PUPPI MET,20,0,40,50,48,52\nwidth [GeV],PUPPI MET,60,40,80,40,,\n"
    "width [GeV],net,20,0,40,45,44,47\nwidth [GeV],net,60,40,80,,,\n"
    "ratio,net,20,0,40,0.9,0.88,0.94\nratio,net,60,40,80,,,\n"
)


def test_a_table_per_panel_with_the_points_that_were_measured(tmp_path):
    (tmp_path / "widths.csv").write_text(HEAD + WIDTHS)
    assert list(number_tables(tmp_path / "widths.csv")) == [
        NumberTable(
            "widths", "width [GeV]", ((20, 0, 40), (60, 40, 80)),
            {"PUPPI MET": ((50, 48, 52), (40,)), "net": ((45, 44, 47), ())},
        ),
        NumberTable("widths", "ratio", ((20, 0, 40),), {"net": ((0.9, 0.88, 0.94),)}),
    ]  # fmt: skip


def test_curves_over_other_points_have_tables_of_their_own(tmp_path):
    (tmp_path / "roc.csv").write_text(HEAD + "rate,a,1,,,2,,\nrate,b,3,,,4,,\n")
    assert [table.x for table in number_tables(tmp_path / "roc.csv")] == [((1.0,),), ((3.0,),)]


@pytest.mark.parametrize("text", [HEAD + "width,net,20,0,40,much,,\n", "a,b\n1,2\n"])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "other.csv").write_text(text)
    with pytest.raises(ReportError, match=r"other\.csv does not hold the numbers of a plot"):
        list(number_tables(tmp_path / "other.csv"))


def test_a_missing_package_is_told_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    (tmp_path / "widths.csv").write_text(HEAD + WIDTHS)
    with pytest.raises(ToolMissingError, match=r"install l1met_fpga\[hepdata\]"):
        write_hepdata(tmp_path, tmp_path / "out")


@pytest.mark.oracle("hepdata_lib")
# hepdata_validator 0.3.6 uses what jsonschema is about to drop, and leaves files open
@pytest.mark.filterwarnings("ignore:jsonschema:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_hepdata_lib_writes_what_the_plots_show(tmp_path):
    with pytest.raises(ReportError, match="holds no numbers of plots"):
        write_hepdata(tmp_path, tmp_path / "out")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "widths.csv").write_text(HEAD + WIDTHS)
    out = tmp_path / "record"
    done = CliRunner().invoke(app, ["export", "hepdata", str(tmp_path), "-o", str(out)])
    assert done.output.endswith(f"{out / 'submission.tar.gz'} with 2 tables\n"), done.output
    _, first, second = yaml.safe_load_all((out / "submission.yaml").read_text())
    assert second["description"] == "ratio, plot widths"
    table = yaml.safe_load((out / first["data_file"]).read_text())
    (abscissa,) = table["independent_variables"]
    assert abscissa["values"] == [{"low": 0, "high": 40}, {"low": 40, "high": 80}]
    puppi, net = table["dependent_variables"]
    assert [puppi["header"]["name"], net["header"]["name"]] == ["PUPPI MET", "net"]
    assert [point["value"] for point in puppi["values"]] == [50, 40]
    assert net["values"][0]["errors"][0]["asymerror"] == {"minus": -1, "plus": 2}
