"""Objects that hold data without being arrays: each error names the argument and a way out that works."""

import io
from pathlib import Path

import dsentropy
import numpy as np
import pytest
import scipy.sparse
from dsentropy import (
    Spectrum,
    covariance_spectrum,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    entropy_surface,
    mutual_information,
    nearest_neighbors,
)
from numpy.lib.recfunctions import structured_to_unstructured

X = np.random.default_rng(0).normal(size=(12, 3))
IMAGES = np.random.default_rng(1).normal(size=(12, 3, 4, 5))

TAKES_DATA = {
    "X": [diffusion_spectrum, lambda X: nearest_neighbors(X, 2), lambda X: mutual_information(X, [0, 1] * 6)],
    "embedding_vectors": [diffusion_spectral_entropy],
    "K": [dsentropy.kernel_spectrum],
    "target": [lambda target: mutual_information(X, target)],
    "eigenvalues": [Spectrum],
    "bandwidth": [lambda bandwidth: diffusion_spectrum(X, bandwidth=bandwidth)],
}
PAIRS = [(name, call) for name, calls in TAKES_DATA.items() for call in calls]
every_argument = pytest.mark.parametrize(("name", "call"), PAIRS, ids=[name for name, _ in PAIRS])


def refused(call, value, name, kind=TypeError):
    with pytest.raises(kind) as caught:
        call(value)
    assert str(caught.value).startswith(f"{name} must ")
    return str(caught.value)


@every_argument
def test_path_is_read_first(name, call):
    path = Path("layers") / "layer.npy"
    reader = "labels" if name == "target" else "embeddings"
    way = f"dsentropy.io.read_{reader}({{!r}}) reads an array from a file"
    if name == "eigenvalues":
        way = "Spectrum.load({!r}) reads a saved spectrum"
    assert way.format(str(path)) in refused(call, path, name)


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("a.npy", "read_embeddings('a.npy')"),
        (Path("a.pt"), "got the path 'a.pt': dsentropy.io.read_embeddings('a.pt')"),
        (np.str_("a"), "read_embeddings('a')"),
        (b"a.npy", "read_embeddings(b'a.npy')"),
    ],
)
def test_path_is_written_as_it_can_be_given(path, way):
    assert way in refused(diffusion_spectrum, path, "X")


@every_argument
def test_archive_names_its_arrays(name, call, tmp_path):
    np.savez(tmp_path / "layers.npz", first=X, second=X)
    with np.load(tmp_path / "layers.npz") as archive:
        text = refused(call, archive, name)
    assert (
        f"got an opened archive of 'first', 'second': {name}['first'] takes one of its arrays, dsentropy.io" in text
    )


@every_argument
def test_dict_names_its_keys(name, call):
    text = refused(call, {f"layer{i}": X for i in range(10)}, name)
    assert "got a dict of 'layer0', 'layer1'" in text
    assert "'layer7' and 2 more" in text
    assert "without entries" in refused(call, {}, name)


@every_argument
def test_file_is_read_first(name, call):
    assert f"np.load({name}) one of .npy that is open" in refused(call, io.BytesIO(b"data"), name)


class Loader:
    """Yields batches, as a DataLoader does."""

    def __len__(self):
        return 3

    def __iter__(self):
        return iter(np.split(X, 3))


@every_argument
@pytest.mark.parametrize("value", [iter(X), (row for row in X), {1.0, 2.0}, Loader()], ids=lambda v: type(v).__name__)
def test_iterables_are_collected_first(name, call, value):
    text = refused(call, value, name)
    assert f"np.stack(list({name})) makes an array of rows, np.concatenate(list({name})) of batches" in text


def test_ways_out_of_iterables_work():
    expected = diffusion_spectrum(X).entropy()
    assert diffusion_spectrum(np.stack(list(iter(X)))).entropy() == expected
    assert diffusion_spectrum(np.concatenate(list(Loader()))).entropy() == expected


@pytest.mark.parametrize(
    "data", [IMAGES, IMAGES.tolist(), IMAGES[:, 0], IMAGES[:, 0].tolist(), IMAGES[..., None], [*IMAGES[:, 0]]]
)
def test_more_than_two_dimensions_are_flattened_or_pooled(data):
    """Both ways that the error names are code that works."""
    text = refused(diffusion_spectrum, data, "X", ValueError)
    ways = text.split("flatten each row by ")[1].split(";")[0]
    shapes = []
    for way in ways.split(", or pool by "):
        rows = eval(way, {"np": np, "X": data})
        assert diffusion_spectrum(rows).n_samples == len(data)
        shapes.append(rows.shape)
    size = np.asarray(data)[0].size
    assert shapes == [(12, size), (12, 5 if np.ndim(data) == 3 else 3)]


def test_list_of_arrays_of_two_dimensions_is_joined_first():
    columns = [X[:, :1], X[:, 1:2], X[:, 2:]]
    text = refused(diffusion_spectrum, columns, "X", ValueError)
    assert "np.concatenate(X) joins a list of batches, np.hstack(X) one of columns" in text
    assert diffusion_spectrum(np.hstack(columns)).entropy() == diffusion_spectrum(X).entropy()


def test_one_dimension_and_none():
    text = refused(diffusion_spectrum, X[:, 0], "X", ValueError)
    assert "X.reshape(-1, 1) makes N rows of one number, X.reshape(1, -1) one row" in text
    assert "np.asarray(X).reshape(-1, 1)" in refused(diffusion_spectrum, [1.0, 2.0], "X", ValueError)
    assert refused(diffusion_spectrum, 3.0, "X", ValueError).endswith("[N, D], got shape ()")
    assert refused(diffusion_spectrum, [], "X", ValueError).endswith("[N, D], got shape (0,)")
    for data in (X[0], IMAGES):
        with pytest.raises(ValueError, match=r"X must have two dimensions \[N, N\], got shape \(.*\)$"):
            diffusion_spectrum(data, metric="precomputed")


def test_what_is_no_array_at_all():
    assert refused(diffusion_spectrum, None, "X") == "X must be an array of numbers, got None"
    assert refused(diffusion_spectrum, len, "X").endswith("got an object of type builtin_function_or_method")
    assert refused(TAKES_DATA["target"][0], None, "target", ValueError).endswith("[N] or [N, D], got None")


def test_numbers_of_other_kinds_have_ways_that_work():
    waves = X + 1j * X[::-1]
    assert "np.hstack([X.real, X.imag])" in refused(diffusion_spectrum, waves, "X")
    assert diffusion_spectrum(np.hstack([waves.real, waves.imag])).n_samples == 12
    assert "np.asarray(X).astype(float)" in refused(diffusion_spectrum, X.astype(str), "X")
    assert "np.asarray(X).astype(float)" in refused(diffusion_spectrum, X.astype("datetime64[s]"), "X")
    fields = np.zeros(12, dtype=[("a", float), ("b", float)])
    text = refused(diffusion_spectrum, fields, "X")
    assert "fields 'a', 'b': structured_to_unstructured(X) of numpy.lib.recfunctions" in text
    assert structured_to_unstructured(fields).shape == (12, 2)
    assert "dtype |V3" in refused(diffusion_spectrum, np.zeros((3, 2), dtype="V3"), "X")
    assert "'a' in row 1, column 1" in refused(diffusion_spectrum, [[1, 2], [3, "a"]], "X")
    assert "object of type ndarray in row 0:" in refused(diffusion_spectrum, np.array([{}, X], dtype=object)[1:], "X")
    assert "'a' in row 0: make each row a sequence of numbers" in refused(diffusion_spectrum, ["a", "b"], "X")
    assert "in entry (0, 1, 0)" in refused(diffusion_spectrum, [[[1], ["a"]]], "X")


def test_large_integers_are_floats():
    assert diffusion_spectrum([[2**70, 0], [0, 1]]).n_samples == 2
    with pytest.raises(ValueError, match="X must be finite in float64"):
        diffusion_spectrum([[10**400, 0], [0, 1]])


def test_rows_of_unequal_length_are_named():
    text = refused(diffusion_spectrum, [[1, 2], [3, 4], [5]], "X", ValueError)
    assert text.endswith("rows are equally long, got 2 entries in row 0 and 1 in row 2")


@pytest.mark.parametrize("several", [False, True])
def test_masked_entries_are_refused_wherever_they_are(several):
    masked = np.ma.masked_array(X, mask=np.arange(36).reshape(12, 3) == 5)
    text = refused(diffusion_spectrum, list(masked) if several else masked, "X", ValueError)
    assert "np.ma.filled(X, ...) replaces them" in text
    assert "np.ma.getmaskarray(X).any(axis=1) is False" in text


def test_bandwidth_that_is_not_positive_is_named_by_its_row():
    bandwidths = np.ones(12)
    bandwidths[4] = 0
    with pytest.raises(ValueError, match=r"^bandwidth of row 4 must be positive and finite, got 0\.0$"):
        diffusion_spectrum(X, bandwidth=bandwidths)


@pytest.mark.parametrize(
    ("eigenvalues", "shown"),
    [
        ([1.0, None], "None in row 1"),
        (["a"], "'a' in row 0"),
        ([1.0, np.nan], "nan in row 1"),
        ([1j, np.inf], r"inf\+0j\) in row 1"),
        ([0.0, 0], "zeros"),
        (np.eye(2), r"dtype float64, shape \(2, 2\)"),
        ([True], r"dtype bool, shape \(1,\)"),
        ([], r"dtype float64, shape \(0,\)"),
    ],
)
def test_eigenvalues_are_a_vector_of_numbers(eigenvalues, shown):
    with pytest.raises(ValueError, match=rf"^eigenvalues must be .*, got \(?{shown}"):
        Spectrum(eigenvalues)


def test_labels_of_several_types_become_strings():
    labels = np.array([1, "a"] * 6, dtype=object)
    for discrete in (None, True):
        with pytest.raises(TypeError, match=r"^target must hold labels that can be sorted.*astype\(str\) makes str"):
            mutual_information(X, labels, target_discrete=discrete)
    assert mutual_information(X, labels.astype(str), n_repeats=2).ceiling == 1.0


def test_neighbors_of_other_types():
    distances, indices = nearest_neighbors(X, 2)
    for neighbors, error, text in [
        (distances, TypeError, "or a pair .distances, indices., got ndarray of shape"),
        ((distances, indices.astype(float)), ValueError, "indices that are integers, got dtype float64"),
        ((distances, -indices), ValueError, "indices from 0 to 11"),
    ]:
        with pytest.raises(error, match=rf"^neighbors must .*{text}"):
            diffusion_spectrum(X, graph="knn", neighbors=neighbors)


@pytest.mark.parametrize("bandwidths", [{1.0: 2.0}, {1.0}, [None]], ids=["dict", "set", "None"])
def test_bandwidths_are_a_sequence(bandwidths):
    with pytest.raises(TypeError, match="bandwidths must be numbers, rules, arrays or callables, got "):
        dsentropy.entropy_surface(X, bandwidths)


def test_similarities_are_no_distances():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for similarities in (rows @ rows.T, np.exp(rows @ rows.T), (rows @ rows.T).astype(np.float32)):
        text = refused(lambda X: diffusion_spectrum(X, metric="precomputed"), similarities, "X", ValueError)
        assert "diffusion_spectrum takes those that are not negative with metric='affinity'" in text


def test_a_bandwidth_of_a_surface_is_named_by_its_place():
    with pytest.raises(ValueError, match=r"^bandwidths\[1\] must be positive and finite, got 0"):
        entropy_surface(X, [1.0, 0.0])


def test_none_is_no_vector():
    with pytest.raises(ValueError, match=r"^eigenvalues must be a vector of numbers, got None$"):
        Spectrum(None)


def test_complex_sparse_rows_have_a_way_out():
    rows = scipy.sparse.csr_array(np.eye(6)[:, :3] * 1j)
    assert ": abs(X) has the moduli, X.real the real parts" in refused(covariance_spectrum, rows, "X", TypeError)


def test_a_square_complex_array_may_hold_pairs_of_rows():
    """Its parts as columns would be no kernel, so only the moduli are named."""
    text = refused(diffusion_spectrum, np.eye(3) * 1j, "X", TypeError)
    assert "np.abs(X) has the moduli" in text
    assert "hstack" not in text
