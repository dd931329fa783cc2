//! The symmetric diffusion operator.
//!
//! ```text
//! G' = Q^-alpha G Q^-alpha,     Q = diag(row sums of G)
//! K = D^-1/2 G' D^-1/2,         D = diag(row sums of G')
//! ```
//!
//! K is similar to the random walk matrix D^-1 G' of Coifman & Lafon, "Diffusion maps" (2006): alpha = 0 is the
//! operator of arXiv 2312.04823, 1/2 that of a Fokker-Planck equation, 1 that of Laplace and Beltrami, which does not
//! see the density of the rows. Its largest eigenvalue is 1, and for a positive definite affinity none is negative.
//! Cost: two passes over the triangle, and two more where alpha is not 0.
//!
//! In f32 the eigenvalue 1 would drown the others in its rounding. Its eigenvector is known, the square roots of the
//! degrees, so that pair is taken out in f64, entry by entry, before the rest is rounded:
//!
//! ```text
//! K - u u' = D^-1/2 (G' - d d' / sum d) D^-1/2,     d the degrees
//! ```

use ndarray::{Array2, s};

use crate::data::distances::Distances;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::gaussian::{Bandwidth, Gaussian, gaussian_affinity, multiply};
use crate::linalg::symmetric_eigenvalues;
use crate::linalg::upper_triangle::{TILE_COLUMNS, UpperTriangle, tiles};
use crate::runtime::parallel::Job;

/// The symmetric diffusion operator of rows whose distances were prepared for this bandwidth.
///
/// # Errors
/// [`Error::Invalid`] for an alpha outside 0..=1; those of [`gaussian_affinity`].
pub fn diffusion_operator(
    distances: &dyn Distances,
    bandwidth: &Bandwidth,
    alpha: f64,
    job: &Job,
) -> Result<UpperTriangle> {
    require_alpha(alpha)?;
    let mut operator = gaussian_affinity(distances, bandwidth, job)?;
    normalize(&mut operator, alpha, job)?;
    Ok(operator)
}

pub(crate) fn require_alpha(alpha: f64) -> Result<()> {
    if (0.0..=1.0).contains(&alpha) { Ok(()) } else { Err(Error::invalid("alpha", "in 0..=1", alpha)) }
}

/// K from G, whose rows have positive sums.
pub(crate) fn normalize(affinity: &mut UpperTriangle, alpha: f64, job: &Job) -> Result<()> {
    if alpha > 0.0 {
        divide_by_powers_of_row_sums(affinity, alpha, job)?;
    }
    divide_by_powers_of_row_sums(affinity, 0.5, job)
}

fn divide_by_powers_of_row_sums(matrix: &mut UpperTriangle, power: f64, job: &Job) -> Result<()> {
    let sums = matrix.row_sums(job)?;
    require_positive_sums(&sums)?;
    let scale = inverse_powers(sums, power);
    matrix.for_each_block(job, |first, mut block| multiply(block.view_mut(), &scale[first..], &scale[first..]))
}

/// Fails where a row of affinities, which are not negative, has no positive one.
pub(crate) fn require_positive_sums(sums: &[f64]) -> Result<()> {
    match sums.iter().position(|sum| *sum <= 0.0) {
        None => Ok(()),
        Some(row) => {
            let wanted = "of affinities such that each row has a positive one";
            Err(Error::invalid("x", wanted, format!("none in row {row}")))
        }
    }
}

pub(crate) fn inverse_powers(sums: Vec<f64>, power: f64) -> Vec<f64> {
    if power == 0.5 {
        return sums.into_iter().map(|sum| sum.sqrt().recip()).collect();
    }
    sums.into_iter().map(|sum| sum.powf(-power)).collect()
}

/// The eigenvalues of the symmetric diffusion operator, computed in f32, in no particular order, for an affinity that
/// is positive definite, as that with one bandwidth is.
///
/// Each is off by about 1e-7 of the second largest. Those that come out no larger than this noise, which shows in how
/// far below zero the smallest comes out, are not resolved: the trace, known in f64, tells what they sum to, and each
/// gets an equal share.
///
/// # Errors
/// Those of [`diffusion_operator`] and [`symmetric_eigenvalues`].
pub fn diffusion_eigenvalues_single(
    distances: &dyn Distances,
    bandwidth: f64,
    alpha: f64,
    job: &Job,
) -> Result<Vec<f64>> {
    require_alpha(alpha)?;
    let kernel = Gaussian::new(distances, &Bandwidth::Fixed(bandwidth))?;
    let mut degrees = kernel.weighted_row_sums(None, job)?;
    let weights = if alpha > 0.0 { inverse_powers(degrees.clone(), alpha) } else { vec![1.0; degrees.len()] };
    if alpha > 0.0 {
        degrees = kernel.weighted_row_sums(Some(&weights), job)?;
    }
    let remainder = remainder(&kernel, &weights, &degrees, job)?;
    let computed = symmetric_eigenvalues(remainder.into_matrix(), job)?;
    let trace: f64 = weights.iter().zip(&degrees).map(|(weight, degree)| weight * weight / degree).sum();
    Ok(with_largest(&computed, trace - 1.0))
}

/// K - u u', in f32.
fn remainder(kernel: &Gaussian, weights: &[f64], degrees: &[f64], job: &Job) -> Result<UpperTriangle<f32>> {
    let total: f64 = degrees.iter().sum();
    let scale = inverse_powers(degrees.to_vec(), 0.5);
    let mut remainder = UpperTriangle::zeros(degrees.len())?;
    remainder.for_each_block(job, |first, mut block| {
        let height = block.nrows();
        let mut tile = Array2::zeros((height, TILE_COLUMNS));
        for columns in tiles(first, degrees.len()) {
            let mut affinities = tile.slice_mut(s![.., ..columns.len()]);
            kernel.affinities(first..first + height, columns.clone(), affinities.view_mut());
            let mut out = block.slice_mut(s![.., columns.start - first..columns.end - first]);
            for (i, (mut out, affinities)) in (first..).zip(out.rows_mut().into_iter().zip(affinities.rows())) {
                let share = degrees[i] / total;
                let others = columns.clone().zip(&affinities);
                for (entry, (j, affinity)) in out.iter_mut().zip(others) {
                    let weighted = affinity * (weights[i] * weights[j]);
                    #[expect(clippy::cast_possible_truncation, reason = "this is where it is rounded")]
                    let rounded = ((weighted - share * degrees[j]) * (scale[i] * scale[j])) as f32;
                    *entry = rounded;
                }
            }
        }
    })?;
    Ok(remainder)
}

/// The eigenvalues of K from those of K - u u', ascending, and the trace of the latter.
fn with_largest(computed: &[f32], trace: f64) -> Vec<f64> {
    let (Some(&smallest), Some(&largest)) = (computed.first(), computed.last()) else { return Vec::new() };
    let noise = f64::from((-smallest).max(f32::EPSILON * largest));
    let resolved: Vec<f64> = computed.iter().map(|&v| f64::from(v)).filter(|&v| v > 2.0 * noise).collect();
    // One of them stands for u, whose eigenvalue is 1 instead of 0.
    let unresolved = computed.len() - resolved.len().min(computed.len() - 1) - 1;
    let rest = (trace - resolved.iter().sum::<f64>()).clamp(0.0, 2.0 * noise * unresolved as f64);
    let share = if unresolved == 0 { 0.0 } else { rest / unresolved as f64 };
    let resolved = resolved.into_iter().rev().take(computed.len() - 1);
    std::iter::once(1.0).chain(resolved).chain(std::iter::repeat_n(share, unresolved)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::runtime::parallel;
    use crate::spectral_entropy;
    use ndarray::array;

    fn operator(x: &Array2<f64>, bandwidth: f64) -> UpperTriangle {
        let points = Points::new(x.view(), bandwidth);
        parallel::run(2, || false, |job| diffusion_operator(&points, &Bandwidth::Fixed(bandwidth), 0.0, job)).unwrap()
    }

    /// K sqrt(d) = sqrt(d), with d the degrees.
    #[test]
    fn square_roots_of_the_degrees_are_fixed() {
        let n = 200;
        let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let points = Points::new(x.view(), 10.0);
        let affinity =
            parallel::run(1, || false, |job| gaussian_affinity(&points, &Bandwidth::Fixed(10.0), job)).unwrap();
        let root: Vec<f64> = (0..n).map(|i| (0..n).map(|j| affinity.get(i, j)).sum::<f64>().sqrt()).collect();
        let k = operator(&x, 10.0);
        for i in 0..n {
            let image: f64 = (0..n).map(|j| k.get(i, j) * root[j]).sum();
            approx::assert_relative_eq!(image, root[i], max_relative = 1e-13);
        }
    }

    #[test]
    fn identical_rows_share_everything_equally() {
        let k = operator(&array![[5.0], [5.0], [5.0], [5.0]], 1.0);
        approx::assert_relative_eq!(k.get(3, 1), 0.25, max_relative = 1e-15);
    }

    fn both(x: &Array2<f64>, bandwidth: f64, alpha: f64) -> (Vec<f64>, Vec<f64>) {
        let points = Points::new(x.view(), bandwidth);
        let work = |job: &Job| {
            let operator = diffusion_operator(&points, &Bandwidth::Fixed(bandwidth), alpha, job)?;
            let double = symmetric_eigenvalues(operator.into_matrix(), job)?;
            Ok((double, diffusion_eigenvalues_single(&points, bandwidth, alpha, job)?))
        };
        let (double, mut single) = parallel::run(2, || false, work).unwrap();
        single.sort_by(f64::total_cmp);
        (double, single)
    }

    /// The random walk matrix of Coifman & Lafon, entry by entry: K is similar to it.
    #[test]
    fn alpha_divides_the_density_out() {
        let n = 130;
        let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let points = Points::new(x.view(), 10.0);
        let affinity =
            parallel::run(1, || false, |job| gaussian_affinity(&points, &Bandwidth::Fixed(10.0), job)).unwrap();
        for alpha in [0.0, 0.3, 0.5, 1.0] {
            let k =
                parallel::run(2, || false, |job| diffusion_operator(&points, &Bandwidth::Fixed(10.0), alpha, job))
                    .unwrap();
            let q: Vec<f64> = (0..n).map(|i| (0..n).map(|j| affinity.get(i, j)).sum()).collect();
            let weighted = |i: usize, j: usize| affinity.get(i, j) / (q[i] * q[j]).powf(alpha);
            let d: Vec<f64> = (0..n).map(|i| (0..n).map(|j| weighted(i, j)).sum()).collect();
            for (i, j) in [(0, 0), (3, 7), (95, 129), (10, 100)] {
                let expected = weighted(i, j) / (d[i] * d[j]).sqrt();
                approx::assert_relative_eq!(k.get(i, j), expected, max_relative = 1e-12);
            }
        }
    }

    #[test]
    fn alpha_is_in_its_range() {
        let points = Points::new(array![[0.0], [1.0]].view(), 1.0);
        for alpha in [-0.1, 1.1, f64::NAN] {
            let error =
                parallel::run(1, || false, |job| diffusion_operator(&points, &Bandwidth::Fixed(1.0), alpha, job));
            assert!(error.unwrap_err().to_string().starts_with("alpha must be in 0..=1"));
        }
    }

    /// Full rank, low rank, groups far apart, identical rows.
    #[test]
    fn single_precision_is_within_its_bound() {
        let noise = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i * 31) % 1009) as f64 / 1009.0;
        let n = 400;
        let shapes: [(&str, Array2<f64>); 4] = [
            ("cloud", Array2::from_shape_fn((n, 12), |(i, j)| noise(i, j))),
            ("line", Array2::from_shape_fn((n, 1), |(i, _)| i as f64 / n as f64)),
            ("groups", Array2::from_shape_fn((n, 3), |(i, j)| noise(i, j) + 1e4 * (i % 5) as f64)),
            ("identical", Array2::ones((n, 2))),
        ];
        for (name, x) in &shapes {
            for (bandwidth, alpha) in [(0.1, 0.0), (0.5, 0.0), (3.0, 0.0), (0.5, 0.5), (3.0, 1.0)] {
                let (double, single) = both(x, bandwidth, alpha);
                assert_eq!(single.len(), n);
                for (double, single) in double.iter().zip(&single) {
                    approx::assert_abs_diff_eq!(double, single, epsilon = 1e-6);
                }
                for t in [1.0, 2.0, 7.5] {
                    let difference = spectral_entropy(&double, t).unwrap() - spectral_entropy(&single, t).unwrap();
                    assert!(difference.abs() < 1e-6 * (n as f64).sqrt(), "{name} {bandwidth} {t}: {difference:e}");
                }
            }
        }
    }

    #[test]
    fn one_row_and_two() {
        assert_eq!(both(&array![[3.0]], 1.0, 0.0).1, [1.0]);
        let (double, single) = both(&array![[0.0], [1.0]], 1.0, 0.0);
        approx::assert_abs_diff_eq!(double[0], single[0], epsilon = 1e-7);
        assert_eq!(single[1], 1.0);
    }

    #[test]
    fn what_is_not_resolved_shares_the_rest_of_the_trace() {
        let noise = 2f32.powi(-26);
        let share = f64::from(noise) * 1.5;
        let computed = [-noise, 0.0, noise, 0.5];
        assert_eq!(with_largest(&computed, 0.5 + 2.0 * share), [1.0, 0.5, share, share]);
        assert_eq!(with_largest(&computed, 0.4), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(with_largest(&[0.25, 0.5], 0.75), [1.0, 0.5]);
    }
}
