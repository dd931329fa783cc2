//! Eigenvalues of a general matrix, from the diagonal blocks of its strongly connected components.
//!
//! The nonzero entries are the edges of a graph. In the order of its strongly connected components the matrix is block
//! triangular, so its eigenvalues are those of the diagonal blocks. Each block is reduced to Hessenberg form
//! ([`hessenberg`]), and LAPACK's `dhseqr`, the QR iteration without vectors, computes its eigenvalues. Cost: about
//! 10 n^3 flops for a block of n rows.
//!
//! The eigenvalues of a graph that is not symmetric are ill conditioned: rounding in another order moves them visibly. So
//! no step depends on the number of threads, and the QR iteration has one. There is no balancing: a strongly connected
//! block of ones has nothing to permute and little to scale.

mod hessenberg;

use ndarray::Array2;
use ndarray_linalg::{AllocatedArray, c64};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::lapack::hessenberg_eigenvalues;
use super::lapack_error;
use crate::error::Result;
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use hessenberg::reduce_to_hessenberg;

/// The nonzero entries of a matrix, as edges from row to column.
type Entries = DiGraph<(), f64, u32>;

/// Bytes that an entry takes in the graph of [`general_eigenvalues`].
pub(crate) const EDGE_BYTES: u64 = 24;

/// Computes the eigenvalues of a square matrix, block by block.
///
/// # Errors
/// [`crate::Error::Lapack`] where the matrix is not square or the iteration does not converge;
/// [`crate::Error::Interrupted`].
pub fn general_eigenvalues(matrix: Array2<f64>, job: &Job) -> Result<Vec<c64>> {
    matrix.ensure_square().map_err(|error| lapack_error(&error))?;
    let entries = entries(&matrix);
    drop(matrix);
    let mut components = kosaraju_scc(&entries);
    for rows in &mut components {
        rows.sort_unstable();
    }
    components.sort_by_key(|rows| std::cmp::Reverse(rows.len())); // a stable sort, so the order is reproducible
    let eigenvalues = job.many(components, |rows, job| {
        let mut block = block(&entries, &rows)?;
        reduce_to_hessenberg(block.view_mut(), job)?;
        hessenberg_eigenvalues(block)
    })?;
    Ok(eigenvalues.concat())
}

/// Collects the nonzero entries of a matrix.
fn entries(matrix: &Array2<f64>) -> Entries {
    let n = matrix.nrows();
    let mut entries = Entries::with_capacity(n, matrix.iter().filter(|&&entry| entry != 0.0).count());
    for _ in 0..n {
        entries.add_node(());
    }
    for (i, row) in matrix.rows().into_iter().enumerate() {
        for (j, &entry) in row.iter().enumerate() {
            if entry != 0.0 {
                entries.add_edge(NodeIndex::new(i), NodeIndex::new(j), entry);
            }
        }
    }
    entries
}

/// The diagonal block of a component, in column-major order. Its transpose has the same eigenvalues but for rounding,
/// which is visible here, so LAPACK gets the matrix itself, as in other libraries.
fn block(entries: &Entries, rows: &[NodeIndex<u32>]) -> Result<Array2<f64>> {
    let mut block = memory::zeros(rows.len())?.reversed_axes();
    for (i, &row) in rows.iter().enumerate() {
        for edge in entries.edges(row) {
            if let Ok(j) = rows.binary_search(&edge.target()) {
                block[[i, j]] = *edge.weight();
            }
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray_linalg::EigVals;

    /// The eigenvalues of a directed cycle of n points are the n-th roots of unity.
    #[test]
    fn directed_cycle_has_the_roots_of_unity() {
        let n = 12;
        let cycle = Array2::from_shape_fn((n, n), |(i, j)| f64::from(u8::from(j == (i + 1) % n)));
        let general = |matrix| parallel::run(2, || false, |job| general_eigenvalues(matrix, job));
        let eigenvalues = general(cycle).unwrap();
        for k in 0..n {
            let root = c64::from_polar(1.0, std::f64::consts::TAU * k as f64 / n as f64);
            assert!(eigenvalues.iter().any(|v| (v - root).norm() < 1e-13), "{root}");
        }
        assert_eq!(general(Array2::zeros((0, 0))), Ok(vec![]));
    }

    /// A cycle of 3, a cycle of 4 and a point, with edges from each to later ones only, in shuffled rows.
    #[test]
    fn block_triangular_matrix_has_the_eigenvalues_of_its_blocks() {
        let cycle = |first: usize, n: usize| (0..n).map(move |i| (first + i, first + (i + 1) % n));
        let edges = cycle(0, 3).chain(cycle(3, 4)).chain([(0, 3), (1, 5), (2, 7), (4, 7)]);
        let shuffled = |i: usize| i * 3 % 8;
        let mut matrix = Array2::zeros((8, 8));
        for (i, j) in edges {
            matrix[[shuffled(i), shuffled(j)]] = 1.0;
        }
        matrix[[shuffled(7), shuffled(7)]] = 5.0;
        let whole = matrix.eigvals().unwrap();
        let blocks = parallel::run(2, || false, |job| general_eigenvalues(matrix, job)).unwrap();
        let roots =
            |n: u32| (0..n).map(move |k| c64::from_polar(1.0, std::f64::consts::TAU * f64::from(k) / f64::from(n)));
        let expected: Vec<c64> = roots(3).chain(roots(4)).chain([c64::new(5.0, 0.0)]).collect();
        assert_eq!(blocks.len(), 8);
        for value in expected {
            assert!(blocks.iter().any(|v| (v - value).norm() < 1e-13), "{value}");
            // The eigenvalue 1, which both cycles have, is defective in the whole matrix: half of its digits are lost.
            assert!(whole.iter().any(|v| (v - value).norm() < 1e-6), "{value}");
        }
    }
}
