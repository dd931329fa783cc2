//! The ways to an estimated spectrum: with the affinity stored, or computed anew for each product.

use crate::distance::{Element, Points};
use crate::error::{Error, Result};
use crate::input::Input;
use crate::kernel::{Bandwidth, Gaussian, Kernel, SingleGaussian, stored_affinity};
use crate::measure::{Operator, Precision, bytes};
use crate::memory;
use crate::operator::{Affinity, DiffusionOperator, Entry};
use crate::parallel::Job;
use crate::stochastic::{Estimate, Options, Outcome, estimate};

/// Products of a stored operator with a vector that cost as much as its eigenvalues, as a part of N. Measured (float64,
/// SkylakeX kernels, 2 cores): 0.7 at N = 2000, 0.6 at 5000.
const EXACT_PRODUCTS: f64 = 0.6;

/// Tolerances from which affinities are in f32, in bits, where their relative error is below this part of it.
const SINGLE_FROM: f64 = 3e-4;
const SINGLE_PART: f64 = 0.1;

/// What an estimate holds in blocks of vectors, [N] each: the Krylov basis, probes, strips' sums.
const VECTORS: u64 = 700;

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

/// What came of a request for an estimate.
#[derive(Debug, Clone)]
pub enum Solved {
    /// An estimate, and whether its doubts are within the tolerance.
    Estimated(Estimate, bool),
    /// The moduli of all eigenvalues, where that costs less.
    Exact(Vec<f64>),
}

/// Estimates the spectrum of the diffusion operator of one bandwidth on rows, or computes it where that costs less and
/// fits into memory. At most `memory_limit` bytes are used.
///
/// # Errors
/// [`Error::Invalid`] for parameters out of range and for distances or affinities that are given, whose operator may have
/// negative eigenvalues; out of memory, before any work; interrupted; LAPACK's.
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub fn estimate_diffusion<T: Element>(
    input: Input<T>,
    bandwidth: f64,
    alpha: f64,
    options: &Options,
    storage: Storage,
    memory_limit: Option<u64>,
    progress: &(dyn Fn(usize, f64) + Sync),
    job: &Job,
) -> Result<Solved> {
    input.require()?;
    let Some(columns) = input.columns() else {
        return Err(Error::invalid("metric", "of rows", "a matrix of pairs"));
    };
    let sigma = Bandwidth::Fixed(bandwidth);
    sigma.require(input.len())?;
    let n = input.len();
    let vectors = bytes(0.0, n, columns).saturating_add(8 * VECTORS * n as u64);
    let require = |needed| match memory_limit {
        Some(available) if needed > available => Err(Error::OutOfMemory { rows: n, needed, available }),
        _ => memory::require(n, needed, job),
    };
    require(vectors)?;
    let dense = require(vectors.saturating_add(bytes(1.0, n, 0)));
    let fits = dense.is_ok();
    if storage == Storage::Dense {
        dense?;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a size")]
    let exact_products = fits.then_some((EXACT_PRODUCTS * n as f64) as usize);
    let options = Options { exact_products, ..options.clone() };
    let points = Points::new(input.matrix, bandwidth);
    let stored = storage != Storage::Tiled && fits;
    match outcome(&points, bandwidth, alpha, stored, &options, progress, job)? {
        Outcome::Estimated(estimate, reached) => Ok(Solved::Estimated(estimate, reached)),
        Outcome::ExactIsCheaper(_) => {
            let operator = Operator::Diffusion { bandwidth: sigma, alpha, precision: Precision::Double };
            Ok(Solved::Exact(operator.eigenvalues_of_distances(&points, input.columns(), job)?))
        }
    }
}

fn outcome(
    points: &Points,
    bandwidth: f64,
    alpha: f64,
    stored: bool,
    options: &Options,
    progress: &(dyn Fn(usize, f64) + Sync),
    job: &Job,
) -> Result<Outcome> {
    let single =
        (options.tol >= SINGLE_FROM).then(|| SingleGaussian::new(points, bandwidth, SINGLE_PART * options.tol));
    if let Some(kernel) = single.flatten() {
        return outcome_of(&kernel, alpha, stored, options, progress, job);
    }
    let kernel = Gaussian::new(points, &Bandwidth::Fixed(bandwidth))?;
    outcome_of(&kernel, alpha, stored, options, progress, job)
}

fn outcome_of<A: Entry>(
    kernel: &dyn Kernel<A>,
    alpha: f64,
    stored: bool,
    options: &Options,
    progress: &(dyn Fn(usize, f64) + Sync),
    job: &Job,
) -> Result<Outcome> {
    if !stored {
        let operator = DiffusionOperator::new(Affinity::Computed(kernel), kernel.error(), alpha, job)?;
        return estimate(&operator, options, progress, job);
    }
    let affinity = stored_affinity(kernel, job)?;
    let operator = DiffusionOperator::new(Affinity::Stored(&affinity), kernel.error(), alpha, job)?;
    estimate(&operator, options, progress, job)
}
