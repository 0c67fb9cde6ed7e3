"""IDX files, folders of them, and the MNIST inside the package: right when sound, refused when not."""

import gzip
import hashlib
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tinygrad_course import data
from tinygrad_course.data import build, idx, images

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
MEGABYTE = 1 << 20


def idx_header(code, *lengths):
    return bytes([0, 0, code, len(lengths)]) + struct.pack(f">{len(lengths)}I", *lengths)


def idx_bytes(array):
    return (
        idx_header(CODES[array.dtype.name], *array.shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


def read(folder, content):
    path = Path(folder, "file")
    path.write_bytes(content)
    return data.read_idx(path)


def peak_of(action):
    """Most memory, in bytes, that `action` held at one time; its ValueError, if any, is part of the plan."""
    tracemalloc.start()
    try:
        action()
    except ValueError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@pytest.fixture(scope="module")
def digits():
    return data.mnist()


# read_idx


@given(
    array=npst.arrays(
        st.sampled_from(sorted(CODES)), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
    ),
    zipped=st.booleans(),
)
def test_read_idx_gives_back_every_type_and_shape(folder, array, zipped):
    content = idx_bytes(array)
    result = read(folder, gzip.compress(content) if zipped else content)
    assert result.dtype == array.dtype and result.dtype.isnative
    assert result.shape == array.shape
    assert result.tobytes() == array.tobytes()
    assert result.flags.writeable and result.flags.aligned


def test_read_idx_reads_more_than_one_chunk(folder):
    array = np.arange(3 * idx.CHUNK // 4 + 5, dtype=np.int32)
    for content in (idx_bytes(array), gzip.compress(idx_bytes(array), 1)):
        np.testing.assert_array_equal(read(folder, content), array)


def test_read_idx_takes_text_paths_and_raises_oserror_where_nothing_is(folder):
    Path(folder, "file").write_bytes(idx_bytes(np.arange(3, dtype=np.uint8)))
    assert data.read_idx(os.fspath(folder / "file")).tolist() == [0, 1, 2]
    with pytest.raises(FileNotFoundError):
        data.read_idx(folder / "missing")
    with pytest.raises(OSError):
        data.read_idx(folder)


SOUND = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"not an IDX file: it starts with the bytes \[\]"),
        (SOUND[:3], "not an IDX file"),
        (b"PK\3\4" + SOUND[4:], r"not an IDX file: it starts with the bytes \[50 4b 03 04\]"),
        (b"\0\1" + SOUND[2:], "not an IDX file"),
        (b"\0\0\x0a" + SOUND[3:], "a type .one of 0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e."),
        (SOUND[:9], "ends inside its header, which should give the lengths of 3 axes"),
        (SOUND[:-1], r"uint8 of shape \(2, 3, 4\), that is 24 bytes, but only 23 follow"),
        (SOUND[:16], "24 bytes, but only 0 follow"),
        (SOUND + b"\0", "24 bytes, but more bytes follow"),
        (idx_header(0x0E, 2, 1) + bytes(15), r"float64 of shape \(2, 1\), that is 16 bytes, but only 15"),
        (idx_header(0x08, *[1] * 65) + b"\0", "64"),
        (idx_header(0x08, 0, *[2**32 - 1] * 3), "too big"),
    ],
)
def test_read_idx_says_what_is_wrong(folder, content, message):
    for bytes_ in (content, gzip.compress(content)):
        with pytest.raises(ValueError, match="read_idx: .*file.*" + message):
            read(folder, bytes_)


def test_read_idx_says_that_a_gzip_file_is_damaged(folder):
    zipped = gzip.compress(SOUND)
    for content in (zipped[:5], zipped[:-9], zipped[:-1], zipped + b"more", zipped[:-8] + bytes(8)):
        with pytest.raises(ValueError, match="damaged gzip file"):
            read(folder, content)


@pytest.mark.parametrize("lengths", [(2**20, 2**20), (2**31, 2**9), (2**32 - 1,) * 4, (2**32 - 1,) * 64])
@pytest.mark.parametrize("code", [0x08, 0x0E])
def test_a_header_that_promises_too_much_costs_no_memory(folder, lengths, code):
    content = idx_header(code, *lengths) + bytes(1000)
    plain, zipped = (
        (content, "but only 1,000 follow"),
        (gzip.compress(content), "beyond reason for a gzip file"),
    )
    for bytes_, message in (plain, zipped):
        with pytest.raises(ValueError, match="promises .*" + message):
            read(folder, bytes_)
        assert peak_of(lambda: data.read_idx(folder / "file")) < 3 * MEGABYTE


def test_a_gzip_bomb_costs_no_memory(folder, monkeypatch):
    bomb = gzip.compress(idx_header(0x08, 3) + bytes(64 * MEGABYTE), 1)
    with pytest.raises(ValueError, match="more bytes follow"):
        read(folder, bomb)
    assert peak_of(lambda: data.read_idx(folder / "file")) < 3 * MEGABYTE
    monkeypatch.setattr(idx, "TRUSTED_SIZE", 16 * MEGABYTE)
    honest = idx_header(0x08, 64 * MEGABYTE) + bytes(64 * MEGABYTE)
    with pytest.raises(ValueError, match=r"beyond reason.*gunzip"):
        read(folder, gzip.compress(honest))
    assert peak_of(lambda: data.read_idx(folder / "file")) < 3 * MEGABYTE
    assert read(folder, honest).shape == (64 * MEGABYTE,)


@given(content=st.binary(max_size=200), start=st.sampled_from([b"", b"\0\0", b"\x1f\x8b", b"\x1f\x8b\x08\0"]))
@settings(max_examples=300)
def test_read_idx_survives_any_bytes(folder, content, start):
    Path(folder, "file").write_bytes(start + content)
    assert peak_of(lambda: data.read_idx(folder / "file")) < 3 * MEGABYTE


@given(data_=st.data(), zipped=st.booleans())
@settings(max_examples=300)
def test_read_idx_survives_damage(folder, data_, zipped):
    content = bytearray(gzip.compress(SOUND) if zipped else SOUND)
    for _ in range(data_.draw(st.integers(1, 3))):
        place = data_.draw(st.integers(0, len(content) - 1))
        content[place : place + data_.draw(st.integers(0, 2))] = data_.draw(st.binary(max_size=2))
    try:
        result = read(folder, content)
    except ValueError as error:
        assert str(error).startswith("read_idx: ")
    else:
        # gzip's checksum lets nothing through; a bare file can only differ in its numbers.
        assert not zipped or result.tobytes() == SOUND[16:]


# load_folder


def tiny_set():
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": rng.integers(0, 256, (5, 4, 3), np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 3, 5, np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (2, 4, 3), np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 3, 2, np.uint8),
    }


def write_set(folder, arrays, zipped=()):
    for name, array in arrays.items():
        content = idx_bytes(array)
        if name in zipped:
            Path(folder, name + ".gz").write_bytes(gzip.compress(content))
        else:
            Path(folder, name).write_bytes(content)


@pytest.mark.parametrize("zipped", [0, 2, 4])
def test_load_folder_reads_four_files_zipped_or_not(tmp_path, zipped):
    arrays = tiny_set()
    write_set(tmp_path, arrays, zipped=list(arrays)[:zipped])
    result = data.load_folder(tmp_path)
    assert isinstance(result, data.ImageSet)
    for array, expected in zip(result, arrays.values(), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert [array.dtype.name for array in result] == ["uint8", "int64", "uint8", "int64"]


def test_load_folder_takes_the_unpacked_file_of_two(tmp_path):
    arrays = tiny_set()
    write_set(tmp_path, {name: array ^ 1 for name, array in arrays.items()}, zipped=arrays)
    write_set(tmp_path, arrays)
    np.testing.assert_array_equal(data.load_folder(tmp_path).train_images, arrays["train-images-idx3-ubyte"])


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("-idx", ".idx"),
        lambda name: name.replace("t10k", "test"),
        lambda name: "fashion-" + name,
        lambda name: f"{name}/{name}",
        lambda name: f"{name.replace('-idx', '.idx')}/{name}",
        lambda name: f"raw/{name}",
        str.upper,
    ],
)
def test_load_folder_knows_the_names_that_are_about(tmp_path, rename, zipped):
    for name, array in tiny_set().items():
        path = tmp_path / rename(name)
        path.parent.mkdir(exist_ok=True)
        write_set(path.parent, {path.name: array}, zipped=[path.name] if zipped else ())
    (tmp_path / "._train-images-idx3-ubyte").write_bytes(b"what another system leaves")
    for array, expected in zip(data.load_folder(tmp_path), tiny_set().values(), strict=True):
        np.testing.assert_array_equal(array, expected)


def emnist(split, first=0):
    arrays = {name.replace("t10k", "test"): array for name, array in tiny_set().items()}
    return {
        f"emnist-{split}-{name}": array.swapaxes(1, 2) if array.ndim == 3 else array + np.uint8(first)
        for name, array in arrays.items()
    }


def test_emnist_is_turned_and_its_letters_count_from_0(tmp_path):
    write_set(tmp_path, emnist("letters", first=1), zipped=emnist("letters"))
    for array, expected in zip(data.load_folder(tmp_path), tiny_set().values(), strict=True):
        np.testing.assert_array_equal(array, expected)
    write_set(tmp_path, emnist("balanced"))
    with pytest.raises(ValueError, match="say which: name='emnist-balanced', name='emnist-letters'"):
        data.load_folder(tmp_path)
    for name in ("emnist-letters", "EMNIST-Balanced"):
        for array, expected in zip(data.load_folder(tmp_path, name=name), tiny_set().values(), strict=True):
            np.testing.assert_array_equal(array, expected)
            assert array.flags.c_contiguous
    with pytest.raises(FileNotFoundError, match="neither emnist-digits-train-images-idx3-ubyte nor"):
        data.load_folder(tmp_path, name="emnist-digits")
    write_set(tmp_path, tiny_set())
    assert data.load_folder(tmp_path).train_images.shape == (5, 4, 3)  # those without a name come first


def test_how_images_lie_and_labels_count_can_be_said(tmp_path):
    arrays = emnist("letters", first=1)
    write_set(tmp_path, {name.removeprefix("emnist-letters-"): array for name, array in arrays.items()})
    for array, expected in zip(
        data.load_folder(tmp_path, transposed=True, first_label=1), tiny_set().values(), strict=True
    ):
        np.testing.assert_array_equal(array, expected)
    plain = data.load_folder(tmp_path)
    assert plain.train_images.shape == (5, 3, 4) and plain.train_labels.min() >= 1
    with pytest.raises(ValueError, match=r"labels of 1, .* to be 2; .* first_label=1"):
        data.load_folder(tmp_path, first_label=2)


@pytest.mark.parametrize("name", list(tiny_set()))
def test_load_folder_names_the_missing_file(tmp_path, name):
    arrays = tiny_set()
    del arrays[name]
    write_set(tmp_path, arrays)
    with pytest.raises(FileNotFoundError, match=f"neither {name} nor {name}.gz"):
        data.load_folder(tmp_path)


def test_load_folder_of_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere has neither"):
        data.load_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("train-images-idx3-ubyte", lambda a: a.astype(np.int32), "holds int32.*train images must be uint8"),
        (
            "t10k-images-idx3-ubyte",
            lambda a: a[0],
            r"\(4, 3\); test images must be .* \(count, height, width\)",
        ),
        ("train-labels-idx1-ubyte", lambda a: a[:, None], r"\(5, 1\); train labels must be .* \(count,\)"),
        (
            "t10k-labels-idx1-ubyte",
            lambda a: a.astype(np.float32),
            "holds float32.*test labels must be uint8",
        ),
        ("train-labels-idx1-ubyte", lambda a: a[:4], "5 train images but 4 train labels"),
        ("t10k-images-idx3-ubyte", lambda a: a[:1], "1 test images but 2 test labels"),
        ("t10k-images-idx3-ubyte", lambda a: a[:, :2], r"size \(4, 3\) and the test images of size \(2, 3\)"),
    ],
)
def test_load_folder_says_what_does_not_fit(tmp_path, name, change, message):
    arrays = tiny_set()
    arrays[name] = change(arrays[name])
    write_set(tmp_path, arrays)
    with pytest.raises(ValueError, match="load_folder: .*" + message):
        data.load_folder(tmp_path)


# mnist


def as_idx(digits):
    return {
        name: array.astype(np.uint8) for name, array in zip(images.FILE_NAMES.values(), digits, strict=True)
    }


def test_mnist_is_the_published_mnist(digits):
    sums = {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
    assert {name: hashlib.md5(idx_bytes(array)).hexdigest() for name, array in as_idx(digits).items()} == sums


def test_mnist_has_the_published_counts(digits):
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(digits.train_labels).tolist() == train
    assert np.bincount(digits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert [array.dtype.name for array in digits] == ["uint8", "int64", "uint8", "int64"]


def test_mnist_gives_new_arrays_each_time(digits):
    again = data.mnist()
    again.train_images[:] = 7
    again.test_labels[:] = 7
    assert not np.shares_memory(again.train_images, digits.train_images)
    assert data.mnist().train_images[0].max() == 255
    assert data.mnist().test_labels[0] == 7 and data.mnist().test_labels[1] == 2


def test_image_set_shows_shapes_not_numbers(digits):
    assert "test_images: uint8 (10000, 28, 28)" in repr(digits)
    assert len(repr(digits)) < 200


@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.99, 0.99998])
def test_a_damaged_mnist_is_refused(tmp_path, place):
    content = bytearray(images.MNIST_FILE.read_bytes())
    content[int(place * len(content))] ^= 0x55
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist: .*install the package again"):
        images.read_packed_mnist(path)
    path.write_bytes(content[: int(place * len(content))])
    with pytest.raises(ValueError, match=r"mnist: .*damaged.*install the package again"):
        images.read_packed_mnist(path)


def test_another_or_hostile_archive_is_refused(tmp_path):
    path = tmp_path / "mnist.npz"
    with np.load(images.MNIST_FILE) as archive:
        sound = dict(archive)
    one_pixel, one_label = sound["values"].copy(), sound["labels"].copy()
    one_pixel[12345] ^= 1
    one_label[-1] ^= 1
    for change in (
        {"values": one_pixel},
        {"labels": one_label},
        {"labels": sound["labels"].view(np.int64)},
        {"labels": np.array([None])},
        {"values": sound["values"][:-1]},
        {"inked": sound["inked"][1:]},
        {"inked": np.array([{}])},
    ):
        np.savez(path, **(sound | change))
        with pytest.raises(ValueError, match=r"mnist: .*install the package again"):
            images.read_packed_mnist(path)
    np.savez(path, inked=sound["inked"], values=sound["values"])
    with pytest.raises(ValueError, match=r"mnist: .*damaged.*labels"):
        images.read_packed_mnist(path)
    np.savez(path, **sound)
    assert images.read_packed_mnist(path).train_labels[0] == 5


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_is_unpickled(tmp_path):
    path, caught = tmp_path / "mnist.npz", tmp_path / "caught"
    np.savez(path, inked=np.array([Trap(str(caught))], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        images.read_packed_mnist(path)
    assert not caught.exists()


def test_the_licence_lies_beside_the_images():
    text = images.MNIST_FILE.with_name("MNIST_LICENSE.md").read_text(encoding="utf-8")
    for words in ("Yann LeCun", "Corinna Cortes", "Attribution-ShareAlike 3.0", "What was changed"):
        assert words in text


# build


@pytest.fixture(scope="module")
def published(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    write_set(folder, as_idx(digits), zipped=["t10k-images-idx3-ubyte"])
    return folder


def test_build_writes_the_same_bytes_every_time(published, tmp_path, capsys):
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    assert build.main([str(published), "--out", str(first)]) == 0
    assert str(first) in capsys.readouterr().out
    build.build(published, second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.npz", "second.npz"]
    # Another zlib may pack the same numbers into other bytes, so the package's file is compared unpacked.
    with np.load(first) as ours, np.load(images.MNIST_FILE) as packaged:
        assert ours.files == packaged.files
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], packaged[name])


@pytest.mark.parametrize("name", list(images.FILE_NAMES.values()))
def test_build_refuses_files_that_are_not_the_published_ones(digits, tmp_path, name, capsys):
    arrays = as_idx(digits)
    arrays[name] = arrays[name].copy()
    arrays[name].flat[-1] ^= 1
    write_set(tmp_path, arrays)
    out = tmp_path / "out.npz"
    out.write_bytes(b"what was there")
    assert build.main([str(tmp_path), "--out", str(out)]) == 1
    assert f"{name} is not MNIST's file: its MD5 is " in capsys.readouterr().err
    assert out.read_bytes() == b"what was there"


def test_build_says_what_is_missing(tmp_path, capsys):
    assert build.main([str(tmp_path), "--out", str(tmp_path / "out.npz")]) == 1
    assert "neither train-images-idx3-ubyte nor" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_build_writes_whole_or_not_at_all(digits, tmp_path, monkeypatch, error):
    def fails_half_way(file, **arrays):
        file.write(b"half")
        raise error

    monkeypatch.setattr(np, "savez_compressed", fails_half_way)
    out = tmp_path / "out.npz"
    out.write_bytes(b"what was there")
    with pytest.raises(type(error)):
        build.write_packed(digits, out)
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]
    assert out.read_bytes() == b"what was there"


def test_build_reads_its_file_back_before_it_counts(digits, tmp_path):
    with pytest.raises(ValueError, match="not MNIST's"):
        build.write_packed(digits._replace(test_labels=digits.test_labels[::-1]), tmp_path / "out.npz")
    assert list(tmp_path.iterdir()) == []
