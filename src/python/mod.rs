//! The Python extension `dsentropy._core`: one call a task, and no Python inside the numerics.
//!
//! This file only lists what is exported. The Python layer validates and names every argument before a call; the core
//! validates again what its own correctness depends on. The interpreter lock is released for each whole computation.

mod call;
mod callbacks;
mod chunks;
mod entropies;
mod error;
mod estimates;
mod interpreter;
mod matrices;
mod neighbors;
mod rows;
mod specs;
mod spectra;
mod subinterpreters;

use pyo3::prelude::*;

/// The compiled core of dsentropy. Arguments are checked by the Python layer.
///
/// On a free-threaded interpreter it runs without the interpreter lock: `docs/promises.md` says why it may.
#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::callbacks::{PyCallbackAffinity, PyCallbackOperator, PySparseOperator};
    #[pymodule_export]
    use super::chunks::{
        PyChunk, PyGlobalScaling, PyMoments, PyPairProduct, allowed_single_error, chunk_error, pair_moments,
        pair_product,
    };
    #[pymodule_export]
    use super::entropies::{entropy, renyi_entropies, spectral_entropy, subset_entropies};
    #[pymodule_export]
    use super::estimates::{
        PyEstimate, PyEstimateArrays, PyEstimateInfo, PyReadings, PySolution, estimate_bytes, estimate_operator,
        estimate_spectrum, estimate_subsets,
    };
    #[pymodule_export]
    use super::neighbors::{
        PyNeighborEdges, PyNeighbors, distinct_rows, median_distance, nearest_neighbors, neighbor_distances,
        neighbor_edges, neighbor_graph,
    };
    #[pymodule_export]
    use super::specs::{PyMeasure, PyOperatorSpec};
    #[pymodule_export]
    use super::spectra::{
        PyOperatorMatrix, PyScatter, block_scatter, covariance_eigenvalues, eigenvalues, matrix_eigenvalues,
        operator_eigenvalues, subset_eigenvalues, sweep_eigenvalues, symmetric_eigenvalues,
    };

    #[pymodule_export]
    use super::matrices::haar_product;

    #[pymodule_export]
    use super::call::{PyBlasConfig, blas_config, default_threads, require_memory};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Chunks of rows begin at multiples of this number, so that sums over pairs of chunks have the same bits.
    #[pymodule_export]
    const CHUNK_ALIGNMENT: usize = crate::operator::tiles::CELL;

    #[pymodule_init]
    fn init(module: &pyo3::Bound<pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        super::subinterpreters::require_main(module.py())
    }
}
