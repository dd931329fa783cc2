//! From rows to a number: what can be measured, and what it costs.

use ndarray::{Array2, ArrayView2};
use ndarray_linalg::c64;

use crate::binning::binned_rows_entropy;
use crate::diffusion::{diffusion_eigenvalues_single, diffusion_operator};
use crate::distance::{Element, Points};
use crate::entropy::{matrix_entry_entropy, spectral_entropy};
use crate::error::{Error, Result, require_positive};
use crate::kernel::gaussian_affinity;
use crate::linalg::{EDGE_BYTES, general_eigenvalues, symmetric_eigenvalues};
use crate::memory;
use crate::neighbors::neighbor_graph;
use crate::parallel::Job;

/// Rows from which single precision is taken where it is asked for.
const SINGLE_FROM: usize = 256;

/// In what the matrix is stored and decomposed. Distances are computed in f64 all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32: half the memory, and entropies for 1 <= t <= 100 within 1e-6 sqrt(N) bits of those in f64. Fewer than 256
    /// rows, for which it gains nothing, are computed in f64 all the same.
    Single,
    /// f64.
    Double,
    /// Single where it is faster: distances are computed twice there, so where there are at most N / 2 columns.
    Fastest,
}

impl Precision {
    fn is_single(self, n: usize, d: usize) -> bool {
        n >= SINGLE_FROM && (self == Self::Single || (self == Self::Fastest && d <= n / 2))
    }
}

/// A matrix built on the rows of a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operator {
    /// K, the symmetric diffusion operator of a Gaussian affinity.
    Diffusion {
        /// sigma, in units of the data.
        bandwidth: f64,
        /// That of the eigenvalues.
        precision: Precision,
    },
    /// G, the Gaussian affinity itself.
    Affinity {
        /// sigma, in units of the data.
        bandwidth: f64,
    },
    /// A, the graph of nearest neighbours.
    NeighborGraph {
        /// k, the row itself counted.
        n_neighbors: usize,
    },
}

/// An entropy of the rows of a data set, in bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// Of the eigenvalues of an operator, raised to the power t.
    Spectral {
        /// The operator.
        operator: Operator,
        /// Diffusion time.
        t: f64,
    },
    /// Of the entries of the row-normalised diffusion operator.
    MatrixEntries {
        /// sigma, in units of the data.
        bandwidth: f64,
    },
    /// Of binned rows: classic Shannon entropy.
    BinnedRows {
        /// Bins a column.
        n_bins: usize,
    },
}

impl Operator {
    /// The moduli of the operator's N eigenvalues, in no particular order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a parameter or an entry that is out of range; [`Error::OutOfMemory`], before any
    /// work; [`Error::Interrupted`]; [`Error::Lapack`].
    pub fn eigenvalues<T: Element>(self, x: ArrayView2<T>, job: &Job) -> Result<Vec<f64>> {
        memory::require(x.nrows(), self.bytes(x.nrows(), x.ncols()), job)?;
        let symmetric =
            |matrix: Array2<f64>| Ok(symmetric_eigenvalues(matrix, job)?.into_iter().map(f64::abs).collect());
        match self {
            Self::Diffusion { bandwidth, precision } => {
                let points = gaussian_points(x, bandwidth)?;
                if precision.is_single(x.nrows(), x.ncols()) {
                    return diffusion_eigenvalues_single(&points, bandwidth, job);
                }
                symmetric(diffusion_operator(&points, bandwidth, job)?.into_matrix())
            }
            Self::Affinity { bandwidth } => {
                let points = gaussian_points(x, bandwidth)?;
                symmetric(gaussian_affinity(&points, bandwidth, job)?.into_matrix())
            }
            Self::NeighborGraph { n_neighbors } => {
                require_finite(x)?;
                let graph = neighbor_graph(&Points::in_own_scale(x), n_neighbors, job)?;
                if graph == graph.t() {
                    return symmetric(graph);
                }
                Ok(general_eigenvalues(graph, job)?.into_iter().map(c64::norm).collect())
            }
        }
    }

    /// Bytes held at once for n rows of d columns.
    fn bytes(self, n: usize, d: usize) -> u64 {
        match self {
            Self::Diffusion { precision, .. } if precision.is_single(n, d) => bytes(0.5, n, d),
            Self::Diffusion { .. } | Self::Affinity { .. } => bytes(1.0, n, d),
            // Besides the matrix, or the blocks that follow it, the edges.
            Self::NeighborGraph { n_neighbors } => {
                let edges = (n as u64).saturating_mul(n_neighbors as u64).saturating_mul(EDGE_BYTES);
                bytes(1.0, n, d).saturating_add(edges)
            }
        }
    }
}

impl Measure {
    /// The entropy, in bits.
    ///
    /// # Errors
    /// Those of [`Operator::eigenvalues`].
    pub fn entropy<T: Element>(self, x: ArrayView2<T>, job: &Job) -> Result<f64> {
        match self {
            Self::Spectral { operator, t } => spectral_entropy(&operator.eigenvalues(x, job)?, t),
            Self::MatrixEntries { bandwidth } => {
                memory::require(x.nrows(), self.bytes(x.nrows(), x.ncols()), job)?;
                let points = gaussian_points(x, bandwidth)?;
                matrix_entry_entropy(&diffusion_operator(&points, bandwidth, job)?, job)
            }
            Self::BinnedRows { n_bins } => {
                require_finite(x)?;
                memory::require(x.nrows(), self.bytes(x.nrows(), x.ncols()), job)?;
                binned_rows_entropy(x, n_bins, job)
            }
        }
    }

    /// Bytes held at once for n rows of d columns.
    pub(crate) fn bytes(self, n: usize, d: usize) -> u64 {
        match self {
            Self::Spectral { operator, .. } => operator.bytes(n, d),
            Self::MatrixEntries { .. } => bytes(1.0, n, d),
            Self::BinnedRows { .. } => bytes(0.0, n, d),
        }
    }
}

/// Square matrices of f64, two copies of the rows, and what LAPACK and blocks in flight need besides.
fn bytes(matrices: f64, n: usize, d: usize) -> u64 {
    let (n, d) = (n as f64, d as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
    let bytes = (8.0 * (1.15 * matrices * n * n + 2.0 * n * d)) as u64;
    bytes
}

fn gaussian_points<T: Element>(x: ArrayView2<T>, bandwidth: f64) -> Result<Points> {
    require_positive("bandwidth", bandwidth)?;
    require_finite(x)?;
    Ok(Points::new(x, bandwidth))
}

fn require_finite<T: Element>(x: ArrayView2<T>) -> Result<()> {
    if x.is_empty() {
        return Err(Error::invalid("x", "of at least one row and one column", format!("{:?}", x.shape())));
    }
    match x.indexed_iter().find(|(_, entry)| !(**entry).into().is_finite()) {
        None => Ok(()),
        Some(((i, j), entry)) => {
            let value = (*entry).into();
            Err(Error::invalid("x", "finite", format!("{value} in row {i}, column {j}")))
        }
    }
}
