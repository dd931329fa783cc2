//! The ways to an estimated spectrum: with the affinity stored, or computed anew for each product, sparse, or known by
//! its products only; and the exact way, where that costs less.

use ndarray::{Array2, Axis, s};

use crate::data::input::{Input, Metric};
use crate::data::points::Points;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::gaussian::{Bandwidth, Gaussian, GaussianF32};
use crate::kernel::precomputed::GivenAffinities;
use crate::linalg::scalar::{Element, Entry};
use crate::linalg::symmetric_eigenvalues;
use crate::measure::spectrum::{OperatorSpec, given_eigenvalues};
use crate::operator::SymmetricOperator;
use crate::operator::dense::require_alpha;
use crate::operator::sparse::SparseOperator;
use crate::operator::tiled::{AffinityInfo, AffinityOperator, DiffusionOperator};
use crate::operator::tiles::{ExternalAffinity, StoredTiles, TiledAffinity};
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use crate::slq::adaptive::{Options, Outcome, estimate, vectors};
use crate::slq::estimate::Estimate;

/// Products of a stored operator with a vector that cost as much as its eigenvalues, as a part of N. Measured (float64,
/// SkylakeX kernels, 2 cores): 0.7 at N = 2000, 0.6 at 5000.
const EXACT_PRODUCTS: f64 = 0.6;

/// The same of a sparse operator with its recurrences, as a part of N^2. Measured, 20 entries a row: 0.9e-3 at N = 2000,
/// 1.2e-3 at 5000.
const EXACT_PRODUCTS_SPARSE: f64 = 1e-3;

/// Tolerances from which affinities are in f32, in bits, where their relative error is below this part of it, and rows
/// from which that is worth it: what is below their rounding, of fewer rows, is nearly free to resolve.
const SINGLE_FROM: f64 = 3e-4;
const SINGLE_PART: f64 = 0.1;
const SINGLE_ROWS: usize = 8192;

/// Columns of the identity that are multiplied at once, where a matrix is made of its products.
const COLUMNS: usize = 128;

/// Where the affinity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Stored if it fits.
    Auto,
    /// Stored: N^2 numbers of f64.
    Dense,
    /// Nowhere: distances and exponentials are computed for each product.
    Tiled,
}

/// An estimate, and with what it may be made.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked of it. `exact_products` is found out here.
    pub options: Options,
    /// Where the affinity of rows or pairs is.
    pub storage: Storage,
    /// Bytes that may be used.
    pub memory_limit: Option<u64>,
}

impl Request {
    fn require(&self, n: usize, needed: u64, job: &Job) -> Result<()> {
        match self.memory_limit {
            Some(available) if needed > available => Err(Error::OutOfMemory { rows: n, needed, available }),
            _ => memory::require(n, needed, job),
        }
    }

    /// For an operator that holds so many bytes, where the exact way would hold its matrix besides.
    fn for_vectors(&self, n: usize, held: u64, exact_products: f64, job: &Job) -> Result<Options> {
        let needed = held.saturating_add(bytes_of_estimate(n, None));
        self.require(n, needed, job)?;
        let fits = self.require(n, needed.saturating_add(memory::dense_bytes(1.0, n, 0)), job).is_ok();
        Ok(self.with_exact_products(fits.then_some(exact_products)))
    }

    fn with_exact_products(&self, products: Option<f64>) -> Options {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
        let exact_products = products.map(|products| products as usize);
        Options { exact_products, ..self.options.clone() }
    }
}

/// What came of a request for an estimate.
#[derive(Debug, Clone)]
pub enum Solved {
    /// An estimate, and whether its doubts are within the tolerance.
    Estimated(Box<Estimate>, bool),
    /// All eigenvalues, where that costs less; moduli of those of an [`OperatorSpec`], but for a matrix told to be positive.
    Exact(Vec<f64>),
}

/// Bytes held at once for an estimate of n rows of so many columns, where nothing is stored.
pub(crate) fn bytes_of_estimate(n: usize, columns: Option<usize>) -> u64 {
    memory::dense_bytes(0.0, n, columns.unwrap_or(0)).saturating_add(8 * (vectors(n) as u64).saturating_mul(n as u64))
}

/// What is told of products and of the doubt in bits.
pub type Progress<'a> = &'a (dyn Fn(usize, f64) + Sync);

/// Estimates the spectrum of an operator of a kernel, or computes it where that costs less and fits into memory.
/// `positive` tells that affinities, where they are given, are positive semi-definite; of rows and distances it is known.
///
/// # Errors
/// [`Error::Invalid`] for parameters out of range and a graph of neighbours; out of memory, before any work;
/// interrupted; LAPACK's.
pub fn estimate_spectrum<T: Element>(
    input: Input<T>,
    operator: &OperatorSpec,
    positive: bool,
    request: &Request,
    progress: Progress,
    job: &Job,
) -> Result<Solved> {
    input.require()?;
    let n = input.len();
    let Some(bandwidth) = operator.bandwidth() else {
        return Err(Error::invalid("operator", "of a kernel", "a graph of neighbours"));
    };
    if input.metric != Metric::Affinity {
        bandwidth.require(n)?;
    }
    let alpha = match operator {
        OperatorSpec::Diffusion { alpha, .. } => Some(*alpha),
        _ => None,
    };
    require_alpha(alpha.unwrap_or(0.0))?;
    let needed = bytes_of_estimate(n, input.columns());
    request.require(n, needed, job)?;
    let dense = request.require(n, needed.saturating_add(memory::dense_bytes(1.0, n, 0)), job);
    let fits = dense.is_ok();
    if request.storage == Storage::Dense {
        dense?;
    }
    let options = request.with_exact_products(fits.then_some(EXACT_PRODUCTS * n as f64));
    let task = Task { alpha, stored: request.storage != Storage::Tiled && fits, options: &options, progress };
    let outcome = match input.metric {
        Metric::Affinity => task.outcome(&GivenAffinities::new(input.matrix), positive, job)?,
        Metric::Precomputed => {
            let distances = input.distances(bandwidth.smallest())?;
            task.outcome(&Gaussian::new(&*distances, bandwidth)?, false, job)?
        }
        Metric::Euclidean => {
            let points = Points::around_rounded_mean(input.matrix, bandwidth.smallest());
            let fixed = match bandwidth {
                Bandwidth::Fixed(sigma) => Some(*sigma),
                Bandwidth::Adaptive(_) => None,
            };
            let allowed = allowed_single_error(n, &request.options);
            let single = fixed.zip(allowed).and_then(|(sigma, error)| GaussianF32::new(&points, sigma, error));
            match single {
                Some(kernel) => task.outcome(&kernel, true, job)?,
                None => task.outcome(&Gaussian::new(&points, bandwidth)?, fixed.is_some(), job)?,
            }
        }
    };
    match outcome {
        Outcome::Estimated(estimate, reached) => Ok(Solved::Estimated(estimate, reached)),
        // Whether it is positive semi-definite was told, and is to be seen.
        Outcome::ExactIsCheaper if positive && input.metric == Metric::Affinity && alpha.is_none() => {
            Ok(Solved::Exact(given_eigenvalues(input.matrix, job)?))
        }
        Outcome::ExactIsCheaper => Ok(Solved::Exact(operator.eigenvalues(input, job)?)),
    }
}

/// The relative error that affinities of n rows may have in f32, where such an estimate is to be made of them; none where they are to be in f64.
pub fn allowed_single_error(n: usize, options: &Options) -> Option<f64> {
    let powers =
        |of: fn(f64) -> f64| options.times.iter().flat_map(move |t| options.orders.iter().map(move |q| t * of(*q)));
    // Powers below 1 magnify what is rounded to nothing; others the errors of what is not.
    let small = powers(|order| order.min(1.0)).any(|power| power < 1.0);
    let largest = powers(|order| order.clamp(1.0, 2.0)).fold(1.0, f64::max);
    (n >= SINGLE_ROWS && options.tol >= SINGLE_FROM && !small).then_some(SINGLE_PART * options.tol / largest)
}

/// What is to be done with a kernel, whatever its precision.
struct Task<'a> {
    /// Of the diffusion operator; none for the affinity itself.
    alpha: Option<f64>,
    stored: bool,
    options: &'a Options,
    progress: Progress<'a>,
}

impl Task<'_> {
    fn outcome<A: Entry>(&self, kernel: &dyn Kernel<A>, positive: bool, job: &Job) -> Result<Outcome> {
        let stored = if self.stored { Some(StoredTiles::new(kernel, job)?) } else { None };
        let affinity = stored.as_ref().map_or(TiledAffinity::Computed(kernel), TiledAffinity::Stored);
        let known = AffinityInfo { positive, error: kernel.error(), largest: kernel.largest() };
        if let Some(alpha) = self.alpha {
            let operator = DiffusionOperator::new(affinity, known, alpha, job)?;
            return estimate(&operator, self.options, self.progress, job);
        }
        let operator = AffinityOperator::new(affinity, known, job)?;
        estimate(&operator, self.options, self.progress, job)
    }
}

/// The same of a sparse operator. The exact way makes a matrix of it.
///
/// # Errors
/// As above.
pub fn estimate_sparse(
    operator: &SparseOperator,
    request: &Request,
    progress: Progress,
    job: &Job,
) -> Result<Solved> {
    let n = operator.dim() as f64;
    let held = 12 * operator.entries() as u64;
    estimate_operator(operator, held, EXACT_PRODUCTS_SPARSE * n * n, request, progress, job)
}

/// The same of the diffusion operator of an affinity that is computed elsewhere and has no negative eigenvalues, with
/// the relative error of its entries; `exact` is the same affinity as exact as it can be had, for the exact way.
///
/// # Errors
/// As above, and those of the affinity.
pub fn estimate_affinity(
    affinity: &dyn ExternalAffinity,
    error: f64,
    exact: &dyn ExternalAffinity,
    alpha: f64,
    request: &Request,
    progress: Progress,
    job: &Job,
) -> Result<Solved> {
    let n = affinity.dim();
    let options = request.for_vectors(n, 0, EXACT_PRODUCTS * n as f64, job)?;
    let operator = |affinity, error| {
        let known = AffinityInfo { positive: true, error, largest: 1.0 };
        DiffusionOperator::<f64>::new(TiledAffinity::External(affinity), known, alpha, job)
    };
    match estimate(&operator(affinity, error)?, &options, progress, job)? {
        Outcome::Estimated(estimate, reached) => Ok(Solved::Estimated(estimate, reached)),
        Outcome::ExactIsCheaper => Ok(Solved::Exact(operator_eigenvalues(&operator(exact, f64::EPSILON)?, job)?)),
    }
}

/// The same of an operator of which only products are known: N of them give its matrix, for the exact way.
///
/// # Errors
/// As above, and those of the operator.
pub fn estimate_given(
    operator: &dyn SymmetricOperator,
    request: &Request,
    progress: Progress,
    job: &Job,
) -> Result<Solved> {
    estimate_operator(operator, 0, EXACT_PRODUCTS * operator.dim() as f64, request, progress, job)
}

fn estimate_operator(
    operator: &dyn SymmetricOperator,
    held: u64,
    exact_products: f64,
    request: &Request,
    progress: Progress,
    job: &Job,
) -> Result<Solved> {
    let options = request.for_vectors(operator.dim(), held, exact_products, job)?;
    match estimate(operator, &options, progress, job)? {
        Outcome::Estimated(estimate, reached) => Ok(Solved::Estimated(estimate, reached)),
        Outcome::ExactIsCheaper => Ok(Solved::Exact(operator_eigenvalues(operator, job)?)),
    }
}

/// The eigenvalues of an operator, from the matrix that its products with the identity are; ascending.
///
/// # Errors
/// Out of memory; interrupted; LAPACK's; those of the operator.
pub fn operator_eigenvalues(operator: &dyn SymmetricOperator, job: &Job) -> Result<Vec<f64>> {
    let n = operator.dim();
    memory::require(n, memory::dense_bytes(1.0, n, 0), job)?;
    let mut matrix = memory::zeros(n)?;
    for (b, mut rows) in matrix.axis_chunks_iter_mut(Axis(0), COLUMNS).enumerate() {
        let mut identity = Array2::zeros((n, rows.nrows()));
        identity.slice_mut(s![b * COLUMNS.., ..]).diag_mut().fill(1.0);
        rows.assign(&operator.apply(&identity, job)?.t());
    }
    symmetric_eigenvalues(matrix, job)
}
