//! Diffusion spectral entropy and mutual information, exactly.
//!
//! A data set goes in, its diffusion operator's spectrum comes out, and every measure is read off that spectrum:
//!
//! ```text
//! X [N, D] -> squared distances -> affinity G -> degrees -> symmetric operator K -> eigenvalues -> entropy
//! ```
//!
//! The definitions are those of Liao, Liu et al., "Assessing Neural Network Representations During Training Using
//! Noise-Resilient Diffusion Spectral Entropy" (arXiv 2312.04823). All entropies are in bits.
//!
//! ```
//! use dsentropy::{Measure, Operator, Precision, parallel};
//! use ndarray::array;
//!
//! let x = array![[0.0, 0.0], [0.1, 0.0], [100.0, 0.0], [100.0, 0.1]];
//! let operator = Operator::Diffusion { bandwidth: 1.0, precision: Precision::Double };
//! let measure = Measure::Spectral { operator, t: 1e6 };
//! let entropy = parallel::run(1, || false, |job| measure.entropy(x.view(), job))?;
//! assert!((entropy - 1.0).abs() < 1e-9); // two clusters: one bit
//! # Ok::<(), dsentropy::Error>(())
//! ```

mod binning;
mod diffusion;
mod distance;
mod entropy;
mod error;
mod kernel;
mod linalg;
mod measure;
mod memory;
mod mutual_information;
mod neighbors;
pub mod parallel;
#[cfg(feature = "python")]
mod python;
mod simd;
mod triangle;

pub use binning::binned_rows_entropy;
pub use diffusion::{diffusion_eigenvalues_single, diffusion_operator};
pub use distance::{Element, Points};
pub use entropy::{matrix_entry_entropy, spectral_entropy};
pub use error::{Error, Result};
pub use kernel::gaussian_affinity;
pub use linalg::{general_eigenvalues, symmetric_eigenvalues};
pub use measure::{Measure, Operator, Precision};
pub use mutual_information::subset_entropies;
pub use neighbors::{nearest_neighbors, neighbor_graph};
pub use triangle::UpperTriangle;
