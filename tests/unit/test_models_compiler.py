"""What numba compiles is kept, and only as long as it is current."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from models import compiler, kernels, products, vector_code, vector_products


def test_functions_are_compiled_anew_where_nothing_can_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(*_: Callable[..., object], cache: bool) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    assert compiler.can_be_kept()
    monkeypatch.setattr(compiler, "njit", refusing)
    assert not compiler.can_be_kept()


def test_what_was_compiled_with_other_vector_code_is_not_used() -> None:
    """Numba looks at the file of a function alone: a constant in it follows the other files."""
    files = map(Path, (compiler.__file__, vector_code.__file__, vector_products.__file__))
    digest = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    assert digest == kernels.VECTOR_CODE, "set VECTOR_CODE in models/kernels.py to this"
    assert digest == products.VECTOR_CODE, "set VECTOR_CODE in models/products.py to this"
