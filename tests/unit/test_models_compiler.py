"""What numba compiles is kept, and only as long as it is current."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from models import (
    attention_kernels,
    compiler,
    kernels,
    products,
    vector_code,
    vector_products,
)


def test_functions_are_compiled_anew_where_nothing_can_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(*_: Callable[..., object], cache: bool) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    assert compiler.can_be_kept()
    monkeypatch.setattr(compiler, "njit", refusing)
    assert not compiler.can_be_kept()


BUILT_ON: Mapping[ModuleType, Sequence[ModuleType]] = {
    kernels: (compiler,),
    attention_kernels: (compiler, vector_code, kernels),
    products: (compiler, vector_code, vector_products, kernels),
}


@pytest.mark.parametrize("module", BUILT_ON, ids=lambda module: module.__name__)
def test_what_was_compiled_with_other_code_is_not_used(module: ModuleType) -> None:
    """Numba looks at the file of a function alone: a constant in it follows the other files."""
    files = (Path(str(one.__file__)) for one in BUILT_ON[module])
    digest = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    assert digest == module.BUILT_ON, f"set BUILT_ON in {module.__file__} to this"
