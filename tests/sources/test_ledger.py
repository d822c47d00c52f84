import pytest

from facegate.errors import SourceError
from facegate.sources.ledger import LEDGER, require_commercial, training_data


def test_an_entry_becomes_training_data_of_the_contract():
    entry = training_data("celeba", "ab" * 32)
    assert (entry.name, entry.commercial_use, entry.role) == ("celeba", False, "data")
    assert "non-commercial" in entry.licence


def test_only_data_free_for_commercial_use_pass_a_commercial_profile():
    require_commercial(["synthetic", "anny", "yunet"])
    with pytest.raises(SourceError, match=r"siw.*signed agreement"):
        require_commercial(["synthetic", "siw"])


def test_data_without_terms_are_refused():
    with pytest.raises(SourceError, match="`found_somewhere` is not in the licence ledger"):
        training_data("found_somewhere", "")


@pytest.mark.parametrize("name", [n for n, entry in LEDGER.items() if "research" in entry.licence])
def test_research_terms_never_allow_commercial_use(name):
    assert not LEDGER[name].commercial_use
