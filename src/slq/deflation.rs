//! The deflated part of a spectrum: the first blocks of a block Krylov space, which need no probes.
//!
//! ```text
//! tr f(K) = tr Q' f(K) Q + tr P f(K) P,     Q the first blocks, P = I - Q Q'
//! ```
//!
//! The space is extended beyond Q, so that rules for the first term become deeper. Three power sums of the second term can
//! be known exactly, where the operator knows its own: N - dim Q, tr K - tr Q' K Q, |K|^2 - |K Q|^2 (Frobenius norms).
//! See Chen & Hallman, "Krylov-aware stochastic trace estimation" (arXiv 2205.01736).

use std::sync::Arc;

use ndarray::Array2;

use crate::error::Result;
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;
use crate::runtime::tuning::SlqTuning;
use crate::slq::block_krylov::BlockKrylov;
use crate::slq::bracket::Bracket;
use crate::slq::progress::ProductCounter;
use crate::slq::quadrature::KnownRange;
use crate::slq::random_signs::RandomSigns;

/// The part by which the upper end of the spectrum is taken to be above the largest modulus, so that rounding brings no
/// Ritz value there. An eigenvalue x counts as at most (1 + this part) x, which moves no entropy.
const LEAST_MARGIN: f64 = 1e-10;

/// The deflated part of a spectrum, by rules of a block Krylov space, and the power sums of the rest.
pub(crate) struct Deflation<'a> {
    krylov: BlockKrylov<'a>,
    /// The number of blocks that span the deflated part.
    blocks: usize,
    power_sums: Vec<f64>,
    has_remainder: bool,
    ritz_vectors: Arc<Array2<f64>>,
    rules: Bracket,
    modulus_bound: Option<f64>,
    range: KnownRange,
}

impl<'a> Deflation<'a> {
    /// Spans the first blocks from random signs and the operator's leading eigenvector, where that is known.
    pub(crate) fn new(
        operator: &'a dyn SymmetricOperator,
        signs: &mut RandomSigns,
        counter: &mut ProductCounter,
        job: &Job,
    ) -> Result<Self> {
        let tuning = &job.tuning().slq;
        let n = operator.dim();
        let mut start = signs.matrix(n, tuning.block_size.min(n));
        if let Some(leading) = operator.leading() {
            start.column_mut(0).iter_mut().zip(leading).for_each(|(entry, &known)| *entry = known);
        }
        let mut krylov = BlockKrylov::new(operator, start, job)?;
        for _ in 0..=tuning.deflated_blocks {
            counter.add(krylov.extend(job)?);
        }
        let blocks = krylov.steps().min(tuning.deflated_blocks + usize::from(krylov.is_invariant()));
        let (power_sums, has_remainder) = remaining_power_sums(&krylov, blocks);
        let ritz_vectors = Arc::new(krylov.ritz_vectors(blocks, job)?);
        let modulus_bound = krylov.modulus_bound(job)?;
        let margin = 1.0 + LEAST_MARGIN.max(operator.rounding());
        let range = KnownRange {
            positive_semidefinite: operator.is_positive_semidefinite(),
            above: modulus_bound.map(|bound| margin * bound),
        };
        let rules = krylov.rules(blocks, range, job)?;
        Ok(Self { krylov, blocks, power_sums, has_remainder, ritz_vectors, rules, modulus_bound, range })
    }

    /// The block Krylov space.
    pub(crate) fn krylov(&self) -> &BlockKrylov<'a> {
        &self.krylov
    }

    /// The block Krylov space, to be extended; [`Deflation::update_rules`] takes the extension into account.
    pub(crate) fn krylov_mut(&mut self) -> &mut BlockKrylov<'a> {
        &mut self.krylov
    }

    /// Recomputes the rules and the bound of moduli from the extended space.
    pub(crate) fn update_rules(&mut self, job: &Job) -> Result<()> {
        self.rules = self.krylov.rules(self.blocks, self.range, job)?;
        self.modulus_bound = self.krylov.modulus_bound(job)?;
        Ok(())
    }

    /// The rules for tr Q' f(K) Q.
    pub(crate) fn rules(&self) -> &Bracket {
        &self.rules
    }

    /// An upper bound of the moduli of eigenvalues; see [`BlockKrylov::modulus_bound`].
    pub(crate) fn modulus_bound(&self) -> Option<f64> {
        self.modulus_bound
    }

    /// The facts about the eigenvalues, as known when the space was spanned.
    pub(crate) fn range(&self) -> KnownRange {
        self.range
    }

    /// The known sums of 1, x and x^2 over the spectrum that is left to probes.
    pub(crate) fn power_sums(&self) -> &[f64] {
        &self.power_sums
    }

    /// Whether there is anything left to probes.
    pub(crate) fn has_remainder(&self) -> bool {
        self.has_remainder
    }

    /// Converged Ritz vectors of the deflated part.
    pub(crate) fn ritz_vectors(&self) -> &Arc<Array2<f64>> {
        &self.ritz_vectors
    }

    /// Subtracts the projection onto the deflated blocks.
    pub(crate) fn project_out(&self, vectors: &mut Array2<f64>, job: &Job) -> Result<()> {
        self.krylov.project_out(self.blocks, vectors, job)
    }

    /// The number of multiplied blocks beyond the deflated ones.
    pub(crate) fn extra_blocks(&self) -> usize {
        self.krylov.steps() - self.blocks
    }

    /// The number of blocks that the largest basis has room for.
    pub(crate) fn block_capacity(&self, tuning: &SlqTuning) -> usize {
        let largest = largest_basis(self.krylov.operator().dim(), tuning);
        largest.saturating_sub(self.krylov.dim(self.krylov.steps())) / tuning.block_size
    }
}

/// The largest dimension of the block Krylov space of n rows.
pub(crate) fn largest_basis(n: usize, tuning: &SlqTuning) -> usize {
    (tuning.small_basis_entries / n.max(1)).clamp(tuning.max_basis.min(n), n.max(tuning.max_basis))
}

/// The known sums of 1, x and x^2 over the spectrum outside the first blocks, without those that are rounding, and whether
/// anything is left there.
fn remaining_power_sums(krylov: &BlockKrylov, blocks: usize) -> (Vec<f64>, bool) {
    let operator = krylov.operator();
    let n = operator.dim() as f64;
    let (trace, squared_norm) = krylov.moments(blocks);
    let is_resolved = |rest: f64, whole: f64| rest > operator.rounding() * whole;
    let count = n - krylov.dim(blocks) as f64;
    let Some(whole_trace) = operator.trace() else { return (vec![count], count > 0.0) };
    let rest = whole_trace - trace;
    let squares = operator.squared_norm().map(|whole| (whole - squared_norm, whole));
    let squares_are_left = squares.is_none_or(|(rest, whole)| is_resolved(rest, whole));
    if operator.is_positive_semidefinite() && !is_resolved(rest, whole_trace) {
        // No trace is left, so the blocks span the whole range of the operator.
        return (vec![count], false);
    }
    if !operator.is_positive_semidefinite() && !squares_are_left {
        // Many small eigenvalues may be left, such as the copies of one, whose squares are rounding beside the others.
        return (vec![count], count > 0.0);
    }
    let squares = squares.filter(|_| squares_are_left).map(|(rest, _)| rest);
    ([count, rest].into_iter().chain(squares).collect(), count > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::runtime::tuning::Tuning;
    use crate::slq::diagonal::Diagonal;

    fn deflate<T: Send>(operator: &Diagonal, read: impl FnOnce(&Deflation) -> T + Send) -> T {
        let work = |job: &Job| {
            let mut counter = ProductCounter::new(&|_, _| ());
            Ok(read(&Deflation::new(operator, &mut RandomSigns::new(1), &mut counter, job)?))
        };
        parallel::run(1, || false, work).unwrap()
    }

    /// Two distinct eigenvalues span an invariant space of two blocks; without a known trace the count is all there is.
    #[test]
    fn an_invariant_space_has_no_extra_blocks() {
        let operator = Diagonal((0..200).map(|i| if i % 2 == 0 { 1.0 } else { 0.5 }).collect());
        let (extra, sums, bound) = deflate(&operator, |deflation| {
            (deflation.extra_blocks(), deflation.power_sums().to_vec(), deflation.modulus_bound())
        });
        assert_eq!((extra, sums), (0, vec![200.0 - 32.0]));
        assert!((1.0 - 1e-12..1.0 + 1e-6).contains(&bound.unwrap()), "{bound:?}");
    }

    #[test]
    fn no_eigenvalue_is_above_the_modulus_bound() {
        let (bound, _) =
            deflate(&Diagonal::decaying(300), |deflation| (deflation.modulus_bound(), deflation.has_remainder()));
        assert!((1.0 - 1e-12..1.1).contains(&bound.unwrap()), "{bound:?}");
    }

    #[test]
    fn the_largest_basis_is_between_its_bounds() {
        let tuning = Tuning::MEASURED.slq;
        assert_eq!(largest_basis(100, &tuning), 512);
        assert_eq!(largest_basis(1000, &tuning), 1000);
        assert_eq!(largest_basis(1024, &tuning), 1024);
        assert_eq!(largest_basis(1 << 20, &tuning), 512);
    }
}
