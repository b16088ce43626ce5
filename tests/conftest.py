"""Fixtures shared by all tests: the real default model, loaded once a run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from models.catalogue import DEFAULT_MODEL
from models.language_model import LanguageModel, load_language_model
from models.store import ModelStore, default_home

# A machine may be slow: what is drawn is judged by what it does and never by how long it takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

STORE = 80 * 2**20  # bytes, about the least that a node of a cluster takes
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


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes of one processor each, on this machine."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": STORE}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anyone
        two = Cluster(initialize_head=True, head_node_args=node)
        two.add_node(**node)
        yield two.address
        two.shutdown()  # type: ignore[no-untyped-call]
