//! The graph of nearest neighbours as the reference draws it.
//!
//! ```text
//! A_ij = 1 where |x_i - x_j| <= the k-th smallest distance of row i, the row itself counted, ties kept; else 0
//! ```
//!
//! A is not symmetric. Candidates come from Gram distances with their error bound; they and everything near the k-th
//! are computed again from the rows as they were given, so ties of integers and dyadic fractions are found exactly.
//! Cost: N^2 D flops; memory: a block of rows of distances a thread, and the N x N graph.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayViewMut1, Axis};

use crate::distance::Points;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Job;

/// Rows whose distances are held at once by a thread.
const BLOCK_ROWS: usize = 64;

/// The adjacency matrix [N, N], ones and zeros, of the `n_neighbors` nearest rows, the row itself counted.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..=N; out of memory; interrupted.
pub fn neighbor_graph(points: &Points, n_neighbors: usize, job: &Job) -> Result<Array2<f64>> {
    let n = points.len();
    if !(1..=n).contains(&n_neighbors) {
        return Err(Error::invalid("n_neighbors", format!("in 1..={n}, the number of rows"), n_neighbors));
    }
    let mut graph = memory::zeros(n)?;
    job.parallel(|| {
        let blocks = graph.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
        blocks.with_max_len(1).try_for_each(|(b, mut block)| {
            job.check()?;
            let first = b * BLOCK_ROWS;
            points.gram_distances(first..first + block.nrows(), 0..n, block.view_mut());
            for (r, row) in block.rows_mut().into_iter().enumerate() {
                mark_neighbors(points, first + r, n_neighbors, row);
            }
            Ok(())
        })
    })?;
    Ok(graph)
}

/// Turns row i's Gram distances into ones and zeros.
fn mark_neighbors(points: &Points, i: usize, n_neighbors: usize, mut row: ArrayViewMut1<f64>) {
    let kth_smallest = |mut values: Vec<f64>| *values.select_nth_unstable_by(n_neighbors - 1, f64::total_cmp).1;
    // The true k-th distance is at most this far from the approximate one, and so is each candidate's own.
    let reach = kth_smallest(row.to_vec()) + 2.0 * points.gram_error(i);
    let candidates: Vec<(usize, f64)> = row
        .indexed_iter()
        .filter(|&(_, &approximate)| approximate <= reach)
        .map(|(j, _)| (j, points.squared_distance(i, j)))
        .collect();
    let radius = kth_smallest(candidates.iter().map(|&(_, exact)| exact).collect());
    row.fill(0.0);
    for (j, exact) in candidates {
        if exact <= radius {
            row[j] = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use ndarray::array;

    fn graph(x: &Array2<f64>, n_neighbors: usize) -> Result<Array2<f64>> {
        let points = Points::in_own_scale(x.view());
        parallel::run(2, || false, |job| neighbor_graph(&points, n_neighbors, job))
    }

    #[test]
    fn the_row_itself_counts_and_ties_are_kept() {
        // 1 is as far from 0 as from 2.
        let x = array![[0.0], [1.0], [2.0], [10.0]];
        let expected = array![[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]];
        assert_eq!(graph(&x, 2).unwrap(), expected);
        assert_eq!(graph(&x, 1).unwrap(), Array2::eye(4));
        assert_eq!(graph(&x, 4).unwrap(), Array2::ones((4, 4)));
    }

    /// A grid far from the origin, where every distance is tied with others.
    #[test]
    fn ties_survive_a_translation() {
        let grid = Array2::from_shape_fn((144, 2), |(i, j)| if j == 0 { i / 12 } else { i % 12 } as f64);
        let far = &grid + 1e6;
        let near = graph(&grid, 4).unwrap();
        assert_eq!(near, graph(&far, 4).unwrap());
        assert_eq!(near.row(13).sum(), 5.0); // an inner point and its four neighbours
    }

    #[test]
    fn too_many_or_too_few_neighbors_are_refused() {
        for n_neighbors in [0, 4] {
            let error = graph(&array![[0.0], [1.0], [2.0]], n_neighbors).unwrap_err().to_string();
            assert!(error.starts_with("n_neighbors must be in 1..=3"), "{error}");
        }
    }
}
