//! Eigenvalues of a symmetric tridiagonal matrix T, each confirmed, or corrected, by Sturm counts.
//!
//! By Sylvester's law of inertia, as many eigenvalues are below x as pivots of T - x I = L D L' are negative:
//!
//! ```text
//! q_1 = a_1 - x,  q_i = a_i - x - b_i^2 / q_{i-1}
//! ```
//!
//! Eigenvalue k is in [x - d, x + d] where at most k eigenvalues are below x - d and more than k below x + d. Where this
//! is not so, bisection finds it. With d = 2 sqrt(n) eps |T|:
//!
//! ```text
//! |error| <= (2 sqrt(n) + 1.75) eps |T| < 4 sqrt(n) eps |T|
//! ```
//!
//! This is a proof for each matrix. A computed count is exact for a matrix whose entries b_i differ by 1.25 eps of
//! themselves: five roundings of b_i^2, halved by the square root, and none of a_i (Demmel, Dhillon & Ren, "On the
//! correctness of some bisection-like parallel eigenvalue algorithms in floating point arithmetic", ETNA 3, 1995). The
//! off-diagonal part of T is (T - S T S) / 2, S = diag(1, -1, 1, ...), so its norm is at most |T|, and an eigenvalue
//! moves by at most 1.25 eps |T|. The rounding of x +- d is the other half eps. Cost: 2 N^2 pivots, with a division
//! each, in vectors and on all threads; about six more for each eigenvalue that is corrected. Memory: 6 N.

use multiversion::multiversion;
use rayon::prelude::*;

use crate::error::Result;
use crate::runtime::parallel::Job;

/// Points at which eigenvalues are counted at once: four vectors of eight lanes, so that divisions overlap.
const LANES: usize = 32;
/// Rows from which the counts are shared among threads. Those of fewer rows take less time than waking a thread.
const PARALLEL_FROM: usize = 256;
/// The smallest modulus of a pivot. A smaller one is moved, and its row with it, by far less than one rounding.
const SMALLEST_PIVOT: f64 = 1e-290;

/// Replaces each of the eigenvalues of a matrix, ascending, that its counts do not confirm. `a` is the diagonal, `b` has
/// the squares of the entries that couple a row to the one before it. The largest entry is near 1, or all are zero.
pub(super) fn confirm_eigenvalues(a: &[f64], b: &[f64], eigenvalues: &mut [f64], job: &Job) -> Result<()> {
    let radius = 2.0 * (a.len() as f64).sqrt() * f64::EPSILON * largest_column(a, b);
    if radius == 0.0 {
        return Ok(()); // the matrix is zero, and so are its eigenvalues
    }
    let mut searches: Vec<Search> =
        eigenvalues.iter().enumerate().map(|(index, &value)| Search::new(index, value, radius)).collect();
    // The first two rounds count on both sides of each eigenvalue. In the others few are left.
    while !searches.is_empty() {
        if searches.len() < PARALLEL_FROM {
            searches.chunks_mut(LANES).try_for_each(|chunk| advance(a, b, radius, chunk, job))?;
        } else {
            job.parallel(|| searches.par_chunks_mut(LANES).try_for_each(|chunk| advance(a, b, radius, chunk, job)))?;
        }
        searches.retain(|search| {
            let found = search.is_within(radius);
            if found {
                eigenvalues[search.index] = search.value;
            }
            !found
        });
    }
    eigenvalues.sort_unstable_by(f64::total_cmp);
    Ok(())
}

/// The largest norm of a column, which is at most the norm of the matrix.
fn largest_column(a: &[f64], b: &[f64]) -> f64 {
    let after = b.iter().skip(1).chain([&0.0]);
    let squares = a.iter().zip(b).zip(after).map(|((a, before), after)| before + a * a + after);
    squares.fold(0.0, f64::max).sqrt()
}

/// The search for one eigenvalue.
struct Search {
    /// The number of eigenvalues that come before it.
    index: usize,
    /// The eigenvalue as far as it is known.
    value: f64,
    /// A bound from below, or minus infinity.
    lower: f64,
    /// A bound from above, or infinity.
    upper: f64,
    /// The distance from `value` of the next point, as long as a bound is missing.
    step: f64,
}

impl Search {
    /// A search from `value`, or from 0 where that is not finite, with bounds still missing.
    fn new(index: usize, value: f64, step: f64) -> Self {
        let value = if value.is_finite() { value } else { 0.0 };
        Self { index, value, lower: f64::NEG_INFINITY, upper: f64::INFINITY, step }
    }

    /// The next point at which eigenvalues are counted.
    fn point(&self) -> f64 {
        if self.lower == f64::NEG_INFINITY {
            self.value - self.step
        } else if self.upper == f64::INFINITY {
            self.value + self.step
        } else {
            self.value
        }
    }

    /// Takes in the number of eigenvalues below a point.
    fn update(&mut self, point: f64, below: usize, radius: f64) {
        let (downwards, is_below) = (self.lower == f64::NEG_INFINITY, below > self.index);
        *(if is_below { &mut self.upper } else { &mut self.lower }) = point;
        if is_below == downwards {
            self.step *= 4.0; // the eigenvalue is farther away
        }
        if (self.upper - self.lower).is_finite() && !self.is_within(radius) {
            self.value = f64::midpoint(self.lower, self.upper);
        }
    }

    /// Whether both bounds are at most `radius` away from the value.
    fn is_within(&self, radius: f64) -> bool {
        self.value - radius <= self.lower && self.upper <= self.value + radius
    }
}

/// Counts once for each of at most [`LANES`] eigenvalues.
fn advance(a: &[f64], b: &[f64], radius: f64, searches: &mut [Search], job: &Job) -> Result<()> {
    job.check()?;
    let mut points = [0.0; LANES];
    for (point, search) in points.iter_mut().zip(&*searches) {
        *point = search.point();
    }
    for ((search, point), below) in searches.iter_mut().zip(points).zip(eigenvalues_below(a, b, &points)) {
        search.update(point, usize::try_from(below).expect("a number of rows fits"), radius);
    }
    Ok(())
}

/// Counts the eigenvalues that are smaller than each of some points.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn eigenvalues_below(a: &[f64], b: &[f64], points: &[f64; LANES]) -> [u64; LANES] {
    let (mut pivots, mut negative) = ([1.0; LANES], [0; LANES]);
    for (&a, &b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let pivot = (a - points[lane]) - b / pivots[lane];
            let pivot = if pivot.abs() < SMALLEST_PIVOT { -SMALLEST_PIVOT } else { pivot };
            pivots[lane] = pivot;
            negative[lane] += u64::from(pivot < 0.0);
        }
    }
    negative
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    /// The matrix of Kac, Sylvester and Clement, scaled by the power of two near 1 / n, with the eigenvalues
    /// -(n - 1), -(n - 3), ..., n - 1 in units of that.
    fn clement(n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let scale = 1.0 / n.next_power_of_two() as f64;
        let b = (0..n).map(|k| (k * (n - k)) as f64 * scale * scale).collect();
        let eigenvalues = (0..n).map(|k| (2.0 * k as f64 - (n - 1) as f64) * scale).collect();
        (vec![0.0; n], b, eigenvalues)
    }

    fn confirmed(a: &[f64], b: &[f64], eigenvalues: &[f64], threads: usize) -> Vec<f64> {
        let mut eigenvalues = eigenvalues.to_vec();
        parallel::run(threads, || false, |job| confirm_eigenvalues(a, b, &mut eigenvalues, job)).unwrap();
        eigenvalues
    }

    #[test]
    fn counts_between_known_eigenvalues() {
        let n = 2 * LANES;
        let (a, b, eigenvalues) = clement(n);
        for first in [0, LANES] {
            let mut points = [0.0; LANES];
            for (point, eigenvalue) in points.iter_mut().zip(&eigenvalues[first..]) {
                *point = eigenvalue + 0.25 / n as f64;
            }
            let expected: Vec<u64> = (1..).skip(first).take(LANES).collect();
            assert_eq!(eigenvalues_below(&a, &b, &points).to_vec(), expected);
        }
    }

    #[test]
    fn right_eigenvalues_keep_their_bits() {
        for n in [1, 2, 31, 400] {
            let (a, b, eigenvalues) = clement(n);
            assert_eq!(confirmed(&a, &b, &eigenvalues, 2), eigenvalues);
        }
        assert_eq!(confirmed(&[], &[], &[], 2), Vec::<f64>::new());
        assert_eq!(confirmed(&[0.0; 3], &[0.0; 3], &[0.0; 3], 2), [0.0; 3]);
    }

    /// Errors of a few bounds and of everything, on one thread and on several.
    #[test]
    fn wrong_eigenvalues_are_corrected() {
        let n = 400;
        let (a, b, eigenvalues) = clement(n);
        let bound = 4.0 * (n as f64).sqrt() * f64::EPSILON * eigenvalues[n - 1];
        let moved = |by: f64| eigenvalues.iter().map(|value| value + by).collect::<Vec<f64>>();
        let mut few = eigenvalues.clone();
        few[7] += 2.0 * bound;
        few[300] = few[301];
        for wrong in [moved(1e-13), moved(-1e-8), moved(100.0), few, vec![0.0; n], vec![f64::NAN; n]] {
            let found = confirmed(&a, &b, &wrong, 1);
            for (found, expected) in found.iter().zip(&eigenvalues) {
                assert!((found - expected).abs() <= bound, "{found} {expected}");
            }
            assert_eq!(confirmed(&a, &b, &wrong, 3), found);
        }
    }

    /// Pivots are exactly zero where a point is an eigenvalue of the first rows, also next to a row without coupling.
    #[test]
    fn pivots_of_zero_are_counted() {
        let (a, b) = ([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]);
        let mut points = [1.0; LANES]; // eigenvalues: 1 - sqrt(2), 1, 1, 1 + sqrt(2)
        points[1] = 1.0 + 1e-9;
        let below = eigenvalues_below(&a, &b, &points);
        assert!((1..=3).contains(&below[0]));
        assert_eq!(below[1], 3);
    }
}
