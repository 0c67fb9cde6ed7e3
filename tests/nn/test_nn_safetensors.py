"""Files of the kind that PyTorch's users exchange: the same bytes both ways, and nothing else than arrays."""

import json
import os
import pickle
import struct
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_course import nn

safe = pytest.importorskip("safetensors.numpy")

STATE = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "0.bias": np.array([1.5, -0.0, np.nan, np.inf]),
    "half": np.array([[1.0, 65504.0]], np.float16),
    "number": np.array(3),
    "a/b é": np.zeros((0, 4), bool),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
    "strided": np.arange(12, dtype=np.uint8)[::3],
    "big-endian": np.arange(3, dtype=">f4"),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


def same(got, wanted):
    assert set(got) == set(wanted)
    for name, array in wanted.items():
        assert got[name].dtype == array.dtype.newbyteorder("=")
        assert got[name].shape == array.shape
        assert got[name].tobytes() == array.astype(got[name].dtype).tobytes()


def test_a_state_comes_back_as_it_went(path):
    nn.save(STATE, path)
    same(nn.load(path), STATE)
    same(nn.load(str(path)), STATE)
    nn.load(path)["weight"][0, 0] = 1  # one's own copy, and writable
    same(safe.load_file(path), STATE)
    assert os.listdir(path.parent) == ["state.safetensors"]


def test_a_number_is_an_array_without_axes(path):
    nn.save({"epoch": 3, "loss": 0.5}, path)
    state = nn.load(path)
    assert state["epoch"] == 3 and state["loss"] == 0.5 and state["loss"].shape == ()


arrays = hnp.arrays(
    st.sampled_from("f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 ?".split()),  # noqa: SIM905
    hnp.array_shapes(min_dims=0, min_side=0, max_dims=3),
)


@given(st.dictionaries(st.text(max_size=8).filter(lambda name: name != "__metadata__"), arrays))
def test_random_states_come_back(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("states") / "state.safetensors"
    nn.save(state, path)
    same(nn.load(path), state)


def test_pytorch_writes_the_same_bytes_and_reads_them(path, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).half()
    theirs = module.state_dict()
    save_file(theirs, tmp_path / "theirs.safetensors")
    ours = nn.load(tmp_path / "theirs.safetensors")
    nn.save(ours, path)
    assert path.read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()
    for name, tensor in load_file(path).items():
        assert tensor.dtype == theirs[name].dtype
        assert torch.equal(tensor, theirs[name])
    net = nn.Sequential(nn.Conv2d(1, 2, 3, dtype=np.float16), nn.BatchNorm2d(2, dtype=np.float16))
    net.load_state_dict(ours)
    same(net.state_dict(), ours)


def test_bfloat16_of_pytorch_comes_as_float32(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    tensor = torch.tensor([[1.0, -2.5], [3.14159, float("inf")]], dtype=torch.bfloat16)
    save_file({"w": tensor}, tmp_path / "b.safetensors")
    got = nn.load(tmp_path / "b.safetensors")["w"]
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, tensor.float().numpy())


def test_float8_of_pytorch_is_named(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    save_file({"layer.w": torch.zeros(2).to(torch.float8_e4m3fn)}, tmp_path / "f8.safetensors")
    with pytest.raises(ValueError, match=r"'layer.w' is F8_E4M3, for which NumPy has no dtype.*float\(\)"):
        nn.load(tmp_path / "f8.safetensors")


@pytest.mark.parametrize(
    ("state", "error", "match"),
    [
        ([1, 2], TypeError, "expected a dict"),
        ({1: np.zeros(2)}, TypeError, "names are strings"),
        ({"model": {"w": np.zeros(2)}}, TypeError, r"model is a dict.*save\(state\['model'\].*\.npz"),
        ({"__metadata__": np.zeros(2)}, ValueError, "'__metadata__' cannot be a name"),
        ({"\ud800": np.zeros(2)}, ValueError, r"'\\ud800' cannot be a name"),
        ({"a": object()}, TypeError, "a is a object.*pickled"),
        ({"a": np.zeros(2, complex)}, TypeError, "a is complex128, which a safetensors file cannot hold"),
        ({"a": np.array(["x"])}, TypeError, "cannot hold"),
        ({"a": np.zeros(2, np.longdouble)}, TypeError, "a is float|a is longdouble"),
    ],
)
def test_what_cannot_be_saved_raises_and_leaves_the_old_file(path, state, error, match):
    nn.save(STATE, path)
    with pytest.raises(error, match=match):
        nn.save(state, path)
    same(nn.load(path), STATE)
    assert os.listdir(path.parent) == ["state.safetensors"]


def test_a_write_that_fails_half_way_leaves_the_old_file(path, monkeypatch):
    nn.save(STATE, path)

    def failing(part, content):
        with open(part, "wb") as file:
            file.write(content[:100])
        raise OSError("no space left")

    monkeypatch.setattr(type(path), "write_bytes", failing)
    with pytest.raises(OSError, match="no space"):
        nn.save({"other": np.zeros(3)}, path)
    monkeypatch.undo()
    same(nn.load(path), STATE)
    assert os.listdir(path.parent) == ["state.safetensors"]


def test_every_truncation_is_noticed(path):
    nn.save(STATE, path)
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 7), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"load: .*is not a whole safetensors file"):
            nn.load(path)


def test_every_changed_byte_is_noticed_or_harmless(path):
    nn.save({"weight": STATE["weight"], "bias": STATE["0.bias"]}, path)
    whole = bytearray(path.read_bytes())
    for i in range(len(whole)):
        changed = whole.copy()
        changed[i] ^= 0x41
        path.write_bytes(changed)
        try:
            nn.load(path)
        except ValueError as error:
            assert str(error).startswith("load: ")


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 20]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 24]},
        {"dtype": "object", "shape": [3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2**63, 2], "data_offsets": [0, 24]},
    ],
)
def test_arrays_that_are_not_what_they_claim(path, entry):
    header = json.dumps({"weight": entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 24)
    layer = nn.Linear(3, 2, rng=0)
    before = layer.state_dict()
    with pytest.raises(ValueError, match="load: "):
        layer.load_state_dict(nn.load(path))
    same(layer.state_dict(), before)


class Harmful:
    """What a pickle runs when it is read: here it would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_ever_unpickled(path, tmp_path):
    path.write_bytes(pickle.dumps(Harmful(tmp_path / "it_ran")))
    with pytest.raises(ValueError, match="load: "):
        nn.load(path)
    assert not (tmp_path / "it_ran").exists()


def test_pickled_weights_of_pytorch_are_refused_with_the_way_out(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"pickled objects.*safetensors\.torch\.save_file"):
        nn.load(tmp_path / "weights.pt")


def test_names_and_shapes_that_do_not_fit(path):
    nn.save({"weight": np.zeros((2, 2), np.float32), "gain": np.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"1 missing \(bias\) and 1 that it does not have \(gain\)"):
        nn.Linear(3, 2).load_state_dict(nn.load(path))
    nn.save({"weight": np.zeros((2, 2), np.float32), "bias": np.zeros(2, np.float32)}, path)
    with pytest.raises(ValueError, match=r"weight of Linear has shape \(2, 3\), and the state has \(2, 2\)"):
        nn.Linear(3, 2).load_state_dict(nn.load(path))


def test_without_the_library_the_message_says_where_it_comes_from(path, monkeypatch):
    nn.save(STATE, path)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for act in (lambda: nn.save(STATE, path), lambda: nn.load(path)):
        with pytest.raises(ImportError, match=r"pip install 'tinygrad_course\[interop\]'.*\.npz need none"):
            act()
    nn.save({"w": np.zeros(2)}, path.with_suffix(".npz"))
    assert nn.load(path.with_suffix(".npz"))["w"].shape == (2,)


def test_a_file_that_is_not_there(path):
    with pytest.raises(FileNotFoundError):
        nn.load(path)
