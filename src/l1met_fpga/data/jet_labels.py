"""Which class a jet belongs to, from what was generated near it.

Rules of the Level-1 jet tagger (CMS-L1T-Jet-Tagging/TrainTagger): a prompt lepton or hadronic tau
within 0.2 decides; of other jets the ghost-associated hadrons, then the partons of the generated jet.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["JET_CLASSES", "LEPTON_CLASSES", "jet_class"]

JET_CLASSES: Final = ("b", "charm", "light", "gluon", "taup", "taum", "muon", "electron")
"""Names of the classes in the order of their numbers, which is CMSSW's."""
LEPTON_CLASSES: Final = tuple(map(JET_CLASSES.index, ("taup", "taum", "muon", "electron")))
"""Classes whose generated pt is that of the lepton, without neutrinos."""

_GLUON: Final = 21
Numbers = npt.NDArray[Any]


def jet_class(
    hadron_flavour: Numbers,
    parton_flavour: Numbers,
    *,
    is_matched: Numbers,
    tau_charge: Numbers,
    is_muon: Numbers,
    is_electron: Numbers,
) -> npt.NDArray[np.float64]:
    """Return the number of each jet's class, shape (n,); NaN for jets of no class.

    Of no class are jets without a generated jet (pile-up), and with a tau of unknown charge.

    Args:
        hadron_flavour: 5 with a b hadron, 4 with a c hadron and no b, else 0.
        parton_flavour: PDG code of the parton, 0 if undefined.
        is_matched: Whether there is a generated jet.
        tau_charge: Charge of the hadronic tau, 0 if unknown; NaN without a tau.
        is_muon: Whether it is a prompt muon.
        is_electron: Whether it is a prompt electron.
    """
    no_lepton = np.isnan(tau_charge) & ~is_muon & ~is_electron
    no_hadron = no_lepton & (hadron_flavour == 0)
    rules = {
        "taup": tau_charge > 0,
        "taum": tau_charge < 0,
        "muon": is_muon,
        "electron": is_electron,
        "b": no_lepton & (hadron_flavour == 5),
        "charm": no_lepton & (hadron_flavour == 4),
        "light": no_hadron & (np.abs(parton_flavour) <= 3),
        "gluon": no_hadron & (parton_flavour == _GLUON),
    }
    chosen = [is_matched & rule for rule in rules.values()]
    return np.select(chosen, [float(JET_CLASSES.index(name)) for name in rules], np.nan)
