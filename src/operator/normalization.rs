//! The normalisation of an affinity G to the symmetric diffusion operator K.
//!
//! ```text
//! G' = Q^-alpha G Q^-alpha,     Q = diag(row sums of G)
//! K  = D^-1/2 G' D^-1/2 = S G S,     D = diag(row sums of G'),     S = D^-1/2 Q^-alpha
//! ```
//!
//! K is similar to the random walk matrix D^-1 G' of Coifman & Lafon, "Diffusion maps"
//! (doi:10.1016/j.acha.2006.04.006): alpha = 0 gives the operator of arXiv 2312.04823, alpha = 1/2 approximates a
//! Fokker-Planck operator, alpha = 1 the Laplace-Beltrami operator, which does not depend on the density of the rows.
//! The largest eigenvalue of K is 1, with the eigenvector sqrt(d / sum d), d the diagonal of D. A common factor of Q
//! leaves K as it is, so where powers of row sums would leave the range of f64, Q is divided by a power of two. Cost: one
//! pass over G, and a second one where alpha is not 0.
//!
//! Where row i counts as w_i rows, sums over rows are weighted, and K is that of all copies but for zero eigenvalues:
//!
//! ```text
//! q = G w,   G' = Q^-alpha G Q^-alpha,   d = G' w,   K = W^1/2 D^-1/2 G' D^-1/2 W^1/2 = S G S,   S = (W D)^-1/2 W Q^-alpha
//! ```
//!
//! which has the form of K above, with W Q^-alpha in place of Q^-alpha and W D, the row sums of W G' W, in place of D.

use ndarray::{Array2, Axis};

use crate::error::{Error, Result};
use crate::linalg::scaling::{power_of_two, power_of_two_near};
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;

/// Exponent of two up to which the row sums, and so their powers and products with affinities, are in the range of f64.
const SAFE_EXPONENT: i32 = 900;
/// Exponent of two up to which powers of row sums in a unit are.
const LARGEST_EXPONENT: i32 = 1000;

/// The name by which an error calls row sums that are not positive.
pub(crate) const ROW_SUMS: &str = "row sums";

/// How the density of the rows enters an operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Density<'a> {
    /// The power of the density by which affinities are divided, in 0..=1.
    pub alpha: f64,
    /// How many rows each row counts as; None where each is one.
    pub row_weights: Option<&'a [f64]>,
}

impl Density<'_> {
    /// Rows that count once.
    pub fn of_rows(alpha: f64) -> Self {
        Self { alpha, row_weights: None }
    }

    /// Fails for an alpha outside 0..=1, and for weights that are not a positive, finite one for each of n rows.
    pub fn require(&self, n: usize) -> Result<()> {
        require_alpha(self.alpha)?;
        let Some(weights) = self.row_weights else { return Ok(()) };
        if weights.len() == n && weights.iter().all(|weight| *weight > 0.0 && weight.is_finite()) {
            return Ok(());
        }
        Err(Error::invalid("row_weights", format!("positive and finite, one for each of {n} rows"), weights.len()))
    }

    /// The row weights times `factors`, as far as there are any.
    pub fn weighted(&self, factors: Option<&[f64]>) -> Option<Vec<f64>> {
        match (self.row_weights, factors) {
            (Some(weights), Some(factors)) => Some(weights.iter().zip(factors).map(|(w, f)| w * f).collect()),
            (one, other) => one.or(other).map(<[f64]>::to_vec),
        }
    }
}

/// The diagonal matrices that turn an affinity G into K.
#[derive(Debug, Clone)]
pub(crate) struct Normalization {
    /// The diagonal of Q^-alpha, times the row weights, up to a common factor where it would leave the range of f64.
    pub weights: Vec<f64>,
    /// The row sums of W G W, with W the diagonal matrix of the weights: the diagonal of D, times the row weights.
    pub degrees: Vec<f64>,
}

impl Normalization {
    /// Computes both from `row_sums`, which returns the row sums of F W G W F for the diagonal F that it is called with,
    /// and those of W G W where it is called with None; W has the row weights. It is called once, and a second time where
    /// alpha is not 0.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an alpha outside 0..=1, row weights that do not fit, and a row sum that is not positive;
    /// the errors of `row_sums`.
    pub fn new(density: Density, mut row_sums: impl FnMut(Option<&[f64]>) -> Result<Vec<f64>>) -> Result<Self> {
        require_alpha(density.alpha)?;
        let mut sums = row_sums(None)?;
        density.require(sums.len())?;
        require_positive_sums(&sums)?;
        if density.alpha == 0.0 {
            let weights = density.weighted(None).unwrap_or_else(|| vec![1.0; sums.len()]);
            return Ok(Self { weights, degrees: sums });
        }
        if let Some(weights) = density.row_weights {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum /= weight);
        }
        let unit = unit_of(&sums);
        let sums: Vec<f64> = sums.into_iter().map(|sum| sum / unit).collect();
        let factors = inverse_powers(&sums, density.alpha);
        let degrees = row_sums(Some(&factors))?;
        require_positive_sums(&degrees)?;
        let weights = density.weighted(Some(&factors)).unwrap_or(factors);
        Ok(Self { weights, degrees })
    }

    /// The diagonal of D^-1/2.
    pub fn inverse_root_degrees(&self) -> Vec<f64> {
        inverse_powers(&self.degrees, 0.5)
    }

    /// The diagonal of S, with which K = S G S.
    pub fn scale(&self) -> Vec<f64> {
        self.inverse_root_degrees().into_iter().zip(&self.weights).map(|(root, weight)| root * weight).collect()
    }

    /// The unit eigenvector of K of the eigenvalue 1.
    pub fn leading(&self) -> Vec<f64> {
        let total = self.total_degree();
        self.degrees.iter().map(|degree| (degree / total).sqrt()).collect()
    }

    /// The sum of the degrees.
    pub fn total_degree(&self) -> f64 {
        self.degrees.iter().sum()
    }

    /// The trace of K for an affinity whose diagonal is 1.
    pub fn trace_of_unit_diagonal(&self) -> f64 {
        self.weights.iter().zip(&self.degrees).map(|(weight, degree)| weight * weight / degree).sum()
    }
}

/// Fails for an alpha outside 0..=1.
pub(crate) fn require_alpha(alpha: f64) -> Result<()> {
    if (0.0..=1.0).contains(&alpha) { Ok(()) } else { Err(Error::invalid("alpha", "in 0..=1", alpha)) }
}

/// Fails where a row of affinities, which are not negative, has no positive entry.
fn require_positive_sums(sums: &[f64]) -> Result<()> {
    match sums.iter().position(|sum| *sum <= 0.0) {
        None => Ok(()),
        Some(row) => {
            let requirement = "of affinities such that each row has a positive one";
            Err(Error::invalid("x", requirement, format!("none in row {row}")))
        }
    }
}

/// A power of two by which row sums are divided before their powers are taken: 1 where all are far from the ends of
/// the range of f64. Where they are small, powers are as large as the range allows, so that products with small
/// affinities are normal numbers; where they are large, powers are as small.
fn unit_of(sums: &[f64]) -> f64 {
    let smallest = sums.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = sums.iter().copied().fold(0.0, f64::max);
    let (low, high) = (power_of_two(-SAFE_EXPONENT), power_of_two(SAFE_EXPONENT));
    if smallest >= low && largest <= high {
        return 1.0;
    }
    let unit = if largest > high { largest / high } else { smallest / low };
    let range = power_of_two(-LARGEST_EXPONENT)..=power_of_two(LARGEST_EXPONENT);
    let fits = range.contains(&(smallest / unit)) && range.contains(&(largest / unit));
    power_of_two_near(if fits { unit } else { smallest.sqrt() * largest.sqrt() })
}

/// Each sum to the power of `-power`.
fn inverse_powers(sums: &[f64], power: f64) -> Vec<f64> {
    if power == 0.5 {
        return sums.iter().map(|sum| sum.sqrt().recip()).collect();
    }
    sums.iter().map(|sum| sum.powf(-power)).collect()
}

/// The symmetric diffusion operator K = S G S of an affinity of which only matrix-vector products are known.
pub struct NormalizedOperator<'a> {
    affinity: &'a dyn SymmetricOperator,
    scale: Vec<f64>,
    leading: Vec<f64>,
}

impl<'a> NormalizedOperator<'a> {
    /// Computes the degrees by one product with a vector, or by two where alpha is not 0.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an alpha outside 0..=1 and for row sums that are not positive; the errors of the
    /// products.
    pub fn new(affinity: &'a dyn SymmetricOperator, alpha: f64, job: &Job) -> Result<Self> {
        let n = affinity.dim();
        let normalization = Normalization::new(Density::of_rows(alpha), |weights| {
            let weights = weights.map_or_else(|| Array2::ones((n, 1)), column);
            let sums: Vec<f64> = (affinity.apply(&weights, job)? * &weights).into_iter().collect();
            require_positive_products(&sums)?;
            Ok(sums)
        })?;
        Ok(Self { affinity, scale: normalization.scale(), leading: normalization.leading() })
    }
}

/// Fails where a row sum, which comes from a product, is not positive.
fn require_positive_products(sums: &[f64]) -> Result<()> {
    if sums.iter().all(|sum| *sum > 0.0) {
        return Ok(());
    }
    let smallest = sums.iter().copied().fold(f64::INFINITY, f64::min);
    Err(Error::invalid(ROW_SUMS, "positive, to be those of affinities", smallest))
}

/// A vector as a matrix [N, 1].
pub(crate) fn column(vector: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((vector.len(), 1), |(i, _)| vector[i])
}

/// Multiplies each row of `block` [N, b] by its number.
pub(crate) fn scale_rows(block: &mut Array2<f64>, scale: &[f64]) {
    for (mut row, scale) in block.axis_iter_mut(Axis(0)).zip(scale) {
        row *= *scale;
    }
}

impl SymmetricOperator for NormalizedOperator<'_> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        let mut scaled = x.clone();
        scale_rows(&mut scaled, &self.scale);
        let mut product = self.affinity.apply(&scaled, job)?;
        scale_rows(&mut product, &self.scale);
        Ok(product)
    }

    fn is_positive_semidefinite(&self) -> bool {
        self.affinity.is_positive_semidefinite()
    }

    /// The rows of the random walk D^-1 G', which is similar to K, sum to 1.
    fn modulus_bound(&self) -> Option<f64> {
        Some(1.0)
    }

    fn leading(&self) -> Option<&[f64]> {
        Some(&self.leading)
    }

    fn entry_error(&self) -> f64 {
        self.affinity.entry_error()
    }

    fn unit_roundoff(&self) -> f64 {
        self.affinity.unit_roundoff()
    }

    fn rounding(&self) -> f64 {
        self.affinity.rounding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::array;

    struct Dense(Array2<f64>);

    impl SymmetricOperator for Dense {
        fn dim(&self) -> usize {
            self.0.nrows()
        }

        fn apply(&self, x: &Array2<f64>, _job: &Job) -> Result<Array2<f64>> {
            Ok(self.0.dot(x))
        }

        fn is_positive_semidefinite(&self) -> bool {
            true
        }
    }

    /// K entry by entry, for a matrix G given by its products.
    #[test]
    fn products_alone_give_the_normalised_operator() {
        let g = array![[2.0, 0.5, 0.25], [0.5, 1.0, 0.125], [0.25, 0.125, 4.0]];
        for alpha in [0.0, 0.3, 0.5, 1.0] {
            let q: Vec<f64> = g.rows().into_iter().map(|row| row.sum()).collect();
            let weighted = Array2::from_shape_fn((3, 3), |(i, j)| g[[i, j]] / (q[i] * q[j]).powf(alpha));
            let d: Vec<f64> = weighted.rows().into_iter().map(|row| row.sum()).collect();
            let k = Array2::from_shape_fn((3, 3), |(i, j)| weighted[[i, j]] / (d[i] * d[j]).sqrt());
            let affinity = Dense(g.clone());
            let work = |job: &Job| {
                let operator = NormalizedOperator::new(&affinity, alpha, job)?;
                let leading = column(operator.leading().expect("it is known"));
                Ok((operator.apply(&Array2::eye(3), job)?, operator.apply(&leading, job)?, leading))
            };
            let (computed, image, leading) = parallel::run(1, || false, work).unwrap();
            approx::assert_abs_diff_eq!(computed, k, epsilon = 1e-15);
            approx::assert_abs_diff_eq!(image, leading, epsilon = 1e-15);
        }
    }

    /// K of a matrix of two blocks does not depend on the scale of either, whatever alpha is. Subnormal entries have few
    /// digits, so those of the small block are powers of two.
    #[test]
    fn blocks_of_any_scale_are_normalised_alike() {
        let block = array![[1.0, 0.5, 0.25], [0.5, 1.0, 0.125], [0.25, 0.125, 2.0]];
        let joined = |one: f64, other: f64| {
            Array2::from_shape_fn((6, 6), |(i, j)| match (i < 3, j < 3) {
                (true, true) => block[[i, j]] * one,
                (false, false) => block[[i - 3, j - 3]] * other,
                _ => 0.0,
            })
        };
        let operator = |g: Array2<f64>, alpha: f64| {
            let affinity = Dense(g);
            let work = |job: &Job| NormalizedOperator::new(&affinity, alpha, job)?.apply(&Array2::eye(6), job);
            parallel::run(1, || false, work).unwrap()
        };
        for alpha in [0.0, 0.3, 0.5, 0.97, 1.0] {
            let expected = operator(joined(1.0, 1.0), alpha);
            for (one, other) in [(1.0, -1070), (1.0, -1030), (1.0, 1020), (0.0, -1030), (0.0, 1020), (1.0, 901)] {
                let scale = power_of_two(other);
                let computed = operator(joined(if one == 0.0 { scale } else { one }, scale), alpha);
                approx::assert_abs_diff_eq!(computed, expected, epsilon = 1e-14);
            }
            let computed = operator(joined(power_of_two(-600), power_of_two(600)), alpha);
            approx::assert_abs_diff_eq!(computed, expected, epsilon = 1e-14);
        }
    }

    #[test]
    fn row_sums_that_are_not_positive_are_refused() {
        let affinity = Dense(-Array2::<f64>::eye(2));
        let work = |job: &Job| NormalizedOperator::new(&affinity, 0.0, job).map(|_| ());
        let error = parallel::run(1, || false, work).unwrap_err().to_string();
        assert_eq!(error, "row sums must be positive, to be those of affinities, got -1");
    }

    #[test]
    fn alpha_is_in_its_range() {
        for alpha in [-0.1, 1.1, f64::NAN] {
            let error = Normalization::new(Density::of_rows(alpha), |_| Ok(vec![1.0])).unwrap_err().to_string();
            assert!(error.starts_with("alpha must be in 0..=1"), "{error}");
        }
    }
}
