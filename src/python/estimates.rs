//! Estimated spectra by stochastic Lanczos quadrature: how one is computed, what is known of it, and its readings.

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray3, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;

use crate::data::input::{Input, Metric};
use crate::kernel::GivenPairs;
use crate::linalg::scalar::F64_ROUNDOFF;
use crate::measure::estimated_spectrum::{Solution, estimate_affinity};
use crate::python::call::compute_with_progress;
use crate::python::callbacks::{AnyOperator, OpenOperator, with_operator};
use crate::python::rows::{Rows, Subsets, on_rows, row_numbers};
use crate::python::specs::{Choice, PyOperatorSpec, PySlqOptions};
use crate::runtime::tuning::Tuning;
use crate::slq::estimate::{Estimate, EstimateArrays, EstimateInfo};
use crate::slq::options::SlqOptions;
use crate::slq::reading::Reading;

/// Readings between two looks for signals: about a hundredth of a second.
const READINGS_AT_ONCE: usize = 64;

/// Facts about the operator of an estimate, and how the estimate was made.
#[pyclass(name = "EstimateInfo", module = "dsentropy._core", frozen, get_all, eq)]
#[derive(Clone, PartialEq)]
pub struct PyEstimateInfo {
    /// N, the number of eigenvalues.
    dim: usize,
    /// Whether no eigenvalue is negative, so that bounds are those of the operator and not of its square.
    positive_semidefinite: bool,
    /// The number of matrix-vector products.
    products: usize,
    /// The fraction of the trace below which nothing is known.
    rounding: f64,
    /// The relative error of the operator's entries.
    entry_error: f64,
    /// The unit roundoff of the entries that the operator was made of, as they were given.
    unit_roundoff: f64,
    /// An upper bound of the moduli of the eigenvalues; infinite if none is known.
    largest_modulus: f64,
}

#[pymethods]
impl PyEstimateInfo {
    #[new]
    #[pyo3(signature = (
        *, dim, positive_semidefinite, products, rounding, entry_error, unit_roundoff, largest_modulus
    ))]
    fn new(
        dim: usize,
        positive_semidefinite: bool,
        products: usize,
        rounding: f64,
        entry_error: f64,
        unit_roundoff: f64,
        largest_modulus: f64,
    ) -> Self {
        Self { dim, positive_semidefinite, products, rounding, entry_error, unit_roundoff, largest_modulus }
    }
}

impl From<EstimateInfo> for PyEstimateInfo {
    fn from(info: EstimateInfo) -> Self {
        Self {
            dim: info.dim,
            positive_semidefinite: info.positive_semidefinite,
            products: info.products,
            rounding: info.rounding,
            entry_error: info.entry_error,
            unit_roundoff: info.unit_roundoff,
            largest_modulus: info.largest_modulus,
        }
    }
}

impl From<&PyEstimateInfo> for EstimateInfo {
    fn from(info: &PyEstimateInfo) -> Self {
        Self {
            dim: info.dim,
            positive_semidefinite: info.positive_semidefinite,
            products: info.products,
            rounding: info.rounding,
            entry_error: info.entry_error,
            unit_roundoff: info.unit_roundoff,
            largest_modulus: info.largest_modulus,
        }
    }
}

/// Entropies that are read off an estimate, with their errors: arrays [times, orders], in bits.
#[pyclass(name = "Readings", module = "dsentropy._core", frozen, get_all)]
pub struct PyReadings {
    /// The entropies.
    entropy: Py<PyArray2<f64>>,
    /// One standard error of the sampling.
    standard_error: Py<PyArray2<f64>>,
    /// The lower truncation bounds; rounding is in them.
    lower: Py<PyArray2<f64>>,
    /// The upper truncation bounds; rounding is in them.
    upper: Py<PyArray2<f64>>,
}

/// The numbers that an estimate consists of, besides its `EstimateInfo`.
#[pyclass(name = "EstimateArrays", module = "dsentropy._core", frozen, get_all)]
pub struct PyEstimateArrays {
    /// The sums of 1, x and x^2 over the part that is left to the probes, as far as they are known: [0 to 3].
    known: Py<PyArray1<f64>>,
    /// Nodes and weights of the five quadrature rules of the deflated part: [10, nodes].
    deflated: Py<PyArray2<f64>>,
    /// Nodes and weights of the five quadrature rules of each probe: [probes, 10, nodes].
    probes: Py<PyArray3<f64>>,
    /// The products of the deflated part and of each probe: [1 + probes].
    steps: Py<PyArray1<u64>>,
}

/// An estimated spectrum: nodes and weights, from which entropies are read with their errors.
#[pyclass(name = "Estimate", module = "dsentropy._core", frozen)]
pub struct PyEstimate(Estimate);

#[pymethods]
impl PyEstimate {
    /// Facts about the operator of an estimate, and how the estimate was made.
    #[getter]
    fn info(&self) -> PyEstimateInfo {
        self.0.info().into()
    }

    /// The smallest node, or 0 where none is negative: an eigenvalue as small exists.
    #[getter]
    fn smallest_node(&self) -> f64 {
        self.0.range().0
    }

    /// The largest node, or 0 where none is positive: an eigenvalue as large exists.
    #[getter]
    fn largest_node(&self) -> f64 {
        self.0.range().1
    }

    /// Reads the entropy, its standard error and its bounds at each pair of a time and an order, all positive.
    ///
    /// Signals (Ctrl-C) are looked for between two parts, and other threads run Python meanwhile.
    fn read(&self, py: Python<'_>, times: Vec<f64>, orders: Vec<f64>) -> PyResult<PyReadings> {
        let mut readings: Vec<Reading> = Vec::with_capacity(times.len() * orders.len());
        let places = (0..times.len()).flat_map(|i| (0..orders.len()).map(move |j| (i, j))).collect::<Vec<_>>();
        for part in places.chunks(READINGS_AT_ONCE) {
            let of_part = || part.iter().map(|&(i, j)| self.0.read(times[i], orders[j])).collect::<Vec<_>>();
            readings.extend(py.detach(of_part));
            py.check_signals()?;
        }
        let shape = (times.len(), orders.len());
        let readings = Array2::from_shape_vec(shape, readings).expect("there is a reading for each pair");
        let field = |of: fn(&Reading) -> f64| readings.map(of).into_pyarray(py).unbind();
        Ok(PyReadings {
            entropy: field(|reading| reading.value),
            standard_error: field(|reading| reading.standard_error),
            lower: field(|reading| reading.lower),
            upper: field(|reading| reading.upper),
        })
    }

    /// Copies the estimate into arrays, from which `from_arrays` restores it.
    fn to_arrays(&self, py: Python<'_>) -> PyEstimateArrays {
        let EstimateArrays { power_sums, deflated, probes, steps } = self.0.to_arrays();
        let steps: Vec<u64> = steps.into_iter().map(|steps| steps as u64).collect();
        PyEstimateArrays {
            known: power_sums.into_pyarray(py).unbind(),
            deflated: deflated.into_pyarray(py).unbind(),
            probes: probes.into_pyarray(py).unbind(),
            steps: steps.into_pyarray(py).unbind(),
        }
    }

    /// Restores an estimate from its `info` and the arrays of `to_arrays`.
    #[staticmethod]
    fn from_arrays(
        info: &PyEstimateInfo,
        known: Vec<f64>,
        deflated: PyReadonlyArray2<'_, f64>,
        probes: PyReadonlyArray3<'_, f64>,
        steps: Vec<usize>,
    ) -> PyResult<Self> {
        let (deflated, probes) = (deflated.as_array().to_owned(), probes.as_array().to_owned());
        let arrays = EstimateArrays { power_sums: known, deflated, probes, steps };
        Ok(Self(Estimate::from_arrays(info.into(), arrays)?))
    }
}

/// An estimated spectrum, or all eigenvalues where the exact solver costs less.
#[pyclass(name = "Solution", module = "dsentropy._core", frozen)]
pub struct PySolution(Found);

enum Found {
    Estimated { estimate: Py<PyEstimate>, converged: bool },
    Exact(Py<PyArray1<f64>>),
}

#[pymethods]
impl PySolution {
    /// Wraps the eigenvalues that the exact solver computed.
    #[staticmethod]
    fn exact(eigenvalues: Bound<'_, PyArray1<f64>>) -> Self {
        Self(Found::Exact(eigenvalues.unbind()))
    }

    /// The estimate; None where the exact solver was used.
    #[getter]
    fn estimate(&self, py: Python<'_>) -> Option<Py<PyEstimate>> {
        match &self.0 {
            Found::Estimated { estimate, .. } => Some(estimate.clone_ref(py)),
            Found::Exact(_) => None,
        }
    }

    /// Whether the uncertainty is within the tolerance; always true of the exact solver.
    #[getter]
    fn converged(&self) -> bool {
        match &self.0 {
            Found::Estimated { converged, .. } => *converged,
            Found::Exact(_) => true,
        }
    }

    /// The eigenvalues of the exact solver; AttributeError where the spectrum is estimated.
    #[getter]
    fn eigenvalues(&self, py: Python<'_>) -> PyResult<Py<PyArray1<f64>>> {
        match &self.0 {
            Found::Estimated { .. } => Err(PyAttributeError::new_err("an estimated spectrum has no eigenvalues")),
            Found::Exact(eigenvalues) => Ok(eigenvalues.clone_ref(py)),
        }
    }
}

impl PySolution {
    fn new(py: Python<'_>, solved: Solution) -> PyResult<Self> {
        Ok(Self(match solved {
            Solution::Estimated { estimate, converged } => {
                Found::Estimated { estimate: Py::new(py, PyEstimate(*estimate))?, converged }
            }
            Solution::Exact(eigenvalues) => Found::Exact(eigenvalues.into_pyarray(py).unbind()),
        }))
    }
}

/// Estimates the spectrum of a kernel operator, or computes it where the exact solver costs less.
///
/// Given affinities are estimated as indefinite unless `positive_semidefinite` states otherwise. `unit_roundoff` is that of
/// the type in which given pairs came. Exact eigenvalues are
/// moduli, but for an affinity matrix that was stated to be positive semi-definite. `progress(products, uncertainty)` is
/// called with the number of matrix-vector products and the uncertainty in bits.
#[pyfunction]
#[pyo3(signature = (
    x, metric, operator, options, *, positive_semidefinite=false, unit_roundoff=F64_ROUNDOFF, progress=None,
    num_threads=None
))]
#[expect(clippy::too_many_arguments, reason = "four are keyword-only")]
pub fn estimate_spectrum<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    metric: Choice<Metric>,
    operator: &PyOperatorSpec,
    options: PySlqOptions,
    positive_semidefinite: bool,
    unit_roundoff: f64,
    progress: Option<Py<PyAny>>,
    num_threads: Option<usize>,
) -> PyResult<PySolution> {
    let (operator, options) = (&operator.0, SlqOptions::from(options));
    let solved = on_rows!(x, matrix => compute_with_progress(py, num_threads, progress, |job, counter| {
        let input = Input { metric: metric.0, matrix };
        let progress = |products, uncertainty| counter.record_estimate(products, uncertainty);
        let given = GivenPairs { positive_semidefinite, unit_roundoff };
        crate::estimate_spectrum(input, operator, given, &options, &progress, job)
    }));
    PySolution::new(py, solved?)
}

/// Estimates the spectrum of a kernel operator on each subset of the rows, or computes it where that costs less.
///
/// `progress(done, nan)` is called with the number of subsets that are done.
#[pyfunction]
#[pyo3(signature = (x, metric, subsets, operator, options, *, progress=None, num_threads=None))]
#[expect(clippy::too_many_arguments, reason = "two are keyword-only")]
pub fn estimate_subsets<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    metric: Choice<Metric>,
    subsets: Subsets<'py>,
    operator: &PyOperatorSpec,
    options: PySlqOptions,
    progress: Option<Py<PyAny>>,
    num_threads: Option<usize>,
) -> PyResult<Vec<PySolution>> {
    let (operator, options, subsets) = (&operator.0, SlqOptions::from(options), row_numbers(&subsets));
    let solved = on_rows!(x, matrix => compute_with_progress(py, num_threads, progress, |job, counter| {
        let (input, done) = (Input { metric: metric.0, matrix }, || counter.advance());
        crate::estimate_subsets(input, &subsets, operator, &options, &done, job)
    }));
    solved?.into_iter().map(|solved| PySolution::new(py, solved)).collect()
}

/// Estimates the spectrum of an operator that is not built on rows, or computes it where that costs less.
///
/// Exact eigenvalues keep their signs. `progress(products, uncertainty)` is called with the number of matrix-vector
/// products and the uncertainty in bits.
#[pyfunction]
#[pyo3(signature = (operator, options, *, progress=None, num_threads=None))]
pub fn estimate_operator<'py>(
    py: Python<'py>,
    operator: AnyOperator<'py>,
    options: PySlqOptions,
    progress: Option<Py<PyAny>>,
    num_threads: Option<usize>,
) -> PyResult<PySolution> {
    let options = SlqOptions::from(options);
    let solved = with_operator(&operator, |operator| {
        compute_with_progress(py, num_threads, progress, |job, counter| {
            let progress = |products, uncertainty| counter.record_estimate(products, uncertainty);
            match operator {
                OpenOperator::Sparse(sparse) => crate::estimate_sparse(sparse, &options, &progress, job),
                OpenOperator::Callback(callback) => callback
                    .with_normalized(job, |operator| crate::estimate_operator(operator, &options, &progress, job)),
                OpenOperator::Affinity(open) => estimate_affinity(open.operator(), &options, &progress, job),
            }
        })
    });
    PySolution::new(py, solved?)
}

/// The bytes that an estimate of an operator of `dim` rows holds at once, without rows and affinities.
#[pyfunction]
pub fn estimate_bytes(dim: usize) -> u64 {
    crate::measure::estimated_spectrum::estimate_bytes(dim, None, &Tuning::MEASURED.slq)
}
