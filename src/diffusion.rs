//! The symmetric diffusion operator.
//!
//! ```text
//! K = D^-1/2 G D^-1/2,     D = diag(row sums of G)
//! ```
//!
//! K is similar to the random walk matrix D^-1 G (alpha = 0 of Coifman & Lafon, "Diffusion maps", 2006): its largest
//! eigenvalue is 1, and for a Gaussian affinity none is negative. Cost: two passes over the triangle.

use crate::distance::Points;
use crate::error::Result;
use crate::kernel::gaussian_affinity;
use crate::parallel::Job;
use crate::triangle::UpperTriangle;

/// The symmetric diffusion operator of rows that were prepared for this bandwidth.
///
/// # Errors
/// Those of [`gaussian_affinity`].
pub fn diffusion_operator(points: &Points, bandwidth: f64, job: &Job) -> Result<UpperTriangle> {
    let mut operator = gaussian_affinity(points, bandwidth, job)?;
    normalize(&mut operator, job)?;
    Ok(operator)
}

fn normalize(affinity: &mut UpperTriangle, job: &Job) -> Result<()> {
    let scale: Vec<f64> = affinity.row_sums(job)?.into_iter().map(|degree| degree.sqrt().recip()).collect();
    affinity.for_each_block(job, |first, mut block| {
        for (row, own) in block.rows_mut().into_iter().zip(&scale[first..]) {
            for (entry, other) in row.into_iter().zip(&scale[first..]) {
                *entry *= own * other;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use ndarray::{Array2, array};

    fn operator(x: &Array2<f64>, bandwidth: f64) -> UpperTriangle {
        let points = Points::new(x.view(), bandwidth);
        parallel::run(2, || false, |job| diffusion_operator(&points, bandwidth, job)).unwrap()
    }

    /// K sqrt(d) = sqrt(d), with d the degrees.
    #[test]
    fn square_roots_of_the_degrees_are_fixed() {
        let n = 200;
        let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let points = Points::new(x.view(), 10.0);
        let affinity = parallel::run(1, || false, |job| gaussian_affinity(&points, 10.0, job)).unwrap();
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
}
