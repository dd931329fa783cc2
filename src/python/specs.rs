//! Arguments of calls from Python: operators, measures and options of estimates, and the strings that name their kinds.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::data::input::Metric;
use crate::data::neighbors::Symmetrize;
use crate::kernel::bandwidth::Bandwidth;
use crate::measure::direct_entropy::Measure;
use crate::measure::spectrum::{OperatorSpec, Precision};
use crate::slq::options::{SlqOptions, Storage};

/// A kind that Python names by a string.
pub trait Named: Copy + 'static {
    /// The argument that takes it.
    const ARGUMENT: &'static str;
    /// Each name with what it means.
    const NAMES: &'static [(&'static str, Self)];
}

impl Named for Metric {
    const ARGUMENT: &'static str = "metric";
    const NAMES: &'static [(&'static str, Self)] =
        &[("euclidean", Self::Euclidean), ("precomputed", Self::Precomputed), ("affinity", Self::Affinity)];
}

impl Named for Precision {
    const ARGUMENT: &'static str = "precision";
    const NAMES: &'static [(&'static str, Self)] =
        &[("single", Self::Single), ("double", Self::Double), ("fastest", Self::Fastest)];
}

impl Named for Symmetrize {
    const ARGUMENT: &'static str = "symmetrize";
    const NAMES: &'static [(&'static str, Self)] =
        &[("union", Self::Union), ("mutual", Self::Mutual), ("mean", Self::Mean)];
}

impl Named for Storage {
    const ARGUMENT: &'static str = "storage";
    const NAMES: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("dense", Self::Dense), ("tiled", Self::Tiled)];
}

/// One of several kinds, given by its name.
pub struct Choice<T>(pub T);

impl<T: Named> FromPyObject<'_, '_> for Choice<T> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let given: &str = given.extract()?;
        let found = T::NAMES.iter().find(|(name, _)| *name == given);
        found
            .map(|&(_, kind)| Self(kind))
            .ok_or_else(|| PyValueError::new_err(format!("{} must be {}, got '{given}'", T::ARGUMENT, listed::<T>())))
    }
}

/// Lists the names as an error does: 'a', 'b' or 'c'.
fn listed<T: Named>() -> String {
    let names: Vec<String> = T::NAMES.iter().map(|(name, _)| format!("'{name}'")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// A bandwidth: one number, or one for each row.
#[derive(FromPyObject)]
pub enum PyBandwidth<'py> {
    Adaptive(PyReadonlyArray1<'py, f64>),
    Fixed(f64),
}

impl From<PyBandwidth<'_>> for Bandwidth {
    fn from(bandwidth: PyBandwidth) -> Self {
        match bandwidth {
            PyBandwidth::Adaptive(sigmas) => Self::Adaptive(sigmas.as_array().to_vec()),
            PyBandwidth::Fixed(sigma) => Self::Fixed(sigma),
        }
    }
}

/// The description of a matrix that is built on a data set.
#[pyclass(name = "OperatorSpec", module = "dsentropy._core", frozen)]
pub struct PyOperatorSpec(pub OperatorSpec);

#[pymethods]
impl PyOperatorSpec {
    /// The symmetric diffusion operator, with eigenvalues in "single" or "double" precision or the "fastest" of them.
    ///
    /// With `row_weights` each row counts as so many.
    #[staticmethod]
    #[pyo3(signature = (bandwidth, alpha, precision, row_weights=None))]
    fn diffusion(
        bandwidth: PyBandwidth<'_>,
        alpha: f64,
        precision: Choice<Precision>,
        row_weights: Option<PyReadonlyArray1<'_, f64>>,
    ) -> Self {
        let row_weights = row_weights.map(|weights| weights.as_array().to_vec());
        Self(OperatorSpec::Diffusion { bandwidth: bandwidth.into(), alpha, precision: precision.0, row_weights })
    }

    /// The Gaussian affinity itself.
    #[staticmethod]
    fn affinity(bandwidth: PyBandwidth<'_>) -> Self {
        Self(OperatorSpec::Affinity { bandwidth: bandwidth.into() })
    }

    /// The nearest-neighbour graph, the row itself counted; made symmetric by "union", "mutual" or "mean", or left as is.
    ///
    /// Distances that differ by no more than the unit roundoff `rounding` of the entries explains are tied; without one,
    /// those that are equal.
    #[staticmethod]
    #[pyo3(signature = (n_neighbors, symmetrize, rounding=None))]
    fn neighbor_graph(n_neighbors: usize, symmetrize: Option<Choice<Symmetrize>>, rounding: Option<f64>) -> Self {
        let symmetrize = symmetrize.map(|symmetrize| symmetrize.0);
        Self(OperatorSpec::NeighborGraph { n_neighbors, symmetrize, rounding })
    }
}

/// The description of an entropy of data that is not read off a spectrum.
#[pyclass(name = "Measure", module = "dsentropy._core", frozen)]
pub struct PyMeasure(pub Measure);

#[pymethods]
impl PyMeasure {
    /// The entropy of the entries of the row-normalised diffusion operator.
    #[staticmethod]
    fn matrix_entries(bandwidth: f64) -> Self {
        Self(Measure::MatrixEntries { bandwidth })
    }

    /// The entropy of rows whose entries are put into equal-width bins.
    #[staticmethod]
    fn binned_rows(n_bins: usize) -> Self {
        Self(Measure::BinnedRows { n_bins })
    }
}

/// The options of an estimate, read by field from any Python object that has these attributes.
#[derive(FromPyObject)]
pub struct PySlqOptions {
    /// The uncertainty to reach, in bits.
    tol: f64,
    /// The diffusion times at which `tol` holds.
    times: Vec<f64>,
    /// The Renyi orders at which `tol` holds.
    orders: Vec<f64>,
    /// The most matrix-vector products.
    max_products: usize,
    /// The seed of the random probes.
    seed: u64,
    /// Whether the affinity is stored or computed anew for each product.
    storage: Choice<Storage>,
    /// The most bytes that may be used; by default what the machine has.
    memory_limit: Option<u64>,
}

impl From<PySlqOptions> for SlqOptions {
    fn from(options: PySlqOptions) -> Self {
        let PySlqOptions { tol, times, orders, max_products, seed, storage, memory_limit } = options;
        Self { tol, times, orders, max_products, seed, storage: storage.0, memory_limit }
    }
}
