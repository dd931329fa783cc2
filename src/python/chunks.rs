//! Chunks of one data set that several machines hold: products with, and moments of, the Gaussian affinity between two
//! chunks.
//!
//! All chunks share a [`PyGlobalScaling`], so that each pair yields its part of the affinity of all rows together. What
//! travels between processes can be pickled. Each call takes one thread: there are many pairs.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::operator::chunk_pair::{Chunk, GlobalScaling};
use crate::operator::reproducible_sum::SumRounding;
use crate::python::call::compute;
use crate::python::rows::{Rows, on_rows};
use crate::python::specs::PySlqOptions;
use crate::runtime::tuning::Tuning;
use crate::slq::options::SlqOptions;

/// The mean row, largest entry, bandwidth and precision that all chunks of a data set share.
#[pyclass(name = "GlobalScaling", module = "dsentropy._core", frozen)]
pub struct PyGlobalScaling(GlobalScaling);

#[pymethods]
impl PyGlobalScaling {
    /// `largest` is the largest modulus of an entry; with `single` affinities are computed in f32.
    #[new]
    #[pyo3(signature = (*, mean, largest, bandwidth, single))]
    fn new(mean: PyReadonlyArray1<'_, f64>, largest: f64, bandwidth: f64, single: bool) -> Self {
        Self(GlobalScaling { mean: mean.as_array().to_owned(), largest, bandwidth, single })
    }

    /// The mean row [D].
    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.mean.to_pyarray(py)
    }

    /// The largest modulus of an entry of the data.
    #[getter]
    fn largest(&self) -> f64 {
        self.0.largest
    }

    /// The bandwidth, in units of the data.
    #[getter]
    fn bandwidth(&self) -> f64 {
        self.0.bandwidth
    }

    /// Whether affinities are computed in f32.
    #[getter]
    fn single(&self) -> bool {
        self.0.single
    }

    /// The arguments of the constructor, for pickle.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Bound<'py, PyDict>)> {
        let arguments = PyDict::new(py);
        arguments.set_item("mean", self.mean(py))?;
        arguments.set_item("largest", self.0.largest)?;
        arguments.set_item("bandwidth", self.0.bandwidth)?;
        arguments.set_item("single", self.0.single)?;
        Ok(((), arguments))
    }
}

/// The rows of a chunk in the precision that they have.
enum ChunkRows {
    Double(Py<PyArray2<f64>>),
    Single(Py<PyArray2<f32>>),
}

/// Rows [n, D] of a chunk, and vectors [n, b] of these rows or the diagonal [n, 1] of a scaling.
#[pyclass(name = "Chunk", module = "dsentropy._core", frozen)]
pub struct PyChunk {
    rows: ChunkRows,
    vectors: Py<PyArray2<f64>>,
}

#[pymethods]
impl PyChunk {
    #[new]
    fn new(rows: Rows<'_>, vectors: PyReadonlyArray2<'_, f64>) -> Self {
        let rows = match rows {
            Rows::Double(rows) => ChunkRows::Double((*rows).clone().unbind()),
            Rows::Single(rows) => ChunkRows::Single((*rows).clone().unbind()),
        };
        Self { rows, vectors: (*vectors).clone().unbind() }
    }
}

/// A chunk whose arrays are borrowed for a computation.
struct BorrowedChunk<'py> {
    rows: Rows<'py>,
    vectors: PyReadonlyArray2<'py, f64>,
}

impl<'py> BorrowedChunk<'py> {
    fn new(py: Python<'py>, chunk: &PyChunk) -> PyResult<Self> {
        let rows = match &chunk.rows {
            ChunkRows::Double(rows) => Rows::Double(rows.bind(py).try_readonly()?),
            ChunkRows::Single(rows) => Rows::Single(rows.bind(py).try_readonly()?),
        };
        Ok(Self { rows, vectors: chunk.vectors.bind(py).try_readonly()? })
    }

    fn double(&self) -> PyResult<Chunk<'_, f64>> {
        match &self.rows {
            Rows::Double(rows) => Ok(Chunk { rows: rows.as_array(), vectors: self.vectors.as_array() }),
            Rows::Single(_) => Err(mixed_dtypes()),
        }
    }

    fn single(&self) -> PyResult<Chunk<'_, f32>> {
        match &self.rows {
            Rows::Single(rows) => Ok(Chunk { rows: rows.as_array(), vectors: self.vectors.as_array() }),
            Rows::Double(_) => Err(mixed_dtypes()),
        }
    }
}

fn mixed_dtypes() -> PyErr {
    PyTypeError::new_err("chunks must have one dtype, got float32 and float64")
}

/// Evaluates an expression on one or two chunks, in the precision that their rows have.
macro_rules! on_pair {
    ($py:expr, $first:expr, $second:expr, ($one:ident, $other:ident) => $value:expr) => {{
        let first = BorrowedChunk::new($py, $first)?;
        let second = $second.map(|chunk| BorrowedChunk::new($py, chunk)).transpose()?;
        match &first.rows {
            Rows::Double(_) => {
                let ($one, $other) = (first.double()?, second.as_ref().map(BorrowedChunk::double).transpose()?);
                $value
            }
            Rows::Single(_) => {
                let ($one, $other) = (first.single()?, second.as_ref().map(BorrowedChunk::single).transpose()?);
                $value
            }
        }
    }};
}

/// The products of one or two chunks with the affinity between them.
#[pyclass(name = "PairProduct", module = "dsentropy._core", frozen, get_all)]
pub struct PyPairProduct {
    /// The rows of the first chunk: G_12 x_2 of two chunks, G_11 x_1 of one.
    first: Py<PyArray2<f64>>,
    /// The rows of the second chunk, G_21 x_1; None where there is one chunk.
    second: Option<Py<PyArray2<f64>>>,
}

/// The products of the affinity between two chunks, or within one, with the vectors of the chunks.
///
/// The products are rounded by `ceilings`, one for each vector, so that their sums over pairs do not depend on the order.
#[pyfunction]
#[pyo3(signature = (scaling, ceilings, first, second=None))]
pub fn pair_product(
    py: Python<'_>,
    scaling: &PyGlobalScaling,
    ceilings: Vec<f64>,
    first: &PyChunk,
    second: Option<&PyChunk>,
) -> PyResult<PyPairProduct> {
    let (scaling, rounding) = (&scaling.0, SumRounding { ceilings });
    let (first, second) = on_pair!(py, first, second, (one, other) => compute(py, Some(1), |job| {
        crate::operator::chunk_pair::pair_product(scaling, one, other, &rounding, job)
    }))?;
    Ok(PyPairProduct {
        first: first.into_pyarray(py).unbind(),
        second: second.map(|product| product.into_pyarray(py).unbind()),
    })
}

/// The trace and the squared Frobenius norm of a scaled affinity S G S, or of a part of it.
#[derive(FromPyObject)]
#[pyclass(name = "Moments", module = "dsentropy._core", frozen, get_all)]
pub struct PyMoments {
    /// The sum of the diagonal entries.
    pub trace: f64,
    /// The sum of the squared entries.
    pub squared_norm: f64,
}

#[pymethods]
impl PyMoments {
    #[new]
    #[pyo3(signature = (*, trace, squared_norm))]
    fn new(trace: f64, squared_norm: f64) -> Self {
        Self { trace, squared_norm }
    }

    /// The arguments of the constructor, for pickle.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Bound<'py, PyDict>)> {
        let arguments = PyDict::new(py);
        arguments.set_item("trace", self.trace)?;
        arguments.set_item("squared_norm", self.squared_norm)?;
        Ok(((), arguments))
    }
}

/// The moments of what S G S has between two chunks, in both of its blocks, or within one.
///
/// The vectors of the chunks are the diagonal of S [n, 1].
#[pyfunction]
#[pyo3(signature = (scaling, first, second=None))]
pub fn pair_moments(
    py: Python<'_>,
    scaling: &PyGlobalScaling,
    first: &PyChunk,
    second: Option<&PyChunk>,
) -> PyResult<PyMoments> {
    let scaling = &scaling.0;
    let (trace, squared_norm) = on_pair!(py, first, second, (one, other) => compute(py, Some(1), |job| {
        crate::operator::chunk_pair::pair_moments(scaling, one, other, job)
    }))?;
    Ok(PyMoments { trace, squared_norm })
}

/// The relative error that affinities of `dim` rows may have in f32 for an estimate; None: f64 is needed.
#[pyfunction]
pub fn allowed_single_error(dim: usize, options: PySlqOptions) -> Option<f64> {
    SlqOptions::from(options).single_precision_error(dim, &Tuning::MEASURED.slq)
}

/// The relative error that affinities of the rows of a chunk have in f32; infinite where f32 cannot hold them.
#[pyfunction]
pub fn chunk_error(rows: Rows<'_>, scaling: &PyGlobalScaling) -> PyResult<f64> {
    Ok(on_rows!(rows, rows => scaling.0.single_error(rows))?)
}
