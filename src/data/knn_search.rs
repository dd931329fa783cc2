//! The k nearest rows of each row: candidates of all pairs in f32, then the nearest of these in f64.
//!
//! A Gram distance in f32 stands between two bounds of the exact one. Candidates of a row are those whose lower bound
//! is at most the k-th smallest upper bound; they are computed again from the rows as they were given. This is exact
//! whichever bounds hold, so pairs of blocks of rows come in any order, each tile serves its rows and its columns, and
//! the height of blocks may follow the number of threads.
//!
//! Where f32 tells too few candidates of a row apart (tight groups far from each other), their distances are computed
//! in f64 at once. Where more are left than a row may hold even so (duplicates), it is crowded: what it holds is
//! dropped, and it is searched afterwards in a block of crowded rows against all rows. So are all rows where k is not
//! small against N.
//!
//! Cost: N^2 D flops in f32, 2 N D more for each crowded row, and D in f64 for each candidate. Memory: the rows in f32;
//! candidates of all rows, 16 bytes each, at most 8k + 160 a row and mostly a quarter of that; a tile, and all
//! candidates of a block of crowded rows, at most 64 MiB, a thread.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use crate::data::distances::Distances;
use crate::data::points::Points;
use crate::error::Result;
use crate::runtime::lock;
use crate::runtime::parallel::Job;
use crate::runtime::simd::{add_norms_single, next_at_most};

/// Rows of a block at most, and columns of a tile: 1 MiB, so that it stays in the cache of a core.
const BLOCK_ROWS: usize = 512;

/// Blocks for each thread, unless they would be lower than [`LOWEST_BLOCK`] or higher than [`BLOCK_ROWS`]. Half as many
/// pairs share no block.
const BLOCKS_A_THREAD: usize = 4;
const LOWEST_BLOCK: usize = 64;

/// Bytes of the candidates of a block of crowded rows at most, unless it is one row; they may grow to twice as many.
const CROWDED_BYTES: usize = 32 << 20;

/// Where k is more than N over this, candidates of all rows would take as much memory as N^2 distances, and be most of
/// the work: all rows are searched as crowded ones are.
const SMALL_PART: usize = 16;

/// The rows in f32, for bounds on their distances.
pub(crate) struct Screen<'a> {
    points: &'a Points,
    /// What their unit is multiplied by.
    scale: f64,
    centred: Array2<f32>,
    /// |x - m|^2, less what bounds its share of the error of a distance.
    lower: Vec<f32>,
    /// Twice that share.
    slack: Vec<f32>,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(points: &'a Points) -> Self {
        // Of a sum of D products of rounded entries, the entries, the products, the sums, the norms and what is added
        // to them rounded, with |x| |y| at most (|x|^2 + |y|^2) / 2: half of this would do.
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
        }
    }

    /// Bytes that a search holds at most beside its results, but for tiles.
    pub(crate) fn bytes(points: &Points, k: usize, job: &Job) -> u64 {
        let held = if is_small_part(k, points.len()) { size_of::<Candidate>() * most_held(k) } else { 0 };
        let row = size_of::<Candidates>() + 4 * points.dim();
        let all_of_a_block = 2 * CROWDED_BYTES.min(size_of::<Candidate>() * BLOCK_ROWS * points.len());
        let for_rows = (points.len() as u64).saturating_mul((row as u64).saturating_add(held as u64));
        for_rows.saturating_add((job.threads() * all_of_a_block) as u64)
    }

    /// Rows that may have all others as candidates at once.
    fn most_crowded_rows(&self) -> usize {
        (CROWDED_BYTES / (size_of::<Candidate>() * self.points.len())).max(1)
    }

    /// Gives `write` the `k` nearest of each row, itself counted: squared distances and numbers, ascending. Those as far
    /// as the k-th are all there. It is given one of `outputs` and the number of the row as well.
    pub(crate) fn nearest<O: Send>(
        &self,
        k: usize,
        job: &Job,
        outputs: impl IndexedParallelIterator<Item = O>,
        write: impl Fn(&mut O, usize, Vec<(f64, usize)>) + Send + Sync,
    ) -> Result<()> {
        job.parallel(|| {
            let candidates = self.of_all_pairs(k, job)?;
            let rows = candidates.into_par_iter().zip(outputs).enumerate();
            let crowded = rows.filter_map(|(i, (candidates, mut output))| {
                if candidates.is_crowded() {
                    return Some(Ok((i, output)));
                }
                let stopped = job.check().err();
                if stopped.is_none() {
                    write(&mut output, i, self.exact(i, candidates));
                }
                stopped.map(Err)
            });
            let mut crowded = crowded.collect::<Result<Vec<(usize, O)>>>()?;
            let height = block_height(crowded.len(), job).min(self.most_crowded_rows());
            crowded.par_chunks_mut(height).with_max_len(1).try_for_each(|block| {
                let rows: Vec<usize> = block.iter().map(|&(i, _)| i).collect();
                let candidates = self.of_rows(&rows, k, job)?;
                for ((i, output), candidates) in block.iter_mut().zip(candidates) {
                    job.check()?;
                    write(output, *i, self.exact(*i, candidates));
                }
                Ok(())
            })
        })
    }

    /// The candidates of all rows, none of those that are crowded.
    fn of_all_pairs(&self, k: usize, job: &Job) -> Result<Vec<Candidates>> {
        let n = self.points.len();
        if !is_small_part(k, n) {
            return Ok((0..n).map(|_| Candidates::crowded(k)).collect());
        }
        let height = block_height(n, job);
        let rows = |b: usize| b * height..((b + 1) * height).min(n);
        let none = |b: usize| Mutex::new(rows(b).map(|_| Candidates::new(k, most_held(k))).collect());
        let blocks: Vec<Mutex<Vec<Candidates>>> = (0..n.div_ceil(height)).map(none).collect();
        let all_crowded = |b: usize| lock(&blocks[b]).iter().all(Candidates::is_crowded);
        let buffer = || Array2::<f32>::zeros((height, height));
        tournament(blocks.len()).par_bridge().try_for_each_init(buffer, |buffer, (one, other)| {
            job.check()?;
            if all_crowded(one) && all_crowded(other) {
                return Ok(());
            }
            let (rows, columns) = (rows(one), rows(other));
            let mut tile = buffer.slice_mut(s![..rows.len(), ..columns.len()]);
            let left = self.centred.slice(s![rows.clone(), ..]);
            general_mat_mul(-2.0, &left, &self.centred.slice(s![columns.clone(), ..]).t(), 0.0, &mut tile);
            // The first of a pair is locked first, and is the lower one: nobody waits in a circle.
            let mut own = lock(&blocks[one]);
            let mut others = (one != other).then(|| lock(&blocks[other]));
            let others = others.as_deref_mut().map(Vec::as_mut_slice).unwrap_or_default();
            self.sift(rows, columns, tile, &mut own, others);
            Ok(())
        })?;
        Ok(blocks.into_iter().flat_map(|block| block.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
    }

    /// The candidates of some rows, however many there are.
    fn of_rows(&self, rows: &[usize], k: usize, job: &Job) -> Result<Vec<Candidates>> {
        let n = self.points.len();
        let mut candidates: Vec<Candidates> = rows.iter().map(|_| Candidates::new(k, usize::MAX)).collect();
        let mut buffer = Array2::<f32>::zeros((rows.len(), BLOCK_ROWS.min(n)));
        let left = self.centred.select(Axis(0), rows);
        for first in (0..n).step_by(BLOCK_ROWS) {
            job.check()?;
            let columns = first..(first + BLOCK_ROWS).min(n);
            let mut tile = buffer.slice_mut(s![.., ..columns.len()]);
            general_mat_mul(-2.0, &left, &self.centred.slice(s![columns.clone(), ..]).t(), 0.0, &mut tile);
            self.sift(rows.iter().copied(), columns, tile, &mut candidates, &mut []);
        }
        Ok(candidates)
    }

    /// Makes candidates of a tile of -2 <x, y>: columns for each row's `own`, and rows for the `others` of each column,
    /// unless there are none.
    fn sift(
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

    /// Adds to the candidates of row i, and sees to it that they do not become too many.
    fn add(&self, i: usize, candidates: &mut Candidates, candidate: Candidate) {
        if candidates.add(candidate) {
            return;
        }
        for candidate in &mut candidates.found {
            (candidate.lower, candidate.upper) = self.known_bounds(i, candidate.j);
        }
        if !candidates.prune() {
            *candidates = Candidates::crowded(candidates.k);
        }
    }

    /// Bounds of a distance that is computed in f64: as near as numbers in f32 are.
    fn known_bounds(&self, i: usize, j: usize) -> (f32, f32) {
        let squared = self.points.squared_distance(i, j) * self.scale * self.scale;
        let error = f64::from(f32::EPSILON);
        (single(squared * (1.0 - error)) - f32::MIN_POSITIVE, single(squared * (1.0 + error)) + f32::MIN_POSITIVE)
    }

    fn exact(&self, i: usize, mut candidates: Candidates) -> Vec<(f64, usize)> {
        candidates.prune();
        let k = candidates.k;
        let mut nearest: Vec<(f64, usize)> =
            candidates.found.into_iter().map(|c| (self.points.squared_distance(i, c.j), c.j)).collect();
        nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let radius = nearest[k - 1].0;
        nearest.truncate(nearest.partition_point(|&(squared, _)| squared <= radius));
        nearest
    }
}

#[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
fn single(x: f64) -> f32 {
    x as f32
}

fn is_small_part(k: usize, n: usize) -> bool {
    k <= n / SMALL_PART
}

/// Rows of each of the blocks of `n` rows.
fn block_height(n: usize, job: &Job) -> usize {
    n.div_ceil(BLOCKS_A_THREAD * job.threads()).next_multiple_of(LOWEST_BLOCK).clamp(LOWEST_BLOCK, BLOCK_ROWS)
}

/// The pairs of `n` blocks, the lower one first: each block with itself, then the rounds of a tournament, in each of
/// which every block meets one other, so that pairs near each other in this order share none.
fn tournament(n: usize) -> impl Iterator<Item = (usize, usize)> + Send {
    // One stays and the others go around it; where their number is odd, nobody stands there.
    let others = n.next_multiple_of(2) - 1;
    let meet = move |round: usize, table: usize| match table {
        0 => (round, others),
        _ => ((round + table) % others, (round + others - table) % others),
    };
    let rounds = (0..others).flat_map(move |round| (0..n.div_ceil(2)).map(move |table| meet(round, table)));
    let pairs = rounds.map(|(one, other)| (one.min(other), one.max(other))).filter(move |&(_, other)| other < n);
    (0..n).map(|b| (b, b)).chain(pairs)
}

/// Candidates that a row holds at most while all rows hold theirs.
fn most_held(k: usize) -> usize {
    8 * k + 160
}

/// A row that may be among the nearest, and what bounds its squared distance.
struct Candidate {
    lower: f32,
    upper: f32,
    j: usize,
}

/// The rows seen so far that may be among the k nearest of a row.
struct Candidates {
    k: usize,
    found: Vec<Candidate>,
    /// The k-th smallest upper bound at the last pruning: nothing farther counts. Nothing does where it is crowded.
    bound: f32,
    /// As many are let in before the next pruning.
    limit: usize,
    /// There is no room for more where the limit would be beyond.
    most: usize,
}

impl Candidates {
    fn new(k: usize, most: usize) -> Self {
        Self { k, found: Vec::new(), bound: f32::INFINITY, limit: 2 * k + 32, most }
    }

    fn crowded(k: usize) -> Self {
        Self { k, found: Vec::new(), bound: f32::NEG_INFINITY, limit: 0, most: 0 }
    }

    fn is_crowded(&self) -> bool {
        self.bound == f32::NEG_INFINITY
    }

    /// Tells, as pruning does, whether there is room for more.
    fn add(&mut self, candidate: Candidate) -> bool {
        if self.found.len() == self.found.capacity() {
            self.found.reserve_exact(self.limit - self.found.len());
        }
        self.found.push(candidate);
        self.found.len() < self.limit || self.prune()
    }

    fn prune(&mut self) -> bool {
        self.bound = self.found.select_nth_unstable_by(self.k - 1, |a, b| a.upper.total_cmp(&b.upper)).1.upper;
        self.found.retain(|candidate| candidate.lower <= self.bound);
        self.limit = 2 * self.found.len() + 32;
        self.limit <= self.most
    }
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

    /// Where distances differ, if only in f64, none is; with k above N / 16 all are searched as such.
    #[test]
    fn rows_are_crowded_where_more_tie_than_they_may_hold() {
        let n = 1100;
        let rows = |row: fn(usize, usize) -> f64| Array2::from_shape_fn((n, 3), |(i, j)| row(i, j));
        let several = rows(noise);
        let groups = rows(|i, j| noise(i, j) + 1e8 * (i % 3) as f64);
        let outlier = rows(|i, j| if i == 7 { 1e30 } else { noise(i, j) });
        let one = rows(|_, _| 1.0);
        let cases =
            [(&several, n / 16, 0), (&several, n / 16 + 1, n), (&groups, 5, 0), (&outlier, 5, n), (&one, 5, n)];
        for (x, k, number) in cases {
            assert_eq!(crowded(x, k).len(), number, "{k}");
        }
        let half = rows(|i, j| if i % 2 == 0 { 0.5 } else { noise(i, j) });
        assert!(crowded(&half, 5).into_iter().eq((0..n).step_by(2)));
    }

    fn crowded(x: &Array2<f64>, k: usize) -> Vec<usize> {
        let points = Points::in_own_scale(x.view());
        let screen = Screen::new(&points);
        let of_all = parallel::run(2, || false, |job| job.parallel(|| screen.of_all_pairs(k, job))).unwrap();
        for candidates in &of_all {
            assert!(candidates.found.capacity() <= most_held(k));
            assert!(candidates.is_crowded() == candidates.found.is_empty());
        }
        (0..).zip(of_all).filter(|(_, candidates)| candidates.is_crowded()).map(|(i, _)| i).collect()
    }

    /// Rows far from the origin, of lengths that differ, of any scale.
    #[test]
    fn bounds_hold_what_they_bound() {
        let noise = |i: usize, j: usize| ((i * 31 + j * 17) % 23) as f64 + 1e7;
        for scale in [1e-140, 1.0, 1e140] {
            let x = Array2::from_shape_fn((60, 7), |(i, j)| noise(i, j) * scale * 0.77_f64.powf(i as f64));
            let points = Points::new(x.view(), scale);
            let screen = Screen::new(&points);
            let longest = points.squared_norms().iter().fold(0.0, |a: f64, b| a.max(*b));
            for i in 0..60 {
                for j in 0..60 {
                    let product = screen.centred.row(i).dot(&screen.centred.row(j));
                    let lower = -2.0 * product + (screen.lower[i] + screen.lower[j]);
                    let upper = lower + (screen.slack[i] + screen.slack[j]);
                    let exact = points.squared_distance(i, j) / longest;
                    assert!(
                        (f64::from(lower)..=f64::from(upper)).contains(&exact),
                        "{i} {j}: {lower} {exact} {upper}"
                    );
                    let (lower, upper) = screen.known_bounds(i, j);
                    assert!(f64::from(lower) < exact && exact < f64::from(upper), "{i} {j}: {lower} {exact} {upper}");
                    assert!(f64::from(upper - lower) <= 4e-7 * exact + 4e-38, "{i} {j}: {lower} {exact} {upper}");
                }
            }
        }
    }
}
