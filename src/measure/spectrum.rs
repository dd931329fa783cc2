//! The spectrum of an operator that is built on a data set.
//!
//! ```text
//! data -> affinity G -> K = S G S -> |lambda_1|, ..., |lambda_N|
//! ```
//!
//! Cost: N^2 D flops for distances, N^2 / 2 exponentials, and the eigenvalues, about 4/3 N^3 flops. Memory is counted
//! before any work.

use ndarray::ArrayView2;
use ndarray_linalg::c64;

use crate::data::input::{DistanceInput, Input, Metric};
use crate::data::neighbors::{Symmetrize, neighbor_graph, neighbor_graph_of_distances};
use crate::data::points::Points;
use crate::error::{Error, Result};
use crate::kernel::affinity_source::{AffinitySource, DistanceKind};
use crate::kernel::bandwidth::Bandwidth;
use crate::kernel::precomputed::{AffinityUnit, given_affinity};
use crate::linalg::scalar::Element;
use crate::linalg::{EDGE_BYTES, general_eigenvalues, symmetric_eigenvalues};
use crate::measure::operator_matrix::{OperatorMatrix, moduli};
use crate::operator::deflated_f32::DeflatedOperator;
use crate::operator::dense::normalize;
use crate::operator::normalization::Density;
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use crate::runtime::tuning::Tuning;

/// The precision in which a matrix is stored and decomposed. Distances are computed in f64 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32: half the memory, and entropies for 1 <= t <= 10 within 1e-6 sqrt(N) bits of those in f64. Fewer than 256
    /// rows, for which it gains nothing, are computed in f64.
    Single,
    /// f64.
    Double,
    /// Single where it is faster. It computes distances twice, so it is faster where rows have at most N / 2 columns or
    /// distances are stored.
    Fastest,
}

/// The floating-point type of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FloatType {
    F32,
    F64,
}

impl Precision {
    /// The type for the operator of a Gaussian kernel with one bandwidth on `n` rows.
    pub(crate) fn resolve(self, n: usize, distances: DistanceKind, tuning: &Tuning) -> FloatType {
        let single = match (self, distances) {
            // Eigenvalues that f32 does not resolve follow from the trace for a positive definite affinity only.
            (Self::Double, _) | (_, DistanceKind::Given) => false,
            (Self::Single, _) | (Self::Fastest, DistanceKind::Stored) => true,
            (Self::Fastest, DistanceKind::Computed { columns }) => columns <= n / 2,
        };
        if single && n >= tuning.single_precision_from { FloatType::F32 } else { FloatType::F64 }
    }
}

/// The definition of a matrix on a data set.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorSpec {
    /// K, the symmetric diffusion operator.
    Diffusion {
        /// The bandwidth sigma, in units of the data; of no effect where affinities are given.
        bandwidth: Bandwidth,
        /// The power of the density by which affinities are divided, in 0..=1.
        alpha: f64,
        /// The precision of the eigenvalues. It is f64 in any case where there is one bandwidth per row, or distances or
        /// affinities are given: eigenvalues that f32 does not resolve are known of a positive definite affinity only. It
        /// is f64 with row weights too.
        precision: Precision,
        /// How many rows each row counts as, positive; None where each is one. The eigenvalues are those of all copies,
        /// without the zeros that copies add.
        row_weights: Option<Vec<f64>>,
    },
    /// G, the affinity itself.
    Affinity {
        /// The bandwidth sigma, in units of the data; of no effect where affinities are given.
        bandwidth: Bandwidth,
    },
    /// A, the graph of nearest neighbours.
    NeighborGraph {
        /// k, the row itself counted.
        n_neighbors: usize,
        /// Whether, and how, it is made symmetric.
        symmetrize: Option<Symmetrize>,
        /// The unit roundoff of the entries, which explains ties; None where only equal distances are tied.
        rounding: Option<f64>,
    },
}

/// The definition of an operator of a kernel, a diffusion operator or an affinity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KernelSpec<'a> {
    /// The bandwidth sigma.
    pub bandwidth: &'a Bandwidth,
    /// How the density enters the diffusion operator; None for the affinity itself.
    pub density: Option<Density<'a>>,
    precision: Precision,
}

impl OperatorSpec {
    /// The diffusion operator of one bandwidth as arXiv 2312.04823 defines it, in f64.
    pub fn diffusion(bandwidth: f64) -> Self {
        Self::Diffusion {
            bandwidth: Bandwidth::Fixed(bandwidth),
            alpha: 0.0,
            precision: Precision::Double,
            row_weights: None,
        }
    }

    /// The affinity of one bandwidth.
    pub fn affinity(bandwidth: f64) -> Self {
        Self::Affinity { bandwidth: Bandwidth::Fixed(bandwidth) }
    }

    /// The graph of the nearest rows, the row itself counted, not made symmetric.
    pub fn neighbor_graph(n_neighbors: usize) -> Self {
        Self::NeighborGraph { n_neighbors, symmetrize: None, rounding: None }
    }

    /// Computes the moduli of the operator's N eigenvalues, in no particular order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a parameter or an entry that is out of range; [`Error::OutOfMemory`], before any
    /// work; [`Error::Interrupted`]; [`Error::Lapack`].
    pub fn eigenvalues<T: Element>(&self, input: Input<T>, job: &Job) -> Result<Vec<f64>> {
        input.require()?;
        memory::require(input.len(), self.bytes(input.len(), DistanceKind::of(&input), job.tuning()), job)?;
        if let &Self::NeighborGraph { n_neighbors, symmetrize, rounding } = self {
            return graph_eigenvalues(input, n_neighbors, symmetrize, rounding, job);
        }
        let kernel = self.kernel("operator")?;
        kernel.eigenvalues(&AffinitySource::new(input, kernel.bandwidth)?, job)
    }

    /// Computes the operator as a matrix, of which [`OperatorMatrix::eigenvalues`] are those of this operator.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a graph of neighbours, and as for [`Self::eigenvalues`]; [`Error::OutOfMemory`];
    /// [`Error::Interrupted`].
    pub fn matrix<T: Element>(&self, input: Input<T>, job: &Job) -> Result<OperatorMatrix> {
        input.require()?;
        memory::require(input.len(), self.bytes(input.len(), DistanceKind::of(&input), job.tuning()), job)?;
        let kernel = self.kernel("operator")?;
        kernel.matrix(&AffinitySource::new(input, kernel.bandwidth)?, job)
    }

    /// The definition of an operator of a kernel.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a graph of neighbours, which names `argument`.
    pub(crate) fn kernel(&self, argument: &'static str) -> Result<KernelSpec<'_>> {
        self.kernel_spec().ok_or_else(|| Error::invalid(argument, "of a kernel", "a graph of neighbours"))
    }

    fn kernel_spec(&self) -> Option<KernelSpec<'_>> {
        match self {
            Self::Diffusion { bandwidth, alpha, precision, row_weights } => {
                let density = Density { alpha: *alpha, row_weights: row_weights.as_deref() };
                Some(KernelSpec { bandwidth, density: Some(density), precision: *precision })
            }
            Self::Affinity { bandwidth } => {
                Some(KernelSpec { bandwidth, density: None, precision: Precision::Double })
            }
            Self::NeighborGraph { .. } => None,
        }
    }

    /// The operator's definition for some of the rows.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Self {
        match self {
            Self::Diffusion { bandwidth, alpha, precision, row_weights } => Self::Diffusion {
                bandwidth: bandwidth.of_rows(rows),
                alpha: *alpha,
                precision: *precision,
                row_weights: row_weights.as_ref().map(|weights| rows.iter().map(|&row| weights[row]).collect()),
            },
            Self::Affinity { bandwidth } => Self::Affinity { bandwidth: bandwidth.of_rows(rows) },
            Self::NeighborGraph { .. } => self.clone(),
        }
    }

    /// The bandwidth, if it has one.
    pub(crate) fn bandwidth(&self) -> Option<&Bandwidth> {
        self.kernel_spec().map(|kernel| kernel.bandwidth)
    }

    /// Bytes held at once for n rows with such distances.
    pub(crate) fn bytes(&self, n: usize, distances: DistanceKind, tuning: &Tuning) -> u64 {
        let float = self.kernel_spec().map_or(FloatType::F64, |kernel| kernel.float_type(n, distances, tuning));
        let matrices = if float == FloatType::F32 { 0.5 } else { 1.0 };
        let dense = memory::dense_bytes(matrices, n, distances.columns());
        match self {
            // Edges are held besides the matrix, or the blocks that it is divided into.
            Self::NeighborGraph { n_neighbors, .. } => {
                let edges = (n as u64).saturating_mul(*n_neighbors as u64).saturating_mul(EDGE_BYTES);
                dense.saturating_add(edges)
            }
            Self::Diffusion { .. } | Self::Affinity { .. } => dense,
        }
    }
}

impl KernelSpec<'_> {
    /// The floating-point type in which the operator of n rows is decomposed.
    fn float_type(&self, n: usize, distances: DistanceKind, tuning: &Tuning) -> FloatType {
        match (self.density, self.bandwidth) {
            (Some(Density { row_weights: None, .. }), Bandwidth::Fixed(_)) => {
                self.precision.resolve(n, distances, tuning)
            }
            _ => FloatType::F64,
        }
    }

    /// Computes the moduli of the operator's eigenvalues from an affinity of its bandwidth.
    ///
    /// # Errors
    /// The errors of [`Self::matrix`]; [`Error::Lapack`].
    pub(crate) fn eigenvalues<T: Element>(&self, source: &AffinitySource<T>, job: &Job) -> Result<Vec<f64>> {
        self.matrix(source, job)?.eigenvalues(job)
    }

    /// Computes the operator from an affinity of its bandwidth.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an alpha outside 0..=1, row weights that do not fit, and a row without a positive affinity;
    /// [`Error::OutOfMemory`]; [`Error::Interrupted`].
    pub(crate) fn matrix<T: Element>(&self, source: &AffinitySource<T>, job: &Job) -> Result<OperatorMatrix> {
        let Some(density) = self.density else {
            return Ok(OperatorMatrix::double(source.matrix(AffinityUnit::AsGiven, job)?));
        };
        density.require(source.len())?;
        if self.float_type(source.len(), source.distance_kind(), job.tuning()) == FloatType::F32
            && let Some((distances, sigma)) = source.positive_definite_gaussian()
        {
            return Ok(OperatorMatrix::single(DeflatedOperator::new(distances, sigma, density.alpha, job)?));
        }
        let mut operator = source.matrix(AffinityUnit::FiniteSums, job)?;
        normalize(&mut operator, density, job)?;
        Ok(OperatorMatrix::double(operator))
    }
}

/// The moduli of the eigenvalues of the graph of nearest neighbours.
fn graph_eigenvalues<T: Element>(
    input: Input<T>,
    n_neighbors: usize,
    symmetrize: Option<Symmetrize>,
    rounding: Option<f64>,
    job: &Job,
) -> Result<Vec<f64>> {
    let mut graph = match input.require_distances()? {
        DistanceInput::Rows(rows) => neighbor_graph(&Points::in_own_scale(rows), n_neighbors, rounding, job)?,
        DistanceInput::Given(matrix) => neighbor_graph_of_distances(matrix, n_neighbors, rounding, job)?,
    };
    if let Some(symmetrize) = symmetrize {
        symmetrize.apply(&mut graph);
    }
    if graph == graph.t() {
        return moduli(graph, job);
    }
    Ok(general_eigenvalues(graph, job)?.into_iter().map(c64::norm).collect())
}

/// Computes the eigenvalues, ascending, of a symmetric matrix that is given.
///
/// # Errors
/// [`Error::Invalid`] where the matrix is not square or not finite; [`Error::OutOfMemory`]; [`Error::Interrupted`];
/// [`Error::Lapack`].
pub fn given_eigenvalues<T: Element>(matrix: ArrayView2<T>, job: &Job) -> Result<Vec<f64>> {
    Input { metric: Metric::Affinity, matrix }.require()?;
    memory::require(matrix.nrows(), memory::dense_bytes(1.0, matrix.nrows(), 0), job)?;
    symmetric_eigenvalues(given_affinity(matrix, AffinityUnit::AsGiven, job)?.into_matrix(), job)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f32 from 256 rows on, for Euclidean distances only, and by itself only where distances cost little.
    #[test]
    fn precision_follows_size_and_distances() {
        let tuning = Tuning::MEASURED;
        let resolve = |precision: Precision, n, distances| precision.resolve(n, distances, &tuning);
        let computed = |columns| DistanceKind::Computed { columns };
        for kind in [computed(5), computed(500), DistanceKind::Stored, DistanceKind::Given] {
            assert_eq!(resolve(Precision::Double, 1000, kind), FloatType::F64);
            assert_eq!(resolve(Precision::Single, 255, kind), FloatType::F64);
            assert_eq!(resolve(Precision::Single, 256, kind) == FloatType::F32, kind != DistanceKind::Given);
        }
        assert_eq!(resolve(Precision::Fastest, 1000, computed(500)), FloatType::F32);
        assert_eq!(resolve(Precision::Fastest, 1000, computed(501)), FloatType::F64);
        assert_eq!(resolve(Precision::Fastest, 1000, DistanceKind::Stored), FloatType::F32);
        assert_eq!(resolve(Precision::Fastest, 1000, DistanceKind::Given), FloatType::F64);
    }
}
