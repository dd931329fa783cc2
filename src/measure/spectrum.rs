//! From a data set to the spectrum of an operator on it, or to an entropy that needs none; and what it costs.

use ndarray::{Array2, ArrayView2};
use ndarray_linalg::c64;

use crate::data::distances::Distances;
use crate::data::input::{Input, Metric};
use crate::data::neighbors::{Symmetrize, neighbor_graph, neighbor_graph_of_distances};
use crate::data::points::Points;
use crate::error::{Error, Result, require_positive};
use crate::kernel::gaussian::{Bandwidth, gaussian_affinity};
use crate::kernel::precomputed::given_affinity;
use crate::linalg::scalar::Element;
use crate::linalg::{EDGE_BYTES, general_eigenvalues, symmetric_eigenvalues};
use crate::measure::binned_rows::binned_rows_entropy;
use crate::measure::entropy::matrix_entry_entropy;
use crate::operator::dense::{diffusion_eigenvalues_single, diffusion_operator, normalize, require_alpha};
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Rows from which single precision is taken where it is asked for.
const SINGLE_FROM: usize = 256;

/// In what the matrix is stored and decomposed. Distances are computed in f64 all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32: half the memory, and entropies for 1 <= t <= 10 within 1e-6 sqrt(N) bits of those in f64. Fewer than 256
    /// rows, for which it gains nothing, are computed in f64 all the same.
    Single,
    /// f64.
    Double,
    /// Single where it is faster: distances are computed twice there, so where there are at most N / 2 columns.
    Fastest,
}

impl Precision {
    fn is_single(self, n: usize, columns: Option<usize>) -> bool {
        let fits = |d: usize| self == Self::Single || (self == Self::Fastest && d <= n / 2);
        n >= SINGLE_FROM && columns.is_some_and(fits)
    }
}

/// A matrix built on a data set.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorSpec {
    /// K, the symmetric diffusion operator.
    Diffusion {
        /// sigma, in units of the data; of no effect where affinities are given.
        bandwidth: Bandwidth,
        /// How far the density of the rows is divided out, in 0..=1.
        alpha: f64,
        /// That of the eigenvalues. It is f64 in any case where there is one bandwidth a row, or distances or affinities
        /// are given: what f32 does not resolve can be told of a positive definite affinity only.
        precision: Precision,
    },
    /// G, the affinity itself.
    Affinity {
        /// sigma, in units of the data; of no effect where affinities are given.
        bandwidth: Bandwidth,
    },
    /// A, the graph of nearest neighbours.
    NeighborGraph {
        /// k, the row itself counted.
        n_neighbors: usize,
        /// Whether, and how, it is made symmetric.
        symmetrize: Option<Symmetrize>,
    },
}

impl OperatorSpec {
    /// The diffusion operator of one bandwidth as the paper defines it, in f64.
    pub fn diffusion(bandwidth: f64) -> Self {
        Self::Diffusion { bandwidth: Bandwidth::Fixed(bandwidth), alpha: 0.0, precision: Precision::Double }
    }

    /// The affinity of one bandwidth.
    pub fn affinity(bandwidth: f64) -> Self {
        Self::Affinity { bandwidth: Bandwidth::Fixed(bandwidth) }
    }

    /// The graph of the nearest rows, the row itself counted, as it is.
    pub fn neighbor_graph(n_neighbors: usize) -> Self {
        Self::NeighborGraph { n_neighbors, symmetrize: None }
    }

    /// The moduli of the operator's N eigenvalues, in no particular order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a parameter or an entry that is out of range; [`Error::OutOfMemory`], before any
    /// work; [`Error::Interrupted`]; [`Error::Lapack`].
    pub fn eigenvalues<T: Element>(&self, input: Input<T>, job: &Job) -> Result<Vec<f64>> {
        input.require()?;
        memory::require(input.len(), self.bytes(input.len(), input.columns()), job)?;
        match (self, input.metric) {
            (
                Self::Diffusion { bandwidth, .. } | Self::Affinity { bandwidth },
                Metric::Euclidean | Metric::Precomputed,
            ) => {
                bandwidth.require(input.len())?;
                let distances = input.distances(bandwidth.smallest())?;
                self.eigenvalues_of_distances(&*distances, input.columns(), job)
            }
            (Self::Diffusion { alpha, .. }, Metric::Affinity) => {
                require_alpha(*alpha)?;
                let mut operator = given_affinity(input.matrix, true, job)?;
                normalize(&mut operator, *alpha, job)?;
                symmetric(operator.into_matrix(), job)
            }
            (Self::Affinity { .. }, Metric::Affinity) => {
                symmetric(given_affinity(input.matrix, false, job)?.into_matrix(), job)
            }
            (Self::NeighborGraph { n_neighbors, symmetrize }, metric) => {
                let mut graph = match metric {
                    Metric::Euclidean => neighbor_graph(&Points::in_own_scale(input.matrix), *n_neighbors, job)?,
                    Metric::Precomputed => neighbor_graph_of_distances(input.matrix, *n_neighbors, job)?,
                    Metric::Affinity => return Err(Error::invalid("metric", "of distances", "affinities")),
                };
                if let Some(symmetrize) = symmetrize {
                    symmetrize.apply(&mut graph);
                }
                if graph == graph.t() {
                    return symmetric(graph, job);
                }
                Ok(general_eigenvalues(graph, job)?.into_iter().map(c64::norm).collect())
            }
        }
    }

    /// The same for an operator of distances that were prepared for its bandwidth: Euclidean ones of rows of so many
    /// columns, or of another kind.
    pub(crate) fn eigenvalues_of_distances(
        &self,
        distances: &dyn Distances,
        columns: Option<usize>,
        job: &Job,
    ) -> Result<Vec<f64>> {
        match self {
            Self::Diffusion { bandwidth: Bandwidth::Fixed(sigma), alpha, precision }
                if precision.is_single(distances.len(), columns) =>
            {
                diffusion_eigenvalues_single(distances, *sigma, *alpha, job)
            }
            Self::Diffusion { bandwidth, alpha, .. } => {
                symmetric(diffusion_operator(distances, bandwidth, *alpha, job)?.into_matrix(), job)
            }
            Self::Affinity { bandwidth } => {
                symmetric(gaussian_affinity(distances, bandwidth, job)?.into_matrix(), job)
            }
            Self::NeighborGraph { .. } => Err(Error::invalid("operators", "of a kernel", "a graph of neighbours")),
        }
    }

    /// That of some of the rows.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Self {
        match self {
            Self::Diffusion { bandwidth, alpha, precision } => {
                Self::Diffusion { bandwidth: bandwidth.of_rows(rows), alpha: *alpha, precision: *precision }
            }
            Self::Affinity { bandwidth } => Self::Affinity { bandwidth: bandwidth.of_rows(rows) },
            Self::NeighborGraph { .. } => self.clone(),
        }
    }

    /// The bandwidth, if it has one.
    pub(crate) fn bandwidth(&self) -> Option<&Bandwidth> {
        match self {
            Self::Diffusion { bandwidth, .. } | Self::Affinity { bandwidth } => Some(bandwidth),
            Self::NeighborGraph { .. } => None,
        }
    }

    /// Bytes held at once for n rows of so many columns, if they are rows.
    pub(crate) fn bytes(&self, n: usize, columns: Option<usize>) -> u64 {
        let d = columns.unwrap_or(0);
        match self {
            Self::Diffusion { bandwidth: Bandwidth::Fixed(_), precision, .. } if precision.is_single(n, columns) => {
                memory::dense_bytes(0.5, n, d)
            }
            Self::Diffusion { .. } | Self::Affinity { .. } => memory::dense_bytes(1.0, n, d),
            // Besides the matrix, or the blocks that follow it, the edges.
            Self::NeighborGraph { n_neighbors, .. } => {
                let edges = (n as u64).saturating_mul(*n_neighbors as u64).saturating_mul(EDGE_BYTES);
                memory::dense_bytes(1.0, n, d).saturating_add(edges)
            }
        }
    }
}

/// The eigenvalues, ascending, of a symmetric matrix that is given.
///
/// # Errors
/// [`crate::Error::Invalid`] where it is not square or not finite; out of memory; interrupted; LAPACK's.
pub fn given_eigenvalues<T: Element>(matrix: ArrayView2<T>, job: &Job) -> Result<Vec<f64>> {
    Input { metric: Metric::Affinity, matrix }.require()?;
    memory::require(matrix.nrows(), memory::dense_bytes(1.0, matrix.nrows(), 0), job)?;
    symmetric_eigenvalues(given_affinity(matrix, false, job)?.into_matrix(), job)
}

fn symmetric(matrix: Array2<f64>, job: &Job) -> Result<Vec<f64>> {
    Ok(symmetric_eigenvalues(matrix, job)?.into_iter().map(f64::abs).collect())
}

/// An entropy of the rows of a data set that is not read off a spectrum, in bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
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

impl Measure {
    /// The entropy, in bits.
    ///
    /// # Errors
    /// Those of [`OperatorSpec::eigenvalues`].
    pub fn entropy<T: Element>(self, x: ArrayView2<T>, job: &Job) -> Result<f64> {
        Input::rows(x).require()?;
        memory::require(x.nrows(), self.bytes(x.nrows(), x.ncols()), job)?;
        match self {
            Self::MatrixEntries { bandwidth } => {
                require_positive("bandwidth", bandwidth)?;
                let points = Points::new(x, bandwidth);
                let operator = diffusion_operator(&points, &Bandwidth::Fixed(bandwidth), 0.0, job)?;
                matrix_entry_entropy(&operator, job)
            }
            Self::BinnedRows { n_bins } => binned_rows_entropy(x, n_bins, job),
        }
    }

    /// Bytes held at once for n rows of d columns.
    pub(crate) fn bytes(self, n: usize, d: usize) -> u64 {
        match self {
            Self::MatrixEntries { .. } => memory::dense_bytes(1.0, n, d),
            Self::BinnedRows { .. } => memory::dense_bytes(0.0, n, d),
        }
    }
}
