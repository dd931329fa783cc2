//! The middle of the positive entries above the diagonal of a matrix, of which a median of distances is made.
//!
//! A sample of the entries tells between which numbers the middle lies. One pass, by all threads, counts the entries
//! below, above and equal to either, and keeps those between, about 4%, to select from. Where the sample misled, and where
//! there are few, all are kept. Cost: a few comparisons of each entry.

use ndarray::s;

use crate::error::Result;
use crate::linalg::upper_triangle::UpperTriangle;
use crate::runtime::parallel::Job;

/// Entries of the sample. Its middle is off by sqrt(SAMPLE) / 2 ranks, as a standard deviation.
const SAMPLE: usize = 10_000;

/// Ranks of the sample on each side of its middle that are kept, in standard deviations of the middle.
const DEVIATIONS: f64 = 4.0;

/// Entries for each of the sample from which on a sample is taken.
const PER_SAMPLED: usize = 8;

/// The steps of a sequence of pairs that fills the unit square evenly: 1 / g and 1 / g^2 with g^3 = g + 1.
const STEPS: [f64; 2] = [0.754_877_666_246_692_7, 0.569_840_290_998_053_2];

/// Finds the two middle ones of the positive entries above the diagonal, which are one where their number is odd. They are
/// 0 where there are none.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(crate) fn middle_above_diagonal(entries: &UpperTriangle, job: &Job) -> Result<[f64; 2]> {
    if let Some([low, high]) = bracket(entries)
        && let Some(middle) = Counted::new(entries, low, high, job)?.middle()
    {
        return Ok(middle);
    }
    Ok(Counted::new(entries, SMALLEST, f64::INFINITY, job)?.middle().expect("all positive entries were kept"))
}

/// Two numbers between which the middle very likely lies; None where there are few entries.
fn bracket(entries: &UpperTriangle) -> Option<[f64; 2]> {
    let n = entries.dim();
    if n * n / 2 < PER_SAMPLED * SAMPLE {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of n, below n")]
    let place = |k: usize, step: f64| ((k as f64 * step).fract() * n as f64) as usize;
    let pairs = (1..=SAMPLE).map(|k| STEPS.map(|step| place(k, step).min(n - 1)));
    let mut sample: Vec<f64> = pairs.filter(|[i, j]| i != j).map(|[i, j]| entries.get(i, j)).collect();
    sample.retain(|&entry| entry > 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let spread = (DEVIATIONS * (sample.len() as f64).sqrt() / 2.0) as usize;
    let middle = sample.len() / 2;
    let (first, last) = (middle.checked_sub(spread)?, middle + spread);
    (last < sample.len()).then(|| {
        sample.sort_unstable_by(f64::total_cmp);
        [sample[first], sample[last]]
    })
}

/// The smallest positive number.
const SMALLEST: f64 = f64::from_bits(1);

/// The entries above the diagonal between a positive `low` and `high`, and how many others there are.
struct Counted {
    low: f64,
    high: f64,
    /// Positive ones below `low`.
    below: usize,
    at_low: usize,
    /// Those strictly between.
    between: Vec<f64>,
    /// 0 where `high` is `low`.
    at_high: usize,
    above: usize,
}

impl Counted {
    fn new(entries: &UpperTriangle, low: f64, high: f64, job: &Job) -> Result<Self> {
        let nothing = || Self { low, high, below: 0, at_low: 0, between: Vec::new(), at_high: 0, above: 0 };
        let parts = entries.map_blocks(job, |_, block| {
            let mut part = nothing();
            for (i, row) in block.rows().into_iter().enumerate() {
                let right = row.slice_move(s![i + 1..]);
                part.add(right.to_slice().expect("rows are contiguous"));
            }
            part
        })?;
        let sum = |of: fn(&Self) -> usize| parts.iter().map(of).sum();
        let (below, at_low) = (sum(|part| part.below), sum(|part| part.at_low));
        let (at_high, above) = (sum(|part| part.at_high), sum(|part| part.above));
        let between = parts.iter().map(|part| part.between.as_slice()).collect::<Vec<_>>().concat();
        Ok(Self { below, at_low, between, at_high, above, ..nothing() })
    }

    /// Adds a part of a row, without branches: what is between follows no pattern.
    fn add(&mut self, entries: &[f64]) {
        let (low, high) = (self.low, self.high);
        self.below += entries.iter().filter(|&&entry| entry > 0.0 && entry < low).count();
        self.at_low += entries.iter().filter(|&&entry| entry == low).count();
        self.at_high += entries.iter().filter(|&&entry| entry == high && high > low).count();
        self.above += entries.iter().filter(|&&entry| entry > high).count();
        let mut end = self.between.len();
        self.between.resize(end + entries.len(), 0.0);
        for &entry in entries {
            self.between[end] = entry;
            end += usize::from(entry > low && entry < high);
        }
        self.between.truncate(end);
    }

    /// The two middle ones, if they are among those that are known.
    fn middle(mut self) -> Option<[f64; 2]> {
        let positive = self.below + self.at_low + self.between.len() + self.at_high + self.above;
        if positive == 0 {
            return Some([0.0; 2]);
        }
        Some([self.of_rank((positive - 1) / 2)?, self.of_rank(positive / 2)?])
    }

    /// The positive entry of a rank, counted from 0.
    fn of_rank(&mut self, rank: usize) -> Option<f64> {
        let rank = rank.checked_sub(self.below)?;
        let Some(rank) = rank.checked_sub(self.at_low) else { return Some(self.low) };
        if rank < self.between.len() {
            return Some(*self.between.select_nth_unstable_by(rank, f64::total_cmp).1);
        }
        (rank - self.between.len() < self.at_high).then_some(self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    fn middle(entries: &UpperTriangle, threads: usize) -> [f64; 2] {
        parallel::run(threads, || false, |job| middle_above_diagonal(entries, job)).unwrap()
    }

    fn triangle(n: usize, entry: impl Fn(usize, usize) -> f64 + Send + Sync) -> UpperTriangle {
        let mut entries = UpperTriangle::zeros(n).unwrap();
        let write = |job: &Job| {
            entries.for_each_block(job, |first, mut block| {
                block.indexed_iter_mut().for_each(|((i, j), out)| *out = entry(first + i, first + j));
            })
        };
        parallel::run(1, || false, write).unwrap();
        entries
    }

    /// Sorted, all of them, where a sample is taken and where not, where it misleads, and with entries that are equal.
    #[test]
    fn the_middle_is_that_of_all_sorted() {
        let scattered = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f64 - 99.0;
        let few_kinds = |i: usize, j: usize| ((i + j) % 3) as f64;
        let ascending = |i: usize, j: usize| (i * 2000 + j) as f64;
        let late = |i: usize, j: usize| if i < 400 || j < 401 { 0.0 } else { scattered(i, j) };
        let nothing = |_: usize, _: usize| 0.0;
        let below_zero = |i: usize, j: usize| if i > j { 1e6 } else { scattered(i, j) };
        let all: [&(dyn Fn(usize, usize) -> f64 + Send + Sync); 6] =
            [&scattered, &few_kinds, &ascending, &late, &nothing, &below_zero];
        for entry in all {
            for n in [1, 2, 3, 4, 97, 410, 601] {
                let entries = triangle(n, entry);
                let above = (0..n).flat_map(|i| (i + 1..n).map(move |j| entry(i, j)));
                let mut positive: Vec<f64> = above.filter(|&entry| entry > 0.0).collect();
                positive.sort_by(f64::total_cmp);
                let k = positive.len();
                let expected = if k == 0 { [0.0; 2] } else { [positive[(k - 1) / 2], positive[k / 2]] };
                assert_eq!(middle(&entries, 1), expected);
                assert_eq!(middle(&entries, 2), expected);
            }
        }
    }

    /// A bracket holds the middle where ranks say so, also at its ends, and otherwise says that it does not.
    #[test]
    fn a_bracket_that_misses_the_middle_says_so() {
        let n = 500;
        let entries = triangle(n, |i, j| ((i + j) % 5) as f64);
        let counted =
            |low, high| parallel::run(2, || false, |job| Counted::new(&entries, low, high, job)).unwrap().middle();
        assert_eq!(bracket(&entries), Some([2.0, 3.0]));
        for (low, high) in [(2.0, 3.0), (1.0, 4.0), (0.5, 3.5), (SMALLEST, f64::INFINITY)] {
            assert_eq!(counted(low, high), Some([2.0, 3.0]), "{low} {high}");
        }
        for (low, high) in [(3.5, 9.0), (0.5, 1.5), (1.0, 2.0), (2.0, 2.0), (3.0, 4.0)] {
            assert_eq!(counted(low, high), None, "{low} {high}");
        }
        assert_eq!(bracket(&triangle(n, |_, _| 0.0)), None);
    }
}
