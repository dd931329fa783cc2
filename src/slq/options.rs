//! The options of an estimate: its tolerance, where the tolerance holds, and what the estimate may cost.
//!
//! ```text
//! uncertainty(t, order) = standard error + truncation bound <= tol      for each t in times and order in orders
//! ```

use crate::error::{Error, Result, require_positive, require_time};
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use crate::runtime::tuning::SlqTuning;

/// The storage of the affinity matrix while products with it are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Stored if it fits into memory, otherwise computed for each product.
    Auto,
    /// Stored: N^2 numbers of f64.
    Dense,
    /// Not stored: distances and exponentials are computed for each product.
    Tiled,
}

/// Options of an estimate by stochastic Lanczos quadrature.
#[derive(Debug, Clone)]
pub struct SlqOptions {
    /// Tolerance in bits: the largest uncertainty (standard error plus truncation bound) at each t and order.
    pub tol: f64,
    /// Diffusion times at which the tolerance holds; positive.
    pub times: Vec<f64>,
    /// Renyi orders at which the tolerance holds; positive.
    pub orders: Vec<f64>,
    /// Matrix-vector products after which the estimate is returned, converged or not.
    pub max_products: usize,
    /// Seed of the random signs.
    pub seed: u64,
    /// Storage of the affinities of rows or pairs.
    pub storage: Storage,
    /// Bytes that may be used; without a limit, what the machine has available.
    pub memory_limit: Option<u64>,
}

impl SlqOptions {
    /// Checks the tolerance, times and orders.
    pub(crate) fn validate(&self) -> Result<()> {
        require_positive("tol", self.tol)?;
        for &t in &self.times {
            require_time(t)?;
            require_positive("t", t)?;
        }
        match self.orders.iter().find(|order| order.is_nan() || **order <= 0.0) {
            Some(order) => Err(Error::invalid("order", "positive", order)),
            None => Ok(()),
        }
    }

    /// Each t with each order.
    pub(crate) fn pairs(&self) -> Vec<(f64, f64)> {
        self.times.iter().flat_map(|&t| self.orders.iter().map(move |&order| (t, order))).collect()
    }

    /// Fails unless `needed` bytes, for a problem of so many rows, are within the limit and available.
    pub(crate) fn require_memory(&self, rows: usize, needed: u64, job: &Job) -> Result<()> {
        match self.memory_limit {
            Some(available) if needed > available => Err(Error::OutOfMemory { rows, needed, available }),
            _ => memory::require(rows, needed, job),
        }
    }

    /// The relative error that affinities of n rows may have in f32; none where they must be in f64.
    ///
    /// Single precision is used for tolerances from [`SlqTuning::single_precision_tol`], if the relative error is below a
    /// part of the tolerance, and for enough rows: with fewer rows, entries below the rounding of f32 are nearly free to
    /// resolve.
    pub fn single_precision_error(&self, n: usize, tuning: &SlqTuning) -> Option<f64> {
        let powers =
            |of: fn(f64) -> f64| self.times.iter().flat_map(move |t| self.orders.iter().map(move |q| t * of(*q)));
        // Powers below 1 magnify entries that are rounded to zero; other powers magnify the errors of the rest.
        let small = powers(|order| order.min(1.0)).any(|power| power < 1.0);
        let largest = powers(|order| order.clamp(1.0, 2.0)).fold(1.0, f64::max);
        let is_allowed = n >= tuning.single_precision_from && self.tol >= tuning.single_precision_tol && !small;
        is_allowed.then_some(tuning.single_precision_share * self.tol / largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tuning::Tuning;

    fn options(tol: f64, times: Vec<f64>, orders: Vec<f64>) -> SlqOptions {
        SlqOptions { tol, times, orders, max_products: 100, seed: 0, storage: Storage::Auto, memory_limit: None }
    }

    #[test]
    fn options_out_of_range_are_named() {
        for (options, start) in [
            (options(0.0, vec![1.0], vec![1.0]), "tol must be"),
            (options(1.0, vec![0.0], vec![1.0]), "t must be"),
            (options(1.0, vec![1.0], vec![0.0]), "order must be"),
            (options(1.0, vec![1.0], vec![f64::NAN]), "order must be"),
        ] {
            let error = options.validate().unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
        assert!(options(1.0, vec![1.0], vec![f64::INFINITY]).validate().is_ok());
    }

    #[test]
    fn single_precision_needs_many_rows_a_large_tolerance_and_powers_from_one() {
        let tuning = Tuning::MEASURED.slq;
        let allowed = |n, tol, t, order| options(tol, vec![t], vec![order]).single_precision_error(n, &tuning);
        let n = tuning.single_precision_from;
        assert_eq!(allowed(n, 1e-2, 4.0, 1.0), Some(0.1 * 1e-2 / 4.0));
        assert_eq!(allowed(n, 1e-2, 4.0, f64::INFINITY), Some(0.1 * 1e-2 / 8.0));
        assert_eq!(allowed(n - 1, 1e-2, 4.0, 1.0), None);
        assert_eq!(allowed(n, 1e-4, 4.0, 1.0), None);
        assert_eq!(allowed(n, 1e-2, 0.5, 1.0), None);
        assert_eq!(allowed(n, 1e-2, 1.0, 0.5), None);
    }

    #[test]
    fn a_memory_limit_is_kept() {
        let limited = SlqOptions { memory_limit: Some(1000), ..options(1.0, vec![1.0], vec![1.0]) };
        let require = |needed| crate::parallel::run(1, || false, |job| limited.require_memory(10, needed, job));
        assert!(require(1000).is_ok());
        assert!(matches!(require(1001), Err(Error::OutOfMemory { needed: 1001, available: 1000, .. })));
    }
}
