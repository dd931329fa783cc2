//! The edges from each row to its nearest neighbours, all ties kept, in compressed rows (CSR).
//!
//! ```text
//! (i, j) is an edge where d_ij <= r_i,     r_i the smallest radius within which i has k rows, itself counted
//! ```
//!
//! up to the rounding of the distances (see `ties.rs`). So edges depend on distances alone, not on the order of rows. A row may stand for several equal ones: these count as
//! often in k, and the edges of one are those of all. Cost: N^2 D flops for N distinct rows (see `knn_search.rs`).

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::parallel::prelude::*;
use ndarray::{ArrayView2, Axis};

use crate::data::input::{DistanceInput, Input};
use crate::data::knn_search::KnnSearch;
use crate::data::neighbors::require_neighbors;
use crate::data::points::Points;
use crate::data::ties::TieMargin;
use crate::data::wide_square::WideSquare;
use crate::error::{Error, Result};
use crate::linalg::scalar::Element;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Bytes of an edge: number and distance in the list of its row and in the result, and the copies that SciPy makes of
/// both while a symmetric matrix is made of them.
const EDGE_BYTES: u64 = 120;

/// The edges of a graph of nearest neighbours, those from rows to themselves among them.
#[derive(Debug, Clone, PartialEq)]
pub struct NeighborEdges {
    /// The place of the first edge of each row, and the number of edges.
    pub starts: Vec<usize>,
    /// The row to which each edge leads, ascending within a row.
    pub columns: Vec<usize>,
    /// The distance along each edge.
    pub distances: Vec<f64>,
}

/// Finds all rows within the radius at which a row has `n_neighbors` rows, itself counted. With `multiplicities` each
/// row stands for so many equal ones. Distances that differ by no more than the
/// unit roundoff `rounding` of the entries explains are tied; without one, those that are equal.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..=N, for multiplicities that do not fit, entries that are not
/// finite, and affinities; [`Error::OutOfMemory`], before any work or, where ties make the graph larger than memory,
/// after the search; [`Error::Interrupted`].
pub fn neighbor_edges<T: Element>(
    input: Input<T>,
    n_neighbors: usize,
    multiplicities: Option<&[usize]>,
    rounding: Option<f64>,
    job: &Job,
) -> Result<NeighborEdges> {
    input.require()?;
    let n = input.len();
    let multiplicities = Multiplicities::new(multiplicities, n)?;
    require_neighbors(n_neighbors, multiplicities.total())?;
    let k = n_neighbors.min(n);
    let lists = EdgeLists { limit: memory::available(job.threads()), edges: AtomicU64::new(0) };
    let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
    let least = (n as u64).saturating_mul(k as u64).saturating_mul(EDGE_BYTES);
    let keep = |row: &mut Vec<(usize, f64)>, nearest: Vec<(WideSquare, usize)>, margin: TieMargin| {
        lists.keep(row, multiplicities.within_radius(nearest, n_neighbors, margin));
    };
    match input.require_distances()? {
        DistanceInput::Rows(x) => {
            let points = Points::in_own_scale(x);
            memory::require(n, least.saturating_add(KnnSearch::bytes(&points, k, job)), job)?;
            let search = KnnSearch::new(&points, rounding);
            search.nearest(k, job, rows.par_iter_mut(), |row, i, nearest| keep(row, nearest, search.margin(i)))?;
        }
        DistanceInput::Given(matrix) => {
            memory::require(n, least, job)?;
            of_given_distances(matrix, rounding, &mut rows, keep, job)?;
        }
    }
    lists.require(n)?;
    Ok(in_compressed_rows(rows))
}

/// Calls `keep` with all rows in the order of their given distances, and the margin of ties, for each row.
fn of_given_distances<T: Element>(
    matrix: ArrayView2<T>,
    rounding: Option<f64>,
    rows: &mut [Vec<(usize, f64)>],
    keep: impl Fn(&mut Vec<(usize, f64)>, Vec<(WideSquare, usize)>, TieMargin) + Send + Sync,
    job: &Job,
) -> Result<()> {
    job.in_tasks(|| {
        rows.par_iter_mut().zip(matrix.axis_iter(Axis(0))).try_for_each(|(row, distances)| {
            job.check()?;
            let squares = distances.iter().map(|&distance| WideSquare::of(distance.into()));
            let mut nearest: Vec<(WideSquare, usize)> = squares.zip(0..).collect();
            nearest.sort_unstable_by(|a, b| a.0.order(&b.0).then(a.1.cmp(&b.1)));
            let given = distances.iter().map(|&distance| distance.into());
            let margin = rounding.map_or(TieMargin::EXACT, |u| TieMargin::of_distances(given, u));
            keep(row, nearest, margin);
            Ok(())
        })
    })
}

/// The numbers of equal rows that rows stand for.
#[derive(Clone, Copy)]
struct Multiplicities<'a> {
    of_rows: Option<&'a [usize]>,
    n: usize,
}

impl<'a> Multiplicities<'a> {
    /// Fails unless there is a positive one for each of `n` rows.
    fn new(of_rows: Option<&'a [usize]>, n: usize) -> Result<Self> {
        match of_rows {
            Some(numbers) if numbers.len() != n || numbers.contains(&0) => {
                Err(Error::invalid("multiplicities", format!("a positive one for each of {n} rows"), numbers.len()))
            }
            _ => Ok(Self { of_rows, n }),
        }
    }

    fn of(self, row: usize) -> usize {
        self.of_rows.map_or(1, |numbers| numbers[row])
    }

    /// The number of all rows that these stand for.
    fn total(self) -> usize {
        self.of_rows.map_or(self.n, |numbers| numbers.iter().sum())
    }

    /// The rows within the smallest radius at which they stand for `k` rows, widened by `margin`, of rows in the order of
    /// their distances.
    fn within_radius(
        self,
        mut nearest: Vec<(WideSquare, usize)>,
        k: usize,
        margin: TieMargin,
    ) -> Vec<(WideSquare, usize)> {
        let mut counted = 0;
        let last = nearest.iter().find(|&&(_, j)| {
            counted += self.of(j);
            counted >= k
        });
        if let Some(&(radius, _)) = last {
            let radius = margin.widened_square(radius);
            nearest.truncate(nearest.partition_point(|(squared, _)| squared.order(&radius).is_le()));
        }
        nearest
    }
}

/// The number of edges so far, of which no more are kept than fit into memory.
struct EdgeLists {
    /// Bytes that all edges may take.
    limit: u64,
    edges: AtomicU64,
}

impl EdgeLists {
    /// Counts the edges of a row, and keeps them while all edges fit into memory.
    fn keep(&self, row: &mut Vec<(usize, f64)>, nearest: Vec<(WideSquare, usize)>) {
        let added = nearest.len() as u64;
        if self.edges.fetch_add(added, Ordering::Relaxed).saturating_add(added).saturating_mul(EDGE_BYTES)
            > self.limit
        {
            return;
        }
        *row = nearest.into_iter().map(|(squared, j)| (j, squared.root())).collect();
        row.sort_unstable_by_key(|&(j, _)| j);
    }

    /// Fails where not all edges were kept.
    fn require(&self, rows: usize) -> Result<()> {
        let needed = self.edges.load(Ordering::Relaxed).saturating_mul(EDGE_BYTES);
        if needed > self.limit {
            return Err(Error::OutOfMemory { rows, needed, available: self.limit });
        }
        Ok(())
    }
}

fn in_compressed_rows(rows: Vec<Vec<(usize, f64)>>) -> NeighborEdges {
    let mut edges = NeighborEdges { starts: vec![0], columns: Vec::new(), distances: Vec::new() };
    for row in rows {
        let (columns, distances): (Vec<usize>, Vec<f64>) = row.into_iter().unzip();
        edges.columns.extend(columns);
        edges.distances.extend(distances);
        edges.starts.push(edges.columns.len());
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::distinct_rows::distinct_rows;
    use crate::data::input::Metric;
    use crate::data::neighbors::neighbor_graph;
    use crate::runtime::parallel;
    use ndarray::{Array2, array};

    fn edges(input: Input<f64>, k: usize, multiplicities: Option<&[usize]>) -> Result<NeighborEdges> {
        parallel::run(2, || false, |job| neighbor_edges(input, k, multiplicities, None, job))
    }

    fn repeated() -> Array2<f64> {
        Array2::from_shape_fn((1200, 2), |(i, j)| ((i * 29 + j * 7 + i * i) % 53 % 20) as f64)
    }

    fn pairs(x: &Array2<f64>) -> Array2<f64> {
        let n = x.nrows();
        Array2::from_shape_fn((n, n), |(i, j)| WideSquare::between(&x.row(i).to_vec(), &x.row(j).to_vec()).root())
    }

    fn full(edges: &NeighborEdges) -> Array2<f64> {
        let n = edges.starts.len() - 1;
        let mut full = Array2::<f64>::from_elem((n, n), f64::NAN);
        for i in 0..n {
            for place in edges.starts[i]..edges.starts[i + 1] {
                full[[i, edges.columns[place]]] = edges.distances[place];
            }
        }
        full
    }

    /// Each edge of the full graph is there, with its distance, and no other.
    #[test]
    fn compressed_rows_are_the_same_graph() {
        let x = repeated();
        let distances = pairs(&x);
        let points = Points::in_own_scale(x.view());
        let graph = parallel::run(2, || false, |job| neighbor_graph(&points, 4, None, job)).unwrap();
        for input in [Input::rows(x.view()), Input { metric: Metric::Precomputed, matrix: distances.view() }] {
            let found = full(&edges(input, 4, None).unwrap());
            for ((place, &found), &edge) in found.indexed_iter().zip(&graph) {
                assert!(if edge == 1.0 { found == distances[place] } else { found.is_nan() }, "{place:?}");
            }
        }
    }

    #[test]
    fn distinct_rows_with_multiplicities_have_the_edges_of_all_rows() {
        let x = repeated();
        let representatives = distinct_rows(x.view(), 0.0);
        let first: Vec<usize> = (0..1200).filter(|&i| representatives[i] == i).collect();
        let numbers: Vec<usize> =
            first.iter().map(|&i| representatives.iter().filter(|&&j| j == i).count()).collect();
        let distinct = x.select(Axis(0), &first);
        for k in [1, 2, 5, 40] {
            let of_all = full(&edges(Input::rows(x.view()), k, None).unwrap());
            let of_distinct = full(&edges(Input::rows(distinct.view()), k, Some(&numbers)).unwrap());
            for ((a, b), found) in of_distinct.indexed_iter() {
                let expected = of_all[[first[a], first[b]]];
                assert!(*found == expected || (found.is_nan() && expected.is_nan()), "{k} {a} {b}");
            }
        }
    }

    /// Distances of a grid in steps of 0.1 are rounded differently, and tied all the same.
    #[test]
    fn near_ties_are_kept_where_rounding_explains_them() {
        let grid = Array2::from_shape_fn((1600, 2), |(i, j)| if j == 0 { i / 40 } else { i % 40 } as f64);
        let of = |x: &Array2<f64>, rounding: Option<f64>| {
            parallel::run(2, || false, |job| neighbor_edges(Input::rows(x.view()), 5, None, rounding, job)).unwrap()
        };
        let (exact, scaled) = (of(&grid, None), &grid * 0.1 + 0.3);
        let found = of(&scaled, Some(f64::EPSILON / 2.0));
        assert_eq!((found.starts, found.columns), (exact.starts.clone(), exact.columns.clone()));
        assert_ne!(of(&scaled, None).columns, exact.columns);
        assert_eq!(of(&grid, Some(0.0)), exact);
    }

    /// Of a thousand equal rows beside another one, each has all neighbours at the distance 0.
    #[test]
    fn multiplicities_are_counted_in_the_radius() {
        let x = array![[0.0], [1.0], [3.0]];
        let found = edges(Input::rows(x.view()), 4, Some(&[1000, 1, 2])).unwrap();
        assert_eq!(found.starts, [0, 1, 3, 6]);
        assert_eq!(found.columns, [0, 0, 1, 0, 1, 2]);
        assert_eq!(found.distances, [0.0, 1.0, 0.0, 3.0, 2.0, 0.0]);
        assert_eq!(edges(Input::rows(x.view()), 1003, Some(&[1000, 1, 2])).unwrap().columns.len(), 9);
        assert!(edges(Input::rows(x.view()), 1004, Some(&[1000, 1, 2])).is_err());
        assert!(edges(Input::rows(x.view()), 2, Some(&[1000, 1])).is_err());
        assert!(edges(Input::rows(x.view()), 2, Some(&[1, 1, 0])).is_err());
    }

    #[test]
    fn more_edges_than_fit_into_memory_are_counted_and_refused() {
        let lists = EdgeLists { limit: 3 * EDGE_BYTES, edges: AtomicU64::new(0) };
        let (mut one, mut other) = (Vec::new(), Vec::new());
        lists.keep(&mut one, vec![(WideSquare::of(0.0), 1), (WideSquare::of(2.0), 0)]);
        assert_eq!(one, [(0, 2.0), (1, 0.0)]);
        assert!(lists.require(9).is_ok());
        lists.keep(&mut other, vec![(WideSquare::of(0.0), 0), (WideSquare::of(2.0), 1)]);
        assert!(other.is_empty());
        let refused = Err(Error::OutOfMemory { rows: 9, needed: 4 * EDGE_BYTES, available: 3 * EDGE_BYTES });
        assert_eq!(lists.require(9), refused);
    }
}
