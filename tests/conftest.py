"""Fixtures shared by all tests: the real default model, loaded once a run."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from models.catalogue import DEFAULT_MODEL
from models.language_model import LanguageModel, load_language_model
from models.store import ModelStore, default_home

# A machine may be slow: what is drawn is judged by what it does and never by how long it takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED_DATA = Path(os.environ.get("PIROUETTE_SHARED_DATA", "../shared/data"))


@pytest.fixture(scope="session")
def model_home() -> Path:
    """Where the real models are kept: the user's own home, so that a second run fetches nothing."""
    return default_home()


@pytest.fixture(scope="session")
def default_model(model_home: Path) -> LanguageModel:
    """The real default model."""
    folder = ModelStore(model_home).pull(DEFAULT_MODEL)
    return load_language_model(DEFAULT_MODEL, folder)


@pytest.fixture
def shared_data() -> Path:
    """The benchmark data; tests that read it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the benchmark data is not on this machine")
    return SHARED_DATA
