//! Eigenvalues of a general matrix, one strongly connected block after the other.
//!
//! | f64   |
//! |:------|
//! | dgeev |
//!
//! Read as the edges of a graph, the entries other than zero have strongly connected components, in whose order the
//! matrix is block triangular: its eigenvalues are those of the diagonal blocks. Each block takes a Hessenberg
//! reduction and the QR iteration without vectors, about 10 n^3 flops. The eigenvalues of a graph that is not symmetric
//! are ill conditioned: rounding in another order moves them visibly, so each block has one BLAS thread.

use ndarray::{Array2, Axis};
use ndarray_linalg::{AllocatedArray, AllocatedArrayMut, Lapack, MatrixLayout, c64};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;

use super::lapack_error;
use crate::error::Result;
use crate::parallel::Job;

/// The eigenvalues of a square matrix, block by block.
///
/// # Errors
/// [`crate::Error::Lapack`] where the matrix is not square or the iteration does not converge; interrupted.
pub fn general_eigenvalues(matrix: Array2<f64>, job: &Job) -> Result<Vec<c64>> {
    matrix.ensure_square().map_err(|error| lapack_error(&error))?;
    let mut components = strongly_connected_components(&matrix);
    if components.len() <= 1 {
        return job.serial_lapack(|| block_eigenvalues(matrix));
    }
    components.sort_by_key(|rows| std::cmp::Reverse(rows.len())); // stable, so the order is the same each time
    let blocks: Vec<Array2<f64>> =
        components.iter().map(|rows| matrix.select(Axis(0), rows).select(Axis(1), rows)).collect();
    drop(matrix);
    job.many(|job| {
        let eigenvalues: Vec<Vec<c64>> = blocks
            .into_par_iter()
            .with_max_len(1)
            .map(|block| {
                job.check()?;
                block_eigenvalues(block)
            })
            .collect::<Result<_>>()?;
        Ok(eigenvalues.concat())
    })
}

/// The rows of each component, in ascending order.
fn strongly_connected_components(matrix: &Array2<f64>) -> Vec<Vec<usize>> {
    let edges = matrix.indexed_iter().filter(|&((i, j), &entry)| i != j && entry != 0.0);
    let mut graph = DiGraph::<(), (), usize>::default();
    for _ in 0..matrix.nrows() {
        graph.add_node(());
    }
    for ((i, j), _) in edges {
        graph.add_edge(NodeIndex::new(i), NodeIndex::new(j), ());
    }
    let mut components: Vec<Vec<usize>> =
        kosaraju_scc(&graph).into_iter().map(|nodes| nodes.into_iter().map(NodeIndex::index).collect()).collect();
    for rows in &mut components {
        rows.sort_unstable();
    }
    components
}

/// The eigenvalues of a matrix taken whole, in LAPACK's order. The matrix is overwritten.
fn block_eigenvalues(mut matrix: Array2<f64>) -> Result<Vec<c64>> {
    if matrix.len() <= 1 {
        return Ok(matrix.iter().map(|&entry| c64::new(entry, 0.0)).collect());
    }
    let layout = matrix.square_layout().map_err(|error| lapack_error(&error))?;
    // The eigenvalues of the transpose are the same but for rounding, which is visible here: LAPACK gets the matrix as
    // other libraries give it, columns as columns.
    if matches!(layout, MatrixLayout::C { .. }) {
        transpose_in_place(&mut matrix);
    }
    let columns = MatrixLayout::F { col: layout.len(), lda: layout.lda() };
    let entries = matrix.as_allocated_mut().map_err(|error| lapack_error(&error))?;
    let (eigenvalues, _) = f64::eig(false, columns, entries).map_err(|error| lapack_error(&error.into()))?;
    Ok(eigenvalues)
}

fn transpose_in_place(matrix: &mut Array2<f64>) {
    for i in 0..matrix.nrows() {
        for j in 0..i {
            matrix.swap((i, j), (j, i));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;

    /// A cycle of n: the n-th roots of unity.
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

    /// Two cycles, of 3 and 4, and one point, with edges from one to the next only, in shuffled rows.
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
        let whole = block_eigenvalues(matrix.clone()).unwrap();
        let blocks = parallel::run(2, || false, |job| general_eigenvalues(matrix, job)).unwrap();
        let roots =
            |n: u32| (0..n).map(move |k| c64::from_polar(1.0, std::f64::consts::TAU * f64::from(k) / f64::from(n)));
        let expected: Vec<c64> = roots(3).chain(roots(4)).chain([c64::new(5.0, 0.0)]).collect();
        assert_eq!(blocks.len(), 8);
        for value in expected {
            assert!(blocks.iter().any(|v| (v - value).norm() < 1e-13), "{value}");
            // Of the whole matrix the eigenvalue 1, which both cycles have, is defective: half the digits.
            assert!(whole.iter().any(|v| (v - value).norm() < 1e-6), "{value}");
        }
    }
}
