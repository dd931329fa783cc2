//! From a symmetric band matrix to a tridiagonal one, with the same eigenvalues.
//!
//! One sweep a column: a Householder reflection takes its entries below the first one beside the diagonal to zero, and
//! what that adds outside the band is chased down the matrix, a width further with each step (Bischof, Lang & Sun, "A
//! framework for symmetric band reduction", ACM TOMS 26, 2000). A step of a sweep may follow once the sweep before it
//! has done one step more; so the sweeps run behind one another in groups, and steps that do not touch the same columns
//! beside each other (Haidar, Ltaief & Dongarra, "Parallel reduction to condensed forms for symmetric eigenvalue
//! problems", SC11). Which is computed by whom changes no bit. Cost: 6 N^2 width flops, more than twice as fast on one
//! thread as LAPACK's `sb2st`. Memory: 2 N width.

#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for the vectors that were found")]

use std::ops::Range;

use ndarray::ArrayView2;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::error::Result;
use crate::linalg::scaling::{max_abs, scale_to_one};
use crate::runtime::parallel::Job;

/// A band is at most so wide.
const WIDEST: usize = 48;
/// A square, in units of that of the largest entry, below which an entry is taken as zero.
const VANISHING: f64 = 1e-280;
/// Lanes of the widest vectors.
const MOST_LANES: usize = 8;

/// Sweeps of a group, and steps that each of them takes before the next one does: few enough that their columns stay
/// in the cache of a core.
const SWEEPS: usize = 8;
const STEPS: usize = 12;
/// Windows by which a group is behind the one before it.
const LAG: usize = SWEEPS / STEPS + 1;

/// The diagonal, and the entries beside it, of a tridiagonal matrix that has the eigenvalues of a band matrix [N, width
/// + 1], a row of which holds the entries of one column from the diagonal down. The width is 16, 32 or 48.
pub(super) fn band_to_tridiagonal(band: ArrayView2<f64>, job: &Job) -> Result<(Vec<f64>, Vec<f64>)> {
    reduce(band, job, |task| Arch::new().dispatch(task))
}

/// The same by the vectors that `run` chooses.
fn reduce(band: ArrayView2<f64>, job: &Job, run: impl Fn(Task) + Send + Sync) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n, width) = (band.nrows(), band.ncols() - 1);
    let stride = 2 * width;
    let scale = scale_to_one(max_abs(band.rows()));
    // Entry (i, j) is at j stride + i - j; behind the last column there are zeros as far as the last step reaches.
    let mut columns = vec![0.0; (n + width) * stride];
    for (j, (column, entries)) in columns.chunks_mut(stride).zip(band.rows()).enumerate() {
        for (entry, below) in column.iter_mut().zip(entries.iter().take(n - j)) {
            *entry = below * scale;
        }
    }
    let mut groups: Vec<Group> = (0..n - 1).step_by(SWEEPS).map(|sweep| Group::new(sweep, n, width)).collect();
    job.parallel(|| {
        for time in 0..groups.last().map_or(0, |last| (groups.len() - 1) * (LAG + 1) + last.windows) {
            job.check()?;
            let tasks = tasks_at(time, &mut groups, &mut columns, n);
            tasks.into_par_iter().with_max_len(1).for_each(&run);
        }
        Ok(())
    })?;
    let diagonal = |below: usize| columns.chunks(stride).map(move |column| column[below] / scale);
    Ok((diagonal(0).take(n).collect(), diagonal(1).take(n - 1).collect()))
}

/// Sweeps that are chased together, and where they are.
struct Group {
    /// The first of them, which is the number of its column.
    first: usize,
    reflections: Vec<Reflection>,
    width: usize,
    /// After as many windows of [`STEPS`] steps it is done. Each sweep is a step behind the one before it.
    windows: usize,
}

impl Group {
    fn new(first: usize, n: usize, width: usize) -> Self {
        let reflections = vec![Reflection { tau: 0.0, v: [0.0; WIDEST] }; SWEEPS.min(n - 1 - first)];
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

/// What may be done at once: every group that is under way is [`LAG`] and one windows behind the one before it. The
/// columns are dealt out to the tasks.
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
    /// `V`: vectors that hold a width.
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
                    let below = &mut self.columns[column_at(sweep)..][1..=width];
                    reflection.tau = reflect::<S, V>(simd, below, &mut reflection.v[..width]);
                } else {
                    let block = &mut self.columns[column_at(row - width)..][..width * stride];
                    beside_the_diagonal::<S, V>(simd, block, reflection);
                }
                let block = &mut self.columns[column_at(row)..][..width * stride];
                on_the_diagonal::<S, V>(simd, block, reflection);
            }
        }
    }
}

/// I - tau v v'.
#[derive(Clone)]
struct Reflection {
    tau: f64,
    v: [f64; WIDEST],
}

#[inline(always)]
fn load<S: Simd, const V: usize>(entries: &[f64]) -> [S::f64s; V] {
    *S::as_simd_f64s(&entries[..V * S::F64_LANES]).0.first_chunk().expect("as many were taken")
}

#[inline(always)]
fn store<S: Simd, const V: usize>(entries: &mut [f64], vectors: [S::f64s; V]) {
    *S::as_mut_simd_f64s(&mut entries[..V * S::F64_LANES]).0.first_chunk_mut().expect("as many were taken") = vectors;
}

#[inline(always)]
fn dot<S: Simd, const V: usize>(simd: S, a: &[S::f64s; V], b: &[S::f64s; V]) -> f64 {
    let mut sums = simd.mul_f64s(a[0], b[0]);
    for (a, b) in a.iter().zip(b).skip(1) {
        sums = simd.mul_add_f64s(*a, *b, sums);
    }
    simd.reduce_sum_f64s(sums)
}

/// `y + x * factor`
#[inline(always)]
fn add_multiple<S: Simd, const V: usize>(simd: S, y: &mut [S::f64s; V], x: &[S::f64s; V], factor: f64) {
    let factor = simd.splat_f64s(factor);
    for (y, x) in y.iter_mut().zip(x) {
        *y = simd.mul_add_f64s(*x, factor, *y);
    }
}

/// Takes x to a multiple of the first unit vector; v, and tau, of the reflection that does it: 0 where x is one, or what
/// else it has is too small to be squared.
#[inline(always)]
fn reflect<S: Simd, const V: usize>(simd: S, x: &mut [f64], v: &mut [f64]) -> f64 {
    let zeros = [simd.splat_f64s(0.0); V];
    let alpha = x[0];
    x[0] = 0.0;
    let others = load::<S, V>(x);
    let rest = dot(simd, &others, &others);
    store::<S, V>(x, zeros);
    if rest < VANISHING {
        x[0] = alpha;
        store::<S, V>(v, zeros);
        return 0.0;
    }
    let beta = -(alpha * alpha + rest).sqrt().copysign(alpha);
    let mut scaled = zeros;
    add_multiple(simd, &mut scaled, &others, (alpha - beta).recip());
    store::<S, V>(v, scaled);
    v[0] = 1.0;
    x[0] = beta;
    (beta - alpha) / beta
}

/// A block [width, width] below the diagonal, whose columns begin with those of `block`: the reflection is applied
/// from the right, and replaced by the one that takes the first column to a multiple of the first unit vector, which is
/// applied from the left.
#[inline(always)]
fn beside_the_diagonal<S: Simd, const V: usize>(simd: S, block: &mut [f64], reflection: &mut Reflection) {
    let width = V * S::F64_LANES;
    let start = |j: usize| j * 2 * width + width - j;
    let v = &mut reflection.v[..width];
    let mut u = [simd.splat_f64s(0.0); V];
    for (j, &v) in v.iter().enumerate() {
        add_multiple(simd, &mut u, &load::<S, V>(&block[start(j)..]), v);
    }
    for u in &mut u {
        *u = simd.mul_f64s(*u, simd.splat_f64s(-reflection.tau));
    }
    let mut first = load::<S, V>(&block[width..]);
    add_multiple(simd, &mut first, &u, v[0]);
    store::<S, V>(&mut block[width..], first);
    let mut next = [0.0; WIDEST];
    let tau = reflect::<S, V>(simd, &mut block[width..2 * width], &mut next[..width]);
    let w = load::<S, V>(&next);
    for (j, &v) in v.iter().enumerate().skip(1) {
        let mut column = load::<S, V>(&block[start(j)..]);
        add_multiple(simd, &mut column, &u, v);
        let along = dot(simd, &column, &w);
        add_multiple(simd, &mut column, &w, -tau * along);
        store::<S, V>(&mut block[start(j)..], column);
    }
    *reflection = Reflection { tau, v: next };
}

/// Ones from a lane on.
static FROM_LANE: [[f64; MOST_LANES]; MOST_LANES + 1] = {
    let mut ones = [[0.0; MOST_LANES]; MOST_LANES + 1];
    let mut from = 0;
    while from < MOST_LANES {
        let mut lane = from;
        while lane < MOST_LANES {
            ones[from][lane] = 1.0;
            lane += 1;
        }
        from += 1;
    }
    ones
};

/// A block [width, width] on the diagonal, its lower triangle: the reflection is applied from both sides, as
/// `A + v w' + w v'`. A column is read from the vector on that holds its diagonal entry; what that has above it belongs
/// to the columns before and is left as it is.
#[inline(always)]
fn on_the_diagonal<S: Simd, const V: usize>(simd: S, block: &mut [f64], reflection: &Reflection) {
    let width = V * S::F64_LANES;
    let (v, tau) = (&reflection.v[..width], reflection.tau);
    if tau == 0.0 {
        return;
    }
    let vectors = load::<S, V>(v);
    let mut w = [simd.splat_f64s(0.0); V];
    let mut across = [0.0; WIDEST];
    for vector in 0..V {
        for lane in 0..S::F64_LANES {
            let j = vector * S::F64_LANES + lane;
            let column = S::as_simd_f64s(&block[j * 2 * width - lane..][..width - vector * S::F64_LANES]).0;
            let factor = simd.splat_f64s(v[j]);
            let first = simd.mul_f64s(column[0], load::<S, 1>(&FROM_LANE[lane])[0]);
            w[vector] = simd.mul_add_f64s(first, factor, w[vector]);
            let below = simd.mul_f64s(column[0], load::<S, 1>(&FROM_LANE[lane + 1])[0]);
            let mut sums = simd.mul_f64s(below, vectors[vector]);
            for i in vector + 1..V {
                w[i] = simd.mul_add_f64s(column[i - vector], factor, w[i]);
                sums = simd.mul_add_f64s(column[i - vector], vectors[i], sums);
            }
            across[j] = simd.reduce_sum_f64s(sums);
        }
    }
    for (w, across) in w.iter_mut().zip(load::<S, V>(&across)) {
        *w = simd.mul_f64s(simd.add_f64s(*w, across), simd.splat_f64s(-tau));
    }
    let along = dot(simd, &w, &vectors);
    add_multiple(simd, &mut w, &vectors, -0.5 * tau * along);
    let mut entries_of_w = [0.0; WIDEST];
    store::<S, V>(&mut entries_of_w, w);
    for vector in 0..V {
        for lane in 0..S::F64_LANES {
            let j = vector * S::F64_LANES + lane;
            let column = S::as_mut_simd_f64s(&mut block[j * 2 * width - lane..][..width - vector * S::F64_LANES]).0;
            let (of_v, of_w) = (simd.splat_f64s(v[j]), simd.splat_f64s(entries_of_w[j]));
            let added = simd.mul_add_f64s(vectors[vector], of_w, simd.mul_f64s(w[vector], of_v));
            column[0] = simd.mul_add_f64s(added, load::<S, 1>(&FROM_LANE[lane])[0], column[0]);
            for i in vector + 1..V {
                let entries = simd.mul_add_f64s(w[i], of_v, column[i - vector]);
                column[i - vector] = simd.mul_add_f64s(vectors[i], of_w, entries);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::symmetric::tridiagonal::tridiagonal_eigenvalues;
    use crate::runtime::parallel;
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

    /// What stands behind the last row of the matrix is not read.
    #[test]
    fn eigenvalues_are_those_of_the_band() {
        for width in [16, 32, 48] {
            for n in [1, 2, width - 1, width + 1, 2 * width, 2 * width + 1, 3 * width + 7, 301] {
                let band = random_band(n, width);
                let full = Array2::from_shape_fn((n, n), |(i, j)| {
                    if i.abs_diff(j) > width { 0.0 } else { band[[i.min(j), i.abs_diff(j)]] }
                });
                let expected = full.eigvalsh(UPLO::Lower).unwrap();
                let (diagonal, beside) = reduced(&band, 2);
                let found =
                    parallel::run(1, || false, |job| tridiagonal_eigenvalues(&diagonal, &beside, job)).unwrap();
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

    /// Those of a processor that has less: AVX2, and none.
    #[test]
    fn any_vectors_will_do() {
        for width in [16, 32, 48] {
            let band = random_band(200, width);
            let eigenvalues = |run: &(dyn Fn(Task) + Sync)| {
                let (diagonal, beside) = parallel::run(2, || false, |job| reduce(band.view(), job, run)).unwrap();
                parallel::run(1, || false, |job| tridiagonal_eigenvalues(&diagonal, &beside, job)).unwrap()
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
        let (diagonal, beside) = reduced(&band, 2);
        assert_eq!(diagonal, band.column(0).to_vec());
        assert_eq!(beside, band.column(1).to_vec()[..99]);
    }

    #[test]
    fn no_scale_is_lost() {
        let band = random_band(150, 16);
        let (diagonal, beside) = reduced(&band, 2);
        for scale in [f64::MIN_POSITIVE, 2_f64.powi(500), 2_f64.powi(1000)] {
            let (scaled, _) = reduced(&(&band * scale), 2);
            for (scaled, entry) in scaled.iter().zip(&diagonal) {
                approx::assert_abs_diff_eq!(scaled / scale, *entry, epsilon = 1e-12);
            }
        }
        assert_eq!(beside.len(), 149);
    }

    /// So small that their squares are no normal numbers, beside a diagonal that is not.
    #[test]
    fn small_entries_beside_a_diagonal() {
        let n = 300;
        for exponent in [-120, -139, -141, -150, -157, -161, -165, -300] {
            let mut band = random_band(n, 32) * 10_f64.powi(exponent);
            let mut expected: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            band.column_mut(0).assign(&ndarray::aview1(&expected));
            let (diagonal, beside) = reduced(&band, 2);
            let found = parallel::run(1, || false, |job| tridiagonal_eigenvalues(&diagonal, &beside, job)).unwrap();
            expected.sort_unstable_by(f64::total_cmp);
            for (found, expected) in found.iter().zip(&expected) {
                approx::assert_abs_diff_eq!(*found, *expected, epsilon = 1e-13);
            }
        }
    }
}
