//! The rows that may be among the k nearest of one row, from bounds on their distances.
//!
//! Candidates are those whose lower bound is at most the k-th smallest upper bound, widened for ties. That bound is found again whenever
//! the list is twice as long as after the last time, so each row added costs O(1) on average.

use crate::data::ties::TieMargin;

/// A row that may be among the nearest, and bounds on its squared distance.
pub(super) struct Candidate {
    pub(super) lower: f32,
    pub(super) upper: f32,
    /// The number of the row.
    pub(super) j: usize,
}

/// The candidates of one row among the rows seen so far.
pub(super) struct Candidates {
    pub(super) k: usize,
    pub(super) found: Vec<Candidate>,
    /// The k-th smallest upper bound at the last pruning, widened by the margin. A row with a larger lower bound is no candidate. Once the list
    /// has overflowed no row is one.
    pub(super) bound: f32,
    /// The length at which the list is pruned next.
    limit: usize,
    /// The largest limit that there is memory for.
    capacity: usize,
    /// The margin within which distances are tied.
    margin: TieMargin,
}

impl Candidates {
    /// An empty list for the `k` nearest of a row.
    pub(super) fn new(k: usize, capacity: usize, margin: TieMargin) -> Self {
        Self { k, found: Vec::new(), bound: f32::INFINITY, limit: 2 * k + 32, capacity, margin }
    }

    /// A list that held too many candidates, which are dropped. The row is searched again by itself.
    pub(super) fn overflowed(k: usize) -> Self {
        Self { k, found: Vec::new(), bound: f32::NEG_INFINITY, limit: 0, capacity: 0, margin: TieMargin::EXACT }
    }

    /// Whether the list has held too many candidates.
    pub(super) fn has_overflowed(&self) -> bool {
        self.bound == f32::NEG_INFINITY
    }

    /// Adds a candidate; false where there is no memory for as many candidates as are left after pruning.
    pub(super) fn add(&mut self, candidate: Candidate) -> bool {
        if self.found.len() == self.found.capacity() {
            self.found.reserve_exact(self.limit - self.found.len());
        }
        self.found.push(candidate);
        self.found.len() < self.limit || self.prune()
    }

    /// Drops the rows that are no candidates any more; false where there is no memory for as many as are left.
    pub(super) fn prune(&mut self) -> bool {
        if self.found.len() < self.k {
            return true; // rows that became NaN while they were read are no candidates
        }
        let last = self.found.select_nth_unstable_by(self.k - 1, |a, b| a.upper.total_cmp(&b.upper)).1.upper;
        self.bound = self.margin.widened_bound(last);
        self.found.retain(|candidate| candidate.lower <= self.bound);
        self.limit = 2 * self.found.len() + 32;
        self.limit <= self.capacity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that another thread changes while they are read may become NaN, which is near to no row.
    #[test]
    fn lists_of_fewer_than_k_rows_stay_as_they_are() {
        let mut candidates = Candidates::new(3, usize::MAX, TieMargin::EXACT);
        assert!(candidates.prune());
        for (j, upper) in [f32::NAN, 1.0].into_iter().enumerate() {
            assert!(candidates.add(Candidate { lower: 0.0, upper, j }));
        }
        assert!(candidates.prune());
        assert_eq!(candidates.found.len(), 2);
    }
}
