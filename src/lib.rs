//! Diffusion spectral entropy and mutual information, exactly.
//!
//! A data set goes in, its diffusion operator's spectrum comes out, and every measure is read off that spectrum:
//!
//! ```text
//! X [N, D] -> squared distances -> bandwidth -> affinity G -> degrees -> symmetric operator K -> eigenvalues -> entropy
//! ```
//!
//! The definitions are those of Liao, Liu et al., "Assessing Neural Network Representations During Training Using
//! Noise-Resilient Diffusion Spectral Entropy" (arXiv 2312.04823). All entropies are in bits.
//!
//! ```
//! use dsentropy::{Input, Operator, parallel, spectral_entropy};
//! use ndarray::array;
//!
//! let x = array![[0.0, 0.0], [0.1, 0.0], [100.0, 0.0], [100.0, 0.1]];
//! let rows = Input::rows(x.view());
//! let eigenvalues = parallel::run(1, || false, |job| Operator::diffusion(1.0).eigenvalues(rows, job))?;
//! assert!((spectral_entropy(&eigenvalues, 1e6)? - 1.0).abs() < 1e-9); // two clusters: one bit
//! # Ok::<(), dsentropy::Error>(())
//! ```

mod bandwidth;
mod binning;
mod covariance;
mod diffusion;
mod distance;
mod entropy;
mod error;
mod estimate;
mod input;
mod kernel;
mod lanczos;
mod linalg;
mod measure;
mod memory;
mod mutual_information;
mod neighbors;
mod operator;
mod pairs;
pub mod parallel;
mod precomputed;
#[cfg(feature = "python")]
mod python;
mod quadrature;
mod screen;
mod simd;
mod solver;
mod sparse;
mod stochastic;
mod sweep;
mod tall;
mod tiles;
mod triangle;

pub use bandwidth::{median_distance, neighbor_distances};
pub use binning::binned_rows_entropy;
pub use covariance::covariance_eigenvalues;
pub use diffusion::{diffusion_eigenvalues_single, diffusion_operator};
pub use distance::{Distances, Element, Points};
pub use entropy::{matrix_entry_entropy, renyi_entropies, spectral_entropy};
pub use error::{Error, Result};
pub use estimate::{About, Estimate, Reading};
pub use input::{Input, Metric};
pub use kernel::{Bandwidth, gaussian_affinity};
pub use linalg::{general_eigenvalues, symmetric_eigenvalues};
pub use measure::{Measure, Operator, Precision};
pub use mutual_information::{estimate_subsets, subset_eigenvalues, subset_entropies};
pub use neighbors::{Symmetrize, nearest_neighbors, neighbor_edges, neighbor_graph};
pub use operator::SymmetricOperator;
pub use pairs::{Frame, Part, pair_moments, pair_product};
pub use precomputed::given_eigenvalues;
pub use solver::{
    Progress, Request, Solved, Storage, allowed_single_error, estimate_affinity, estimate_given, estimate_sparse,
    estimate_spectrum, operator_eigenvalues,
};
pub use sparse::{SparseMatrix, SparseOperator};
pub use stochastic::{Options, Outcome, estimate};
pub use sweep::sweep_eigenvalues;
pub use tiles::{CELL, GivenAffinity, Rounding};
pub use triangle::UpperTriangle;
