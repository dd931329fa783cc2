//! Nearest neighbours, exact, and their graph as the reference draws it.
//!
//! ```text
//! A_ij = 1 where |x_i - x_j| <= the k-th smallest distance of row i, the row itself counted, ties kept; else 0
//! ```
//!
//! A is not symmetric. Candidates come from Gram distances in f32, tile by tile, each between a lower and an upper
//! bound; those whose lower bound is at most the k-th smallest upper bound are computed again in f64 from the rows as
//! they were given, so ties of integers and dyadic fractions are found exactly. Cost: N^2 D flops in f32; where
//! distances lie nearer to each other than f32 tells, D more for each candidate. Memory: a tile and the candidates of
//! a block of rows a thread.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, s};

use crate::distance::{Distances, Element, Points};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Job;
use crate::simd::{add_norms_single, next_at_most};

/// Rows of a block, which belong to one thread, and columns of a tile: 1 MiB, so that it stays in the cache of a
/// core. N = 20,000, ten neighbours, D = 64 and 512: 0.29 and 1.61 s with 128 x 2048, 0.26 and 1.39 s with this
/// (SkylakeX, 2 cores).
const BLOCK_ROWS: usize = 512;
const TILE_COLUMNS: usize = 512;

/// The `n_neighbors` nearest other rows of each row: their distances, ascending, and their numbers, ascending where
/// distances are equal; both [N, `n_neighbors`].
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..N; out of memory, before any work; interrupted.
pub fn nearest_neighbors(points: &Points, n_neighbors: usize, job: &Job) -> Result<(Array2<f64>, Array2<usize>)> {
    let n = points.len();
    if !(1..n).contains(&n_neighbors) {
        return Err(Error::invalid("n_neighbors", format!("in 1..{n}, the number of rows"), n_neighbors));
    }
    let (results, rows) = (n as u64 * n_neighbors as u64 * 16, n as u64 * points.dim() as u64 * 4);
    memory::require(n, results.saturating_add(rows), job)?;
    let mut distances = Array2::zeros((n, n_neighbors));
    let mut numbers = Array2::zeros((n, n_neighbors));
    let screen = Screen::new(points);
    job.parallel(|| {
        let blocks = distances.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter();
        let blocks = blocks.zip(numbers.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS)).enumerate();
        blocks.with_max_len(1).try_for_each(|(b, (mut distances, mut numbers))| {
            let first = b * BLOCK_ROWS;
            let nearest = screen.nearest(first..first + distances.nrows(), n_neighbors + 1, job)?;
            for (r, nearest) in nearest.into_iter().enumerate() {
                let others = nearest.into_iter().filter(|&(_, j)| j != first + r);
                let places = distances.row_mut(r).into_iter().zip(numbers.row_mut(r));
                for ((distance, number), (squared, j)) in places.zip(others) {
                    *distance = squared.sqrt() * points.unit();
                    *number = j;
                }
            }
            Ok(())
        })
    })?;
    Ok((distances, numbers))
}

/// The adjacency matrix [N, N], ones and zeros, of the `n_neighbors` nearest rows, the row itself counted.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..=N; out of memory; interrupted.
pub fn neighbor_graph(points: &Points, n_neighbors: usize, job: &Job) -> Result<Array2<f64>> {
    let n = points.len();
    require_neighbors(n_neighbors, n)?;
    let mut graph = memory::zeros(n)?;
    let screen = Screen::new(points);
    job.parallel(|| {
        let blocks = graph.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
        blocks.with_max_len(1).try_for_each(|(b, mut block)| {
            let first = b * BLOCK_ROWS;
            let nearest = screen.nearest(first..first + block.nrows(), n_neighbors, job)?;
            for (mut row, nearest) in block.rows_mut().into_iter().zip(nearest) {
                for (_, j) in nearest {
                    row[j] = 1.0;
                }
            }
            Ok(())
        })
    })?;
    Ok(graph)
}

/// The same matrix in compressed rows, which are all ones: where each row begins and the last ends, and the columns.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..=N; out of memory, before any work; interrupted.
pub fn neighbor_edges(points: &Points, n_neighbors: usize, job: &Job) -> Result<(Vec<usize>, Vec<usize>)> {
    let n = points.len();
    require_neighbors(n_neighbors, n)?;
    memory::require(n, (n as u64).saturating_mul(24 * n_neighbors as u64 + 4 * points.dim() as u64), job)?;
    let screen = Screen::new(points);
    let blocks: Vec<Vec<Vec<usize>>> = job.parallel(|| {
        let firsts: Vec<usize> = (0..n).step_by(BLOCK_ROWS).collect();
        let blocks = firsts.into_par_iter().with_max_len(1).map(|first| {
            let nearest = screen.nearest(first..(first + BLOCK_ROWS).min(n), n_neighbors, job)?;
            let sorted = |nearest: Vec<(f64, usize)>| {
                let mut numbers: Vec<usize> = nearest.into_iter().map(|(_, j)| j).collect();
                numbers.sort_unstable();
                numbers
            };
            Ok(nearest.into_iter().map(sorted).collect())
        });
        blocks.collect()
    })?;
    let mut starts = vec![0];
    let mut columns = Vec::new();
    for row in blocks.into_iter().flatten() {
        columns.extend(row);
        starts.push(columns.len());
    }
    Ok((starts, columns))
}

/// The same of a matrix [N, N] of distances, whose diagonal is zero.
///
/// # Errors
/// As above.
pub(crate) fn neighbor_graph_of_distances<T: Element>(
    matrix: ArrayView2<T>,
    n_neighbors: usize,
    job: &Job,
) -> Result<Array2<f64>> {
    let n = matrix.nrows();
    require_neighbors(n_neighbors, n)?;
    let mut graph = memory::zeros(n)?;
    job.parallel(|| {
        let rows = graph.axis_iter_mut(Axis(0)).into_par_iter().zip(matrix.axis_iter(Axis(0)).into_par_iter());
        rows.try_for_each(|(mut row, distances)| {
            job.check()?;
            let mut sorted: Vec<f64> = distances.iter().map(|&distance| distance.into()).collect();
            let radius = *sorted.select_nth_unstable_by(n_neighbors - 1, f64::total_cmp).1;
            row.zip_mut_with(&distances, |entry, &distance| *entry = f64::from(distance.into() <= radius));
            Ok(())
        })
    })?;
    Ok(graph)
}

fn require_neighbors(n_neighbors: usize, n: usize) -> Result<()> {
    if (1..=n).contains(&n_neighbors) {
        return Ok(());
    }
    Err(Error::invalid("n_neighbors", format!("in 1..={n}, the number of rows"), n_neighbors))
}

/// How a graph that is not symmetric is made so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symmetrize {
    /// An edge where there is one either way.
    Union,
    /// An edge where there is one each way.
    Mutual,
    /// The mean of both: half an edge where there is one either way only.
    Mean,
}

impl Symmetrize {
    /// Makes the graph symmetric.
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

/// The rows in f32, for bounds on their distances.
struct Screen<'a> {
    points: &'a Points,
    centred: Array2<f32>,
    /// |x - m|^2, less what bounds its share of the error of a distance.
    lower: Vec<f32>,
    /// Twice that share.
    slack: Vec<f32>,
}

impl<'a> Screen<'a> {
    fn new(points: &'a Points) -> Self {
        // Of a sum of D products of rounded entries, the entries, the products, the sums, the norms and what is added
        // to them rounded, with |x| |y| at most (|x|^2 + |y|^2) / 2: half of this would do.
        let error = (points.dim() as f64 + 16.0) * f64::from(f32::EPSILON);
        // The longest row gets a length near 1, so that nothing overflows.
        let longest = points.squared_norms().iter().fold(0.0, |longest: f64, norm| longest.max(norm.sqrt()));
        let scale = if longest > 0.0 { longest.recip() } else { 1.0 };
        let scaled = |norm: &f64| norm.sqrt() * scale;
        #[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
        let single = |x: f64| x as f32;
        Self {
            points,
            centred: points.centred().mapv(|entry| single(entry * scale)),
            lower: points.squared_norms().iter().map(|norm| single(scaled(norm).powi(2) * (1.0 - error))).collect(),
            slack: points
                .squared_norms()
                .iter()
                .map(|norm| single(scaled(norm).powi(2) * 2.0 * error) + f32::MIN_POSITIVE)
                .collect(),
        }
    }

    /// For each of `rows` the `k` nearest, itself counted: squared distances and numbers, ascending. Those as far as
    /// the k-th are all there.
    fn nearest(&self, rows: Range<usize>, k: usize, job: &Job) -> Result<Vec<Vec<(f64, usize)>>> {
        let n = self.points.len();
        let mut candidates: Vec<Candidates> = rows.clone().map(|_| Candidates::new(k)).collect();
        let mut tile = Array2::<f32>::zeros((rows.len(), TILE_COLUMNS.min(n)));
        let left = self.centred.slice(s![rows.clone(), ..]);
        for first in (0..n).step_by(TILE_COLUMNS) {
            job.check()?;
            let columns = first..(first + TILE_COLUMNS).min(n);
            let mut tile = tile.slice_mut(s![.., ..columns.len()]);
            general_mat_mul(-2.0, &left, &self.centred.slice(s![columns.clone(), ..]).t(), 0.0, &mut tile);
            for ((i, mut line), candidates) in rows.clone().zip(tile.rows_mut()).zip(&mut candidates) {
                let line = line.as_slice_mut().expect("the rows of a tile are contiguous");
                add_norms_single(line, self.lower[i], &self.lower[columns.clone()]);
                let mut at = next_at_most(line, candidates.bound, 0);
                while let Some(&lower) = line.get(at) {
                    let j = first + at;
                    candidates.add(Candidate { lower, upper: lower + (self.slack[i] + self.slack[j]), j });
                    at = next_at_most(line, candidates.bound, at + 1);
                }
            }
        }
        Ok(rows.zip(candidates).map(|(i, candidates)| self.exact(i, candidates)).collect())
    }

    fn exact(&self, i: usize, mut candidates: Candidates) -> Vec<(f64, usize)> {
        candidates.prune();
        let k = candidates.k;
        let mut nearest: Vec<(f64, usize)> =
            candidates.found.into_iter().map(|c| (self.points.squared_distance(i, c.j), c.j)).collect();
        nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let radius = nearest[k - 1].0;
        nearest.truncate(nearest.partition_point(|&(squared, _)| squared <= radius));
        nearest
    }
}

/// A row that may be among the nearest, and what bounds its squared distance.
struct Candidate {
    lower: f32,
    upper: f32,
    j: usize,
}

/// The rows seen so far that may be among the k nearest.
struct Candidates {
    k: usize,
    found: Vec<Candidate>,
    /// The k-th smallest upper bound at the last pruning: nothing farther counts.
    bound: f32,
    /// As many are let in before the next pruning.
    limit: usize,
}

impl Candidates {
    fn new(k: usize) -> Self {
        Self { k, found: Vec::new(), bound: f32::INFINITY, limit: 2 * k + 32 }
    }

    fn add(&mut self, candidate: Candidate) {
        self.found.push(candidate);
        if self.found.len() >= self.limit {
            self.prune();
            self.limit = self.found.len() + self.k + 32;
        }
    }

    fn prune(&mut self) {
        self.bound = self.found.select_nth_unstable_by(self.k - 1, |a, b| a.upper.total_cmp(&b.upper)).1.upper;
        self.found.retain(|candidate| candidate.lower <= self.bound);
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
    fn compressed_rows_are_the_same_graph() {
        let x = Array2::from_shape_fn((1200, 2), |(i, j)| ((i * 29 + j * 7 + i * i) % 53) as f64);
        let points = Points::in_own_scale(x.view());
        let (starts, columns) = parallel::run(2, || false, |job| neighbor_edges(&points, 4, job)).unwrap();
        let mut full = Array2::<f64>::zeros((1200, 1200));
        for i in 0..1200 {
            for &j in &columns[starts[i]..starts[i + 1]] {
                full[[i, j]] += 1.0;
            }
        }
        assert_eq!(full, graph(&x, 4).unwrap());
    }

    #[test]
    fn distances_give_the_graph_of_their_rows() {
        let x = Array2::from_shape_fn((150, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let distances = Array2::from_shape_fn((150, 150), |(i, j)| {
            (0..2).map(|c| (x[[i, c]] - x[[j, c]]).powi(2)).sum::<f64>().sqrt()
        });
        for n_neighbors in [1, 5, 150] {
            let of_distances = |job: &Job| neighbor_graph_of_distances(distances.view(), n_neighbors, job);
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

    #[test]
    fn the_row_itself_is_left_out_and_ties_come_in_order() {
        let x = array![[0.0], [3.0], [3.0], [6.0], [10.0]];
        let (distances, numbers) = nearest(&x, 2).unwrap();
        assert_eq!(numbers, array![[1, 2], [2, 0], [1, 0], [1, 2], [3, 1]]);
        assert_eq!(distances, array![[3.0, 3.0], [0.0, 3.0], [0.0, 3.0], [3.0, 3.0], [4.0, 7.0]]);
        assert!(nearest(&x, 5).unwrap_err().to_string().starts_with("n_neighbors must be in 1..5"));
        assert!(nearest(&x, 0).is_err());
    }

    /// Rows far from the origin, of lengths that differ, of any scale.
    #[test]
    fn bounds_hold_what_they_bound() {
        let noise = |i: usize, j: usize| ((i * 31 + j * 17) % 23) as f64 + 1e7;
        for scale in [1e-140, 1.0, 1e140] {
            let x = Array2::from_shape_fn((60, 7), |(i, j)| noise(i, j) * scale * 0.77_f64.powf(i as f64));
            let points = Points::new(x.view(), scale);
            let screen = Screen::new(&points);
            let longest = points.squared_norms().iter().fold(0.0, |a: f64, b| a.max(*b));
            for i in 0..60 {
                for j in 0..60 {
                    let product = screen.centred.row(i).dot(&screen.centred.row(j));
                    let lower = -2.0 * product + (screen.lower[i] + screen.lower[j]);
                    let upper = lower + (screen.slack[i] + screen.slack[j]);
                    let exact = points.squared_distance(i, j) / longest;
                    assert!(
                        (f64::from(lower)..=f64::from(upper)).contains(&exact),
                        "{i} {j}: {lower} {exact} {upper}"
                    );
                }
            }
        }
    }

    /// Over several blocks and tiles, near each other, in groups far apart and with an outlier that is all that f32
    /// sees.
    #[test]
    fn neighbors_are_those_of_all_distances() {
        let noise = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f64 / 10_007.0;
        let n = 2300;
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
}
