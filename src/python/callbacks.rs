//! Operators that are known by their products: sparse matrices of the core, and callbacks into Python.
//!
//! A callback runs on the thread that called the core, which attaches to the interpreter for it. The exception that it
//! raises is kept and raised in place of the result.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::Array2;
use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::measure::estimated_spectrum::ExternalOperator;
use crate::operator::SymmetricOperator;
use crate::operator::normalization::{NormalizedOperator, ROW_SUMS};
use crate::operator::reproducible_sum::SumRounding;
use crate::operator::sparse::{SparseMatrix, SparseOperator};
use crate::operator::tiles::ExternalAffinity;
use crate::python::chunks::PyMoments;
use crate::python::interpreter;
use crate::runtime::parallel::Job;

/// A sparse symmetric matrix, or the diffusion operator of sparse affinities.
#[pyclass(name = "SparseOperator", module = "dsentropy._core", frozen)]
pub struct PySparseOperator(SparseOperator);

#[pymethods]
impl PySparseOperator {
    /// Takes compressed rows (CSR), given in a type of this unit roundoff. With `alpha` the operator is the diffusion
    /// operator of these affinities, without it the matrix itself. With `multiplicities` each row stands for so many
    /// equal ones, whose spectrum is meant.
    #[new]
    #[pyo3(signature = (indptr, indices, data, *, positive_semidefinite, unit_roundoff, alpha=None, multiplicities=None))]
    #[expect(clippy::too_many_arguments, reason = "four are keyword-only")]
    fn new(
        py: Python<'_>,
        indptr: PyReadonlyArray1<'_, i64>,
        indices: PyReadonlyArray1<'_, u32>,
        data: PyReadonlyArray1<'_, f64>,
        positive_semidefinite: bool,
        unit_roundoff: f64,
        alpha: Option<f64>,
        multiplicities: Option<Vec<usize>>,
    ) -> PyResult<Self> {
        let starts: Vec<usize> =
            indptr.as_array().iter().map(|&start| usize::try_from(start).unwrap_or(usize::MAX)).collect();
        let (columns, values) = (indices.as_array().to_vec(), data.as_array().to_vec());
        py.detach(|| {
            let matrix = SparseMatrix::new(starts, columns, values)?;
            let operator = match alpha {
                Some(alpha) => SparseOperator::diffusion(matrix, alpha, multiplicities.as_deref())?,
                None => SparseOperator::affinity(matrix, multiplicities.as_deref())?,
            };
            Ok(Self(operator.positive_semidefinite(positive_semidefinite).unit_roundoff(unit_roundoff)))
        })
    }
}

/// A symmetric operator whose products a Python callable computes.
#[pyclass(name = "CallbackOperator", module = "dsentropy._core", frozen)]
pub struct PyCallbackOperator {
    product: Arc<Py<PyAny>>,
    dim: usize,
    name: Arc<str>,
    positive_semidefinite: bool,
    rounding: f64,
    unit_roundoff: f64,
    alpha: Option<f64>,
}

#[pymethods]
impl PyCallbackOperator {
    /// `product(vectors)` multiplies an array [dim, b] by the matrix, with the relative error `rounding`; the type of its
    /// entries has this unit roundoff. With `alpha` the operator is the diffusion operator of these affinities, without it
    /// the matrix itself. Errors call it `name`.
    #[new]
    #[pyo3(signature = (product, dim, *, name, positive_semidefinite, rounding, unit_roundoff, alpha=None))]
    fn new(
        product: Py<PyAny>,
        dim: usize,
        name: String,
        positive_semidefinite: bool,
        rounding: f64,
        unit_roundoff: f64,
        alpha: Option<f64>,
    ) -> Self {
        let (product, name) = (Arc::new(product), name.into());
        Self { product, dim, name, positive_semidefinite, rounding, unit_roundoff, alpha }
    }
}

/// An operator made of an affinity whose products and moments Python callables compute.
#[pyclass(name = "CallbackAffinity", module = "dsentropy._core", frozen)]
pub struct PyCallbackAffinity {
    product: Arc<Py<PyAny>>,
    moments: Arc<Py<PyAny>>,
    dim: usize,
    alpha: Option<f64>,
    error: f64,
    rounding: Option<f64>,
    positive_semidefinite: bool,
    row_weights: Option<Vec<f64>>,
    speed: f64,
}

#[pymethods]
impl PyCallbackAffinity {
    /// `product(vectors, ceilings, exact)` is G times an array [dim, b]. `moments(squares, exact)` has the `trace` and
    /// the `squared_norm` of S G S, given the squares of the diagonal of S. The operator is the diffusion operator, whose
    /// rows may count as `row_weights`, or G itself where `alpha` is None. Where `exact` is false, entries of G have the
    /// relative error `error`, and products `rounding`, by default that of the precision which the entries have. Products
    /// are `speed` times as fast as those of the core.
    #[new]
    #[pyo3(signature = (
        product, moments, dim, *, alpha, error, rounding=None, positive_semidefinite=true, row_weights=None, speed=1.0
    ))]
    #[expect(clippy::too_many_arguments, reason = "six are keyword-only")]
    fn new(
        product: Py<PyAny>,
        moments: Py<PyAny>,
        dim: usize,
        alpha: Option<f64>,
        error: f64,
        rounding: Option<f64>,
        positive_semidefinite: bool,
        row_weights: Option<PyReadonlyArray1<'_, f64>>,
        speed: f64,
    ) -> Self {
        let (product, moments) = (Arc::new(product), Arc::new(moments));
        let row_weights = row_weights.map(|weights| weights.as_array().to_vec());
        Self { product, moments, dim, alpha, error, rounding, positive_semidefinite, row_weights, speed }
    }
}

/// An operator that is not built on rows.
#[derive(FromPyObject)]
pub enum AnyOperator<'py> {
    Sparse(PyRef<'py, PySparseOperator>),
    Callback(PyRef<'py, PyCallbackOperator>),
    Affinity(PyRef<'py, PyCallbackAffinity>),
}

/// An [`AnyOperator`] without references of the interpreter, so that threads of the core can use it.
pub enum OpenOperator<'a> {
    Sparse(&'a SparseOperator),
    Callback(&'a OpenCallback<'a>),
    Affinity(&'a OpenAffinity<'a>),
}

/// The exception that a callback has raised.
#[derive(Default)]
struct Raised(Mutex<Option<PyErr>>);

impl Raised {
    /// Calls `f` on the thread that called the core; where it raises, the exception is kept and the computation
    /// interrupted.
    fn call<T: Send + 'static>(
        &self,
        job: &Job,
        f: impl FnOnce(Python) -> PyResult<T> + Send + 'static,
    ) -> Result<T> {
        job.on_caller(|| interpreter::attach(f))?.map_err(|error| self.keep(error))
    }

    /// Keeps an exception, and returns the interruption that ends the computation.
    fn keep(&self, error: PyErr) -> Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        Error::Interrupted
    }

    /// Raises the exception that was kept, or passes `result` on.
    fn or<T>(self, result: PyResult<T>) -> PyResult<T> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(result, Err)
    }
}

/// Calls `f` with the operator; an exception of its callbacks is raised in place of the result.
pub fn with_operator<T>(operator: &AnyOperator, f: impl FnOnce(&OpenOperator) -> PyResult<T>) -> PyResult<T> {
    match operator {
        AnyOperator::Sparse(sparse) => f(&OpenOperator::Sparse(&sparse.0)),
        AnyOperator::Callback(operator) => {
            let callback = OpenCallback { operator, raised: Raised::default() };
            let result = f(&OpenOperator::Callback(&callback));
            callback.raised.or(result)
        }
        AnyOperator::Affinity(affinity) => {
            let raised = Raised::default();
            let side = |exact| AffinityCallbacks { affinity, exact, raised: &raised };
            let open = OpenAffinity { rounded: side(false), exact: side(true), affinity };
            let result = f(&OpenOperator::Affinity(&open));
            raised.or(result)
        }
    }
}

/// Checks and copies the block of vectors that a callback returned for one of this shape; errors call the callback `name`.
fn checked_block(product: &Bound<PyAny>, shape: (usize, usize), name: &str) -> PyResult<Array2<f64>> {
    let product: PyReadonlyArray2<f64> = product.extract()?;
    let product = product.as_array();
    if product.dim() != shape {
        let text = format!("{name} must return shape {:?}, got {:?}", [shape.0, shape.1], product.shape());
        return Err(PyValueError::new_err(text));
    }
    if product.iter().any(|entry| !entry.is_finite()) {
        return Err(PyValueError::new_err(format!("{name} must return finite numbers")));
    }
    Ok(product.to_owned())
}

/// An affinity of callbacks in both precisions that it offers.
pub struct OpenAffinity<'a> {
    rounded: AffinityCallbacks<'a>,
    exact: AffinityCallbacks<'a>,
    affinity: &'a PyCallbackAffinity,
}

impl OpenAffinity<'_> {
    /// The operator that is made of the affinity.
    pub fn operator(&self) -> ExternalOperator<'_> {
        let PyCallbackAffinity { alpha, error, rounding, positive_semidefinite, row_weights, speed, .. } =
            self.affinity;
        ExternalOperator {
            affinity: &self.rounded,
            entry_error: *error,
            rounding: *rounding,
            exact: &self.exact,
            alpha: *alpha,
            row_weights: row_weights.as_deref(),
            positive_semidefinite: *positive_semidefinite,
            speed: *speed,
        }
    }
}

/// The callbacks of an affinity in one of its precisions.
struct AffinityCallbacks<'a> {
    affinity: &'a PyCallbackAffinity,
    exact: bool,
    raised: &'a Raised,
}

impl ExternalAffinity for AffinityCallbacks<'_> {
    fn dim(&self) -> usize {
        self.affinity.dim
    }

    fn times(&self, x: &Array2<f64>, rounding: &SumRounding, job: &Job) -> Result<Array2<f64>> {
        let (callable, x, exact) = (Arc::clone(&self.affinity.product), x.clone(), self.exact);
        let ceilings = rounding.ceilings.clone();
        self.raised.call(job, move |py| {
            let shape = x.dim();
            let arguments = (x.into_pyarray(py), ceilings, exact).into_pyobject(py)?;
            checked_block(&interpreter::call(callable.bind(py), arguments)?, shape, "product")
        })
    }

    fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)> {
        let (callable, squares, exact) = (Arc::clone(&self.affinity.moments), squares.to_vec(), self.exact);
        self.raised.call(job, move |py| {
            let arguments = (squares.into_pyarray(py), exact).into_pyobject(py)?;
            let PyMoments { trace, squared_norm } = interpreter::call(callable.bind(py), arguments)?.extract()?;
            Ok((trace, squared_norm))
        })
    }
}

/// The callback of an operator.
pub struct OpenCallback<'a> {
    operator: &'a PyCallbackOperator,
    raised: Raised,
}

impl OpenCallback<'_> {
    /// Calls `f` with the operator: the matrix itself or, with an alpha, the diffusion operator of these affinities.
    pub fn with_normalized<T>(&self, job: &Job, f: impl FnOnce(&dyn SymmetricOperator) -> Result<T>) -> Result<T> {
        let Some(alpha) = self.operator.alpha else { return f(self) };
        let normalized = NormalizedOperator::new(self, alpha, job).map_err(|error| self.named(error))?;
        f(&normalized)
    }

    /// Calls the operator by the name of Python's argument where its row sums are refused.
    fn named(&self, error: Error) -> Error {
        match error {
            Error::Invalid { argument: ROW_SUMS, value, .. } => {
                let name = &self.operator.name;
                let text = format!("{name} must have positive row sums, to be affinities, got {value}");
                self.raised.keep(PyValueError::new_err(text))
            }
            other => other,
        }
    }
}

impl SymmetricOperator for OpenCallback<'_> {
    fn dim(&self) -> usize {
        self.operator.dim
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        let (callable, name, x) = (Arc::clone(&self.operator.product), Arc::clone(&self.operator.name), x.clone());
        self.raised.call(job, move |py| {
            let shape = x.dim();
            let product = interpreter::call(callable.bind(py), (x.into_pyarray(py),).into_pyobject(py)?)?;
            checked_block(&product, shape, &format!("{name}.matmat"))
        })
    }

    fn is_positive_semidefinite(&self) -> bool {
        self.operator.positive_semidefinite
    }

    fn entry_error(&self) -> f64 {
        f64::EPSILON.max(self.operator.unit_roundoff)
    }

    fn unit_roundoff(&self) -> f64 {
        self.operator.unit_roundoff
    }

    fn rounding(&self) -> f64 {
        self.operator.rounding
    }
}
