//! The bandwidth sigma of a kernel, and two rules that choose it from the data.
//!
//! The median distance of all pairs makes an entropy independent of the scale of the data (cost: N^2 D flops). The
//! distance of each row to its k-th nearest neighbour (Zelnik-Manor & Perona, "Self-tuning spectral clustering",
//! NIPS 2004) makes it independent of their density as well.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Axis, s};

use crate::data::distances::StoredDistances;
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

    /// The sigma of row i.
    pub(crate) fn of_row(&self, i: usize) -> f64 {
        match self {
            Self::Fixed(sigma) => *sigma,
            Self::Adaptive(sigmas) => sigmas[i],
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

/// The median of the positive distances of all pairs of rows, or 0 where there are none. With `multiplicities` each row
/// stands for so many equal ones. Cost: N^2 D flops, and 8 bytes per pair, 32 with multiplicities.
///
/// # Errors
/// [`Error::Invalid`] for entries that are not finite, affinities, and multiplicities that are not one for each row;
/// [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub fn median_distance<T: Element>(input: Input<T>, multiplicities: Option<&[f64]>, job: &Job) -> Result<f64> {
    input.require()?;
    let n = input.len();
    if let Some(numbers) = multiplicities.filter(|numbers| numbers.len() != n) {
        return Err(Error::invalid("multiplicities", format!("one for each of {n} rows"), numbers.len()));
    }
    let rows = 16 * (n as u64) * input.columns().unwrap_or(0) as u64;
    let of_pair = if multiplicities.is_some() { 16 } else { 8 };
    memory::require(n, rows.saturating_add(of_pair * (n as u64).saturating_mul(n as u64)), job)?;
    Ok(match multiplicities {
        None => StoredDistances::roots(&*input.distances(0.0)?, job)?.median(job)?,
        Some(numbers) => weighted_median(weighted_distances(&input, numbers, job)?),
    })
}

/// Each positive distance, with the product of the numbers of its rows.
fn weighted_distances<T: Element>(input: &Input<T>, numbers: &[f64], job: &Job) -> Result<Vec<(f64, f64)>> {
    let n = input.len();
    let distances = input.distances(0.0)?;
    let pairs = map_row_blocks(n, job, |rows| {
        let mut positive = Vec::new();
        let mut tile = Array2::zeros((rows.len(), TILE_COLUMNS));
        for columns in tiles(rows.start, n) {
            let mut tile = tile.slice_mut(s![.., ..columns.len()]);
            distances.distances(rows.clone(), columns.clone(), tile.view_mut());
            for (i, row) in rows.clone().zip(tile.rows()) {
                let right = columns.clone().zip(row).filter(|&(j, &distance)| i < j && distance > 0.0);
                positive.extend(right.map(|(j, &distance)| (distance, numbers[i] * numbers[j])));
            }
        }
        positive
    })?;
    Ok(pairs.concat())
}

/// The smallest number up to which half of the weight lies, or 0 where there are none.
fn weighted_median(mut numbers: Vec<(f64, f64)>) -> f64 {
    numbers.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = numbers.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let reaches_half = |&&(_, weight): &&(f64, f64)| {
        below += weight;
        below >= half
    };
    numbers.iter().find(reaches_half).map_or(0.0, |&(number, _)| number)
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
        DistanceInput::Given(matrix) => job.in_tasks(|| {
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
        parallel::run(2, || false, |job| median_distance(Input::rows(x.view()), None, job)).unwrap()
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
    fn multiplicities_count_pairs_as_often_as_they_occur() {
        let x = array![[0.0], [1.0], [4.0], [9.0]];
        let weighted = |numbers: &[f64]| {
            parallel::run(2, || false, |job| median_distance(Input::rows(x.view()), Some(numbers), job))
        };
        assert_eq!(weighted(&[1.0, 1.0, 1.0, 1.0]).unwrap(), 4.0); // of 1, 3, 4, 5, 8 and 9
        assert_eq!(weighted(&[100.0, 1.0, 1.0, 100.0]).unwrap(), 9.0);
        assert!(weighted(&[1.0]).is_err());
    }

    /// The largest of the distances is so far from the others that their squares underflow beside its square.
    #[test]
    fn medians_do_not_lose_small_distances() {
        for far in [1e170, 1e300] {
            let x = array![[0.0], [1.0], [3.0], [7.0], [far]];
            assert_eq!(median(&x), 6.5); // of 1, 2, 3, 4, 6, 7 and four times far
            let distances = Array2::from_shape_fn((5, 5), |(i, j)| (x[[i, 0]] - x[[j, 0]]).abs());
            let given = Input { metric: Metric::Precomputed, matrix: distances.view() };
            assert_eq!(parallel::run(2, || false, |job| median_distance(given, None, job)).unwrap(), 6.5);
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
