//! The symmetric diffusion operator as a matrix.
//!
//! ```text
//! K = D^-1/2 Q^-alpha G Q^-alpha D^-1/2
//! ```
//!
//! [`crate::operator::normalization`] defines Q and D. For a positive definite affinity no eigenvalue is negative. Cost:
//! two passes over the triangle, and two more where alpha is not 0.

use crate::data::distances::Distances;
use crate::error::Result;
use crate::kernel::bandwidth::Bandwidth;
use crate::kernel::gaussian::{gaussian_affinity, multiply};
use crate::linalg::upper_triangle::UpperTriangle;
use crate::operator::normalization::{Density, Normalization, require_alpha};
use crate::runtime::parallel::Job;

/// The symmetric diffusion operator of rows whose distances were prepared for this bandwidth.
///
/// # Errors
/// [`crate::Error::Invalid`] for an alpha outside 0..=1; the errors of [`gaussian_affinity`].
pub fn diffusion_operator(
    distances: &dyn Distances,
    bandwidth: &Bandwidth,
    alpha: f64,
    job: &Job,
) -> Result<UpperTriangle> {
    require_alpha(alpha)?;
    let mut operator = gaussian_affinity(distances, bandwidth, job)?;
    normalize(&mut operator, Density::of_rows(alpha), job)?;
    Ok(operator)
}

/// Turns G into K, in place. Each row of G must have a positive sum, and row weights must fit.
pub(crate) fn normalize(affinity: &mut UpperTriangle, density: Density, job: &Job) -> Result<()> {
    if let Some(weights) = density.row_weights {
        multiply_both_sides(affinity, weights, job)?;
    }
    let normalization = Normalization::new(density, |factors| {
        if let Some(factors) = factors {
            multiply_both_sides(affinity, factors, job)?;
        }
        affinity.row_sums(job)
    })?;
    multiply_both_sides(affinity, &normalization.inverse_root_degrees(), job)
}

/// Turns A into W A W, W the diagonal matrix of `scale`, in place.
fn multiply_both_sides(matrix: &mut UpperTriangle, scale: &[f64], job: &Job) -> Result<()> {
    matrix.for_each_block(job, |first, mut block| multiply(block.view_mut(), &scale[first..], &scale[first..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::runtime::parallel;
    use ndarray::{Array2, array};

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
}
