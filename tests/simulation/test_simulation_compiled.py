import numba

from l1met_fpga.simulation import compiled as module


def test_any_changed_source_gets_its_own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HERE", tmp_path)
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    before = module._cache_folder()
    assert module._cache_folder() == before
    (tmp_path / "b.py").write_text("y = 2\n")
    assert module._cache_folder() != before


def test_decorator_compiles_and_leaves_numba_settings_alone():
    setting = numba.config.CACHE_DIR

    def twice(x):
        return 2 * x

    function = module.compiled(twice)
    assert function(3) == 6
    assert function.signatures
    assert setting == numba.config.CACHE_DIR
