//! From a symmetric band matrix to a tridiagonal one, with the same eigenvalues.
//!
//! Each column takes one sweep: a Householder reflection takes its entries below the first off-diagonal to zero, and the
//! entries that this adds outside the band are chased down the matrix, a width further with each step (Bischof, Lang &
//! Sun, "A framework for symmetric band reduction", ACM TOMS 26, 2000, doi:10.1145/365723.365735).
//!
//! A step of a sweep may follow once the sweep before it has done one step more. So the sweeps run behind one another in
//! groups, and steps that do not touch the same columns run in parallel (Haidar, Ltaief & Dongarra, "Parallel reduction
//! to condensed forms for symmetric eigenvalue problems", SC11, doi:10.1145/2063384.2063394). The assignment of steps to
//! threads changes no bit. Cost: 6 N^2 width flops, more than twice as fast on one thread as LAPACK's `sb2st`. Memory:
//! 2 N width.

#![expect(clippy::inline_always, reason = "a function that is not inlined is not compiled for the chosen vectors")]

use std::ops::Range;

use ndarray::ArrayView2;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::reflections::{MAX_WIDTH, Reflection, reflect_diagonal_block, reflect_off_diagonal_block};
use crate::error::Result;
use crate::linalg::scaling::{max_abs, scale_to_one};
use crate::runtime::parallel::Job;

/// Sweeps of a group. With [`STEPS`] it is so small that the columns of a window stay in the cache of a core.
const SWEEPS: usize = 8;
/// Steps of a window: each sweep of a group takes as many before the next sweep does.
const STEPS: usize = 12;
/// A group begins `LAG` + 1 windows after the one before it.
const LAG: usize = SWEEPS / STEPS + 1;

/// Reduces a band matrix [N, width + 1] to tridiagonal form: the diagonal and the off-diagonal. A row of the array holds
/// the entries of one column of the matrix, from the diagonal down. The width is 16, 32 or 48.
pub(super) fn band_to_tridiagonal(band: ArrayView2<f64>, job: &Job) -> Result<(Vec<f64>, Vec<f64>)> {
    reduce(band, job, |task| Arch::new().dispatch(task))
}

/// Reduces a band matrix to tridiagonal form with the vectors that `run` chooses.
fn reduce(band: ArrayView2<f64>, job: &Job, run: impl Fn(Task) + Send + Sync) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n, width) = (band.nrows(), band.ncols() - 1);
    let stride = 2 * width;
    let scale = scale_to_one(max_abs(band.rows()));
    // Entry (i, j) is at j stride + i - j. After the last column there are zeros as far as the last step reaches.
    let mut columns = vec![0.0; (n + width) * stride];
    for (j, (column, entries)) in columns.chunks_mut(stride).zip(band.rows()).enumerate() {
        for (entry, below) in column.iter_mut().zip(entries.iter().take(n - j)) {
            *entry = below * scale;
        }
    }
    let mut groups: Vec<Group> = (0..n - 1).step_by(SWEEPS).map(|sweep| Group::new(sweep, n, width)).collect();
    job.parallel(|| {
        for time in 0..groups.last().map_or(0, |last| (groups.len() - 1) * (LAG + 1) + last.windows) {
            job.pause_point()?;
            let tasks = tasks_at(time, &mut groups, &mut columns, n);
            tasks.into_par_iter().with_max_len(1).for_each(&run);
        }
        Ok(())
    })?;
    let diagonal = |below: usize| columns.chunks(stride).map(move |column| column[below] / scale);
    Ok((diagonal(0).take(n).collect(), diagonal(1).take(n - 1).collect()))
}

/// Sweeps that are chased together.
struct Group {
    /// The first sweep, which is the number of its column.
    first: usize,
    /// The reflection that each sweep applies next.
    reflections: Vec<Reflection>,
    width: usize,
    /// The number of windows of [`STEPS`] steps in all. Each sweep is a step behind the one before it.
    windows: usize,
}

impl Group {
    fn new(first: usize, n: usize, width: usize) -> Self {
        assert!(width <= MAX_WIDTH);
        let reflections = vec![Reflection::IDENTITY; SWEEPS.min(n - 1 - first)];
        let steps = (n - 1 - first).div_ceil(width) + reflections.len() - 1;
        Self { first, reflections, width, windows: steps.div_ceil(STEPS) }
    }

    /// The columns that a window touches.
    fn columns(&self, window: usize) -> Range<usize> {
        let behind = self.reflections.len();
        let first = (window * STEPS).checked_sub(behind).map_or(0, |steps| behind + steps * self.width);
        self.first + first..self.first + 1 + (window + 1) * STEPS * self.width
    }
}

/// The windows that may run in parallel at one time, each with its own columns. Every group that has begun is [`LAG`] + 1
/// windows behind the one before it.
fn tasks_at<'a>(time: usize, groups: &'a mut [Group], columns: &'a mut [f64], n: usize) -> Vec<Task<'a>> {
    let started = (time / (LAG + 1) + 1).min(groups.len());
    let mut tasks = Vec::new();
    let (mut rest, mut at) = (columns, 0);
    for (g, group) in groups[..started].iter_mut().enumerate().rev() {
        let window = time - g * (LAG + 1);
        if window >= group.windows {
            break;
        }
        let (stride, range) = (2 * group.width, group.columns(window));
        let end = range.end.min(n + group.width);
        let (_, behind) = rest.split_at_mut((range.start - at) * stride);
        let (columns, behind) = behind.split_at_mut((end - range.start) * stride);
        (rest, at) = (behind, end);
        tasks.push(Task { columns, first_column: range.start, group, first_step: window * STEPS, n });
    }
    tasks
}

/// A window of a group.
struct Task<'a> {
    columns: &'a mut [f64],
    first_column: usize,
    group: &'a mut Group,
    first_step: usize,
    n: usize,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.group.width / S::F64_LANES {
            2 => self.chase::<S, 2>(simd),
            4 => self.chase::<S, 4>(simd),
            6 => self.chase::<S, 6>(simd),
            8 => self.chase::<S, 8>(simd),
            12 => self.chase::<S, 12>(simd),
            16 => self.chase::<S, 16>(simd),
            24 => self.chase::<S, 24>(simd),
            32 => self.chase::<S, 32>(simd),
            48 => self.chase::<S, 48>(simd),
            _ => unreachable!("a width of 16, 32 or 48, and 1, 2, 4 or 8 lanes"),
        }
    }
}

impl Task<'_> {
    /// Takes the steps of the window with `V` vectors for a width.
    #[inline(always)]
    fn chase<S: Simd, const V: usize>(self, simd: S) {
        let width = V * S::F64_LANES;
        let stride = 2 * width;
        let column_at = |column: usize| (column - self.first_column) * stride;
        for (behind, reflection) in self.group.reflections.iter_mut().enumerate() {
            let sweep = self.group.first + behind;
            for step in self.first_step.saturating_sub(behind)..(self.first_step + STEPS).saturating_sub(behind) {
                let row = sweep + 1 + step * width;
                if row >= self.n {
                    break;
                }
                if step == 0 {
                    reflection.annihilate::<S, V>(simd, &mut self.columns[column_at(sweep)..][1..=width]);
                } else {
                    let block = &mut self.columns[column_at(row - width)..][..width * stride];
                    reflect_off_diagonal_block::<S, V>(simd, block, reflection);
                }
                let block = &mut self.columns[column_at(row)..][..width * stride];
                reflect_diagonal_block::<S, V>(simd, block, reflection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::symmetric::tridiagonal::tridiagonal_eigenvalues;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use ndarray::Array2;
    use ndarray_linalg::{EigValsh, UPLO};
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn random_band(n: usize, width: usize) -> Array2<f64> {
        let mut rng = StdRng::seed_from_u64((n * width) as u64);
        Array2::from_shape_simple_fn((n, width + 1), || rng.random_range(-1.0..1.0))
    }

    fn reduced(band: &Array2<f64>, threads: usize) -> (Vec<f64>, Vec<f64>) {
        parallel::run(threads, || false, |job| band_to_tridiagonal(band.view(), job)).unwrap()
    }

    /// Entries of the array that are below the last row of the matrix, here not zero, are not read.
    #[test]
    fn eigenvalues_are_those_of_the_band() {
        for width in [16, 32, 48] {
            for n in [1, 2, width - 1, width + 1, 2 * width, 2 * width + 1, 3 * width + 7, sized(301, 160)] {
                let band = random_band(n, width);
                let full = Array2::from_shape_fn((n, n), |(i, j)| {
                    if i.abs_diff(j) > width { 0.0 } else { band[[i.min(j), i.abs_diff(j)]] }
                });
                let expected = full.eigvalsh(UPLO::Lower).unwrap();
                let (diagonal, off_diagonal) = reduced(&band, 2);
                let found =
                    parallel::run(1, || false, |job| tridiagonal_eigenvalues(&diagonal, &off_diagonal, job)).unwrap();
                let largest = expected[0].abs().max(expected[n - 1].abs());
                assert_eq!(found.len(), n);
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() <= 2e-14 * largest, "{width} {n}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let band = random_band(1000, 16);
        let one = reduced(&band, 1);
        assert_eq!(one, reduced(&band, 2));
        assert_eq!(one, reduced(&band, 5));
    }

    /// AVX2 and scalar code give the eigenvalues of the widest vectors of this processor.
    #[test]
    fn eigenvalues_agree_between_instruction_sets() {
        for width in [16, 32, 48] {
            let band = random_band(200, width);
            let eigenvalues = |run: &(dyn Fn(Task) + Sync)| {
                let (diagonal, off_diagonal) =
                    parallel::run(2, || false, |job| reduce(band.view(), job, run)).unwrap();
                parallel::run(1, || false, |job| tridiagonal_eigenvalues(&diagonal, &off_diagonal, job)).unwrap()
            };
            let expected = eigenvalues(&|task| Arch::new().dispatch(task));
            let mut found = vec![eigenvalues(&|task| pulp::Scalar::new().vectorize(task))];
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                found.push(eigenvalues(&|task| Simd::vectorize(avx2, task)));
            }
            let largest = expected[0].abs().max(expected[199].abs());
            for (found, expected) in found.iter().flatten().zip(expected.iter().cycle()) {
                assert!((found - expected).abs() <= 2e-14 * largest, "{width}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_tridiagonal_matrix_stays() {
        let mut band = random_band(100, 32);
        for beyond in 2..33 {
            band.column_mut(beyond).fill(0.0);
        }
        let (diagonal, off_diagonal) = reduced(&band, 2);
        assert_eq!(diagonal, band.column(0).to_vec());
        assert_eq!(off_diagonal, band.column(1).to_vec()[..99]);
    }

    #[test]
    fn no_scale_is_lost() {
        let band = random_band(150, 16);
        let (diagonal, off_diagonal) = reduced(&band, 2);
        for scale in [f64::MIN_POSITIVE, 2_f64.powi(500), 2_f64.powi(1000)] {
            let (scaled, _) = reduced(&(&band * scale), 2);
            for (scaled, entry) in scaled.iter().zip(&diagonal) {
                approx::assert_abs_diff_eq!(scaled / scale, *entry, epsilon = 1e-12);
            }
        }
        assert_eq!(off_diagonal.len(), 149);
    }

    /// Off-diagonal entries whose squares are not normal numbers, with a diagonal of ordinary numbers.
    #[test]
    fn tiny_off_diagonal_entries_leave_the_diagonal() {
        let n = 300;
        for exponent in [-120, -139, -141, -150, -157, -161, -165, -300] {
            let mut band = random_band(n, 32) * 10_f64.powi(exponent);
            let mut expected: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            band.column_mut(0).assign(&ndarray::aview1(&expected));
            let (diagonal, off_diagonal) = reduced(&band, 2);
            let found =
                parallel::run(1, || false, |job| tridiagonal_eigenvalues(&diagonal, &off_diagonal, job)).unwrap();
            expected.sort_unstable_by(f64::total_cmp);
            for (found, expected) in found.iter().zip(&expected) {
                approx::assert_abs_diff_eq!(*found, *expected, epsilon = 1e-13);
            }
        }
    }
}
