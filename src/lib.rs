//! Diffusion spectral entropy and mutual information of data sets, exact and estimated.
//!
//! A data set goes in, the spectrum of its diffusion operator comes out, and every measure is read off that spectrum:
//!
//! ```text
//! X [N, D] -> squared distances -> bandwidth -> affinity G -> degrees -> symmetric operator K -> eigenvalues -> entropy
//! ```
//!
//! The definitions are those of Liao, Liu et al., "Assessing Neural Network Representations During Training Using
//! Noise-Resilient Diffusion Spectral Entropy" (arXiv:2312.04823). All entropies are in bits.
//!
//! # Map
//!
//! Each folder of `src/` uses only the folders above it in this table.
//!
//! | folder      | question                                          | main items                                     |
//! |:------------|:--------------------------------------------------|:-----------------------------------------------|
//! | `error.rs`  | What can go wrong?                                | [`Error`], [`Result`]                          |
//! | `runtime/`  | Which threads, memory and vectors are there?      | [`parallel`], [`Tuning`]                       |
//! | `linalg/`   | What are the eigenvalues of a matrix?             | [`symmetric_eigenvalues`], [`general_eigenvalues`], [`UpperTriangle`] |
//! | `data/`     | How far apart are rows, and which are neighbours? | [`Input`], [`Points`], [`Distances`], [`nearest_neighbors`] |
//! | `kernel/`   | Which affinities do distances and a bandwidth give? | [`Bandwidth`], [`gaussian_affinity`], [`median_distance`] |
//! | `operator/` | Which symmetric operator do affinities give?      | [`SymmetricOperator`], [`diffusion_operator`], [`SparseOperator`] |
//! | `slq/`      | What is the spectrum by an estimate (stochastic Lanczos quadrature)? | [`estimate`], [`Estimate`]  |
//! | `measure/`  | Which spectra and entropies does a data set have? | [`OperatorSpec`], [`Measure`], [`spectral_entropy`], [`sweep_eigenvalues`], [`subset_entropies`] |
//! | `python/`   | How does Python call this? (feature `python`)     | the extension module `dsentropy._core`         |
//!
//! # Example
//!
//! Every computation is a job on a number of threads, which the caller can interrupt (see [`parallel::run`]).
//!
//! ```
//! use dsentropy::{Input, OperatorSpec, parallel, spectral_entropy};
//! use ndarray::array;
//!
//! let x = array![[0.0, 0.0], [0.1, 0.0], [100.0, 0.0], [100.0, 0.1]];
//! let rows = Input::rows(x.view());
//! let eigenvalues = parallel::run(1, || false, |job| OperatorSpec::diffusion(1.0).eigenvalues(rows, job))?;
//! assert!((spectral_entropy(&eigenvalues, 1e6)? - 1.0).abs() < 1e-9); // two clusters: one bit
//! # Ok::<(), dsentropy::Error>(())
//! ```

mod data;
mod error;
mod kernel;
mod linalg;
mod measure;
mod operator;
#[cfg(feature = "python")]
mod python;
mod runtime;
mod slq;

pub use data::distances::Distances;
pub use data::distinct_rows::distinct_rows;
pub use data::input::{Input, Metric};
pub use data::neighbor_edges::{NeighborEdges, neighbor_edges};
pub use data::neighbors::{Symmetrize, nearest_neighbors, neighbor_graph};
pub use data::points::Points;
pub use error::{Error, Result};
pub use kernel::GivenPairs;
pub use kernel::bandwidth::{Bandwidth, median_distance, neighbor_distances};
pub use kernel::gaussian::gaussian_affinity;
pub use linalg::scalar::Element;
pub use linalg::upper_triangle::UpperTriangle;
pub use linalg::{Axes, general_eigenvalues, haar_product, symmetric_eigenvalues};
pub use measure::binned_rows::binned_rows_entropy;
pub use measure::covariance::{Scatter, block_scatter, covariance_eigenvalues};
pub use measure::direct_entropy::{Measure, matrix_entry_entropy};
pub use measure::entropy::{renyi_entropies, spectral_entropy};
pub use measure::estimated_spectrum::{
    Solution, estimate_operator, estimate_sparse, estimate_spectrum, operator_eigenvalues,
};
pub use measure::median_kernel::MedianOperator;
pub use measure::operator_matrix::{OperatorMatrix, eigenvalues_of_matrices};
pub use measure::spectrum::{OperatorSpec, Precision, given_eigenvalues};
pub use measure::subsets::{estimate_subsets, subset_eigenvalues, subset_entropies};
pub use measure::sweep::sweep_eigenvalues;
pub use operator::SymmetricOperator;
pub use operator::dense::diffusion_operator;
pub use operator::sparse::{SparseMatrix, SparseOperator};
pub use runtime::parallel;
pub use runtime::tuning::{EigenvalueTuning, NeighborTuning, SlqTuning, Tuning};
pub use slq::adaptive::{Estimated, estimate};
pub use slq::estimate::{Estimate, EstimateArrays, EstimateInfo};
pub use slq::options::{SlqOptions, Storage};
pub use slq::progress::Progress;
pub use slq::reading::Reading;

/// Items for the Python binding alone. They are not part of the public interface.
#[doc(hidden)]
pub mod binding {
    pub use crate::measure::estimated_spectrum::{ExternalOperator, estimate_affinity};
    pub use crate::operator::chunk_pair::{Chunk, GlobalScaling, pair_moments, pair_product};
    pub use crate::operator::normalization::NormalizedOperator;
    pub use crate::operator::reproducible_sum::SumRounding;
    pub use crate::operator::tiles::{CELL, ExternalAffinity};
    pub use crate::runtime::process::{call_gate, forks};
}
