//! Nearest neighbours, exact, and their graph as the reference draws it.
//!
//! ```text
//! A_ij = 1 where |x_i - x_j| <= the k-th smallest distance of row i, the row itself counted, ties kept; else 0
//! ```
//!
//! A is not symmetric. Ties of integers and dyadic fractions are found exactly. Cost: N^2 D flops in f32, and D in f64
//! for each candidate whose distance f32 cannot tell from those of others (see `knn_search.rs`).

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis};

use crate::data::distances::Distances;
use crate::data::knn_search::KnnSearch;
use crate::data::points::Points;
use crate::data::ties::TieMargin;
use crate::error::{Error, Result};
use crate::linalg::scalar::Element;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Finds the `n_neighbors` nearest other rows of each row: their distances, ascending, and their numbers, ascending
/// where distances are equal. Both arrays are [N, `n_neighbors`].
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..N; [`Error::OutOfMemory`], before any work;
/// [`Error::Interrupted`].
pub fn nearest_neighbors(points: &Points, n_neighbors: usize, job: &Job) -> Result<(Array2<f64>, Array2<usize>)> {
    let n = points.len();
    if !(1..n).contains(&n_neighbors) {
        return Err(Error::invalid("n_neighbors", format!("in 1..{n}, the number of rows"), n_neighbors));
    }
    let k = n_neighbors + 1; // the row itself is found as well
    let results = n as u64 * n_neighbors as u64 * 16;
    memory::require(n, results.saturating_add(KnnSearch::bytes(points, k, job)), job)?;
    let mut distances = Array2::zeros((n, n_neighbors));
    let mut numbers = Array2::zeros((n, n_neighbors));
    let rows = distances.axis_iter_mut(Axis(0)).into_par_iter().zip(numbers.axis_iter_mut(Axis(0)));
    KnnSearch::new(points, None).nearest(k, job, rows, |(distances, numbers), i, nearest| {
        let others = nearest.into_iter().filter(|&(_, j)| j != i);
        for ((distance, number), (squared, j)) in distances.iter_mut().zip(numbers).zip(others) {
            *distance = squared.root();
            *number = j;
        }
    })?;
    Ok((distances, numbers))
}

/// Builds the adjacency matrix [N, N], ones and zeros, of the `n_neighbors` nearest rows, the row itself counted.
///
/// Where the unit roundoff of the rows is given as `rounding`, distances that it explains are tied (see `ties.rs`), else
/// those that are equal.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..=N; [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub fn neighbor_graph(points: &Points, n_neighbors: usize, rounding: Option<f64>, job: &Job) -> Result<Array2<f64>> {
    let n = points.len();
    require_neighbors(n_neighbors, n)?;
    let matrix = (n as u64).saturating_mul(8 * n as u64);
    memory::require(n, matrix.saturating_add(KnnSearch::bytes(points, n_neighbors, job)), job)?;
    let mut graph = memory::zeros(n)?;
    let rows = graph.axis_iter_mut(Axis(0)).into_par_iter();
    KnnSearch::new(points, rounding).nearest(n_neighbors, job, rows, |row, _, nearest| {
        for (_, j) in nearest {
            row[j] = 1.0;
        }
    })?;
    Ok(graph)
}

/// Builds the adjacency matrix of nearest neighbours from a matrix [N, N] of distances, whose diagonal is zero.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..=N; [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub(crate) fn neighbor_graph_of_distances<T: Element>(
    matrix: ArrayView2<T>,
    n_neighbors: usize,
    rounding: Option<f64>,
    job: &Job,
) -> Result<Array2<f64>> {
    let n = matrix.nrows();
    require_neighbors(n_neighbors, n)?;
    let mut graph = memory::zeros(n)?;
    job.in_tasks(|| {
        let rows = graph.axis_iter_mut(Axis(0)).into_par_iter().zip(matrix.axis_iter(Axis(0)).into_par_iter());
        rows.try_for_each(|(mut row, distances)| {
            job.check()?;
            let mut sorted: Vec<f64> = distances.iter().map(|&distance| distance.into()).collect();
            let margin = rounding.map_or(TieMargin::EXACT, |u| TieMargin::of_distances(sorted.iter().copied(), u));
            let radius = margin.widened(*sorted.select_nth_unstable_by(n_neighbors - 1, f64::total_cmp).1);
            row.zip_mut_with(&distances, |entry, &distance| *entry = f64::from(distance.into() <= radius));
            Ok(())
        })
    })?;
    Ok(graph)
}

/// Fails unless a row can have `n_neighbors` nearest rows, itself counted.
pub(super) fn require_neighbors(n_neighbors: usize, n: usize) -> Result<()> {
    if (1..=n).contains(&n_neighbors) {
        return Ok(());
    }
    Err(Error::invalid("n_neighbors", format!("in 1..={n}, the number of rows"), n_neighbors))
}

/// The rule by which a graph is made symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symmetrize {
    /// An edge where there is one in at least one direction.
    Union,
    /// An edge where there is one in both directions.
    Mutual,
    /// The mean of both directions: half an edge where there is one in one direction only.
    Mean,
}

impl Symmetrize {
    /// Makes the adjacency matrix of a graph symmetric.
    pub(crate) fn apply(self, graph: &mut Array2<f64>) {
        for i in 0..graph.nrows() {
            for j in 0..i {
                let (one, other) = (graph[[i, j]], graph[[j, i]]);
                let both = match self {
                    Self::Union => one.max(other),
                    Self::Mutual => one.min(other),
                    Self::Mean => f64::midpoint(one, other),
                };
                graph[[i, j]] = both;
                graph[[j, i]] = both;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::wide_square::WideSquare;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use crate::runtime::tuning::{NeighborTuning, Tuning};
    use ndarray::{array, s};

    fn graph(x: &Array2<f64>, n_neighbors: usize) -> Result<Array2<f64>> {
        let points = Points::in_own_scale(x.view());
        parallel::run(2, || false, |job| neighbor_graph(&points, n_neighbors, None, job))
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

    /// Every distance on the grid is tied with others, and the grid is far from the origin.
    #[test]
    fn ties_survive_a_translation() {
        let grid = Array2::from_shape_fn((144, 2), |(i, j)| if j == 0 { i / 12 } else { i % 12 } as f64);
        let far = &grid + 1e6;
        let near = graph(&grid, 4).unwrap();
        assert_eq!(near, graph(&far, 4).unwrap());
        assert_eq!(near.row(13).sum(), 5.0); // an inner point and its four neighbours
    }

    #[test]
    fn distances_give_the_graph_of_their_rows() {
        let x = Array2::from_shape_fn((150, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let distances = Array2::from_shape_fn((150, 150), |(i, j)| {
            (0..2).map(|c| (x[[i, c]] - x[[j, c]]).powi(2)).sum::<f64>().sqrt()
        });
        for n_neighbors in [1, 5, 150] {
            let of_distances = |job: &Job| neighbor_graph_of_distances(distances.view(), n_neighbors, None, job);
            assert_eq!(parallel::run(2, || false, of_distances), graph(&x, n_neighbors));
        }
    }

    #[test]
    fn graphs_are_made_symmetric() {
        let graph = array![[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]];
        let symmetric = |how: Symmetrize| {
            let mut graph = graph.clone();
            how.apply(&mut graph);
            graph
        };
        assert_eq!(symmetric(Symmetrize::Union), array![[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]);
        assert_eq!(symmetric(Symmetrize::Mutual), array![[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]);
        assert_eq!(symmetric(Symmetrize::Mean), array![[1.0, 0.5, 0.0], [0.5, 1.0, 1.0], [0.0, 1.0, 1.0]]);
    }

    #[test]
    fn too_many_or_too_few_neighbors_are_refused() {
        for n_neighbors in [0, 4] {
            let error = graph(&array![[0.0], [1.0], [2.0]], n_neighbors).unwrap_err().to_string();
            assert!(error.starts_with("n_neighbors must be in 1..=3"), "{error}");
        }
    }

    fn nearest(x: &Array2<f64>, n_neighbors: usize) -> Result<(Array2<f64>, Array2<usize>)> {
        let points = Points::in_own_scale(x.view());
        parallel::run(2, || false, |job| nearest_neighbors(&points, n_neighbors, job))
    }

    /// Squares of the small distances underflow in the unit of the largest entry.
    #[test]
    fn near_rows_keep_their_distances_beside_a_far_one() {
        for far in [1e100, 1e170, 1e300, -1.7e308] {
            let (distances, numbers) = nearest(&array![[0.0], [1.0], [3.0], [7.0], [far]], 2).unwrap();
            assert_eq!(distances.slice(s![..4, ..]), array![[1.0, 3.0], [1.0, 2.0], [2.0, 3.0], [4.0, 6.0]]);
            assert_eq!(numbers.slice(s![..4, ..]), array![[1, 2], [0, 2], [1, 0], [2, 1]]);
            let graph = graph(&array![[0.0], [1.0], [3.0], [7.0], [far]], 2).unwrap();
            assert_eq!(graph.sum_axis(Axis(1)).slice(s![..4]), array![2.0, 2.0, 2.0, 2.0]);
        }
    }

    #[test]
    fn the_row_itself_is_left_out_and_ties_come_in_order() {
        let x = array![[0.0], [3.0], [3.0], [6.0], [10.0]];
        let (distances, numbers) = nearest(&x, 2).unwrap();
        assert_eq!(numbers, array![[1, 2], [2, 0], [1, 0], [1, 2], [3, 1]]);
        assert_eq!(distances, array![[3.0, 3.0], [0.0, 3.0], [0.0, 3.0], [3.0, 3.0], [4.0, 7.0]]);
        assert!(nearest(&x, 5).unwrap_err().to_string().starts_with("n_neighbors must be in 1..5"));
        assert!(nearest(&x, 0).is_err());
    }

    /// Several blocks and tiles; rows close to each other, in groups far apart, and with an outlier so far away that the
    /// others are equal in f32.
    #[test]
    fn neighbors_are_those_of_all_distances() {
        let noise = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f64 / 10_007.0;
        let n = sized(2300, 600);
        for (group, outlier) in [(0.0, 0.0), (1e3, 0.0), (0.0, 1e9)] {
            let mut x = Array2::from_shape_fn((n, 3), |(i, j)| noise(i, j) + group * (i % 4) as f64);
            x[[7, 0]] += outlier;
            let (distances, numbers) = nearest(&x, 5).unwrap();
            for i in (0..n).step_by(97).chain([7]) {
                let squared = |j: usize| (0..3).map(|c| (x[[i, c]] - x[[j, c]]).powi(2)).sum::<f64>();
                let mut all: Vec<(f64, usize)> = (0..n).filter(|&j| j != i).map(|j| (squared(j), j)).collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0));
                for (place, &(squared, j)) in all[..5].iter().enumerate() {
                    approx::assert_relative_eq!(distances[[i, place]], squared.sqrt(), max_relative = 1e-12);
                    assert!(numbers[[i, place]] == j || outlier > 0.0, "row {i}");
                }
            }
        }
    }

    /// The k nearest other rows of each row by direct search: ascending by distance, then by number.
    fn of_all_distances(points: &Points, k: usize) -> (Array2<f64>, Array2<usize>) {
        let n = points.len();
        let (mut distances, mut numbers) = (Array2::zeros((n, k)), Array2::zeros((n, k)));
        for i in 0..n {
            let others = (0..n).filter(|&j| j != i);
            let mut all: Vec<(WideSquare, usize)> = others.map(|j| (points.squared_distance(i, j), j)).collect();
            all.sort_by(|a, b| a.0.order(&b.0));
            for (place, &(squared, j)) in all[..k].iter().enumerate() {
                distances[[i, place]] = squared.root();
                numbers[[i, place]] = j;
            }
        }
        (distances, numbers)
    }

    fn numbers_to(modulus: usize, i: usize, j: usize) -> f64 {
        ((i * 7919 + j * 104_729 + i * i * (31 + 2 * j)) % 10_007 % modulus) as f64
    }

    /// No block is full, the last one is narrow, and the number of threads changes the blocks. k is 1, the largest that is
    /// searched pair by pair, one more, larger than a block, and all rows.
    #[test]
    fn no_pair_of_rows_is_lost_or_seen_twice() {
        for n in [sized(1100, 140), sized(1537, 211)] {
            let x = Array2::from_shape_fn((n, 4), |(i, j)| numbers_to(10_007, i, j));
            let points = Points::in_own_scale(x.view());
            let (distances, numbers) = of_all_distances(&points, n - 1);
            for k in [1, 2, 10, n / 16 - 1, n / 16, sized(600, 3 * n / 5), n - 1] {
                for threads in [1, 2, 7] {
                    let found = parallel::run(threads, || false, |job| nearest_neighbors(&points, k, job)).unwrap();
                    assert_eq!(found.0, distances.slice(s![.., ..k]), "{n} {k} {threads}");
                    assert_eq!(found.1, numbers.slice(s![.., ..k]), "{n} {k} {threads}");
                }
            }
        }
    }

    #[test]
    fn tuning_changes_no_neighbor() {
        let x = Array2::from_shape_fn((1100, 3), |(i, j)| numbers_to(50, i, j));
        let points = Points::in_own_scale(x.view());
        let expected = nearest(&x, 7).unwrap();
        for (block_rows, blocks_per_thread, rows_per_neighbor) in
            [([1, 100], 1, 16), ([64, 2000], 9, 1), ([8, 8], 2, 400)]
        {
            let neighbors = NeighborTuning { block_rows, blocks_per_thread, rows_per_neighbor };
            let tuning = Tuning { neighbors, ..Tuning::MEASURED };
            let found = parallel::run_with(&tuning, 2, || false, |job| nearest_neighbors(&points, 7, job));
            assert!(found.unwrap() == expected, "{neighbors:?}");
        }
    }

    /// All rows equal; a few places that hold hundreds each; a grid; duplicates among others; groups so far apart that
    /// rows of one are equal in f32; an outlier so far away that the others are equal in f32.
    #[test]
    fn rows_whose_lists_overflow_find_their_nearest() {
        let n = sized(1100, 300);
        let rows: [fn(usize, usize) -> f64; 6] = [
            |_, _| 3.0,
            |i, j| numbers_to(2, i, j),
            |i, j| numbers_to(9, i, j),
            |i, j| if i % 3 == 0 { 77.0 } else { numbers_to(1000, i, j) },
            |i, j| numbers_to(1000, i, j) + 1e8 * (i % 3) as f64,
            |i, j| if i == 7 { 1e30 } else { numbers_to(1000, i, j) },
        ];
        for (case, row) in rows.iter().enumerate() {
            let x = Array2::from_shape_fn((n, 2), |(i, j)| row(i, j));
            let points = Points::in_own_scale(x.view());
            for k in [1, 4, sized(60, 17)] {
                let expected = of_all_distances(&points, k);
                assert!(nearest(&x, k).unwrap() == expected, "{case} {k}");
                let graph = graph(&x, k).unwrap();
                for i in 0..n {
                    // The row itself is the nearest, so the radius is the distance of the (k - 1)-th other row.
                    let radius = if k == 1 { 0.0 } else { expected.0[[i, k - 2]] };
                    let within = |j: usize| points.squared_distance(i, j).root() <= radius;
                    assert!((0..n).all(|j| (graph[[i, j]] == 1.0) == within(j)), "{case} {k} {i}");
                }
            }
        }
    }
}
