"""Tables of pandas and pyarrow: numeric columns of any dtype are read, others named in the error."""

import numpy as np
import pandas as pd
import pytest
from dsentropy import covariance_spectrum, diffusion_spectrum, mutual_information, nearest_neighbors
from dsentropy._checks.arrays import as_rows

RNG = np.random.default_rng(0)
N = 30
COLUMNS = {"size": RNG.normal(size=N), "wet": RNG.normal(size=N) > 0, "count": RNG.integers(0, 9, size=N)}
X = np.column_stack(list(COLUMNS.values()))


def nullable():
    return pd.DataFrame(
        {
            "size": pd.array(COLUMNS["size"], dtype="Float64"),
            "wet": pd.array(COLUMNS["wet"], dtype="boolean"),
            "count": pd.array(COLUMNS["count"], dtype="Int64"),
        }
    )


TABLES = {
    "bool, int and float columns": pd.DataFrame(COLUMNS),
    "nullable columns": nullable(),
    "numbers and nullable columns": pd.DataFrame(COLUMNS).assign(wet=pd.array(COLUMNS["wet"], dtype="boolean")),
    "columns of objects": pd.DataFrame(COLUMNS).astype(object),
    "one dtype": pd.DataFrame(X),
    "index": pd.DataFrame(COLUMNS, index=pd.date_range("2020", periods=N)),
    "equal names": pd.DataFrame(COLUMNS).set_axis(["a", "a", "a"], axis=1),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_numeric_columns_are_read(table):
    assert np.array_equal(as_rows(table, "X"), X)
    assert diffusion_spectrum(table).fingerprint == diffusion_spectrum(X).fingerprint
    assert np.array_equal(covariance_spectrum(table).eigenvalues, covariance_spectrum(X).eigenvalues)
    assert np.array_equal(nearest_neighbors(table, 3)[1], nearest_neighbors(X, 3)[1])


def test_tables_of_pyarrow_are_read():
    pa = pytest.importorskip("pyarrow")
    assert np.array_equal(as_rows(pa.table(COLUMNS), "X"), X)
    assert np.array_equal(as_rows(pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"), "X"), X)
    with pytest.raises(TypeError, match="X must hold real numbers, got 'red' in row 0, column 'color'"):
        as_rows(pa.table({**COLUMNS, "color": ["red"] * N}), "X")


def test_single_precision_stays_where_all_columns_fit_it():
    table = pd.DataFrame({"a": COLUMNS["size"].astype(np.float32), "b": COLUMNS["wet"]})
    assert as_rows(table, "X").dtype == np.float32
    assert as_rows(table.assign(c=COLUMNS["count"]), "X").dtype == np.float64


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (["red", "blue"] * (N // 2), "'red'"),
        (pd.Categorical(["red", "blue"] * (N // 2)), "'red'"),
        (pd.date_range("2020", periods=N), "an object of type Timestamp"),
        (COLUMNS["size"] + 1j, "an object of type complex"),
        ([{}] * N, "an object of type dict"),
    ],
    ids=["text", "categories", "dates", "complex", "dicts"],
)
def test_column_of_something_else_is_named(column, shown):
    table = pd.DataFrame(COLUMNS).assign(color=column)
    with pytest.raises(TypeError, match=rf"^X must hold real numbers, got {shown} in row 0, column 'color': leave "):
        diffusion_spectrum(table)
    with pytest.raises(TypeError, match=r"^target must hold real numbers, got .* in row 0, column 'color'"):
        mutual_information(X, table)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "boolean", "float64", "object"])
def test_missing_entry_of_a_table_is_named(dtype):
    table = pd.DataFrame(COLUMNS).assign(age=pd.array([1, 0] * (N // 2)).astype(dtype))
    assert as_rows(table, "X").shape == (N, 4)
    table.loc[3, "age"] = np.nan if dtype == "float64" else pd.NA
    with pytest.raises(ValueError, match=r"^X must .* got (nan|<NA>) in row 3, column 'age': X.dropna\(\) leaves"):
        diffusion_spectrum(table)
    assert as_rows(table.dropna(), "X").shape == (N - 1, 4)  # the way that the error names


def test_none_in_a_table_is_missing():
    table = pd.DataFrame({"a": np.array([1.0, None, 2.0], dtype=object)})
    with pytest.raises(TypeError, match="X must have no missing entries, got None in row 1, column 'a'"):
        diffusion_spectrum(table)


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series([1, 2] * 15, dtype="Int64"),
        pd.Series([True, False] * 15, dtype="boolean"),
        pd.Series(["u", "v"] * 15),
        pd.Series(["u", "v"] * 15, dtype="string"),
        pd.Categorical(["u", "v"] * 15),
        pd.Series([0.25, 0.75] * 15, dtype="category"),
        pd.DataFrame({"label": pd.Categorical([0.25, 0.75] * 15)}),
        np.array([2**70, 2**71] * 15, dtype=object),
        np.array([1, 2] * 15, dtype=object),
    ],
    ids=lambda labels: f"{type(labels).__name__} of {getattr(labels, 'dtype', 'categories')}",
)
def test_labels_of_pandas_and_of_objects(labels):
    found = mutual_information(X, labels, bandwidth=1.0, n_repeats=2)
    expected = mutual_information(X, [0, 1] * 15, bandwidth=1.0, n_repeats=2)
    assert abs(found.value) == pytest.approx(abs(expected.value), abs=1e-12)
    assert found.ceiling == 1.0


def test_categories_can_be_numbers_where_the_caller_says_so():
    target = pd.Series([0.25, 0.5, 0.75] * 10, dtype="category")
    found = mutual_information(X, target, target_discrete=False, n_clusters=2, n_repeats=2)
    assert len(np.unique(found.clusters)) == 2
    with pytest.raises(ValueError, match="n_clusters must not be given where target is discrete"):
        mutual_information(X, target, n_clusters=2)


MISSING = {
    "None among strings": (["u", None] * 15, TypeError),
    "None among integers": ([1, None] * 15, TypeError),
    "None in a column": ([[1], [None]] * 15, TypeError),
    "NaN among strings": (["u", float("nan")] * 15, ValueError),
    "NaN in a series": (pd.Series(["u", None] * 15, dtype="string"), ValueError),
    "NA among integers": (pd.Series([1, None] * 15, dtype="Int64").astype(object), ValueError),
    "category": (pd.Categorical(["u", None] * 15), ValueError),
    "category of numbers": (pd.Series([1, None] * 15, dtype="category"), ValueError),
    "NaN": ([1.0, float("nan")] * 15, ValueError),
}


@pytest.mark.parametrize("case", MISSING)
def test_missing_labels_are_said_to_be_missing(case):
    target, kind = MISSING[case]
    with pytest.raises(kind, match=r"^target must .* in row 1\b.*") as caught:
        mutual_information(X, target)
    assert "missing" in str(caught.value)


def test_missing_labels_by_choice_of_the_caller():
    with pytest.raises(ValueError, match=r"target must have no missing labels, got nan in row 1$"):
        mutual_information(X, [1.0, float("nan")] * 15, target_discrete=True)
    with pytest.raises(ValueError, match=r"target must have no missing labels, got NaT in row 1$"):
        mutual_information(X, np.array(["2020", "NaT"] * 15, dtype="datetime64[D]"), target_discrete=True)
