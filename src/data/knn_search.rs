//! The k nearest rows of each row: candidates of all pairs in f32, then the nearest of these in f64.
//!
//! A Gram distance in f32 gives a lower and an upper bound on the exact distance. Candidates of a row are those whose
//! lower bound is at most the k-th smallest upper bound; their distances are computed again in f64. This is exact
//! whichever bounds hold. So pairs of blocks of rows may come in any order, each tile serves its rows and its columns,
//! and the height of blocks may follow the number of threads.
//!
//! Where f32 leaves too many candidates to a row (tight groups far from each other), their distances are computed in f64
//! at once. Where more are left than a row may hold even so (duplicates), its list overflows: it is dropped, and the row
//! is searched afterwards in a block of such rows against all rows. So are all rows where k is not small against N.
//!
//! Cost: N^2 D flops in f32, 2 N D more for each row whose list overflows, and D in f64 for each candidate. Memory: the
//! rows in f32; candidates of all rows, 16 bytes each, at most 8k + 160 a row and mostly a quarter of that; a tile, and
//! all candidates of a block of rows whose lists overflowed, at most 64 MiB, a thread.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use crate::data::candidates::{Candidate, Candidates};
use crate::data::distances::Distances;
use crate::data::points::Points;
use crate::data::ties::TieMargin;
use crate::data::wide_square::WideSquare;
use crate::error::{Error, Result};
use crate::linalg::scaling::halves;
use crate::runtime::lock;
use crate::runtime::parallel::Job;
use crate::runtime::simd::{add_norms_single, next_at_most};

/// Bytes of the candidates of a block of rows whose lists overflowed, at most, unless it is one row. The lists may grow
/// to twice as many.
const OVERFLOW_BYTES: usize = 32 << 20;

/// A search for nearest neighbours: the rows in f32, and the errors of distances computed from them.
pub(crate) struct KnnSearch<'a> {
    points: &'a Points,
    /// The factor from the unit of `points` to that of `centred`: the inverse length of the longest row.
    scale: f64,
    centred: Array2<f32>,
    /// |x - m|^2, less a bound on its share of the error of a distance.
    lower: Vec<f32>,
    /// The width of the error interval of each row: twice the bound that `lower` subtracts.
    slack: Vec<f32>,
    /// The margin of each row within which distances are tied; none where ties are exact.
    margins: Vec<TieMargin>,
}

impl<'a> KnnSearch<'a> {
    /// Rounds the rows to f32. Where their unit roundoff is given as `rounding`, ties are those that it explains, else
    /// those of equal distances.
    pub(crate) fn new(points: &'a Points, rounding: Option<f64>) -> Self {
        // A distance is a sum of D products of rounded entries. The entries, the products, the sums and the norms are
        // rounded, and |x| |y| is at most (|x|^2 + |y|^2) / 2: half of this would be a bound.
        let error = (points.dim() as f64 + 16.0) * f64::from(f32::EPSILON);
        // The longest row gets a length near 1, so that nothing overflows.
        let longest = points.squared_norms().iter().fold(0.0, |longest: f64, norm| longest.max(norm.sqrt()));
        let scale = if longest > 0.0 { longest.recip() } else { 1.0 };
        let scaled = |norm: &f64| norm.sqrt() * scale;
        Self {
            points,
            scale,
            centred: points.centred().mapv(|entry| single(entry * scale)),
            lower: points.squared_norms().iter().map(|norm| single(scaled(norm).powi(2) * (1.0 - error))).collect(),
            slack: points
                .squared_norms()
                .iter()
                .map(|norm| single(scaled(norm).powi(2) * 2.0 * error) + f32::MIN_POSITIVE)
                .collect(),
            margins: rounding.map(|u| TieMargin::of_rows(points, u)).unwrap_or_default(),
        }
    }

    /// The margin of row i, in units of the data.
    pub(super) fn margin(&self, i: usize) -> TieMargin {
        self.margins.get(i).copied().unwrap_or(TieMargin::EXACT)
    }

    /// The margin of row i, in units of `centred`.
    fn scaled_margin(&self, i: usize) -> TieMargin {
        let (half, rest) = halves(-self.points.exponent());
        self.margin(i).in_units(half).in_units(rest).in_units(self.scale)
    }

    /// Bytes that a search holds at most, without its results and its tiles.
    pub(crate) fn bytes(points: &Points, k: usize, job: &Job) -> u64 {
        let held = if is_small(k, points.len(), job) { size_of::<Candidate>() * max_candidates(k) } else { 0 };
        let row = size_of::<Candidates>() + size_of::<TieMargin>() + 4 * points.dim();
        let [_, highest] = job.tuning().neighbors.block_rows;
        let all_of_a_block = 2 * OVERFLOW_BYTES.min(size_of::<Candidate>() * highest * points.len());
        let for_rows = (points.len() as u64).saturating_mul((row as u64).saturating_add(held as u64));
        for_rows.saturating_add((job.threads() * all_of_a_block) as u64)
    }

    /// Rows that may have all others as candidates at once.
    fn max_overflowed_rows(&self) -> usize {
        (OVERFLOW_BYTES / (size_of::<Candidate>() * self.points.len())).max(1)
    }

    /// Calls `write` for each row with one of `outputs`, the number of the row, and its `k` nearest rows, itself
    /// counted: squared distances and numbers, ascending. All rows tied with the k-th are among them.
    pub(crate) fn nearest<O: Send>(
        &self,
        k: usize,
        job: &Job,
        outputs: impl IndexedParallelIterator<Item = O>,
        write: impl Fn(&mut O, usize, Vec<(WideSquare, usize)>) + Send + Sync,
    ) -> Result<()> {
        job.in_tasks(|| {
            let candidates = self.candidates_of_all_rows(k, job)?;
            let rows = candidates.into_par_iter().zip(outputs).enumerate();
            let overflowed = rows.filter_map(|(i, (candidates, mut output))| {
                if candidates.has_overflowed() {
                    return Some(Ok((i, output)));
                }
                let nearest = job.check().and_then(|()| self.nearest_of(i, candidates)); // without BLAS
                nearest.map(|nearest| write(&mut output, i, nearest)).err().map(Err)
            });
            let mut overflowed = overflowed.collect::<Result<Vec<(usize, O)>>>()?;
            let height = block_height(overflowed.len(), job).min(self.max_overflowed_rows());
            overflowed.par_chunks_mut(height).with_max_len(1).try_for_each(|block| {
                let rows: Vec<usize> = block.iter().map(|&(i, _)| i).collect();
                let candidates = self.candidates_of_rows(&rows, k, job)?;
                for ((i, output), candidates) in block.iter_mut().zip(candidates) {
                    job.check()?;
                    write(output, *i, self.nearest_of(*i, candidates)?);
                }
                Ok(())
            })
        })
    }

    /// The candidates of all rows. Lists that grow too long have overflowed.
    fn candidates_of_all_rows(&self, k: usize, job: &Job) -> Result<Vec<Candidates>> {
        let n = self.points.len();
        if !is_small(k, n, job) {
            return Ok((0..n).map(|_| Candidates::overflowed(k)).collect());
        }
        let height = block_height(n, job);
        let rows = |b: usize| b * height..((b + 1) * height).min(n);
        let none = |b: usize| {
            Mutex::new(rows(b).map(|i| Candidates::new(k, max_candidates(k), self.scaled_margin(i))).collect())
        };
        let blocks: Vec<Mutex<Vec<Candidates>>> = (0..n.div_ceil(height)).map(none).collect();
        let all_overflowed = |b: usize| lock(&blocks[b]).iter().all(Candidates::has_overflowed);
        let buffer = || Array2::<f32>::zeros((height, height));
        tournament(blocks.len()).par_bridge().try_for_each_init(buffer, |buffer, (one, other)| {
            let _task = job.task()?;
            if all_overflowed(one) && all_overflowed(other) {
                return Ok(());
            }
            let (rows, columns) = (rows(one), rows(other));
            let mut tile = buffer.slice_mut(s![..rows.len(), ..columns.len()]);
            let left = self.centred.slice(s![rows.clone(), ..]);
            general_mat_mul(-2.0, &left, &self.centred.slice(s![columns.clone(), ..]).t(), 0.0, &mut tile);
            // Deadlock is not possible: every thread locks the block of the lower number first.
            let mut own = lock(&blocks[one]);
            let mut others = (one != other).then(|| lock(&blocks[other]));
            let others = others.as_deref_mut().map(Vec::as_mut_slice).unwrap_or_default();
            self.filter_tile(rows, columns, tile, &mut own, others);
            Ok(())
        })?;
        Ok(blocks.into_iter().flat_map(|block| block.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
    }

    /// The candidates of some rows, however many there are.
    fn candidates_of_rows(&self, rows: &[usize], k: usize, job: &Job) -> Result<Vec<Candidates>> {
        let n = self.points.len();
        let [_, width] = job.tuning().neighbors.block_rows;
        let none = |&i: &usize| Candidates::new(k, usize::MAX, self.scaled_margin(i));
        let mut candidates: Vec<Candidates> = rows.iter().map(none).collect();
        let mut buffer = Array2::<f32>::zeros((rows.len(), width.min(n)));
        let left = self.centred.select(Axis(0), rows);
        let mut task = job.task()?;
        for first in (0..n).step_by(width) {
            task.pause()?;
            let columns = first..(first + width).min(n);
            let mut tile = buffer.slice_mut(s![.., ..columns.len()]);
            general_mat_mul(-2.0, &left, &self.centred.slice(s![columns.clone(), ..]).t(), 0.0, &mut tile);
            self.filter_tile(rows.iter().copied(), columns, tile, &mut candidates, &mut []);
        }
        Ok(candidates)
    }

    /// Finds candidates in a tile of -2 <x, y>: columns for each row's `own`, and rows for the `others` of each column,
    /// unless `others` is empty.
    fn filter_tile(
        &self,
        rows: impl Iterator<Item = usize>,
        columns: Range<usize>,
        mut tile: ArrayViewMut2<f32>,
        own: &mut [Candidates],
        others: &mut [Candidates],
    ) {
        let mut bounds = vec![f32::NEG_INFINITY; columns.len()];
        for (bound, other) in bounds.iter_mut().zip(&*others) {
            *bound = other.bound;
        }
        for ((i, mut line), own) in rows.zip(tile.rows_mut()).zip(own) {
            let line = line.as_slice_mut().expect("the rows of a tile are contiguous");
            add_norms_single(line, self.lower[i], &self.lower[columns.clone()]);
            let mut at = next_at_most(line, own.bound, &bounds, 0);
            while let Some(&lower) = line.get(at) {
                let j = columns.start + at;
                let upper = lower + (self.slack[i] + self.slack[j]);
                if lower <= own.bound {
                    self.add(i, own, Candidate { lower, upper, j });
                }
                if lower <= bounds[at] {
                    self.add(j, &mut others[at], Candidate { lower, upper, j: i });
                    bounds[at] = others[at].bound;
                }
                at = next_at_most(line, own.bound, &bounds, at + 1);
            }
        }
    }

    /// Adds a candidate of row i. Where the list becomes too long, its bounds are computed in f64; where that leaves too
    /// many as well, the list overflows.
    fn add(&self, i: usize, candidates: &mut Candidates, candidate: Candidate) {
        if candidates.add(candidate) {
            return;
        }
        for candidate in &mut candidates.found {
            (candidate.lower, candidate.upper) = self.bounds_in_f64(i, candidate.j);
        }
        if !candidates.prune() {
            *candidates = Candidates::overflowed(candidates.k);
        }
    }

    /// Bounds on a distance that is computed in f64: as close to it as numbers in f32 are.
    fn bounds_in_f64(&self, i: usize, j: usize) -> (f32, f32) {
        let squared = self.points.squared_distance(i, j).in_unit(self.points.exponent()) * self.scale * self.scale;
        let error = f64::from(f32::EPSILON);
        (single(squared * (1.0 - error)) - f32::MIN_POSITIVE, single(squared * (1.0 + error)) + f32::MIN_POSITIVE)
    }

    /// The nearest of the candidates of row i by their distances in f64, ascending.
    fn nearest_of(&self, i: usize, mut candidates: Candidates) -> Result<Vec<(WideSquare, usize)>> {
        candidates.prune();
        let k = candidates.k;
        if candidates.found.len() < k {
            // The rows were finite when they were checked, and another thread has written to them since.
            return Err(Error::invalid("x", "left as it is while a call reads it", "rows that changed"));
        }
        let mut nearest: Vec<(WideSquare, usize)> =
            candidates.found.into_iter().map(|c| (self.points.squared_distance(i, c.j), c.j)).collect();
        nearest.sort_unstable_by(|a, b| a.0.order(&b.0).then(a.1.cmp(&b.1)));
        let radius = self.margin(i).widened_square(nearest[k - 1].0);
        nearest.truncate(nearest.partition_point(|(squared, _)| squared.order(&radius).is_le()));
        Ok(nearest)
    }
}

/// Rounds a number to f32.
#[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
fn single(x: f64) -> f32 {
    x as f32
}

/// Whether `k` is so small against `n` that candidates of all rows are held at once.
fn is_small(k: usize, n: usize, job: &Job) -> bool {
    k <= n / job.tuning().neighbors.rows_per_neighbor
}

/// The number of rows of each block of `n` rows.
fn block_height(n: usize, job: &Job) -> usize {
    let tuning = &job.tuning().neighbors;
    let [lowest, highest] = tuning.block_rows;
    n.div_ceil(tuning.blocks_per_thread * job.threads()).next_multiple_of(lowest).clamp(lowest, highest)
}

/// The pairs of `n` blocks, the lower one first: each block with itself, then the rounds of a tournament by the circle
/// method. In a round every block meets one other, so pairs that are close in this order share no block.
fn tournament(n: usize) -> impl Iterator<Item = (usize, usize)> + Send {
    // The last block of an even number stays and the others go around it. Where n is odd there is no block `n`, and its
    // pairs are left out.
    let others = n.next_multiple_of(2) - 1;
    let meet = move |round: usize, table: usize| match table {
        0 => (round, others),
        _ => ((round + table) % others, (round + others - table) % others),
    };
    let rounds = (0..others).flat_map(move |round| (0..n.div_ceil(2)).map(move |table| meet(round, table)));
    let pairs = rounds.map(|(one, other)| (one.min(other), one.max(other))).filter(move |&(_, other)| other < n);
    (0..n).map(|b| (b, b)).chain(pairs)
}

/// The candidates that a row holds at most while all rows hold theirs.
fn max_candidates(k: usize) -> usize {
    8 * k + 160
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    fn noise(i: usize, j: usize) -> f64 {
        ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f64 / 10_007.0
    }

    #[test]
    fn every_pair_of_blocks_meets_once_and_no_block_twice_in_a_round() {
        for n in 1..20 {
            let pairs: Vec<(usize, usize)> = tournament(n).collect();
            assert!(pairs[..n].iter().copied().eq((0..n).map(|b| (b, b))));
            for round in pairs[n..].chunks(n / 2 + usize::from(n == 1)) {
                let mut blocks: Vec<usize> = round.iter().flat_map(|&(one, other)| [one, other]).collect();
                blocks.sort_unstable();
                blocks.dedup();
                assert_eq!(blocks.len(), 2 * round.len(), "{round:?}");
            }
            let mut sorted = pairs;
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq((0..n).flat_map(|one| (one..n).map(move |other| (one, other)))));
        }
    }

    /// Where distances differ, if only in f64, no list overflows. With k above N / 16 all count as overflowed.
    #[test]
    fn lists_overflow_where_more_rows_tie_than_they_may_hold() {
        let n = 1100;
        let rows = |row: fn(usize, usize) -> f64| Array2::from_shape_fn((n, 3), |(i, j)| row(i, j));
        let several = rows(noise);
        let groups = rows(|i, j| noise(i, j) + 1e8 * (i % 3) as f64);
        let outlier = rows(|i, j| if i == 7 { 1e30 } else { noise(i, j) });
        let one = rows(|_, _| 1.0);
        let cases =
            [(&several, n / 16, 0), (&several, n / 16 + 1, n), (&groups, 5, 0), (&outlier, 5, n), (&one, 5, n)];
        for (x, k, number) in cases {
            assert_eq!(overflowed(x, k).len(), number, "{k}");
        }
        let half = rows(|i, j| if i % 2 == 0 { 0.5 } else { noise(i, j) });
        assert!(overflowed(&half, 5).into_iter().eq((0..n).step_by(2)));
    }

    fn overflowed(x: &Array2<f64>, k: usize) -> Vec<usize> {
        let points = Points::in_own_scale(x.view());
        let search = KnnSearch::new(&points, None);
        let of_all =
            parallel::run(2, || false, |job| job.parallel(|| search.candidates_of_all_rows(k, job))).unwrap();
        for candidates in &of_all {
            assert!(candidates.found.capacity() <= max_candidates(k));
            assert!(candidates.has_overflowed() == candidates.found.is_empty());
        }
        (0..).zip(of_all).filter(|(_, candidates)| candidates.has_overflowed()).map(|(i, _)| i).collect()
    }

    /// Rows far from the origin, of lengths that differ, of any scale.
    #[test]
    fn bounds_hold_what_they_bound() {
        let noise = |i: usize, j: usize| ((i * 31 + j * 17) % 23) as f64 + 1e7;
        for scale in [1e-140, 1.0, 1e140] {
            let x = Array2::from_shape_fn((60, 7), |(i, j)| noise(i, j) * scale * 0.77_f64.powf(i as f64));
            let points = Points::new(x.view(), scale);
            let search = KnnSearch::new(&points, None);
            let longest = points.squared_norms().iter().fold(0.0, |a: f64, b| a.max(*b));
            for i in 0..60 {
                for j in 0..60 {
                    let product = search.centred.row(i).dot(&search.centred.row(j));
                    let lower = -2.0 * product + (search.lower[i] + search.lower[j]);
                    let upper = lower + (search.slack[i] + search.slack[j]);
                    let exact = points.squared_distance(i, j).in_unit(points.exponent()) / longest;
                    assert!(
                        (f64::from(lower)..=f64::from(upper)).contains(&exact),
                        "{i} {j}: {lower} {exact} {upper}"
                    );
                    let (lower, upper) = search.bounds_in_f64(i, j);
                    assert!(f64::from(lower) < exact && exact < f64::from(upper), "{i} {j}: {lower} {exact} {upper}");
                    assert!(f64::from(upper - lower) <= 4e-7 * exact + 4e-38, "{i} {j}: {lower} {exact} {upper}");
                }
            }
        }
    }
}
