//! The bandwidth sigma of a kernel, and two rules that choose it from the data.
//!
//! The median distance of all pairs makes an entropy independent of the scale of the data (cost: N^2 D flops). The
//! distance of each row to its k-th nearest neighbour (Zelnik-Manor & Perona, "Self-tuning spectral clustering",
//! NIPS 2004) makes it independent of their density as well.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Axis, s};

use crate::data::input::{DistanceInput, Input};
use crate::data::neighbors::nearest_neighbors;
use crate::data::points::Points;
use crate::error::{Error, Result, require_positive};
use crate::linalg::scalar::Element;
use crate::linalg::upper_triangle::{TILE_COLUMNS, map_row_blocks, tiles};
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// A bandwidth, in units of the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Bandwidth {
    /// One sigma for all rows.
    Fixed(f64),
    /// One sigma per row.
    Adaptive(Vec<f64>),
}

impl Bandwidth {
    /// Fails unless each sigma is positive and finite and, where there are several, there is one per row.
    pub(crate) fn require(&self, rows: usize) -> Result<()> {
        match self {
            Self::Fixed(sigma) => require_positive("bandwidth", *sigma),
            Self::Adaptive(sigmas) if sigmas.len() != rows => {
                Err(Error::invalid("bandwidth", format!("one number, or one for each of {rows} rows"), sigmas.len()))
            }
            Self::Adaptive(sigmas) => sigmas.iter().try_for_each(|&sigma| require_positive("bandwidth", sigma)),
        }
    }

    /// The smallest sigma, for which distances are prepared.
    pub(crate) fn smallest(&self) -> f64 {
        match self {
            Self::Fixed(sigma) => *sigma,
            Self::Adaptive(sigmas) => sigmas.iter().copied().fold(f64::MAX, f64::min),
        }
    }

    /// The bandwidth of some of the rows.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Self {
        match self {
            Self::Fixed(sigma) => Self::Fixed(*sigma),
            Self::Adaptive(sigmas) => Self::Adaptive(rows.iter().map(|&i| sigmas[i]).collect()),
        }
    }
}

/// The median of the positive distances of all pairs of rows, or 0 where there are none. Cost: N^2 D flops, and 16
/// bytes per pair.
///
/// # Errors
/// [`Error::Invalid`] for entries that are not finite, or affinities; [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub fn median_distance<T: Element>(input: Input<T>, job: &Job) -> Result<f64> {
    input.require()?;
    let n = input.len();
    let rows = 16 * (n as u64) * input.columns().unwrap_or(0) as u64;
    memory::require(n, rows.saturating_add(8 * (n as u64).saturating_mul(n as u64)), job)?;
    let distances = input.distances(0.0)?;
    let pairs = map_row_blocks(n, job, |rows| {
        let mut positive = Vec::new();
        let mut tile = Array2::zeros((rows.len(), TILE_COLUMNS));
        for columns in tiles(rows.start, n) {
            let mut tile = tile.slice_mut(s![.., ..columns.len()]);
            distances.squared_distances(rows.clone(), columns.clone(), tile.view_mut());
            for (i, row) in rows.clone().zip(tile.rows()) {
                let right = columns.clone().zip(row).filter(|&(j, &squared)| i < j && squared > 0.0);
                positive.extend(right.map(|(_, &squared)| squared));
            }
        }
        positive
    })?;
    Ok(median_root(pairs.concat()) * distances.unit())
}

/// The median of the square roots of the numbers, or 0 where there are none.
fn median_root(mut squared: Vec<f64>) -> f64 {
    if squared.is_empty() {
        return 0.0;
    }
    let (middle, odd) = (squared.len() / 2, squared.len() % 2 == 1);
    let (below, &mut upper, _) = squared.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = if odd { upper } else { below.iter().copied().fold(0.0, f64::max) };
    f64::midpoint(lower.sqrt(), upper.sqrt())
}

/// The distance of each row to its `n_neighbors`-th nearest other row.
///
/// # Errors
/// [`Error::Invalid`] where `n_neighbors` is not in 1..N, for entries that are not finite, or affinities;
/// [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub fn neighbor_distances<T: Element>(input: Input<T>, n_neighbors: usize, job: &Job) -> Result<Vec<f64>> {
    input.require()?;
    let n = input.len();
    if !(1..n).contains(&n_neighbors) {
        return Err(Error::invalid("n_neighbors", format!("in 1..{n}, the number of rows"), n_neighbors));
    }
    match input.require_distances()? {
        DistanceInput::Rows(rows) => {
            let (distances, _) = nearest_neighbors(&Points::in_own_scale(rows), n_neighbors, job)?;
            Ok(distances.column(n_neighbors - 1).to_vec())
        }
        DistanceInput::Given(matrix) => job.parallel(|| {
            let rows = matrix.axis_iter(Axis(0)).into_par_iter().enumerate();
            rows.map(|(i, row)| {
                job.check()?;
                let others = row.iter().enumerate().filter(|&(j, _)| j != i);
                let mut others: Vec<f64> = others.map(|(_, &distance)| distance.into()).collect();
                Ok(*others.select_nth_unstable_by(n_neighbors - 1, f64::total_cmp).1)
            })
            .collect()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::input::Metric;
    use crate::runtime::parallel;
    use ndarray::array;

    fn median(x: &Array2<f64>) -> f64 {
        parallel::run(2, || false, |job| median_distance(Input::rows(x.view()), job)).unwrap()
    }

    /// Distances 1, 2, 3 have the median 2; distances 1, 1, 1, 2, 2, 3 the mean of two, 1.5.
    #[test]
    fn medians_of_odd_and_even_numbers_of_pairs() {
        assert_eq!(median(&array![[0.0], [1.0], [3.0]]), 2.0);
        assert_eq!(median(&array![[0.0], [1.0], [2.0], [3.0]]), 1.5);
        assert_eq!(median(&array![[0.0], [0.0], [5.0]]), 5.0);
    }

    #[test]
    fn no_positive_distance_gives_zero() {
        assert_eq!(median(&Array2::ones((7, 2))), 0.0);
        assert_eq!(median(&array![[3.0]]), 0.0);
    }

    /// A median over several blocks and tiles, against all pairs in a list.
    #[test]
    fn median_counts_all_pairs_at_any_scale() {
        let n = 1101;
        let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f64);
        let mut all = Vec::new();
        for i in 0..n {
            all.extend((0..i).map(|j| (0..2).map(|c| (x[[i, c]] - x[[j, c]]).powi(2)).sum::<f64>().sqrt()));
        }
        all.sort_by(f64::total_cmp);
        let expected = f64::midpoint(all[all.len() / 2], all[(all.len() - 1) / 2]);
        for scale in [1e-280, 1.0, 1e280] {
            approx::assert_relative_eq!(median(&(&x * scale)), expected * scale, max_relative = 1e-12);
        }
    }

    #[test]
    fn neighbors_of_rows_and_of_their_distances_are_as_far() {
        let x = Array2::from_shape_fn((60, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let distances = Array2::from_shape_fn((60, 60), |(i, j)| {
            (0..2).map(|c| (x[[i, c]] - x[[j, c]]).powi(2)).sum::<f64>().sqrt()
        });
        let given = Input { metric: Metric::Precomputed, matrix: distances.view() };
        let of = |input: Input<f64>, k| parallel::run(2, || false, |job| neighbor_distances(input, k, job));
        for k in [1, 5, 59] {
            let (rows, given) = (of(Input::rows(x.view()), k).unwrap(), of(given, k).unwrap());
            for (one, other) in rows.iter().zip(given) {
                approx::assert_relative_eq!(*one, other, max_relative = 1e-14);
            }
        }
        assert!(of(given, 60).unwrap_err().to_string().starts_with("n_neighbors must be in 1..60"));
    }
}
