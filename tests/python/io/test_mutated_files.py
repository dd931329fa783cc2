"""A file that has changed is refused by its name or read as before; a forged one is refused or in its ranges.

The quick tests change one bit of each byte; those that are marked slow change each bit. `tests/fuzz/mutate_files.py`
makes any number of random changes, in other processes.
"""

import re

import numpy as np
import pytest
from dsentropy import Spectrum
from mutated_files import DAMAGES, KINDS, content, forged, out_of_range, write

every_kind = pytest.mark.parametrize("kind", KINDS)


def require_refused_or_as_before(kind, path, data, original, case):
    path.write_bytes(data)
    try:
        outcome = content(kind, path)
    except ValueError as error:
        outcome = str(error)
    assert outcome == original or (isinstance(outcome, str) and str(path) in outcome), case


def require_no_flip_changes_the_value(kind, path, whole, bits):
    original = content(kind, path)
    for bit in bits:
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        require_refused_or_as_before(kind, path, data, original, f"bit {bit}")


@every_kind
def test_no_flipped_bit_changes_what_is_read(kind, tmp_path):
    whole = write(kind, tmp_path / "file")
    require_no_flip_changes_the_value(kind, tmp_path / "file", whole, [8 * i + i * 5 % 8 for i in range(len(whole))])


@pytest.mark.slow
@every_kind
def test_no_bit_of_any_changes_what_is_read(kind, tmp_path):
    whole = write(kind, tmp_path / "file")
    require_no_flip_changes_the_value(kind, tmp_path / "file", whole, range(8 * len(whole)))


@every_kind
def test_every_truncated_file_is_refused(kind, tmp_path):
    path = tmp_path / "file"
    whole = write(kind, path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=re.escape(str(path))):
            content(kind, path)


def headers(whole):
    """Positions outside the data of arrays: 128 from the beginning of each member, and the directory."""
    members = [found.start() for found in re.finditer(rb"PK\x03\x04|\x93NUMPY", whole)]
    of_members = {at for start in members for at in range(start, min(start + 128, len(whole)))}
    return sorted(of_members | set(range(whole.index(b"PK\x01\x02"), len(whole))))


@pytest.mark.parametrize("kind", ["spectrum", "eigenvalues"])
def test_no_flipped_bit_of_a_large_file_changes_what_is_read(kind, tmp_path):
    """One bit of each byte of the headers, and of 500 bytes anywhere."""
    rng = np.random.default_rng(0)
    whole = write(kind, tmp_path / "file", rows=2000)
    positions = [*headers(whole), *rng.integers(len(whole), size=500).tolist()]
    bits = [8 * at + int(bit) for at, bit in zip(positions, rng.integers(8, size=len(positions)), strict=True)]
    require_no_flip_changes_the_value(kind, tmp_path / "file", whole, bits)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["spectrum", "eigenvalues"])
def test_no_bit_of_the_headers_of_a_large_file_changes_what_is_read(kind, tmp_path):
    whole = write(kind, tmp_path / "file", rows=2000)
    bits = [8 * at + bit for at in headers(whole) for bit in range(8)]
    require_no_flip_changes_the_value(kind, tmp_path / "file", whole, bits)


def test_a_smaller_shape_of_the_eigenvalues_is_refused(tmp_path):
    """The bytes up to the smaller size are all there, so a reader that stops there compares no CRC-32."""
    path = tmp_path / "file"
    whole = write("spectrum", path, rows=2000)
    for shape in [b"(1000,)", b"(0000,)", b"(2000 )", b"(200,) "]:
        path.write_bytes(whole.replace(b"(2000,)", shape, 1))
        with pytest.raises(ValueError, match=r"path: .*file' is not a whole file of a Spectrum"):
            Spectrum.load(path)


@every_kind
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_damaged_files_are_refused_or_read_as_before(damage, kind, tmp_path):
    path = tmp_path / "file"
    whole = write(kind, path)
    original = content(kind, path)
    for seed in range(150):
        data = damage(np.random.default_rng(seed), whole)
        require_refused_or_as_before(kind, path, data, original, f"seed {seed}")


@every_kind
def test_forged_files_are_refused_or_in_their_ranges(kind, tmp_path):
    path = tmp_path / "file"
    whole = write(kind, path)
    refused = 0
    for seed in range(200):
        path.write_bytes(forged(np.random.default_rng(seed), whole))
        try:
            outcome = out_of_range(kind, path)
        except ValueError as error:
            outcome = str(error)
            refused += 1
        assert not outcome or str(path) in outcome, f"seed {seed}"
    assert 40 < refused < 180  # both happen
