import pytest
from keras_models import model_config
from qkeras import QDense, quantized_bits, quantized_relu

from l1met_fpga.config.model import DenseConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models.build import build
from l1met_fpga.models.exactness import check_exact
from l1met_fpga.models.keras import keras
from l1met_fpga.models.layers import FixedQuantize
from l1met_fpga.tasks.met.task import MET

ACT = FixedType(False, 2, 4, Rounding.RND, Overflow.SAT)


def good(units=4, **changes):
    options = {
        "kernel_quantizer": quantized_bits(6, 0, alpha=1),
        "bias_quantizer": quantized_bits(8, 1, alpha=1),
    }
    return QDense(units, name="hidden", **(options | changes))


def model(*layers, quantize_input=True):
    x = inputs = keras.Input((16, 3))
    if quantize_input:
        x = FixedQuantize(ACT, name="first")(x)
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def test_recipe_passes():
    check_exact(model(good(), FixedQuantize(ACT, name="act")))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([good(kernel_quantizer=None)], r"'hidden'.*quantized_bits\(alpha=1\), got NoneType"),
        ([good(bias_quantizer=None)], r"'hidden'.*quantized_bits\(alpha=1\), got NoneType"),
        ([good(kernel_quantizer=quantized_bits(6, 0))], "'hidden'.*must have alpha=1"),
        ([good(kernel_quantizer=quantized_relu(6, 0))], "'hidden'.*got quantized_relu"),
        (
            [good(kernel_quantizer=quantized_bits(6, 0, alpha=1, symmetric=1))],
            "'hidden'.*symmetric=0",
        ),
        (
            [good(kernel_quantizer=quantized_bits(6, 0, alpha=1, keep_negative=False))],
            "'hidden'.*keep_negative=True",
        ),
        ([good(activation="relu")], "'hidden': use a separate quantizer, not `activation`"),
        ([good(), good()], "'hidden.*reads 'hidden.*which is not quantized"),
        ([keras.layers.Dense(4, name="plain")], "'plain' is a Dense.*use QDense"),
        (
            [good(), FixedQuantize(ACT, name="one"), FixedQuantize(ACT, name="two")],
            "quantizers 'one' and 'two' follow one another",
        ),
        ([keras.layers.GlobalAveragePooling1D(name="mean")], "'mean'.*use a sum pool"),
        ([keras.layers.BatchNormalization(name="norm")], "'norm'.*fold it"),
    ],
)
def test_what_loses_bits_silently_is_refused(layers, message):
    for number, layer in enumerate(layers):
        if layer.name == "hidden":
            layer._name = f"hidden_{number}" if number else "hidden"
    with pytest.raises(ConfigError, match=message):
        check_exact(model(*layers))


def test_unquantized_input_is_refused():
    with pytest.raises(ConfigError, match="put one quantizer between them"):
        check_exact(model(good(), quantize_input=False))


def wide(**types):
    config = model_config("deepset")
    return config.model_copy(update={"phi": (DenseConfig(units=32, **types), *config.phi[1:])})


def test_accumulators_stay_below_24_bits():
    with pytest.raises(
        ConfigError, match=r"'phi_0_dense' adds numbers of up to \d+ bits.*narrower"
    ):
        build(wide(kernel="fixed<16,1>"), (MET,))
    with pytest.raises(ConfigError, match=r"'phi_1_dense' adds numbers"):
        build(wide(output="ufixed<16,4>"), (MET,))


def test_rounding_stays_below_24_bits():
    with pytest.raises(ConfigError, match=r"quantizer 'phi_0' of .* rounds a sum with"):
        build(wide(kernel="fixed<8,1>", bias="fixed<14,2>", output="ufixed<14,10>"), (MET,))
