"""Operations with several results, such as `np.linalg.eigh`, are explained, watched and drawn like others."""

import math

import numpy as np
import pytest

from tinygrad_course import Value, blame, viz

MATRIX = np.array([[2.0, 1.0], [1.0, 3.0]])


def squares(function, m):
    """The sum of the squares of all results; those of orthogonal matrices add up to a constant."""
    return sum((np.sum(part * part) for part in function(m)), Value(0.0))


@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.eig, np.linalg.svd])
def test_explain(function):
    m = Value(MATRIX, name="m")
    loss = squares(function, m)
    loss.backward()
    told = str(m.explain(of=loss))
    total = 2 * np.linalg.norm(MATRIX)  # Σλ² = Σm², whose gradient is 2m
    assert f"norm {total:.6g}" in told and f"{function.__name__}(m)" in told
    vectors = [part for part in function(MATRIX) if part.ndim == 2]
    upstream = math.hypot(total, *(2 * np.linalg.norm(part) for part in vectors))
    assert f"‖{upstream:.6g}‖" in told


def test_blame():
    m = Value(np.eye(2), name="m")
    message = r"eigh gave nan for its argument x(.|\n)*gradient: norm 2"
    with pytest.raises(FloatingPointError, match=message), blame():
        np.sum(np.linalg.eigh(m)[1]).backward()
    with pytest.raises(FloatingPointError, match="slogdet gave inf"), blame():
        np.linalg.slogdet(Value(np.zeros((2, 2))))


@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.svd, np.linalg.slogdet, np.modf])
@pytest.mark.parametrize("ending", ["dot", "svg", "html"])
def test_pictures(function, ending, tmp_path):
    loss = squares(function, Value(MATRIX, name="m"))
    loss.backward()
    page = tmp_path / f"picture.{ending}"
    viz.save(loss, page)
    assert function.__name__ in page.read_text("utf-8")
