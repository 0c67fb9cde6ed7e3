"""Files of states: they come back as they went, and no file can do harm or leave half a model behind."""

import io
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from tinygrad_course import Value, nn, optim

STATE = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "layers.0.bias": np.array([1.5, -2.5]),
    "number": np.array(3),
    "empty": np.zeros((0, 4)),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.npz"


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        assert a[name].dtype == b[name].dtype
        np.testing.assert_array_equal(a[name], b[name])


def test_a_state_comes_back_as_it_went(path):
    nn.save(STATE, path)
    same(nn.load(path), STATE)
    nn.load(path)["weight"][0, 0] = 1  # one's own copy, and writable
    same(nn.load(str(path)), STATE)


def test_numpy_reads_the_file_too(path):
    nn.save(STATE, path)
    with np.load(path, allow_pickle=False) as file:
        same(dict(file), STATE)


def test_names_that_other_formats_would_stumble_over(path):
    state = {
        name: np.array([i])
        for i, name in enumerate(("file", "arr_0", "allow_pickle", "a b", "é", "..", "x.npy"))
    }
    nn.save(state, path)
    same(nn.load(path), state)


def test_states_inside_states(path):
    layer = nn.Linear(2, 1, rng=0)
    optimizer = optim.Adam(layer.parameters(), lr=0.1)
    nn.save({"model": layer.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, path)
    state = nn.load(path)
    assert list(state) == ["model", "optimizer", "epoch"] and int(state["epoch"]) == 3
    same(state["model"], layer.state_dict())
    optimizer.load_state_dict(state["optimizer"])


def test_a_module_of_numbers_comes_back_as_numbers(path):
    one, two = nn.MLP(2, [2, 1], rng=0), nn.MLP(2, [2, 1], rng=1)
    nn.save(one.state_dict(), path)
    two.load_state_dict(nn.load(path))
    assert [p.data for p in two.parameters()] == [p.data for p in one.parameters()]
    assert all(type(p.data) is float for p in two.parameters())


def test_equal_states_make_equal_files(path, tmp_path):
    nn.save(STATE, path)
    nn.save({k: v.copy(order="K") for k, v in STATE.items()}, tmp_path / "again.npz")
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()
    with zipfile.ZipFile(path) as file:  # today's date is not in them
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_file_has_the_usual_rights(path):
    nn.save(STATE, path)
    (path.parent / "plain").write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((path.parent / "plain").stat().st_mode)


@pytest.mark.parametrize(
    "state, error, match",
    [
        ([1, 2], TypeError, "expected a dict"),
        ({1: np.zeros(2)}, TypeError, "names are strings"),
        ({"": np.zeros(2)}, ValueError, "cannot be a name"),
        ({"a/b": np.zeros(2)}, ValueError, "'a/b' cannot be a name"),
        ({"a": {"b": object()}}, TypeError, "a/b is a object.*pickled"),
        ({"a": [1, [2, 3]]}, TypeError, "a is not an array"),
        ({"a": np.array([{}])}, TypeError, "pickled"),
        ({"a": None}, TypeError, "pickled"),
        ({"a": Value(1.0)}, TypeError, "a is not an array"),
    ],
)
def test_what_cannot_be_saved_raises_and_leaves_the_old_file(path, state, error, match):
    nn.save(STATE, path)
    with pytest.raises(error, match=match):
        nn.save(state, path)
    same(nn.load(path), STATE)
    assert os.listdir(path.parent) == ["state.npz"]


def test_a_write_that_fails_half_way_leaves_the_old_file(path, monkeypatch):
    nn.save(STATE, path)
    calls = []

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("no space left")
        return write(*args, **kwargs)

    write = np.lib.format.write_array
    monkeypatch.setattr(np.lib.format, "write_array", failing)
    with pytest.raises(OSError, match="no space"):
        nn.save(STATE, path)
    monkeypatch.undo()
    same(nn.load(path), STATE)
    assert os.listdir(path.parent) == ["state.npz"]


def test_who_has_the_old_file_open_goes_on_reading_the_old_file(path):
    nn.save(STATE, path)
    old = path.read_bytes()
    with open(path, "rb") as reader:
        nn.save({"other": np.zeros(3)}, path)
        assert reader.read() == old  # it was replaced as a whole, not written over


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "no" / "state.npz")
    nn.save(STATE, tmp_path / "no" / "state.npz")  # is made
    same(nn.load(tmp_path / "no" / "state.npz"), STATE)


# Hostile and damaged files
def refused(path, match=""):
    layer = nn.Linear(3, 2, rng=0)
    before = layer.state_dict()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"load: .* is not a whole file written by save: .*{match}"):
            layer.load_state_dict(nn.load(path))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    same(layer.state_dict(), before)


def test_every_truncation_is_noticed(path):
    nn.save(STATE, path)
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        refused(path)


def test_every_changed_byte_is_noticed_or_harmless(path):
    nn.save({"weight": STATE["weight"], "bias": STATE["layers.0.bias"]}, path)
    whole = bytearray(path.read_bytes())
    for i in range(len(whole)):
        changed = whole.copy()
        changed[i] ^= 0x41
        path.write_bytes(changed)
        try:
            nn.load(path)
        except ValueError as error:
            assert str(error).startswith("load: ")


def test_a_flipped_bit_in_the_numbers_is_noticed(path):
    nn.save({"weight": np.full(1000, 1.0)}, path)
    whole = bytearray(path.read_bytes())
    whole[whole.index(struct.pack("<d", 1.0)) + 4000] ^= 1
    path.write_bytes(whole)
    refused(path, "CRC")


def archive(path, *entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in entries:
            file.writestr(name, content)


def npy(array=None, header=None, data=b"", version=b"\x01\x00"):
    if array is not None:
        out = io.BytesIO()
        np.lib.format.write_array(out, array, allow_pickle=True)
        return out.getvalue()
    text = header.encode("latin1")
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


class Harmful:
    """What a pickle runs when it is read: here it would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_ever_unpickled(path):
    trace = path.parent / "it_ran"
    array = np.empty(1, object)
    array[0] = Harmful(trace)
    archive(path, ("weight.npy", npy(array)))
    refused(path, "pickled")
    path.write_bytes(pickle.dumps(Harmful(trace)))
    refused(path)
    archive(path, ("weight.npy", pickle.dumps(Harmful(trace))))
    refused(path)
    assert not trace.exists()


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "content, match",
    [
        (
            npy(header=HEADER % "(1099511627776,)"),
            "promises 4,398,046,511,104 bytes of data, and 0 are there",
        ),
        (npy(header=HEADER % "(2, 3)", data=b"\0" * 23), "24 bytes of data, and 23"),
        (npy(header=HEADER % "(2, 3)", data=b"\0" * 25), "24 bytes of data, and 25"),
        (npy(header=HEADER % "(-2, -3)", data=b"\0" * 24), ""),
        (npy(header=HEADER % "(0, 4611686018427387904, 4)"), ""),
        (npy(header=HEADER % "(10**9,)"), ""),
        (npy(header="{'descr': '<f4'}"), ""),
        (npy(header="{" * 9000), ""),
        (npy(header="__import__('os')"), ""),
        (npy(header=HEADER % "(1,)", version=b"\x09\x09"), ""),
        (b"", ""),
        (b"not an array", ""),
    ],
)
def test_arrays_that_are_not_what_they_claim(path, content, match):
    archive(path, ("weight.npy", content), ("bias.npy", npy(np.zeros(2, np.float32))))
    refused(path, match)


def test_files_of_other_kinds(path):
    good = npy(np.zeros(2))
    archive(path, ("weight.txt", b"hello"))
    refused(path, "'weight.txt' is not an array")
    archive(path, ("a.npy", good), ("a/b.npy", good))
    refused(path, "inside an array")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive(path, ("a.npy", good), ("a.npy", good))
    refused(path, "twice")
    archive(path, ("a.npy", npy(np.zeros(10**6))), compression=zipfile.ZIP_DEFLATED)
    refused(path, "compressed")
    path.write_bytes(b"")
    refused(path)
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    refused(path)


def test_sizes_that_the_archive_itself_lies_about(path):
    promised = 2**30
    content = npy(header=HEADER % f"({promised // 4},)", data=b"\0" * 100)
    archive(path, ("weight.npy", content))
    size, claim = len(content), len(content) - 100 + promised
    true, claimed = struct.pack("<II", size, size), struct.pack("<II", claim, claim)
    whole = path.read_bytes()
    assert whole.count(true) == 2  # in front of the array and in the list at the end
    path.write_bytes(whole.replace(true, claimed))
    refused(path, "(bytes of data|Overlapped entries)")  # Python 3.13 sees it by itself


def test_names_in_a_file_are_never_paths(path, tmp_path):
    archive(path, ("../../outside.npy", npy(np.zeros(2))))
    assert list(nn.load(path)) == [".."]
    assert os.listdir(tmp_path) == ["state.npz"]


def test_parts_that_overlap_do_not_multiply(path):
    nn.save({f"a{i}": np.full(1000, float(i)) for i in range(40)}, path)
    with zipfile.ZipFile(path) as file:
        names, first = [info.filename for info in file.infolist()], file.getinfo("a0.npy")
    whole = path.read_bytes()
    start = whole.index(b"PK\x01\x02")  # the list at the end, whose every entry points to the first array now
    listed, end = bytearray(), whole.rindex(b"PK\x05\x06")
    for name in names:
        entry = bytearray(whole[start : start + 46]) + name.encode()
        struct.pack_into("<H", entry, 28, len(name))
        listed += entry
    offset = first.header_offset + 30 + len(first.filename) + 20 + first.file_size
    footer = bytearray(whole[end:])
    struct.pack_into("<II", footer, 12, len(listed), offset)
    path.write_bytes(whole[:offset] + listed + footer)
    refused(path, "(overlap|Overlapped entries)")


def test_empty_dicts_come_back(path):
    state = {"model": {}, "epoch": 3, "more": {"inside": {}, "a": np.zeros(2)}}
    nn.save(state, path)
    loaded = nn.load(path)
    assert list(loaded) == ["model", "epoch", "more"] and loaded["model"] == {}
    assert list(loaded["more"]) == ["inside", "a"] and loaded["more"]["inside"] == {}
    nn.save({}, path)
    assert nn.load(path) == {}


def test_folders_in_a_file_of_another_tool_are_dicts(path):
    archive(path, ("a/", b""), ("a/b.npy", npy(np.zeros(2))))
    assert list(nn.load(path)["a"]) == ["b"]
    archive(path, ("a.npy", npy(np.zeros(2))), ("a/", b""))
    refused(path, "inside an array")


@pytest.mark.parametrize("length", [65_531, 65_532, 70_000])
def test_names_have_room_for_65535_bytes(path, length):
    for state in ({"w" * length: np.zeros(1)}, {"a" * 99: {"w" * (length - 100): np.zeros(1)}}):
        if length == 65_531:
            nn.save(state, path)
            assert [*nn.load(path)] == [*state]
        else:
            with pytest.raises(ValueError, match=r"save: the whole name .* bytes, .* room for 65,535"):
                nn.save(state, path)


def test_a_state_that_holds_itself_and_one_that_is_deep(path):
    state = {"a": np.zeros(1)}
    state["self"] = state
    with pytest.raises(ValueError, match="dicts that are not as deep"):
        nn.save(state, path)
    deep = {"a": np.zeros(1)}
    for _ in range(3000):
        deep = {"d": deep}
    nn.save(deep, path)
    loaded = nn.load(path)
    for _ in range(3000):
        loaded = loaded["d"]
    assert list(loaded) == ["a"]


def test_half_a_character_is_no_name(path):
    with pytest.raises(ValueError, match="half of a character"):
        nn.save({"\ud800": np.zeros(1)}, path)
    assert not path.exists()
