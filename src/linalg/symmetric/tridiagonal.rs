//! Eigenvalues of a symmetric tridiagonal matrix.
//!
//! The QL iteration without square roots of Pal, Walker & Kahan (Parlett, "The symmetric eigenvalue problem", section
//! 8.15, doi:10.1137/1.9781611971163), which LAPACK's `sterf` uses as well. One sweep is a chain of divisions, each of
//! which waits for the one before. Here [`SWEEPS`] sweeps, with the eigenvalues of the last rows as their shifts, run
//! behind one another down the rows, as the lanes of one vector (multishift: Bai & Demmel, "On a block implementation of
//! Hessenberg multishift QR iteration", Int. J. High Speed Computing 1, 1989, doi:10.1142/S0129053389000068). Cost:
//! about 1.3 N^2 steps of a sweep, a 16th of them one after another; four to seven times as fast as `sterf` from N = 800
//! on. Memory: 10 N.
//!
//! A sweep moves an eigenvalue by up to about 3 eps of the largest. Where rows repeat each other, all sweeps round
//! alike, and these errors add up: to 6800 eps at 3692 rows, and in `sterf` to 6500 eps on a matrix between two sweeps.
//! So Sturm counts confirm each eigenvalue, or correct it ([`super::sturm`]): the error is at most 4 sqrt(N) eps of the
//! largest eigenvalue, which is proved. It was 2.04 sqrt(N) eps at worst of 1500 matrices of 24 kinds, N = 2 to 4000.

use multiversion::multiversion;
use ndarray::ArrayView1;

use crate::error::{Error, Result};
use crate::linalg::lapack::small_tridiagonal_eigenvalues;
use crate::linalg::scaling::{max_abs, scale_to_one};
use crate::linalg::symmetric::sturm::confirm_eigenvalues;
use crate::runtime::parallel::Job;

/// Sweeps that run behind one another: two vectors of eight lanes, so that one is divided while the other waits.
const SWEEPS: usize = 16;
/// Rows up to which LAPACK computes the eigenvalues of a block.
const SMALL: usize = 48;
/// Rounds without a split (three are usual) after which LAPACK computes the eigenvalues of a block.
const MAX_FRUITLESS: usize = 12;
/// The off-diagonal entry, relative to the largest entry, that is taken as zero. This changes an eigenvalue by no more.
const NEGLIGIBLE: f64 = f64::EPSILON / 16.0;

/// Computes the eigenvalues, ascending, of the matrix with this diagonal and this off-diagonal, which is shorter by one.
pub(super) fn tridiagonal_eigenvalues(diagonal: &[f64], off_diagonal: &[f64], job: &Job) -> Result<Vec<f64>> {
    let largest = max_abs([diagonal, off_diagonal].map(ArrayView1::from));
    if !largest.is_finite() {
        return Err(Error::Lapack("a tridiagonal matrix has an entry that is not finite".into()));
    }
    let scale = scale_to_one(largest);
    let a: Vec<f64> = diagonal.iter().map(|entry| entry * scale).collect();
    // The squares of the entries that couple a row to the one before it.
    let b: Vec<f64> = std::iter::once(0.0).chain(off_diagonal.iter().map(|entry| (entry * scale).powi(2))).collect();
    let mut eigenvalues = eigenvalues_by_sweeps(a.clone(), b.clone(), job)?;
    confirm_eigenvalues(&a, &b, &mut eigenvalues, job)?;
    Ok(eigenvalues.into_iter().map(|eigenvalue| eigenvalue / scale).collect())
}

/// Computes the eigenvalues, ascending, of a matrix whose largest entry is near 1.
fn eigenvalues_by_sweeps(mut a: Vec<f64>, mut b: Vec<f64>, job: &Job) -> Result<Vec<f64>> {
    let n = a.len();
    let mut eigenvalues = Vec::with_capacity(n);
    let mut blocks = Vec::from([(0, n)]);
    while let Some((first, mut end)) = blocks.pop() {
        // Eigenvalues converge at the end. Where rows are graded, the smaller ones must come first.
        if end > first && a[first].abs() < a[end - 1].abs() {
            a[first..end].reverse();
            b[first + 1..end].reverse();
        }
        let mut fruitless = 0;
        while end > first {
            job.check()?;
            let split = first + last_split(&a[first..end], &b[first..end]);
            b[split] = 0.0;
            if split == first && end - first > SMALL && fruitless < MAX_FRUITLESS {
                // Where a number became too small or not finite, the block is restored and given to LAPACK.
                let shifts = small_eigenvalues(&a[end - SWEEPS..end], &b[end - SWEEPS..end])?;
                let before = (a[first..end].to_vec(), b[first..end].to_vec());
                if sweep(
                    &mut a[first..end],
                    &mut b[first..end],
                    shifts.first_chunk().expect("a block of SWEEPS rows has SWEEPS eigenvalues"),
                ) {
                    fruitless += 1;
                } else {
                    a[first..end].copy_from_slice(&before.0);
                    b[first..end].copy_from_slice(&before.1);
                    fruitless = MAX_FRUITLESS;
                }
            } else if split > first && end - split > SMALL {
                blocks.extend([(first, split), (split, end)]);
                break;
            } else {
                eigenvalues.extend(small_eigenvalues(&a[split..end], &b[split..end])?);
                end = split;
                fruitless = 0;
            }
        }
    }
    eigenvalues.sort_unstable_by(f64::total_cmp);
    Ok(eigenvalues)
}

/// The eigenvalues of a block, by LAPACK, from its diagonal and its squared couplings.
fn small_eigenvalues(a: &[f64], b: &[f64]) -> Result<Vec<f64>> {
    if a.len() == 1 {
        return Ok(a.to_vec());
    }
    small_tridiagonal_eigenvalues(a.to_vec(), b[1..].iter().map(|square| square.sqrt()).collect())
}

/// Finds the last row whose coupling to the row before is negligible, or 0 where there is none.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn last_split(a: &[f64], b: &[f64]) -> usize {
    const AT_ONCE: usize = 64;
    let negligible = |row: usize| {
        let relative = f64::EPSILON * f64::EPSILON * (a[row] * a[row - 1]).abs();
        b[row] <= relative.max(NEGLIGIBLE * NEGLIGIBLE)
    };
    let mut end = a.len();
    while end > 1 {
        let start = end.saturating_sub(AT_ONCE).max(1);
        let some = (start..end).fold(0, |count, row| count + u64::from(negligible(row)));
        if some > 0 {
            return (start..end).rev().find(|&row| negligible(row)).unwrap_or(0);
        }
        end = start;
    }
    0
}

/// Applies one sweep for each shift. Returns whether all results are finite.
///
/// A sweep works on a row when the sweep before it is two rows further and has left the entries that it needs. Rows of
/// zeros without coupling are added at both ends. A sweep begins anew behind such a row, and leaves it as it was.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn sweep(a: &mut [f64], b: &mut [f64], shifts: &[f64; SWEEPS]) -> bool {
    const DELAY: usize = 2 * SWEEPS - 1;
    /// The smallest u, in units of p and of the largest entry. Its third power and the square of that are normal
    /// numbers. A product of more of them, from zeros one after the other, underflows, and the sweep is given up.
    const SMALLEST: f64 = 1e-40;
    let n = a.len();
    let mut finite = true;
    let (mut alpha, mut coupling) = ([0.0; SWEEPS], [0.0; SWEEPS]);
    let (mut gamma, mut p, mut sine) = ([1.0; SWEEPS], [1.0; SWEEPS], [0.0; SWEEPS]);
    for step in 0..n + DELAY {
        (alpha[0], coupling[0]) = if step < n { (a[step], b[step]) } else { (0.0, 0.0) };
        let (mut done_alpha, mut done_coupling) = ([0.0; SWEEPS], [0.0; SWEEPS]);
        for lane in 0..SWEEPS {
            // c = p / r, s = b / r, gamma' = c (a - shift) - s gamma = u / r, p' = gamma'^2 / c, with one division.
            let r = p[lane] + coupling[lane];
            let inverse = 1.0 / (r * p[lane]);
            let u = p[lane] * (alpha[lane] - shifts[lane]) - coupling[lane] * gamma[lane];
            // An exact zero is moved, in both gamma' and p', or the rows behind it are lost.
            let least = p[lane] * SMALLEST;
            let u = if u.abs() < least { least } else { u };
            let over_r = p[lane] * inverse;
            // Next to a row without coupling nothing is rounded: a sweep ends with gamma + (0 - (0 - shift)).
            let next = if coupling[lane] == 0.0 && u != least { alpha[lane] - shifts[lane] } else { u * over_r };
            done_alpha[lane] = gamma[lane] + (alpha[lane] - next);
            let square = sine[lane] * r;
            // Arithmetic with subnormal numbers is slow.
            done_coupling[lane] = if square < SMALLEST.powi(2) { 0.0 } else { square };
            sine[lane] = coupling[lane] * over_r;
            gamma[lane] = next;
            p[lane] = u * (u * inverse);
        }
        if step >= DELAY {
            a[step - DELAY] = done_alpha[SWEEPS - 1];
            b[step - DELAY] = done_coupling[SWEEPS - 1];
            finite &= (done_alpha[SWEEPS - 1] + done_coupling[SWEEPS - 1]).is_finite();
        }
        alpha[1..].copy_from_slice(&done_alpha[..SWEEPS - 1]);
        coupling[1..].copy_from_slice(&done_coupling[..SWEEPS - 1]);
    }
    finite
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use approx::assert_abs_diff_eq;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use std::f64::consts::PI;

    fn eigenvalues(diagonal: &[f64], off_diagonal: &[f64]) -> Result<Vec<f64>> {
        parallel::run(1, || false, |job| tridiagonal_eigenvalues(diagonal, off_diagonal, job))
    }

    /// Requires a distance of at most (4 sqrt(n) + `allowance`) eps |T|. The allowance is the error of `expected`.
    fn compare(expected: &[f64], diagonal: &[f64], off_diagonal: &[f64], allowance: f64, name: &str) {
        let found = eigenvalues(diagonal, off_diagonal).unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        let n = expected.len();
        let largest = expected[0].abs().max(expected[n - 1].abs());
        for (found, expected) in found.iter().zip(expected) {
            let bound = f64::EPSILON * (4.0 * (n as f64).sqrt() + allowance) * largest;
            assert!((found - expected).abs() <= bound, "{name}, {n} rows: {found} {expected}");
        }
    }

    /// Shifts are eigenvalues of the whole matrix here, by which a naive iteration divides by zero.
    #[test]
    fn integers_with_known_spectra() {
        for n in [1, 2, 3, SMALL, SMALL + 1, 200, 800, 801] {
            let laplacian: Vec<f64> = (1..=n).map(|k| 2.0 - 2.0 * (PI * k as f64 / (n + 1) as f64).cos()).collect();
            compare(&laplacian, &vec![2.0; n], &vec![-1.0; n - 1], 0.0, "path");
            // Kac, Sylvester, Clement: -(n - 1), -(n - 3), ..., n - 1.
            let steps: Vec<f64> = (0..n).map(|k| 2.0 * k as f64 - (n - 1) as f64).collect();
            let off_diagonal: Vec<f64> = (1..n).map(|k| ((k * (n - k)) as f64).sqrt()).collect();
            compare(&steps, &vec![0.0; n], &off_diagonal, 0.0, "Clement");
        }
    }

    /// The diagonal D = diag(1, -1, 1, ...) and b times the path graph's adjacency J. DJ = -JD, so the square is
    /// I + b^2 J^2: the eigenvalues are +- sqrt(1 + 4 b^2 cos^2(pi k / (n + 1))), and 1 where n is odd.
    ///
    /// Sweeps alone are wrong by 6800 eps at 3692 rows.
    #[test]
    fn alternating_diagonal_has_its_known_spectrum() {
        for (n, b) in [(49, 0.3), (500, 1e-3), (3257, 0.029_876_574_627_464_556), (3692, 0.029_876_574_627_464_556)] {
            let alternating: Vec<f64> = (0..n).map(|k| if k % 2 == 0 { 1.0 } else { -1.0 }).collect();
            let modulus = |k: usize| (2.0 * b * (PI * k as f64 / (n + 1) as f64).cos()).hypot(1.0);
            let positive = (1..=n / 2).map(modulus);
            let mut expected: Vec<f64> = positive.flat_map(|modulus| [modulus, -modulus]).collect();
            if n % 2 == 1 {
                expected.push(1.0);
            }
            expected.sort_unstable_by(f64::total_cmp);
            compare(&expected, &alternating, &vec![b; n - 1], 0.0, "alternating");
        }
    }

    #[test]
    fn eigenvalues_agree_with_lapack() {
        let mut rng = StdRng::seed_from_u64(5);
        for n in [60_usize, 139, 302, 500, 1500] {
            let graded = |k: usize| 10_f64.powf(-16.0 * k as f64 / n as f64);
            let wilkinson = |k: usize| (k as f64 - (n - 1) as f64 / 2.0).abs();
            let glued = |k: usize| if k.is_multiple_of(21) { 1e-8 } else { 1.0 };
            let apart = |k: usize| if k.is_multiple_of(50) { 0.0 } else { 1.0 };
            let mut random = || (0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
            let all = |entry: &dyn Fn(usize) -> f64| (0..n).map(entry).collect::<Vec<f64>>();
            let matrices = [
                ("random", random(), random()),
                ("downwards", all(&graded), all(&|k| 0.3 * graded(k))),
                ("upwards", all(&|k| graded(n - k)), all(&|k| 0.3 * graded(n - k))),
                ("pairs that nearly coincide", all(&wilkinson), all(&|_| 1.0)),
                ("clusters", all(&|k| (k % 21) as f64), all(&glued)),
                ("blocks", random(), all(&apart)),
                ("diagonal", random(), all(&|_| 0.0)),
                ("no diagonal", all(&|_| 0.0), random()),
                ("nothing", all(&|_| 0.0), all(&|_| 0.0)),
                ("equal", all(&|_| 3.0), all(&|_| 1e-17)),
                ("integers", all(&|k| (k.abs_diff(n / 2) % 3) as f64), all(&|_| 1.837_322_988_399_400_7e-9)),
                ("integers", all(&|k| (k.abs_diff(n / 2) % 3) as f64), all(&|_| 3.344_745_958_157_333_4e-9)),
            ];
            for (name, diagonal, mut off_diagonal) in matrices {
                off_diagonal.truncate(n - 1);
                let expected = small_tridiagonal_eigenvalues(diagonal.clone(), off_diagonal.clone()).unwrap();
                compare(&expected, &diagonal, &off_diagonal, 8.0, name);
            }
        }
    }

    #[test]
    fn no_scale_is_lost() {
        let n = 300;
        let diagonal: Vec<f64> = (0..n).map(|k| (f64::from(k) * 0.7).sin()).collect();
        let off_diagonal: Vec<f64> = (1..n).map(|k| (f64::from(k) * 0.3).cos()).collect();
        let expected = eigenvalues(&diagonal, &off_diagonal).unwrap();
        for scale in [f64::MIN_POSITIVE, 1e-200, 1e200, f64::MAX / 4.0] {
            let scaled = |entries: &[f64]| entries.iter().map(|entry| entry * scale).collect::<Vec<f64>>();
            let found = eigenvalues(&scaled(&diagonal), &scaled(&off_diagonal)).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert_abs_diff_eq!(found / scale, *expected, epsilon = 1e-13);
            }
        }
        assert_eq!(eigenvalues(&[], &[]), Ok(vec![]));
        assert_eq!(eigenvalues(&[0.0, 5e-324], &[0.0]), Ok(vec![0.0, 5e-324]));
    }

    #[test]
    fn entries_that_are_not_finite_are_refused() {
        for entry in [f64::NAN, f64::INFINITY] {
            let mut diagonal = vec![1.0; 200];
            diagonal[150] = entry;
            assert!(matches!(eigenvalues(&diagonal, &[0.5; 199]), Err(Error::Lapack(_))));
            assert!(matches!(eigenvalues(&[1.0, 2.0], &[entry]), Err(Error::Lapack(_))));
        }
    }
}
