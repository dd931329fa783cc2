//! The next step of an adaptive estimate, decided from its present uncertainty and its cost.
//!
//! ```text
//! uncertainty = standard error + truncation      standard error ~ probes^(-1/2),   truncation ~ depth^(-2)
//! ```
//!
//! Recurrences are continued until the truncation bounds take no more than their share of the tolerance, and probes are
//! added until the standard error takes no more than the rest. The decision is a pure function of an [`Assessment`].

use crate::slq::estimate::Estimate;
use crate::slq::reading::Reading;

/// The part of the remaining tolerance that the standard error is aimed at, so that the last probes are not added one
/// batch at a time.
const SAMPLING_AIM: f64 = 0.95;

/// The part of the tolerance that standard error and truncation may take together where sampling does not need its share.
const TOTAL_AIM: f64 = 0.97;

/// The goal of an estimate and what it may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    /// The largest uncertainty, in bits.
    pub tol: f64,
    /// The part of the tolerance that truncation may take.
    pub truncation_share: f64,
    /// Matrix-vector products after which the estimate ends.
    pub max_products: usize,
    /// Matrix-vector products that cost as much as the exact solver; none where that does not fit into memory.
    pub exact_products: Option<usize>,
    /// The number of probes of a batch.
    pub batch_size: usize,
}

/// The state of an estimate: its cost and, in bits, its uncertainty and where that comes from.
///
/// Uncertainties are the largest over all attainable pairs of t and order. A pair is not attainable if rounding alone takes
/// the tolerance, which no number of products changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Assessment {
    /// Matrix-vector products so far.
    pub products: usize,
    /// The number of probes.
    pub probes: usize,
    /// The number of batches of probes.
    pub batches: usize,
    /// The Lanczos steps of the deepest probe.
    pub depth: usize,
    /// Blocks of the block Krylov space beyond the deflated ones.
    pub extra_blocks: usize,
    /// Blocks that may still be added to the block Krylov space.
    pub block_capacity: usize,
    /// Whether all pairs are attainable.
    pub all_attainable: bool,
    /// Standard error plus truncation.
    pub uncertainty: f64,
    /// The sampling error of the mean over probes.
    pub standard_error: f64,
    /// The distance to the truncation bounds.
    pub truncation: f64,
    /// The truncation if the rules of all probes were exact.
    pub block_truncation: f64,
    /// The truncation if the rules of the block were exact.
    pub probe_truncation: f64,
    /// The truncation if all rules were exact: rounding.
    pub rounding: f64,
    /// Whether the last step made no products: all recurrences have broken down, or the basis is full.
    pub is_stalled: bool,
}

/// The size of an estimate, as far as it limits the next step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// The number of batches of probes.
    pub batches: usize,
    /// Blocks of the block Krylov space beyond the deflated ones.
    pub extra_blocks: usize,
    /// Blocks that may still be added to the block Krylov space.
    pub block_capacity: usize,
}

/// The next step of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The estimate is returned.
    Done { converged: bool },
    /// The exact solver costs less.
    ExactIsCheaper,
    /// Kept probes make more Lanczos steps, and blocks are added to the block Krylov space.
    Deepen { steps: usize, blocks: usize },
    /// Batches of new probes are added.
    AddProbes { batches: usize },
}

impl Assessment {
    /// Reads the uncertainties of an estimate at each pair of t and order.
    pub(crate) fn new(estimate: &Estimate, pairs: &[(f64, f64)], tol: f64, size: Size) -> Self {
        let ideal = estimate.with_exact_probes().with_exact_deflation();
        let is_attainable = |pair: &(f64, f64)| max_over_readings(&ideal, &[*pair], Reading::truncation) < tol;
        let attainable: Vec<(f64, f64)> = pairs.iter().copied().filter(is_attainable).collect();
        let max = |estimate: &Estimate, part: fn(&Reading) -> f64| max_over_readings(estimate, &attainable, part);
        Self {
            products: estimate.info().products,
            probes: estimate.probes(),
            batches: size.batches,
            depth: estimate.depth(),
            extra_blocks: size.extra_blocks,
            block_capacity: size.block_capacity,
            all_attainable: attainable.len() == pairs.len(),
            uncertainty: max(estimate, Reading::uncertainty),
            standard_error: max(estimate, |reading| reading.standard_error),
            truncation: max(estimate, Reading::truncation),
            block_truncation: max(&estimate.with_exact_probes(), Reading::truncation),
            probe_truncation: max(&estimate.with_exact_deflation(), Reading::truncation),
            rounding: max(&ideal, Reading::truncation),
            is_stalled: false,
        }
    }

    /// The number of probes with which the standard error keeps to the part of the tolerance that truncation leaves, or
    /// will leave: the variance of the mean falls like 1 / probes.
    fn needed_probes(&self, goal: &Goal) -> f64 {
        let left = SAMPLING_AIM * (goal.tol - self.truncation).max((1.0 - goal.truncation_share) * goal.tol);
        self.probes as f64 * (self.standard_error / left).powi(2)
    }

    /// The steps of probes and the blocks that bring truncation to `allowed`. Neither reduces rounding, a part of it.
    fn deepen(&self, allowed: f64) -> Decision {
        let share = allowed - self.rounding;
        let of_block = self.block_truncation - self.rounding;
        let of_probes = self.probe_truncation - self.rounding;
        let blocks = if of_block > 0.5 * share { (self.extra_blocks / 2).max(1) } else { 0 };
        let blocks = blocks.min(self.block_capacity);
        if of_probes <= 0.5 * share {
            return Decision::Deepen { steps: 0, blocks };
        }
        let excess = of_probes / (share - of_block).max(0.5 * share);
        Decision::Deepen { steps: more_steps(self.depth, excess), blocks }
    }
}

/// Decides the next step of an estimate.
pub(crate) fn decide(state: &Assessment, goal: &Goal) -> Decision {
    let exact_fits = goal.exact_products.is_some();
    if !state.all_attainable && exact_fits {
        return Decision::ExactIsCheaper;
    }
    if state.uncertainty <= goal.tol {
        return Decision::Done { converged: state.all_attainable };
    }
    let probes = state.probes as f64;
    let needed = state.needed_probes(goal);
    let forecast = state.products as f64 + (needed - probes).max(0.0) * state.depth as f64;
    if goal.exact_products.is_some_and(|exact| state.products >= exact || forecast > exact as f64) {
        return Decision::ExactIsCheaper;
    }
    if state.products >= goal.max_products {
        return Decision::Done { converged: false };
    }
    if state.is_stalled {
        return if exact_fits { Decision::ExactIsCheaper } else { Decision::Done { converged: false } };
    }
    // Sampling that does not need its share leaves it to truncation, but for a margin.
    let share = state.rounding + goal.truncation_share * (goal.tol - state.rounding);
    let allowed = share.max(TOTAL_AIM * goal.tol - state.standard_error);
    if state.truncation > allowed {
        return state.deepen(allowed);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
    let missing = ((needed - probes) / goal.batch_size as f64).ceil() as usize;
    Decision::AddProbes { batches: missing.clamp(1, state.batches.max(1)) }
}

/// The steps to add to a depth for truncation that is `excess` times too large: as if it fell like depth^-2, which is about
/// as slow as it gets where the spectrum goes down to 0, and at most half as many again.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, and saturates")]
fn more_steps(depth: usize, excess: f64) -> usize {
    let missing = (depth as f64 * (excess.sqrt() - 1.0)).ceil().max(1.0) as usize;
    missing.min((depth / 2).max(2))
}

/// The largest of an uncertainty over the readings at these pairs of t and order; infinite where one is not a number.
fn max_over_readings(estimate: &Estimate, pairs: &[(f64, f64)], part: fn(&Reading) -> f64) -> f64 {
    let value = |&(t, order): &(f64, f64)| {
        Some(part(&estimate.read(t, order))).filter(|value| !value.is_nan()).unwrap_or(f64::INFINITY)
    };
    pairs.iter().map(value).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOAL: Goal =
        Goal { tol: 1e-2, truncation_share: 0.5, max_products: 10_000, exact_products: None, batch_size: 16 };

    /// A state within the truncation's share, whose standard error is twice what is left.
    const STATE: Assessment = Assessment {
        products: 500,
        probes: 32,
        batches: 2,
        depth: 10,
        extra_blocks: 4,
        block_capacity: 20,
        all_attainable: true,
        uncertainty: 1.6e-2,
        standard_error: 1.2e-2,
        truncation: 4e-3,
        block_truncation: 1e-3,
        probe_truncation: 3e-3,
        rounding: 1e-9,
        is_stalled: false,
    };

    const EXACT: Goal = Goal { exact_products: Some(5000), ..GOAL };

    #[test]
    fn an_estimate_within_the_tolerance_is_done() {
        let state = Assessment { uncertainty: 1e-2, ..STATE };
        assert_eq!(decide(&state, &GOAL), Decision::Done { converged: true });
        assert_eq!(decide(&state, &EXACT), Decision::Done { converged: true });
        // Products that were made already do not matter then.
        let state = Assessment { products: 20_000, ..state };
        assert_eq!(decide(&state, &EXACT), Decision::Done { converged: true });
    }

    #[test]
    fn rounding_that_takes_the_whole_tolerance_needs_the_exact_solver() {
        let state = Assessment { all_attainable: false, ..STATE };
        assert_eq!(decide(&state, &EXACT), Decision::ExactIsCheaper);
        // Without the exact solver the attainable pairs are refined, and the estimate has not converged.
        assert!(matches!(decide(&state, &GOAL), Decision::AddProbes { .. }));
        let state = Assessment { uncertainty: 0.0, ..state };
        assert_eq!(decide(&state, &GOAL), Decision::Done { converged: false });
    }

    #[test]
    fn the_exact_solver_is_taken_where_it_costs_less() {
        let spent = Assessment { products: 5000, ..STATE };
        assert_eq!(decide(&spent, &EXACT), Decision::ExactIsCheaper);
        // A standard error of 0.1 needs about 10^4 probes of 10 steps.
        let forecast = Assessment { standard_error: 0.1, uncertainty: 0.104, ..STATE };
        assert_eq!(decide(&forecast, &EXACT), Decision::ExactIsCheaper);
        assert!(matches!(decide(&forecast, &GOAL), Decision::AddProbes { .. }));
        assert!(matches!(decide(&STATE, &EXACT), Decision::AddProbes { .. }));
    }

    #[test]
    fn exhausted_products_end_the_estimate() {
        let state = Assessment { products: 10_000, ..STATE };
        assert_eq!(decide(&state, &GOAL), Decision::Done { converged: false });
    }

    #[test]
    fn a_state_that_does_not_change_any_more_ends_the_estimate() {
        let state = Assessment { is_stalled: true, ..STATE };
        assert_eq!(decide(&state, &GOAL), Decision::Done { converged: false });
        assert_eq!(decide(&state, &EXACT), Decision::ExactIsCheaper);
    }

    #[test]
    fn batches_are_added_for_the_standard_error() {
        // 32 (1.2e-2 / 0.95 / 6e-3)^2 = 142 probes are needed, 110 more: 7 batches, of which 2 are added at once.
        assert_eq!(decide(&STATE, &GOAL), Decision::AddProbes { batches: 2 });
        let many = Assessment { batches: 20, ..STATE };
        assert_eq!(decide(&many, &GOAL), Decision::AddProbes { batches: 7 });
        let none = Assessment { probes: 0, batches: 0, ..STATE };
        assert_eq!(decide(&none, &GOAL), Decision::AddProbes { batches: 1 });
    }

    #[test]
    fn truncation_beyond_its_share_deepens_whatever_causes_it() {
        let state = |block_truncation, probe_truncation| Assessment {
            truncation: 1.4e-2,
            uncertainty: 2.6e-2,
            block_truncation,
            probe_truncation,
            ..STATE
        };
        // At most half as many steps again, and half as many blocks.
        assert_eq!(decide(&state(1e-3, 1.4e-2), &GOAL), Decision::Deepen { steps: 5, blocks: 0 });
        assert_eq!(decide(&state(1.4e-2, 1e-3), &GOAL), Decision::Deepen { steps: 0, blocks: 2 });
        assert_eq!(decide(&state(1e-2, 1e-2), &GOAL), Decision::Deepen { steps: 5, blocks: 2 });
        let full = Assessment { block_capacity: 1, ..state(1.4e-2, 1e-3) };
        assert_eq!(decide(&full, &GOAL), Decision::Deepen { steps: 0, blocks: 1 });
    }

    /// With a small standard error truncation may take what that leaves, instead of its share.
    #[test]
    fn sampling_leaves_what_it_does_not_need_to_truncation() {
        let state = Assessment { standard_error: 2e-3, truncation: 7e-3, probe_truncation: 7e-3, ..STATE };
        assert!(matches!(decide(&state, &GOAL), Decision::AddProbes { .. }));
        let state = Assessment { standard_error: 4e-3, ..state };
        assert!(matches!(decide(&state, &GOAL), Decision::Deepen { .. }));
    }

    #[test]
    fn steps_follow_the_square_root_of_the_excess() {
        assert_eq!(more_steps(20, 1.0), 1);
        assert_eq!(more_steps(20, 1.2), 2);
        assert_eq!(more_steps(20, 100.0), 10);
        assert_eq!(more_steps(1, f64::INFINITY), 2);
        assert_eq!(more_steps(5, f64::NAN), 1);
    }
}
