//! The middle of the positive entries above the diagonal of a matrix, of which a median of distances is made.
//!
//! A sample of the entries tells between which numbers the middle lies. One pass, by all threads, counts the entries
//! below and keeps those between, of which few are left to select from. Where the sample misled, all are kept.
//! Cost: N^2 / 2 comparisons; memory: 4% of the entries.

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

/// The middle of the positive entries above the diagonal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Middle {
    /// The two middle ones, which are one where their number is odd; 0 where there are none.
    pub positive: [f64; 2],
    /// The smallest entry above the diagonal, positive or not; infinite where there are none.
    pub smallest: f64,
}

/// Finds the middle of the positive entries above the diagonal.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(crate) fn middle_above_diagonal(entries: &UpperTriangle, job: &Job) -> Result<Middle> {
    let bracketed = match bracket(entries) {
        Some([low, high]) => Counted::new(entries, low, high, job)?.middle(),
        None => None,
    };
    match bracketed {
        Some(middle) => Ok(middle),
        None => {
            Ok(Counted::new(entries, SMALLEST, f64::INFINITY, job)?.middle().expect("all positive entries were kept"))
        }
    }
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

/// The entries above the diagonal from a positive `low` to `high`, and what is known of the others.
struct Counted {
    kept: Vec<f64>,
    /// How many positive ones there are.
    positive: usize,
    /// How many of these are below.
    below: usize,
    smallest: f64,
}

impl Counted {
    fn new(entries: &UpperTriangle, low: f64, high: f64, job: &Job) -> Result<Self> {
        let parts = entries.map_blocks(job, |_, block| {
            let mut part = Self { kept: Vec::new(), positive: 0, below: 0, smallest: f64::INFINITY };
            for (i, row) in block.rows().into_iter().enumerate() {
                let right = row.slice_move(s![i + 1..]);
                part.add(right.to_slice().expect("rows are contiguous"), low, high);
            }
            part
        })?;
        Ok(Self {
            positive: parts.iter().map(|part| part.positive).sum(),
            below: parts.iter().map(|part| part.below).sum(),
            smallest: parts.iter().fold(f64::INFINITY, |smallest, part| smallest.min(part.smallest)),
            kept: parts.into_iter().flat_map(|part| part.kept).collect(),
        })
    }

    /// Adds a part of a row, without branches: what is kept follows no pattern.
    fn add(&mut self, entries: &[f64], low: f64, high: f64) {
        self.positive += entries.iter().filter(|&&entry| entry > 0.0).count();
        self.below += entries.iter().filter(|&&entry| entry > 0.0 && entry < low).count();
        self.smallest = entries.iter().fold(self.smallest, |least, &entry| if entry < least { entry } else { least });
        let mut end = self.kept.len();
        self.kept.resize(end + entries.len(), 0.0);
        for &entry in entries {
            self.kept[end] = entry;
            end += usize::from((low..=high).contains(&entry));
        }
        self.kept.truncate(end);
    }

    /// The middle, if it is among those that were kept.
    fn middle(mut self) -> Option<Middle> {
        if self.positive == 0 {
            return Some(Middle { positive: [0.0; 2], smallest: self.smallest });
        }
        let first = ((self.positive - 1) / 2).checked_sub(self.below)?;
        let second = self.positive / 2 - self.below;
        if second >= self.kept.len() {
            return None;
        }
        let (below, &mut upper, _) = self.kept.select_nth_unstable_by(second, f64::total_cmp);
        let lower = if first == second { upper } else { below.iter().copied().fold(0.0, f64::max) };
        Some(Middle { positive: [lower, upper], smallest: self.smallest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    fn middle(entries: &UpperTriangle, threads: usize) -> Middle {
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
                let above: Vec<f64> = (0..n).flat_map(|i| (i + 1..n).map(move |j| entry(i, j))).collect();
                let mut positive: Vec<f64> = above.iter().copied().filter(|&entry| entry > 0.0).collect();
                positive.sort_by(f64::total_cmp);
                let k = positive.len();
                let expected = Middle {
                    positive: if k == 0 { [0.0; 2] } else { [positive[(k - 1) / 2], positive[k / 2]] },
                    smallest: above.iter().copied().fold(f64::INFINITY, f64::min),
                };
                assert_eq!(middle(&entries, 1), expected);
                assert_eq!(middle(&entries, 2), expected);
            }
        }
    }

    /// Where the sample is of one kind and the entries of another, the bracket holds none of the middle.
    #[test]
    fn a_sample_that_misleads_changes_nothing() {
        let n = 500;
        let mut entries = triangle(n, |_, _| 7.0);
        let low = bracket(&entries).unwrap();
        assert_eq!(low, [7.0, 7.0]);
        let counted =
            |low, high| parallel::run(2, || false, |job| Counted::new(&entries, low, high, job)).unwrap().middle();
        assert_eq!(counted(8.0, 9.0), None);
        assert_eq!(counted(1.0, 6.0), None);
        assert_eq!(counted(7.0, 7.0).unwrap().positive, [7.0; 2]);
        entries = triangle(n, |_, _| 0.0);
        assert_eq!(bracket(&entries), None);
    }
}
