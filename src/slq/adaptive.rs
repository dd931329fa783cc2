//! A spectrum estimated from matrix-vector products alone, refined until its uncertainty is within a tolerance.
//!
//! With Q an orthonormal basis of the first blocks of a Krylov space and P = I - Q Q' (Chen & Hallman, "Krylov-aware
//! stochastic trace estimation", arXiv 2205.01736):
//!
//! ```text
//! tr f(K) = tr Q' f(K) Q + E z' P f(K) P z,     z a vector of random signs
//! ```
//!
//! The first term is read from the block recurrence, the second is the mean over probes. Recurrences are continued until
//! the truncation bounds are a small part of the tolerance, and probes are added until the standard error keeps the rest;
//! [`crate::slq::decision`] chooses between both. Memory: see [`workspace_vectors`].

use crate::error::Result;
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;
use crate::runtime::tuning::SlqTuning;
use crate::slq::bracket::Bracket;
use crate::slq::decision::{Assessment, Decision, Goal, Size, decide};
use crate::slq::deflation::{Deflation, largest_basis};
use crate::slq::estimate::{Estimate, EstimateInfo};
use crate::slq::options::SlqOptions;
use crate::slq::probes::ProbeBatch;
use crate::slq::progress::{ProductCounter, Progress};
use crate::slq::random_signs::RandomSigns;

/// Additional Lanczos steps of probes whose vectors are not kept, because they cannot be continued later.
const EXTRA_STEPS: usize = 2;

/// Vectors of workspace that one product of the operator with a block needs.
const PRODUCT_VECTORS: usize = 272;

/// The most vectors of n numbers that an estimate of n rows holds at once: the basis, Ritz vectors, two vectors a probe, and
/// the workspace of a product.
pub(crate) fn workspace_vectors(n: usize, tuning: &SlqTuning) -> usize {
    let probes = (2 * tuning.kept_batches + 2) * tuning.batch_size;
    largest_basis(n, tuning) + tuning.max_ritz_vectors + probes + PRODUCT_VECTORS
}

/// An estimate, and whether it is within the tolerance.
#[derive(Debug, Clone)]
pub struct Estimated {
    /// The estimated spectrum.
    pub estimate: Estimate,
    /// Whether its uncertainty is within the tolerance at each t and order.
    pub converged: bool,
}

/// Estimates the spectrum of an operator; none where the exact solver costs less.
///
/// `exact_products` is the number of matrix-vector products that cost as much as the exact solver; none where that cannot
/// be used. `progress` is called with the number of products and the uncertainty in bits.
///
/// # Errors
/// [`crate::Error::Invalid`] for options out of range; [`crate::Error::Interrupted`]; [`crate::Error::Lapack`]; the
/// errors of the operator.
pub fn estimate(
    operator: &dyn SymmetricOperator,
    options: &SlqOptions,
    exact_products: Option<usize>,
    progress: Progress,
    job: &Job,
) -> Result<Option<Estimated>> {
    options.validate()?;
    AdaptiveSlq::new(operator, options, exact_products, progress, job)?.run(job)
}

/// Stochastic Lanczos quadrature whose depth and number of probes adapt to a tolerance.
struct AdaptiveSlq<'a> {
    goal: Goal,
    /// The pairs of t and order at which the tolerance holds.
    pairs: Vec<(f64, f64)>,
    signs: RandomSigns,
    deflation: Deflation<'a>,
    batches: Vec<ProbeBatch<'a>>,
    counter: ProductCounter<'a>,
}

impl<'a> AdaptiveSlq<'a> {
    /// Deflates the spectrum and adds the first batch of probes.
    fn new(
        operator: &'a dyn SymmetricOperator,
        options: &SlqOptions,
        exact_products: Option<usize>,
        progress: Progress<'a>,
        job: &Job,
    ) -> Result<Self> {
        let tuning = &job.tuning().slq;
        let goal = Goal {
            tol: options.tol,
            truncation_share: if operator.is_positive_semidefinite() {
                tuning.truncation_share
            } else {
                tuning.truncation_share_of_modulus
            },
            max_products: options.max_products,
            exact_products,
            batch_size: tuning.batch_size,
        };
        let mut signs = RandomSigns::new(options.seed);
        let mut counter = ProductCounter::new(progress);
        let deflation = Deflation::new(operator, &mut signs, &mut counter, job)?;
        let mut slq = Self { goal, pairs: options.pairs(), signs, deflation, batches: Vec::new(), counter };
        if slq.deflation.has_remainder() {
            slq.add_batch(tuning.first_depth, job)?;
        }
        Ok(slq)
    }

    /// Refines the estimate until it is done, or the exact solver costs less.
    fn run(mut self, job: &Job) -> Result<Option<Estimated>> {
        let (mut estimate, mut state) = self.assess(job);
        loop {
            match decide(&state, &self.goal) {
                Decision::Done { converged } => return Ok(Some(Estimated { estimate, converged })),
                Decision::ExactIsCheaper => return Ok(None),
                Decision::Deepen { steps, blocks } => self.deepen(steps, blocks, job)?,
                Decision::AddProbes { batches } => self.add_probes(batches, state.depth, job)?,
            }
            state.is_stalled = self.counter.products() == state.products;
            if !state.is_stalled {
                (estimate, state) = self.assess(job);
            }
        }
    }

    /// The present estimate and its assessment, whose uncertainty is reported from now on.
    fn assess(&mut self, job: &Job) -> (Estimate, Assessment) {
        let probes: Vec<Bracket> = self.batches.iter().flat_map(|batch| batch.rules().iter().cloned()).collect();
        let size = Size {
            batches: self.batches.len(),
            extra_blocks: self.deflation.extra_blocks(),
            block_capacity: self.deflation.block_capacity(&job.tuning().slq),
        };
        let operator = self.deflation.krylov().operator();
        let info = EstimateInfo {
            dim: operator.dim(),
            positive_semidefinite: operator.is_positive_semidefinite(),
            products: self.counter.products(),
            rounding: operator.rounding(),
            entry_error: operator.entry_error(),
            unit_roundoff: operator.unit_roundoff(),
            largest_modulus: self.deflation.modulus_bound().unwrap_or(f64::INFINITY),
        };
        let (power_sums, rules) = (self.deflation.power_sums().to_vec(), self.deflation.rules().clone());
        let estimate = Estimate::new(info, power_sums, rules, probes);
        let state = Assessment::new(&estimate, &self.pairs, self.goal.tol, size);
        self.counter.set_uncertainty(state.uncertainty);
        (estimate, state)
    }

    /// Continues the recurrences of the kept probes, and extends the block Krylov space in the same passes.
    fn deepen(&mut self, steps: usize, blocks: usize, job: &Job) -> Result<()> {
        let mut remaining = blocks;
        for batch in &mut self.batches {
            batch.deepen(steps, &mut self.deflation, &mut remaining, &mut self.counter, job)?;
        }
        for _ in 0..remaining {
            self.counter.add(self.deflation.krylov_mut().extend(job)?);
        }
        if blocks > 0 { self.deflation.update_rules(job) } else { Ok(()) }
    }

    /// Adds batches of new probes of a depth, while products are left.
    fn add_probes(&mut self, batches: usize, depth: usize, job: &Job) -> Result<()> {
        for _ in 0..batches {
            if self.counter.products() < self.goal.max_products && self.deflation.has_remainder() {
                let is_kept = self.batches.len() < job.tuning().slq.kept_batches;
                self.add_batch(depth + if is_kept { 0 } else { EXTRA_STEPS }, job)?;
            }
        }
        Ok(())
    }

    /// Adds a batch of new probes, whose vectors are kept if there are few batches.
    fn add_batch(&mut self, depth: usize, job: &Job) -> Result<()> {
        let tuning = &job.tuning().slq;
        let vectors = self.signs.matrix(self.deflation.krylov().operator().dim(), tuning.batch_size);
        let mut batch = ProbeBatch::new(&self.deflation, vectors, depth, &mut self.counter, job)?;
        if self.batches.len() >= tuning.kept_batches {
            batch.drop_vectors();
        }
        self.batches.push(batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::data::points::Points;
    use crate::kernel::AffinityInfo;
    use crate::kernel::bandwidth::Bandwidth;
    use crate::kernel::gaussian::Gaussian;
    use crate::linalg::scalar::F64_ROUNDOFF;
    use crate::measure::entropy::renyi_entropies;
    use crate::operator::normalization::Density;
    use crate::operator::tiled::DiffusionOperator;
    use crate::operator::tiles::{StoredTiles, TiledAffinity};
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use crate::slq::options::Storage;
    use crate::slq::reading::Reading;
    use crate::{diffusion_operator, symmetric_eigenvalues};

    const POSITIVE: AffinityInfo = AffinityInfo {
        positive_semidefinite: true,
        entry_error: f64::EPSILON,
        unit_roundoff: F64_ROUNDOFF,
        max_entry: 1.0,
    };

    fn options(tol: f64, seed: u64) -> SlqOptions {
        let (times, orders) = (vec![1.0, 2.0, 5.0], vec![1.0, 2.0]);
        SlqOptions { tol, times, orders, max_products: 20_000, seed, storage: Storage::Auto, memory_limit: None }
    }

    /// Data sets of full rank, of low rank, in groups, and with duplicates; each with a bandwidth.
    fn data() -> Vec<(&'static str, Array2<f64>, f64)> {
        let mut signs = RandomSigns::new(7);
        let mut normal = move || (0..12).map(|_| signs.bits() as f64 / 2f64.powi(64)).sum::<f64>() - 6.0;
        let n = sized(700, 200);
        let cloud = Array2::from_shape_simple_fn((n, 6), &mut normal);
        let line = Array2::from_shape_fn((n, 1), |(i, _)| i as f64 / n as f64);
        let groups = Array2::from_shape_fn((n, 8), |(i, j)| normal() * 0.3 + f64::from(u8::from(i % 8 == j)) * 6.0);
        let few = Array2::from_shape_fn((n, 3), |(i, j)| cloud[[i % 23, j]]);
        vec![
            ("cloud", cloud.clone(), 2.0),
            ("narrow", cloud, 1.0),
            ("line", line, 0.2),
            ("groups", groups, 2.0),
            ("few", few, 1.0),
        ]
    }

    fn exact(x: &Array2<f64>, sigma: f64, options: &SlqOptions) -> Array2<f64> {
        let points = Points::new(x.view(), sigma);
        let work = |job: &Job| {
            symmetric_eigenvalues(diffusion_operator(&points, &Bandwidth::Fixed(sigma), 0.0, job)?.into_matrix(), job)
        };
        let eigenvalues = parallel::run(2, || false, work).unwrap();
        renyi_entropies(&eigenvalues, &options.times, &options.orders).unwrap()
    }

    fn estimated(
        x: &Array2<f64>,
        sigma: f64,
        stored: bool,
        threads: usize,
        options: &SlqOptions,
    ) -> (Estimate, bool) {
        let points = Points::new(x.view(), sigma);
        let bandwidth = Bandwidth::Fixed(sigma);
        let work = |job: &Job| {
            let kernel = Gaussian::new(&points, &bandwidth)?;
            let affinity = StoredTiles::new(&kernel, job)?;
            let tiles = TiledAffinity::Computed(&kernel);
            let tiles = if stored { TiledAffinity::Stored(&affinity) } else { tiles };
            let operator = DiffusionOperator::new(tiles, POSITIVE, Density::of_rows(0.0), job)?;
            estimate(&operator, options, None, &|_, _| (), job)
        };
        match parallel::run(threads, || false, work).unwrap() {
            Some(Estimated { estimate, converged }) => (estimate, converged),
            None => panic!("there is no exact solver here"),
        }
    }

    /// The error is within three standard errors and the bounds for 5 data sets, 6 seeds, 3 t and 2 orders. One in 300 of
    /// these 180 readings may lie outside; two are allowed.
    #[test]
    fn uncertainties_cover_the_error_and_the_tolerance_is_kept() {
        let mut beyond = Vec::new();
        for (name, x, sigma) in data() {
            for seed in 0..sized(6, 1) as u64 {
                let options = options(3e-3, seed);
                let exact = exact(&x, sigma, &options);
                let (estimate, converged) = estimated(&x, sigma, true, 2, &options);
                for (i, &t) in options.times.iter().enumerate() {
                    for (j, &order) in options.orders.iter().enumerate() {
                        let reading = estimate.read(t, order);
                        assert!(!converged || reading.uncertainty() <= options.tol);
                        let error = (reading.value - exact[[i, j]]).abs();
                        let allowed = 3.0 * reading.standard_error + (reading.upper - reading.lower) + 1e-9;
                        if error > allowed {
                            beyond.push((name, seed, t, order, error, allowed));
                        }
                    }
                }
                assert!(converged, "{name} {seed}: {} products", estimate.info().products);
            }
        }
        assert!(beyond.len() <= 2, "{beyond:?}");
    }

    /// Powers above the degree of the rules, at times of the options and at others, of spectra that are dense near 1.
    #[test]
    fn readings_of_large_powers_are_covered() {
        for (name, x, sigma) in [data().swap_remove(0), data().swap_remove(2)] {
            for times in [vec![1.0], vec![5.0], vec![12.0]] {
                for seed in 0..sized(4, 1) as u64 {
                    let options = SlqOptions { times: times.clone(), orders: vec![1.0], ..options(1e-2, seed) };
                    let (estimate, _) = estimated(&x, sigma, true, 2, &options);
                    let others =
                        SlqOptions { times: vec![1.0, 2.5, 5.0, 10.0, 30.0], orders: vec![1.0, 3.0], ..options };
                    let exact = exact(&x, sigma, &others);
                    for ((i, j), &exact) in exact.indexed_iter() {
                        let reading = estimate.read(others.times[i], others.orders[j]);
                        let sampling = 3.0 * reading.standard_error + 1e-9;
                        assert!(
                            (reading.lower - sampling..=reading.upper + sampling).contains(&exact),
                            "{name} {times:?} {seed} {i} {j}: {exact} {reading:?}"
                        );
                    }
                }
            }
        }
    }

    /// The mean of many estimates is the exact value within their truncation bounds. Their spread is no more than their
    /// standard errors, and no less than 0.33 of them: those of 16 probes are widened by 1.2 and 1.49.
    #[test]
    fn standard_errors_are_those_of_the_sampling() {
        let (_, x, sigma) = data().swap_remove(0);
        let seeds = 60;
        let options = |seed| SlqOptions { times: vec![1.0, 5.0], orders: vec![1.0], ..options(2e-2, seed) };
        let exact = exact(&x, sigma, &options(0));
        let estimates: Vec<_> = (0..seeds).map(|seed| estimated(&x, sigma, true, 2, &options(seed)).0).collect();
        for (i, t) in [1.0, 5.0].into_iter().enumerate() {
            let readings: Vec<Reading> = estimates.iter().map(|estimate| estimate.read(t, 1.0)).collect();
            let mean = |of: &dyn Fn(&Reading) -> f64| readings.iter().map(of).sum::<f64>() / seeds as f64;
            let error = mean(&|reading| reading.value) - exact[[i, 0]];
            let spread = mean(&|reading| (reading.value - exact[[i, 0]] - error).powi(2)).sqrt();
            let claimed = mean(&|reading| reading.standard_error.powi(2)).sqrt();
            let truncation = mean(&Reading::truncation);
            assert!(
                error.abs() <= truncation + 3.0 * spread / (seeds as f64).sqrt(),
                "{t}: {error} {truncation} {spread}"
            );
            assert!((0.33..0.85).contains(&(spread / claimed)), "{t}: {spread} {claimed}");
        }
    }

    #[test]
    fn tiles_need_not_be_stored_and_threads_change_nothing() {
        let (_, x, sigma) = data().swap_remove(0);
        let options = options(1e-2, 3);
        let read = |stored, threads| estimated(&x, sigma, stored, threads, &options).0.read(2.0, 1.0);
        let stored = read(true, 2);
        assert_eq!(stored, read(true, 1));
        assert_eq!(read(false, 2), read(false, 1));
        assert_eq!(stored, read(false, 2));
        assert_eq!(stored, read(true, 3));
    }

    /// Rounding that takes the whole tolerance of a small power does not keep other readings from their tolerance.
    #[test]
    fn an_unattainable_reading_does_not_stop_the_others() {
        let (_, x, sigma) = data().swap_remove(0);
        let options = |times: Vec<f64>| SlqOptions { times, orders: vec![1.0], ..options(1e-2, 0) };
        let (alone, converged) = estimated(&x, sigma, true, 2, &options(vec![1.0]));
        let (both, both_converged) = estimated(&x, sigma, true, 2, &options(vec![0.1, 1.0]));
        assert!(converged && !both_converged);
        assert!(both.read(0.1, 1.0).truncation() > 1e-2 && both.read(1.0, 1.0).uncertainty() <= 1e-2);
        assert!(alone.info().products <= both.info().products);
    }

    #[test]
    fn few_distinct_rows_are_as_good_as_exact() {
        let (_, x, sigma) = data().pop().unwrap();
        let options = options(1e-3, 0);
        let exact = exact(&x, sigma, &options);
        let (estimate, converged) = estimated(&x, sigma, true, 2, &options);
        assert!(converged && estimate.info().products < 200, "{}", estimate.info().products);
        approx::assert_abs_diff_eq!(estimate.read(1.0, 1.0).value, exact[[0, 0]], epsilon = 1e-6);
        approx::assert_abs_diff_eq!(estimate.read(5.0, 2.0).value, exact[[2, 1]], epsilon = 1e-9);
    }

    #[test]
    fn the_exact_solver_is_preferred_where_it_costs_less() {
        let (_, x, sigma) = data().swap_remove(1);
        let points = Points::new(x.view(), sigma);
        let bandwidth = Bandwidth::Fixed(sigma);
        let work = |job: &Job| {
            let kernel = Gaussian::new(&points, &bandwidth)?;
            let operator =
                DiffusionOperator::new(TiledAffinity::Computed(&kernel), POSITIVE, Density::of_rows(0.0), job)?;
            estimate(&operator, &options(1e-6, 0), Some(350), &|_, _| (), job)
        };
        assert!(matches!(parallel::run(2, || false, work), Ok(None)));
    }
}
