"""Files that are made to harm: sizes that are not theirs, archives that zip allows, numbers out of range."""

import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from dsentropy import Spectrum, diffusion_spectral_entropy
from dsentropy.io import npz
from mutated_files import small_estimate, write

DATA = Path(__file__).parent / "data"
REFUSED = r"path: .*file' is not a whole file of a Spectrum: "
ABOUT = {"format": 1, "kind": "exact", "n_samples": 2, "parameters": {}, "arrays": [], "fingerprint": None}


@pytest.fixture(name="path")
def file(tmp_path):
    return tmp_path / "file"


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def with_header(header, data=b"", version=b"\x01\x00"):
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return b"\x93NUMPY" + version + size + header + data


def archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)


def spectrum_members(about=None, eigenvalues=None):
    about = ABOUT if about is None else about
    text = about if isinstance(about, str) else json.dumps(about)
    eigenvalues = npy(np.array([1.0, 0.5])) if eigenvalues is None else eigenvalues
    return [("about.npy", npy(np.array(text))), ("eigenvalues.npy", eigenvalues)]


def in_directory(path, entry, offset, layout, *values):
    """Change a number in the directory of an archive: 8 flags, 10 method, 16 CRC-32, 20 and 24 the two sizes."""
    data = bytearray(path.read_bytes())
    at = -1
    for _ in range(entry + 1):
        at = data.index(b"PK\x01\x02", at + 1)
    struct.pack_into(layout, data, at + offset, *values)
    path.write_bytes(data)


def peak_of_load(path, match):
    """The memory of Python and NumPy while a file is refused."""
    with pytest.raises(ValueError, match=REFUSED + match):
        Spectrum.load(path)  # loads modules
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=REFUSED + match):
            Spectrum.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MODULES = 2**19
"""Bytes that zipfile, json and the errors take."""


def test_an_archive_that_unpacks_to_much_more_than_its_size_is_refused_before(path):
    archive(path, spectrum_members(eigenvalues=npy(np.zeros(4_000_000))), zipfile.ZIP_DEFLATED)
    size = path.stat().st_size
    assert size < 50_000
    assert peak_of_load(path, "it has .* bytes and would unpack to 320.*") < 10 * size + MODULES


def test_an_archive_that_declares_less_than_it_unpacks_to_is_read_to_what_it_declares(path):
    eigenvalues = npy(np.zeros(4_000_000))
    small = with_header(eigenvalues[10:128].replace(b"(4000000,), }", b"(4000,), }   "), eigenvalues[128:])
    archive(path, spectrum_members(eigenvalues=small), zipfile.ZIP_DEFLATED)
    in_directory(path, 1, 24, "<I", 32128)
    assert peak_of_load(path, "Bad CRC-32") < 10 * path.stat().st_size + MODULES


def test_an_archive_that_declares_more_than_it_unpacks_to_is_refused(path):
    eigenvalues = npy(np.ones(4000))
    archive(path, spectrum_members(eigenvalues=eigenvalues[:20_128]), zipfile.ZIP_DEFLATED)
    in_directory(path, 1, 24, "<I", len(eigenvalues))
    peak_of_load(path, "'eigenvalues.npy' in it ends early")


def test_a_long_directory_of_members_that_are_not_there_is_refused_before(path):
    entry = b"PK\x01\x02" + struct.pack("<6H3I5H2I", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 20_000
    end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 20_000, 20_000, len(directory), 0, 0)
    path.write_bytes(directory + end)
    assert peak_of_load(path, "its directory is longer than its members") < len(directory) + MODULES


def test_a_compressed_spectrum_is_read(path):
    """As a user may save it again."""
    spectrum = Spectrum(np.linspace(1, 0.1, 3000))
    spectrum.save(path)
    with np.load(path) as arrays:
        np.savez_compressed(path.with_suffix(".npz"), **arrays)
    assert path.with_suffix(".npz").stat().st_size < path.stat().st_size
    assert Spectrum.load(path.with_suffix(".npz")).entropy() == spectrum.entropy()


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
VALUES = np.array([1.0, 0.5]).tobytes()

MEMBERS = {
    "no array": ([*spectrum_members(), ("notes.txt", b"text")], "'notes.txt' in it is no array"),
    "folder": ([*spectrum_members(), ("folder/", b"")], "'folder/' in it is no array"),
    "no magic number": (spectrum_members(eigenvalues=b"text"), "no array of NumPy"),
    "later version": (spectrum_members(eigenvalues=with_header(HEADER, VALUES, b"\x04\x00")), "no array of NumPy"),
    "pickle": (spectrum_members(eigenvalues=npy(np.array([None, 1.0], object))), "no array of numbers or text"),
    "long header": (spectrum_members(eigenvalues=with_header(b"(" * 60_000)), "no array of numbers or text"),
    "nested header": (spectrum_members(eigenvalues=with_header(b"[" * 3000 + b"]" * 3000)), "no array of numbers"),
    "expression": (
        spectrum_members(eigenvalues=with_header(HEADER.replace(b"(2,)", b"(9**9**9,)"))),
        "no array of numbers or text",
    ),
    "huge shape": (
        spectrum_members(eigenvalues=with_header(HEADER.replace(b"2", b"9" * 1000), VALUES)),
        "in it has .* bytes and declares 80000",
    ),
    "trailing bytes": (
        spectrum_members(eigenvalues=with_header(HEADER, VALUES + b"\0")),
        "has 84 bytes and declares 83",
    ),
    "too few bytes": (spectrum_members(eigenvalues=with_header(HEADER, VALUES[:-1])), "has 82 bytes and declares 83"),
    "no eigenvalues": (spectrum_members()[:1], "it has no array 'about_estimate'|it has no array 'eigenvalues'"),
    "no description": (spectrum_members()[1:], "it has no array 'about'"),
    "other array": (
        [*spectrum_members(), ("checksum.npy", npy(np.array("0" * 64)))],
        "its checksum is that of other",
    ),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_members_that_are_no_arrays_of_a_spectrum_are_refused(case, path):
    members, match = MEMBERS[case]
    archive(path, members)
    with pytest.raises(ValueError, match=REFUSED + ".*" + match):
        Spectrum.load(path)


@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00"])
def test_arrays_of_each_version_of_numpy_are_read(version, path):
    archive(path, spectrum_members(eigenvalues=with_header(HEADER, VALUES, version)))
    assert Spectrum.load(path).eigenvalues.tolist() == [1.0, 0.5]


def test_arrays_in_the_order_of_fortran_are_read(path):
    parameters = {"weights": np.arange(6.0).reshape(2, 3)}
    Spectrum([1.0, 0.5], parameters=parameters).save(path)
    with np.load(path) as file:
        arrays = {name: file[name].copy(order="F") for name in file.files}
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    assert b"'fortran_order': True" in path.read_bytes()
    assert np.array_equal(Spectrum.load(path).parameters["weights"], parameters["weights"])


@pytest.mark.parametrize(
    ("offset", "layout", "value", "match"),
    [
        (8, "<H", 1, "is encrypted"),
        (10, "<H", 14, "compressed by another method"),
        (24, "<I", 2**31, "has two sizes"),
    ],
)
def test_archives_that_zip_allows_and_numpy_does_not_write_are_refused(offset, layout, value, match, path):
    archive(path, spectrum_members())
    in_directory(path, 1, offset, layout, value)
    with pytest.raises(ValueError, match=REFUSED + ".*" + match):
        Spectrum.load(path)


def test_members_that_share_their_bytes_are_refused(path):
    """Each is in the file, all together are not."""
    archive(path, spectrum_members())
    in_directory(path, 1, 20, "<II", 2**20, 2**20)
    with pytest.raises(ValueError, match=REFUSED + "it declares .* bytes and has"):
        Spectrum.load(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_is_there_twice_is_refused(path):
    archive(path, [*spectrum_members(), spectrum_members(eigenvalues=npy(np.ones(2)))[1]])
    with pytest.raises(ValueError, match=REFUSED + "an array is there twice"):
        Spectrum.load(path)


DESCRIPTIONS = {
    "text": ("{", "Expecting"),
    "nested": ("[" * 100_000, "recursion"),
    "list": ([1], "about must be an object of JSON"),
    "number": ("1", "about must be an object of JSON"),
    "name twice": ('{"format": 1, "format": 1}', "a name is there twice in its JSON"),
    "no format": ({}, "format must be of type int"),
    "bool as format": ({"format": True}, "format must be of type int"),
    "later format": ({"format": 2}, "its format is 2"),
    "text as rows": (ABOUT | {"n_samples": "2"}, "n_samples must be of type int, got '2'"),
    "bool as rows": (ABOUT | {"n_samples": True}, "n_samples must be of type int, got True"),
    "no rows": (ABOUT | {"n_samples": 0}, "n_samples must be at least 1"),
    "many rows": (ABOUT | {"n_samples": 2**70}, "n_samples must be at most"),
    "NaN as rows": (ABOUT | {"n_samples": float("nan")}, "n_samples must be of type int, got nan"),
    "digits": (json.dumps(ABOUT).replace("2", "9" * 5000), "4300"),
    "list of parameters": (ABOUT | {"parameters": []}, "parameters must be of type dict"),
    "object as parameter": (ABOUT | {"parameters": {"a": {}}}, "parameters must be numbers, strings and arrays"),
    "arrays that are none": (ABOUT | {"arrays": [3]}, "kind, fingerprint and arrays must be strings"),
    "arrays that are not there": (ABOUT | {"arrays": ["parameter a"]}, "it has no array 'parameter a'"),
    "array twice": (ABOUT | {"arrays": ["eigenvalues", "eigenvalues"]}, "parameters must have each name once"),
    "array and number": (
        ABOUT | {"arrays": ["eigenvalues"], "parameters": {"eigenvalues": 1}},
        "parameters must have each name once",
    ),
    "number as fingerprint": (ABOUT | {"fingerprint": 3}, "kind, fingerprint and arrays must be strings"),
    "number as kind": (ABOUT | {"kind": 3}, "kind, fingerprint and arrays must be strings"),
    "unknown kind": (ABOUT | {"kind": "of tomorrow"}, "kind must be one of exact, estimate, got 'of tomorrow'"),
}


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_descriptions_that_are_none_are_refused_by_the_field(case, path):
    about, match = DESCRIPTIONS[case]
    archive(path, spectrum_members(about))
    with pytest.raises(ValueError, match=r"path: .*file' is not a whole file of a Spectrum.*" + match):
        Spectrum.load(path)


def test_a_description_that_is_no_text_is_refused(path):
    archive(path, [("about.npy", npy(np.ones(3))), spectrum_members()[1]])
    with pytest.raises(ValueError, match=REFUSED + "about must be text"):
        Spectrum.load(path)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"metric": 5}, "metric must be one of euclidean, .*, got 5"),
        ({"metric": "manhattan"}, "metric must be one of"),
        ({"max_samples": "many"}, "max_samples must be a positive integer or None, got 'many'"),
        ({"max_samples": 0}, "max_samples must be a positive integer or None, got 0"),
        ({"max_samples": 2, "random_state": 0.5}, r"random_state must be an integer or None, got 0\.5"),
    ],
)
def test_parameters_by_which_no_rows_can_be_chosen_are_refused_with_data(parameters, match, path):
    archive(path, spectrum_members(ABOUT | {"parameters": parameters}))
    assert Spectrum.load(path).n_samples == 2
    with pytest.raises(ValueError, match=REFUSED + match):
        Spectrum.load(path, X=np.eye(2))


@pytest.mark.parametrize("parameters", [{"bandwidth": "wide"}, {"bandwidth": 0.5, "distinct_rows": 0}], ids=str)
@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")
def test_parameters_of_other_programs_disturb_no_reading(parameters, path):
    archive(path, spectrum_members(ABOUT | {"parameters": parameters}, npy(np.array([1.0, 0.0]))))
    assert Spectrum.load(path).entropy() == 0


def forge(path, name, array):
    """Replace an array of an estimate's file, with a checksum that is right."""
    small_estimate().save(path)
    with np.load(path) as file:
        arrays = {each: file[each] for each in file.files if each != "checksum"}
    arrays[name] = array(arrays[name]) if callable(array) else array
    with open(path, "wb") as file:
        np.savez(file, **arrays, checksum=np.array(npz.checksum(arrays)))


def changed(at, value):
    def change(array):
        array[at] = value
        return array

    return change


NUMBERS = {
    "no eigenvalues": ("about_estimate", changed(0, 0.0), "dim must be an integer from 1 to"),
    "part of an eigenvalue": ("about_estimate", changed(0, 7.5), "dim must be an integer from 1 to"),
    "NaN": ("about_estimate", changed(0, np.nan), "dim must be an integer"),
    "too many eigenvalues": ("about_estimate", changed(0, 1e300), "dim must be an integer"),
    "other eigenvalues": ("about_estimate", changed(0, 9.0), "n_samples must be 9"),
    "sign": ("about_estimate", changed(1, 2.0), "positive_semidefinite must be an integer from 0 to 1, got 2"),
    "products": ("about_estimate", changed(2, -1.0), "products must be an integer"),
    "rounding": ("about_estimate", changed(3, np.inf), "rounding must be positive and at most 1, got inf"),
    "entry error": ("about_estimate", changed(4, np.nan), "entry_error must be from 0 to 1, got NaN"),
    "largest modulus": ("about_estimate", changed(5, -1.0), "largest_modulus must be positive"),
    "unit roundoff": ("about_estimate", changed(6, 0.0), "unit_roundoff must be positive"),
    "numbers": ("about_estimate", np.ones(6), "about_estimate must be 7 numbers, got 6"),
    "one number": ("about_estimate", np.float64(1), "about_estimate must be an array of 1 dimensions"),
    "integers": ("about_estimate", lambda array: array.astype(int), "about_estimate must be an array of .* floating"),
    "known": ("known", changed(1, 1e300), "known must be sums of 1, x and x\\^2"),
    "known count": ("known", changed(0, 4.0), "known must be sums of 1, x and x\\^2 over 5 eigenvalues"),
    "weights": ("deflated", changed((1, 0), 1e300), "deflated must be nodes, and weights from 0 to 8"),
    "weight of a probe": ("probes", changed((1, 1, 0), 1.5), "probes must be rules with weights whose sum is 3.5"),
    "nodes": ("probes", changed((1, 0, 0), np.nan), "probes must be nodes of at most 2\\^400"),
    "rows": ("probes", lambda array: array[:, :7], "probes must be of ten rows"),
    "dimensions": ("probes", lambda array: array[0], "probes must be an array of 3 dimensions"),
    "steps": ("steps", changed(0, 2**53), "steps must be from 1 to 3, the number of nodes, got 9007199254740992"),
    "no steps": ("steps", changed(1, 0), "steps must be positive integers"),
    "few steps": ("steps", lambda array: array[:2], "steps must be 3 numbers, got 2"),
    "parts of steps": ("steps", lambda array: array.astype(float), "steps must be positive integers"),
    "steps of a table": ("steps", lambda array: array[:, None], "steps must be positive integers"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_that_no_estimate_has_are_refused_by_the_field(case, path):
    name, array, match = NUMBERS[case]
    forge(path, name, array)
    with pytest.raises(ValueError, match=REFUSED + match):
        Spectrum.load(path)


def test_degrees_of_earlier_versions_are_at_most_those_of_the_rules(path):
    """They are a number of terms that a reading sums."""
    with np.load(DATA / "estimate-format-1.npz") as file:
        arrays = {name: file[name] for name in file.files}
    for degree, match in [(2.0**53, "steps must be from 1 to"), (0.5, "degrees must be an integer")]:
        arrays["about_estimate"][5] = degree
        with open(path, "wb") as file:
            np.savez(file, **arrays)
        with pytest.raises(ValueError, match=REFUSED + match):
            Spectrum.load(path)


def test_too_little_memory_is_no_damage(path, monkeypatch):
    def no_memory(*arguments, **options):
        raise MemoryError("no memory")

    Spectrum([1.0, 0.5]).save(path)
    monkeypatch.setattr(np, "empty", no_memory)
    with pytest.raises(MemoryError, match="no memory"):
        Spectrum.load(path)
    monkeypatch.undo()
    monkeypatch.setattr(Spectrum, "_restored", no_memory)
    with pytest.raises(MemoryError, match="no memory"):
        Spectrum.load(path)


def test_an_eigenvalue_file_with_a_smaller_shape_is_refused(path):
    whole = write("eigenvalues", path, rows=9000)  # zipfile reads a member of some thousand bytes at once
    path.write_bytes(whole.replace(b"(9000,)", b"(1000,)", 1))
    with pytest.raises(ValueError, match=r"eigval_save_path: .*file' is not a whole eigenvalue file"):
        diffusion_spectral_entropy(None, eigval_save_path=path)


@pytest.mark.parametrize("rows", [8_000, 20_000, 60_000])
def test_files_of_all_sizes_are_read(rows, path):
    """The bound of the directory is no bound of the members."""
    spectrum = Spectrum(np.linspace(1, 0.1, rows))
    spectrum.save(path)
    assert np.array_equal(Spectrum.load(path).eigenvalues, spectrum.eigenvalues)


def test_the_reference_s_eigenvalue_file_is_read_whole(path):
    """It has no checksum, and the CRC-32 of zip is at the end of the array."""
    with open(path, "wb") as file:
        np.savez(file, eigvals=np.linspace(0.1, 1, 2000))
    whole = path.read_bytes()
    exact = Spectrum(np.linspace(0.1, 1, 2000)).entropy(t=5)
    assert diffusion_spectral_entropy(None, t=5, eigval_save_path=path) == pytest.approx(exact, abs=1e-9)
    path.write_bytes(whole.replace(b"(2000,)", b"(1000,)", 1))
    with pytest.raises(
        ValueError, match=r"eigval_save_path: .*'eigvals\.npy' in it has 16128 bytes and declares 8128"
    ):
        diffusion_spectral_entropy(None, eigval_save_path=path)
