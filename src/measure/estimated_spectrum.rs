//! Estimated spectra: of kernels with the affinity stored or computed for each product, of sparse operators and of any
//! other operator that has products; or exact spectra, where these cost less.
//!
//! ```text
//! cost of an estimate = products x cost of a product,     cost of the exact solver = c N products
//! ```
//!
//! The exact solver is used only if its matrix fits into memory together with the estimate.

use ndarray::{Array2, Axis, s};

use crate::data::input::{Input, Metric};
use crate::error::Result;
use crate::kernel::affinity_source::AffinitySource;
use crate::kernel::{AffinityInfo, GivenPairs, Kernel};
use crate::linalg::scalar::{Element, Entry, F64_ROUNDOFF};
use crate::linalg::symmetric_eigenvalues;
use crate::measure::spectrum::{KernelSpec, OperatorSpec, given_eigenvalues};
use crate::operator::SymmetricOperator;
use crate::operator::normalization::Density;
use crate::operator::sparse::SparseOperator;
use crate::operator::tiled::{AffinityOperator, DiffusionOperator};
use crate::operator::tiles::{ExternalAffinity, StoredTiles, TiledAffinity};
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use crate::runtime::tuning::SlqTuning;
use crate::slq::adaptive::{Estimated, estimate, workspace_vectors};
use crate::slq::estimate::Estimate;
use crate::slq::options::{SlqOptions, Storage};
use crate::slq::progress::Progress;

/// Columns of the identity that are multiplied at once, where the matrix of an operator is computed from products.
const COLUMNS: usize = 128;

/// The spectrum of an operator: estimated, or exact where that costs less.
#[derive(Debug, Clone)]
pub enum Solution {
    /// An estimate, and whether its uncertainty is within the tolerance.
    Estimated {
        /// The estimated spectrum.
        estimate: Box<Estimate>,
        /// Whether the uncertainty is within the tolerance at each t and order.
        converged: bool,
    },
    /// All eigenvalues. For an [`OperatorSpec`] they are moduli, but for given affinities that are called positive
    /// semi-definite.
    Exact(Vec<f64>),
}

impl Solution {
    /// The estimate, or without one what the exact solver returns.
    fn estimated_or(estimated: Option<Estimated>, exact: impl FnOnce() -> Result<Vec<f64>>) -> Result<Self> {
        match estimated {
            Some(Estimated { estimate, converged }) => {
                Ok(Self::Estimated { estimate: Box::new(estimate), converged })
            }
            None => Ok(Self::Exact(exact()?)),
        }
    }
}

/// Bytes held at once by an estimate of n rows of so many columns, without stored affinities.
pub(crate) fn estimate_bytes(n: usize, columns: Option<usize>, tuning: &SlqTuning) -> u64 {
    let vectors = workspace_vectors(n, tuning) as u64;
    memory::dense_bytes(0.0, n, columns.unwrap_or(0)).saturating_add(8 * vectors.saturating_mul(n as u64))
}

/// Checks that an estimate with `needed` bytes fits into memory. Returns the products that cost as much as the exact
/// solver, or the error that says why the matrix of the exact solver does not fit.
fn exact_budget(
    n: usize,
    needed: u64,
    exact_products: f64,
    options: &SlqOptions,
    job: &Job,
) -> Result<Result<usize>> {
    options.require_memory(n, needed, job)?;
    let dense = options.require_memory(n, needed.saturating_add(memory::dense_bytes(1.0, n, 0)), job);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
    Ok(dense.map(|()| exact_products as usize))
}

/// Estimates the spectrum of an operator of a kernel, or computes it where that costs less and fits into memory.
///
/// `given` is known of distances and affinities that are given. That affinities are positive semi-definite plays no part
/// for rows and distances.
///
/// # Errors
/// [`crate::Error::Invalid`] for parameters out of range and a graph of neighbours; [`crate::Error::OutOfMemory`],
/// before any work; [`crate::Error::Interrupted`]; [`crate::Error::Lapack`].
pub fn estimate_spectrum<T: Element>(
    input: Input<T>,
    operator: &OperatorSpec,
    given: GivenPairs,
    options: &SlqOptions,
    progress: Progress,
    job: &Job,
) -> Result<Solution> {
    input.require()?;
    let n = input.len();
    let KernelSpec { bandwidth, density, .. } = operator.kernel("operator")?;
    AffinitySource::require_bandwidth(&input, bandwidth)?; // before memory is counted
    density.map_or(Ok(()), |density| density.require(n))?;
    let cost = job.tuning().slq.exact_products * n as f64;
    let budget = exact_budget(n, estimate_bytes(n, input.columns(), &job.tuning().slq), cost, options, job)?;
    let exact_products = if options.storage == Storage::Dense { Some(budget?) } else { budget.ok() };
    let is_stored = options.storage != Storage::Tiled && exact_products.is_some();
    let task = KernelTask { density, is_stored, given, options, exact_products, progress };
    let estimated = task.estimate_source(&AffinitySource::reproducible(input, bandwidth)?, job)?;
    // Affinities that are called positive semi-definite keep the signs of their eigenvalues, to check that they are.
    let keeps_signs = given.positive_semidefinite && input.metric == Metric::Affinity && density.is_none();
    Solution::estimated_or(estimated, || {
        if keeps_signs { given_eigenvalues(input.matrix, job) } else { operator.eigenvalues(input, job) }
    })
}

/// An estimate of an operator of a kernel, whatever its precision.
struct KernelTask<'a> {
    /// How the density enters the diffusion operator; none for the affinity matrix itself.
    density: Option<Density<'a>>,
    is_stored: bool,
    given: GivenPairs,
    options: &'a SlqOptions,
    exact_products: Option<usize>,
    progress: Progress<'a>,
}

impl KernelTask<'_> {
    /// Estimates with the kernel of a source, in f32 where the tolerance allows it.
    fn estimate_source<T: Element>(&self, source: &AffinitySource<T>, job: &Job) -> Result<Option<Estimated>> {
        let allowed = self.options.single_precision_error(source.len(), &job.tuning().slq);
        if let Some(kernel) = allowed.and_then(|error| source.kernel_f32(error)) {
            return self.estimate_kernel(&kernel, true, job);
        }
        let positive = source.is_positive_semidefinite(self.given.positive_semidefinite);
        self.estimate_kernel(&*source.kernel()?, positive, job)
    }

    /// Estimates with a kernel, whose tiles are stored or computed for each product.
    fn estimate_kernel<A: Entry>(
        &self,
        kernel: &dyn Kernel<A>,
        positive: bool,
        job: &Job,
    ) -> Result<Option<Estimated>> {
        let stored = if self.is_stored { Some(StoredTiles::new(kernel, job)?) } else { None };
        let affinity = stored.as_ref().map_or(TiledAffinity::Computed(kernel), TiledAffinity::Stored);
        let info = kernel.info(positive, self.given);
        if let Some(density) = self.density {
            let operator = DiffusionOperator::new(affinity, info, density, job)?;
            return estimate(&operator, self.options, self.exact_products, self.progress, job);
        }
        let operator = AffinityOperator::new(affinity, info, job)?;
        estimate(&operator, self.options, self.exact_products, self.progress, job)
    }
}

/// Estimates the spectrum of a sparse operator, or computes it from its dense matrix where that costs less.
///
/// # Errors
/// The errors of [`estimate_spectrum`].
pub fn estimate_sparse(
    operator: &SparseOperator,
    options: &SlqOptions,
    progress: Progress,
    job: &Job,
) -> Result<Solution> {
    let n = operator.dim();
    let own = n - operator.zero_rows();
    let needed = (12 * operator.entries() as u64).saturating_add(estimate_bytes(n, None, &job.tuning().slq));
    let cost = job.tuning().slq.exact_products_sparse * own as f64 * own as f64;
    let exact_products = exact_budget(own, needed, cost, options, job)?.ok();
    let estimated = estimate(operator, options, exact_products, progress, job)?;
    Solution::estimated_or(estimated, || operator_eigenvalues(operator, job))
}

/// Estimates the spectrum of an operator that has products only, or computes it from the matrix that N products give,
/// where that costs less.
///
/// # Errors
/// The errors of [`estimate_spectrum`] and of the operator.
pub fn estimate_operator(
    operator: &dyn SymmetricOperator,
    options: &SlqOptions,
    progress: Progress,
    job: &Job,
) -> Result<Solution> {
    let exact_products = dense_budget(operator.dim(), 1.0, options, job)?;
    let estimated = estimate(operator, options, exact_products, progress, job)?;
    Solution::estimated_or(estimated, || operator_eigenvalues(operator, job))
}

/// An affinity that is computed elsewhere, and the operator that is made of it.
#[derive(Clone, Copy)]
pub struct ExternalOperator<'a> {
    /// The affinity whose products are estimated from.
    pub affinity: &'a dyn ExternalAffinity,
    /// The relative error of its entries.
    pub entry_error: f64,
    /// The relative error of its products; where there is none, that of products in the precision of the entries.
    pub rounding: Option<f64>,
    /// The affinity in the highest precision, for the exact solver.
    pub exact: &'a dyn ExternalAffinity,
    /// The exponent of the diffusion operator; none for the affinity itself.
    pub alpha: Option<f64>,
    /// How many rows each row counts as in the diffusion operator; none where each is one.
    pub row_weights: Option<&'a [f64]>,
    /// Whether no eigenvalue is negative.
    pub positive_semidefinite: bool,
    /// How many times as fast as products of the core its products are.
    pub speed: f64,
}

impl ExternalOperator<'_> {
    /// The operator of an affinity with entries, and products, of these relative errors.
    fn of<'b>(
        &self,
        affinity: &'b dyn ExternalAffinity,
        entry_error: f64,
        rounding: Option<f64>,
        job: &Job,
    ) -> Result<Box<dyn SymmetricOperator + 'b>> {
        let info = AffinityInfo {
            positive_semidefinite: self.positive_semidefinite,
            entry_error,
            unit_roundoff: F64_ROUNDOFF,
            max_entry: 1.0,
        };
        let tiles = TiledAffinity::<f64>::External(affinity);
        let Some(alpha) = self.alpha else {
            return Ok(Box::new(AffinityOperator::new(tiles, info, job)?.with_rounding(rounding)));
        };
        let density = Density { alpha, row_weights: self.row_weights };
        Ok(Box::new(DiffusionOperator::new(tiles, info, density, job)?.with_rounding(rounding)))
    }
}

/// Estimates the spectrum of an operator of an affinity that is computed elsewhere, or computes it where that costs less.
///
/// # Errors
/// The errors of [`estimate_spectrum`] and of the affinity.
pub fn estimate_affinity(
    operator: ExternalOperator,
    options: &SlqOptions,
    progress: Progress,
    job: &Job,
) -> Result<Solution> {
    let ExternalOperator { affinity, entry_error, rounding, exact, speed, .. } = operator;
    let exact_products = dense_budget(affinity.dim(), speed, options, job)?;
    let estimated_from = operator.of(affinity, entry_error, rounding, job)?;
    let estimated = estimate(&*estimated_from, options, exact_products, progress, job)?;
    Solution::estimated_or(estimated, || operator_eigenvalues(&*operator.of(exact, f64::EPSILON, None, job)?, job))
}

/// The products of an operator of n rows, `speed` times as fast as those of the core, that cost as much as the exact
/// solver; none where that does not fit into memory.
fn dense_budget(n: usize, speed: f64, options: &SlqOptions, job: &Job) -> Result<Option<usize>> {
    let cost = job.tuning().slq.exact_products * speed * n as f64;
    Ok(exact_budget(n, estimate_bytes(n, None, &job.tuning().slq), cost, options, job)?.ok())
}

/// The eigenvalues of an operator in ascending order, from the matrix that its products with the identity give.
///
/// # Errors
/// [`crate::Error::OutOfMemory`]; [`crate::Error::Interrupted`]; [`crate::Error::Lapack`]; the errors of the operator.
pub fn operator_eigenvalues(operator: &dyn SymmetricOperator, job: &Job) -> Result<Vec<f64>> {
    let n = operator.dim();
    let own = n - operator.zero_rows();
    memory::require(own, memory::dense_bytes(1.0, own, 0), job)?;
    let mut matrix = memory::zeros(own)?;
    for (b, mut rows) in matrix.axis_chunks_iter_mut(Axis(0), COLUMNS).enumerate() {
        let mut identity = Array2::zeros((n, rows.nrows()));
        identity.slice_mut(s![b * COLUMNS.., ..]).diag_mut().fill(1.0);
        rows.assign(&operator.apply(&identity, job)?.slice(s![..own, ..]).t());
    }
    let mut eigenvalues = symmetric_eigenvalues(matrix, job)?;
    let negative = eigenvalues.partition_point(|value| *value < 0.0);
    eigenvalues.splice(negative..negative, std::iter::repeat_n(0.0, n - own));
    Ok(eigenvalues)
}
