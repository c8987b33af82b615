"""``bit_exactness.json``: how the integer codes of every form compare with quantized Keras."""

from typing import Final

from pydantic import ConfigDict, Field, RootModel

from l1met_fpga.results.base import Number, Result

__all__ = ["FORMS", "BitExactness", "FormAgreement", "FormCheck", "SampleAgreement"]

FORMS: Final = (
    "int64", "hls_csim", "hls_words", "rtl_interpreter", "rtl_verilator", "cpp", "cmssw",
)  # fmt: skip
"""Names of the forms that this package makes, in the order of tables."""


class FormAgreement(Result):
    """Agreement of one form with quantized Keras.

    Attributes:
        events: Events compared.
        outputs: Numbers compared (events times outputs).
        differing: Numbers that differ.
        largest_lsb: Largest difference, in counts of the type of its head.
    """

    events: int = Field(ge=0)
    outputs: int = Field(ge=0)
    differing: int = Field(ge=0)
    largest_lsb: Number


class SampleAgreement(FormAgreement):
    """Agreement on one sample; ``first_event`` is the first that differs, None if none does."""

    first_event: int | None = None


class FormCheck(FormAgreement):
    """One form in ``bit_exactness.json``: its agreement and what the check tells besides.

    Attributes:
        against: Form that it was held against.
        events_per_second: How fast the form ran.
        heads: Agreement of each head.
        samples: Agreement on each sample.
        network: Digest of the network that was checked; None in files that do not say it.
    """

    model_config = ConfigDict(extra="ignore")

    against: str | None = None
    events_per_second: float | None = None
    heads: dict[str, FormAgreement] = Field(default_factory=dict)
    samples: dict[str, SampleAgreement] = Field(default_factory=dict)
    network: str | None = None

    @property
    def agreement(self) -> FormAgreement:
        """The figures of the report."""
        names = FormAgreement.model_fields
        return FormAgreement(**{name: getattr(self, name) for name in names})


class BitExactness(RootModel[dict[str, FormCheck]]):
    """Content of ``bit_exactness.json``: checks by form."""
