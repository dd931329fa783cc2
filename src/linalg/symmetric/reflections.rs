//! Householder reflections of the blocks of a band matrix, in vectors.
//!
//! A block has `width` columns, which are `2 width` numbers apart, and a width is `V` vectors. Entry (i, j) of the matrix
//! is at j 2 width + i - j, so a column of a block on the diagonal begins at its diagonal entry. Functions are generic
//! over the instruction set `S`, which `band_to_tridiagonal.rs` chooses at run time.

#![expect(clippy::inline_always, reason = "a function that is not inlined is not compiled for the chosen vectors")]

use pulp::Simd;

/// The widest band.
pub(super) const MAX_WIDTH: usize = 48;
/// The largest square, in units of the square of the largest entry, that is taken as zero.
const NEGLIGIBLE_SQUARE: f64 = 1e-280;
/// The lanes of the widest vectors.
const MAX_LANES: usize = 8;

/// A reflection I - tau v v'.
#[derive(Clone)]
pub(super) struct Reflection {
    tau: f64,
    v: [f64; MAX_WIDTH],
}

impl Reflection {
    /// The reflection that changes nothing.
    pub(super) const IDENTITY: Self = Self { tau: 0.0, v: [0.0; MAX_WIDTH] };

    /// Becomes the reflection that takes x to a multiple of the first unit vector, and applies it to x.
    #[inline(always)]
    pub(super) fn annihilate<S: Simd, const V: usize>(&mut self, simd: S, x: &mut [f64]) {
        self.tau = reflect::<S, V>(simd, x, &mut self.v[..V * S::F64_LANES]);
    }
}

/// Reads `V` vectors.
#[inline(always)]
fn load<S: Simd, const V: usize>(entries: &[f64]) -> [S::f64s; V] {
    *S::as_simd_f64s(&entries[..V * S::F64_LANES]).0.first_chunk().expect("the slice has V vectors")
}

/// Writes `V` vectors.
#[inline(always)]
fn store<S: Simd, const V: usize>(entries: &mut [f64], vectors: [S::f64s; V]) {
    *S::as_mut_simd_f64s(&mut entries[..V * S::F64_LANES]).0.first_chunk_mut().expect("the slice has V vectors") =
        vectors;
}

/// The inner product of a and b.
#[inline(always)]
fn dot<S: Simd, const V: usize>(simd: S, a: &[S::f64s; V], b: &[S::f64s; V]) -> f64 {
    let mut sums = simd.mul_f64s(a[0], b[0]);
    for (a, b) in a.iter().zip(b).skip(1) {
        sums = simd.mul_add_f64s(*a, *b, sums);
    }
    simd.reduce_sum_f64s(sums)
}

/// Adds `factor x` to y.
#[inline(always)]
fn add_multiple<S: Simd, const V: usize>(simd: S, y: &mut [S::f64s; V], x: &[S::f64s; V], factor: f64) {
    let factor = simd.splat_f64s(factor);
    for (y, x) in y.iter_mut().zip(x) {
        *y = simd.mul_add_f64s(*x, factor, *y);
    }
}

/// Takes x to a multiple of the first unit vector. Writes v of the reflection that does it and returns its tau, which is
/// 0 where the other entries of x are zero or too small to be squared.
#[inline(always)]
fn reflect<S: Simd, const V: usize>(simd: S, x: &mut [f64], v: &mut [f64]) -> f64 {
    let zeros = [simd.splat_f64s(0.0); V];
    let alpha = x[0];
    x[0] = 0.0;
    let others = load::<S, V>(x);
    let rest = dot(simd, &others, &others);
    store::<S, V>(x, zeros);
    if rest < NEGLIGIBLE_SQUARE {
        x[0] = alpha;
        store::<S, V>(v, zeros);
        return 0.0;
    }
    let beta = -(alpha * alpha + rest).sqrt().copysign(alpha);
    let mut scaled = zeros;
    add_multiple(simd, &mut scaled, &others, (alpha - beta).recip());
    store::<S, V>(v, scaled);
    v[0] = 1.0;
    x[0] = beta;
    (beta - alpha) / beta
}

/// Reflects an off-diagonal block [width, width], whose columns begin with those of `block`. The reflection is applied
/// from the right, and replaced by the one that takes the first column to a multiple of the first unit vector, which is
/// applied from the left.
#[inline(always)]
pub(super) fn reflect_off_diagonal_block<S: Simd, const V: usize>(
    simd: S,
    block: &mut [f64],
    reflection: &mut Reflection,
) {
    let width = V * S::F64_LANES;
    let start = |j: usize| j * 2 * width + width - j;
    let v = &mut reflection.v[..width];
    let mut u = [simd.splat_f64s(0.0); V];
    for (j, &v) in v.iter().enumerate() {
        add_multiple(simd, &mut u, &load::<S, V>(&block[start(j)..]), v);
    }
    for u in &mut u {
        *u = simd.mul_f64s(*u, simd.splat_f64s(-reflection.tau));
    }
    let mut first = load::<S, V>(&block[width..]);
    add_multiple(simd, &mut first, &u, v[0]);
    store::<S, V>(&mut block[width..], first);
    let mut next = [0.0; MAX_WIDTH];
    let tau = reflect::<S, V>(simd, &mut block[width..2 * width], &mut next[..width]);
    let w = load::<S, V>(&next);
    for (j, &v) in v.iter().enumerate().skip(1) {
        let mut column = load::<S, V>(&block[start(j)..]);
        add_multiple(simd, &mut column, &u, v);
        let along = dot(simd, &column, &w);
        add_multiple(simd, &mut column, &w, -tau * along);
        store::<S, V>(&mut block[start(j)..], column);
    }
    *reflection = Reflection { tau, v: next };
}

/// Masks: row `from` has ones from lane `from` on, and zeros before.
static FROM_LANE: [[f64; MAX_LANES]; MAX_LANES + 1] = {
    let mut ones = [[0.0; MAX_LANES]; MAX_LANES + 1];
    let mut from = 0;
    while from < MAX_LANES {
        let mut lane = from;
        while lane < MAX_LANES {
            ones[from][lane] = 1.0;
            lane += 1;
        }
        from += 1;
    }
    ones
};

/// Reflects a diagonal block A [width, width], its lower triangle, from both sides:
///
/// ```text
/// A + v w' + w v',  w = u - tau/2 (u' v) v,  u = -tau A v
/// ```
#[inline(always)]
pub(super) fn reflect_diagonal_block<S: Simd, const V: usize>(simd: S, block: &mut [f64], reflection: &Reflection) {
    let width = V * S::F64_LANES;
    let (v, tau) = (&reflection.v[..width], reflection.tau);
    if tau == 0.0 {
        return;
    }
    let vectors = load::<S, V>(v);
    let mut w = times_diagonal_block::<S, V>(simd, block, v, &vectors);
    for w in &mut w {
        *w = simd.mul_f64s(*w, simd.splat_f64s(-tau));
    }
    let along = dot(simd, &w, &vectors);
    add_multiple(simd, &mut w, &vectors, -0.5 * tau * along);
    update_diagonal_block(simd, block, v, &vectors, &w);
}

/// The product A v of a diagonal block, of which the lower triangle is stored, with v, which is given twice.
///
/// A column is read from the vector on that holds its diagonal entry; the entries of that vector above the diagonal
/// belong to the columns before and are masked.
#[inline(always)]
fn times_diagonal_block<S: Simd, const V: usize>(
    simd: S,
    block: &[f64],
    v: &[f64],
    vectors: &[S::f64s; V],
) -> [S::f64s; V] {
    let width = V * S::F64_LANES;
    // The lower triangle with the diagonal times v, and the upper triangle, read as columns of the lower one, times v.
    let mut w = [simd.splat_f64s(0.0); V];
    let mut across = [0.0; MAX_WIDTH];
    for vector in 0..V {
        for lane in 0..S::F64_LANES {
            let j = vector * S::F64_LANES + lane;
            let column = S::as_simd_f64s(&block[j * 2 * width - lane..][..width - vector * S::F64_LANES]).0;
            let factor = simd.splat_f64s(v[j]);
            let first = simd.mul_f64s(column[0], load::<S, 1>(&FROM_LANE[lane])[0]);
            w[vector] = simd.mul_add_f64s(first, factor, w[vector]);
            let below = simd.mul_f64s(column[0], load::<S, 1>(&FROM_LANE[lane + 1])[0]);
            let mut sums = simd.mul_f64s(below, vectors[vector]);
            for i in vector + 1..V {
                w[i] = simd.mul_add_f64s(column[i - vector], factor, w[i]);
                sums = simd.mul_add_f64s(column[i - vector], vectors[i], sums);
            }
            across[j] = simd.reduce_sum_f64s(sums);
        }
    }
    for (w, across) in w.iter_mut().zip(load::<S, V>(&across)) {
        *w = simd.add_f64s(*w, across);
    }
    w
}

/// Adds `v w' + w v'` to the lower triangle of a diagonal block. v is given twice. Entries of a vector above the
/// diagonal are masked as in [`times_diagonal_block`].
#[inline(always)]
fn update_diagonal_block<S: Simd, const V: usize>(
    simd: S,
    block: &mut [f64],
    v: &[f64],
    vectors: &[S::f64s; V],
    w: &[S::f64s; V],
) {
    let width = V * S::F64_LANES;
    let mut entries_of_w = [0.0; MAX_WIDTH];
    store::<S, V>(&mut entries_of_w, *w);
    for vector in 0..V {
        for lane in 0..S::F64_LANES {
            let j = vector * S::F64_LANES + lane;
            let column = S::as_mut_simd_f64s(&mut block[j * 2 * width - lane..][..width - vector * S::F64_LANES]).0;
            let (of_v, of_w) = (simd.splat_f64s(v[j]), simd.splat_f64s(entries_of_w[j]));
            let added = simd.mul_add_f64s(vectors[vector], of_w, simd.mul_f64s(w[vector], of_v));
            column[0] = simd.mul_add_f64s(added, load::<S, 1>(&FROM_LANE[lane])[0], column[0]);
            for i in vector + 1..V {
                let entries = simd.mul_add_f64s(w[i], of_v, column[i - vector]);
                column[i - vector] = simd.mul_add_f64s(vectors[i], of_w, entries);
            }
        }
    }
}
