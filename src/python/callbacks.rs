//! Operators that Python gives: sparse ones, and objects that multiply.

use std::sync::{Mutex, PoisonError};

use ndarray::Array2;
use numpy::{PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::operator::SymmetricOperator;
use crate::operator::sparse::{SparseMatrix, SparseOperator};
use crate::operator::tiles::{ExternalAffinity, SumRounding};
use crate::runtime::parallel::Job;

/// A sparse symmetric matrix, or the diffusion operator of one.
#[pyclass(name = "SparseOperator", module = "dsentropy._core", frozen)]
pub struct PySparseOperator(SparseOperator);

#[pymethods]
impl PySparseOperator {
    /// Of compressed rows. With an alpha the diffusion operator of these affinities, else the matrix as it is;
    /// `positive` tells that it is positive semi-definite.
    #[new]
    fn new(
        py: Python<'_>,
        starts: PyReadonlyArray1<'_, i64>,
        columns: PyReadonlyArray1<'_, u32>,
        values: PyReadonlyArray1<'_, f64>,
        positive: bool,
        alpha: Option<f64>,
    ) -> PyResult<Self> {
        let starts: Vec<usize> =
            starts.as_array().iter().map(|&start| usize::try_from(start).unwrap_or(usize::MAX)).collect();
        let (columns, values) = (columns.as_array().to_vec(), values.as_array().to_vec());
        py.detach(|| {
            let matrix = SparseMatrix::new(starts, columns, values)?;
            Ok(Self(match alpha {
                Some(alpha) => SparseOperator::diffusion(matrix, positive, alpha)?,
                None => SparseOperator::affinity(matrix, positive),
            }))
        })
    }
}

/// An operator that is known by its products.
#[pyclass(name = "GivenOperator", module = "dsentropy._core", frozen)]
pub struct PyGivenOperator {
    product: Py<PyAny>,
    dim: usize,
    positive: bool,
    leading: Option<Vec<f64>>,
    /// The relative error of products.
    rounding: f64,
}

#[pymethods]
impl PyGivenOperator {
    /// `product` makes of an array [dim, b] another.
    #[new]
    fn new(
        product: Py<PyAny>,
        dim: usize,
        positive: bool,
        leading: Option<PyReadonlyArray1<'_, f64>>,
        rounding: f64,
    ) -> Self {
        let leading = leading.map(|leading| leading.as_array().to_vec());
        Self { product, dim, positive, leading, rounding }
    }
}

/// The diffusion operator of an affinity that is computed by calls of Python.
#[pyclass(name = "GivenAffinity", module = "dsentropy._core", frozen)]
pub struct PyGivenAffinity {
    product: Py<PyAny>,
    moments: Py<PyAny>,
    dim: usize,
    alpha: f64,
    error: f64,
}

#[pymethods]
impl PyGivenAffinity {
    /// `product(vectors, ceilings, exact)` and `moments(squares, exact)` are those of an affinity whose entries have this
    /// relative error, but where it is to be exact.
    #[new]
    fn new(product: Py<PyAny>, moments: Py<PyAny>, dim: usize, alpha: f64, error: f64) -> Self {
        Self { product, moments, dim, alpha, error }
    }
}

/// What a function of operators is given.
#[derive(FromPyObject)]
pub enum AnyOperator<'py> {
    Sparse(PyRef<'py, PySparseOperator>),
    Given(PyRef<'py, PyGivenOperator>),
    Affinity(PyRef<'py, PyGivenAffinity>),
}

/// The same, without the interpreter's references.
pub enum Opened<'a> {
    Sparse(&'a SparseOperator),
    Given(&'a Given<'a>),
    Affinity(&'a PartsOfAffinity<'a>),
}

/// What a call of Python has raised.
#[derive(Default)]
struct Raised(Mutex<Option<PyErr>>);

impl Raised {
    /// What `f` returns, or an interruption where it raises.
    fn keep<T>(&self, job: &Job, f: impl FnOnce(Python) -> PyResult<T>) -> Result<T> {
        job.check()?;
        Python::attach(f).map_err(|error| {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Error::Interrupted
        })
    }

    /// It is raised in place of a result.
    fn instead_of<T>(self, result: PyResult<T>) -> PyResult<T> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(result, Err)
    }
}

/// Calls `f` with the operator. What its products raise is raised.
pub fn on_operator<T>(operator: &AnyOperator, f: impl FnOnce(&Opened) -> PyResult<T>) -> PyResult<T> {
    match operator {
        AnyOperator::Sparse(sparse) => f(&Opened::Sparse(&sparse.0)),
        AnyOperator::Given(given) => {
            let given = Given { of: given, raised: Raised::default() };
            let result = f(&Opened::Given(&given));
            given.raised.instead_of(result)
        }
        AnyOperator::Affinity(of) => {
            let raised = Raised::default();
            let part = |exact| AffinityAtWork { of, exact, raised: &raised };
            let parts = PartsOfAffinity { rounded: part(false), exact: part(true), alpha: of.alpha, error: of.error };
            let result = f(&Opened::Affinity(&parts));
            raised.instead_of(result)
        }
    }
}

/// What a product must return.
fn block_of(product: &Bound<PyAny>, x: &Array2<f64>) -> PyResult<Array2<f64>> {
    let product: PyReadonlyArray2<f64> = product.extract()?;
    let product = product.as_array();
    if product.dim() != x.dim() {
        let text = format!("matmat must return shape {:?}, got {:?}", x.shape(), product.shape());
        return Err(PyValueError::new_err(text));
    }
    if product.iter().any(|entry| !entry.is_finite()) {
        return Err(PyValueError::new_err("matmat must return finite numbers"));
    }
    Ok(product.to_owned())
}

/// An affinity at work, as it is rounded and as it is exact.
pub struct PartsOfAffinity<'a> {
    pub rounded: AffinityAtWork<'a>,
    pub exact: AffinityAtWork<'a>,
    pub alpha: f64,
    pub error: f64,
}

pub struct AffinityAtWork<'a> {
    of: &'a PyGivenAffinity,
    exact: bool,
    raised: &'a Raised,
}

impl ExternalAffinity for AffinityAtWork<'_> {
    fn dim(&self) -> usize {
        self.of.dim
    }

    fn times(&self, x: &Array2<f64>, rounding: &SumRounding, job: &Job) -> Result<Array2<f64>> {
        self.raised.keep(job, |py| {
            let arguments = (x.to_pyarray(py), rounding.ceilings.clone(), self.exact);
            block_of(&self.of.product.bind(py).call1(arguments)?, x)
        })
    }

    fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)> {
        self.raised.keep(job, |py| self.of.moments.bind(py).call1((squares.to_pyarray(py), self.exact))?.extract())
    }
}

/// A given operator at work.
pub struct Given<'a> {
    of: &'a PyGivenOperator,
    raised: Raised,
}

impl SymmetricOperator for Given<'_> {
    fn dim(&self) -> usize {
        self.of.dim
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        self.raised.keep(job, |py| block_of(&self.of.product.bind(py).call1((x.to_pyarray(py),))?, x))
    }

    fn is_positive(&self) -> bool {
        self.of.positive
    }

    fn leading(&self) -> Option<&[f64]> {
        self.of.leading.as_deref()
    }

    fn rounding(&self) -> f64 {
        self.of.rounding
    }
}
