//! The block Krylov space of a symmetric operator, and the quadrature rules of its first blocks.
//!
//! ```text
//! span(B, K B, K^2 B, ...) = span Q,     T = Q' K Q
//! ```
//!
//! Each step multiplies the last block by K and orthogonalises the product against all blocks (full
//! reorthogonalisation), which takes 12 N b dim(Q) flops for blocks of b columns. Columns that become linearly dependent
//! are dropped. If none is left, the space is invariant and its rules are exact. See Golub & Meurant, "Matrices, moments
//! and quadrature with applications" (2010).

use std::slice::from_ref;

use ndarray::{Array2, Axis, concatenate, s};

use crate::error::Result;
use crate::linalg::{symmetric_eigenpairs, tall_skinny as tall};
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;
use crate::slq::bracket::Bracket;
use crate::slq::lanczos::Lanczos;
use crate::slq::quadrature::{self, BREAKDOWN_TOL, KnownRange};

/// Rank tolerance of a new block: a direction that is shorter than this part of the longest one is dropped. In the Gram
/// matrix of the block its square is rounding.
const RANK_TOL: f64 = 1e-7;

/// Residual, as a part of the norm of K, up to which a Ritz vector counts as an eigenvector. The error of its Ritz value is
/// the square of that.
const RITZ_TOL: f64 = 1e-6;

/// The span of powers of the operator times a block, with an orthonormal basis, block by block.
pub(crate) struct BlockKrylov<'a> {
    operator: &'a dyn SymmetricOperator,
    blocks: Vec<Array2<f64>>,
    /// Q' K Q of all blocks that were multiplied.
    t: Array2<f64>,
    /// The squared norm of K times each of those blocks.
    squared_products: Vec<f64>,
    norm: f64,
    /// The Gram matrix of the last product's part outside the space.
    residual: Array2<f64>,
    is_invariant: bool,
}

impl<'a> BlockKrylov<'a> {
    /// Starts with a block of vectors, which need not be orthonormal.
    pub(crate) fn new(operator: &'a dyn SymmetricOperator, start: Array2<f64>, job: &Job) -> Result<Self> {
        let first = orthonormal(start, 0.0, job)?;
        let is_invariant = first.ncols() == 0;
        let empty = Array2::zeros((0, 0));
        let (t, residual) = (empty.clone(), empty);
        let squared_products = Vec::new();
        Ok(Self { operator, blocks: vec![first], t, squared_products, norm: 0.0, residual, is_invariant })
    }

    /// Whether the space is invariant under K, so that nothing can be added.
    pub(crate) fn is_invariant(&self) -> bool {
        self.is_invariant
    }

    /// The largest norm of a product of K with a unit vector so far: about the largest modulus of an eigenvalue.
    pub(crate) fn norm(&self) -> f64 {
        self.norm
    }

    /// The number of blocks that were multiplied.
    pub(crate) fn steps(&self) -> usize {
        self.squared_products.len()
    }

    /// The operator K.
    pub(crate) fn operator(&self) -> &'a dyn SymmetricOperator {
        self.operator
    }

    /// Multiplies the last block; returns the number of matrix-vector products.
    pub(crate) fn extend(&mut self, job: &Job) -> Result<usize> {
        if self.is_invariant {
            return Ok(0);
        }
        let product = self.operator.apply(self.last(), job)?;
        self.extend_by(product, job)
    }

    /// The block that is multiplied next.
    fn last(&self) -> &Array2<f64> {
        self.blocks.last().expect("a space has its first block")
    }

    /// Adds the product of the last block to the space.
    fn extend_by(&mut self, product: Array2<f64>, job: &Job) -> Result<usize> {
        let products = product.ncols();
        let mut w = product;
        let lengths = w.map_axis(Axis(0), |product| product.dot(&product));
        self.squared_products.push(lengths.sum());
        self.norm = lengths.iter().fold(self.norm, |norm, length| norm.max(length.sqrt()));
        let before = self.t.nrows();
        let mut t = Array2::zeros((before + products, before + products));
        t.slice_mut(s![..before, ..before]).assign(&self.t);
        let entries = tall::project_out(&self.blocks, &mut w, job)?;
        t.slice_mut(s![.., before..]).assign(&entries);
        t.slice_mut(s![before.., ..before]).assign(&entries.slice(s![..before, ..]).t());
        self.t = (&t + &t.t()) * 0.5;
        tall::project_out(&self.blocks, &mut w, job)?;
        self.residual = tall::inner_products(from_ref(&w), &w, job)?;
        let mut next = orthonormal(w, BREAKDOWN_TOL * self.norm, job)?;
        if next.ncols() > 0 {
            tall::project_out(&self.blocks, &mut next, job)?;
            next = orthonormal(next, 0.5, job)?;
        }
        self.is_invariant = next.ncols() == 0;
        if !self.is_invariant {
            self.blocks.push(next);
        }
        Ok(products)
    }

    /// Subtracts the projection onto the first blocks.
    pub(crate) fn project_out(&self, blocks: usize, w: &mut Array2<f64>, job: &Job) -> Result<()> {
        tall::project_out(&self.blocks[..blocks], w, job).map(|_| ())
    }

    /// The dimension of the first blocks.
    pub(crate) fn dim(&self, blocks: usize) -> usize {
        tall::width(&self.blocks[..blocks])
    }

    /// The first blocks as one matrix.
    #[cfg(test)]
    pub(crate) fn basis(&self, blocks: usize) -> Array2<f64> {
        let views: Vec<_> = self.blocks[..blocks].iter().map(|block| block.view()).collect();
        concatenate(Axis(1), &views).expect("blocks have N rows each")
    }

    /// tr Q' K Q and ||K Q||^2 (Frobenius norm) of the first blocks.
    pub(crate) fn moments(&self, blocks: usize) -> (f64, f64) {
        let trace = self.t.diag().iter().take(self.dim(blocks)).sum();
        (trace, self.squared_products[..blocks].iter().sum())
    }

    /// Converged Ritz vectors in the first blocks, [N, m]: those with the largest moduli, at most
    /// [`SlqTuning::max_ritz_vectors`](crate::SlqTuning::max_ritz_vectors).
    pub(crate) fn ritz_vectors(&self, blocks: usize, job: &Job) -> Result<Array2<f64>> {
        let dim = self.dim(blocks);
        if dim == 0 {
            return Ok(Array2::zeros((self.operator.dim(), 0)));
        }
        let within = self.t.slice(s![..dim, ..dim]);
        let (values, vectors) = job.serial_lapack(|| symmetric_eigenpairs(within))?;
        let residuals = self.t.slice(s![dim.., ..dim]).dot(&vectors);
        let lengths = residuals.map_axis(Axis(0), |residual| residual.dot(&residual).sqrt());
        let mut converged: Vec<usize> = (0..dim).filter(|&i| lengths[i] <= RITZ_TOL * self.norm).collect();
        converged.sort_by(|&i, &j| values[j].abs().total_cmp(&values[i].abs()));
        converged.truncate(job.tuning().slq.max_ritz_vectors);
        let vectors = vectors.select(Axis(1), &converged);
        tall::combination(&self.blocks[..blocks], vectors.view(), self.operator.dim(), job)
    }

    /// An upper bound of the moduli of all eigenvalues; none if nothing bounds them.
    ///
    /// With theta the largest modulus of a Ritz value, r the residual of its vector, and F a bound of the norm of K
    /// orthogonal to that vector, it is the largest eigenvalue of [theta, r; r, F], or the bound of the operator's own. F is
    /// the root of what is left of the squared norm, or what is left of the trace where no eigenvalue is negative.
    pub(crate) fn modulus_bound(&self, job: &Job) -> Result<Option<f64>> {
        let own = self.operator.modulus_bound();
        let margin = 1.0 + self.operator.rounding().max(RITZ_TOL);
        let before = self.t.nrows() - self.residual.nrows();
        if self.t.nrows() == 0 {
            return Ok(own);
        }
        let (values, vectors) = job.serial_lapack(|| symmetric_eigenpairs(self.t.view()))?;
        let i = (0..values.len()).max_by(|&i, &j| values[i].abs().total_cmp(&values[j].abs())).unwrap_or(0);
        let theta = values[i].abs();
        let last = vectors.slice(s![before.., i]);
        let residual = if self.is_invariant { 0.0 } else { last.dot(&self.residual.dot(&last)).max(0.0) };
        let left = |whole: f64, known: f64| (whole - known).max(self.operator.rounding() * whole);
        let squares = self.operator.squared_norm().map(|whole| left(whole, theta * theta + 2.0 * residual).sqrt());
        let trace = self.operator.trace().filter(|_| self.operator.is_positive_semidefinite());
        let others = squares.into_iter().chain(trace.map(|whole| left(whole, theta))).reduce(f64::min);
        let found =
            others.map(|others| f64::midpoint(theta, others) + (0.25 * (theta - others).powi(2) + residual).sqrt());
        // Products that are not those of affinities, as an object has promised, have no such bound.
        let own = own.filter(|bound| theta <= margin * bound);
        Ok(own.into_iter().chain(found).reduce(f64::min))
    }

    /// Rules for tr Q' f(K) Q, with Q the first blocks, from the whole space.
    pub(crate) fn rules(&self, blocks: usize, range: KnownRange, job: &Job) -> Result<Bracket> {
        let residual = (!self.is_invariant).then_some(&self.residual);
        let width = self.blocks.iter().map(Array2::ncols).max().unwrap_or(0);
        let size = (self.dim(blocks), self.steps() - blocks, width);
        job.serial_lapack(|| quadrature::block_rules(&self.t, residual, size, range))
    }
}

/// Makes a step of the block Krylov space and of Lanczos recurrences, with all products in one pass over the operator;
/// returns the number of matrix-vector products.
pub(crate) fn extend_both(krylov: &mut BlockKrylov, lanczos: &mut Lanczos, job: &Job) -> Result<usize> {
    if krylov.is_invariant() || lanczos.is_exact() {
        return Ok(krylov.extend(job)? + lanczos.step(job)?);
    }
    let first = krylov.last().ncols();
    let both = concatenate![Axis(1), *krylov.last(), *lanczos.current()];
    let products = krylov.operator.apply(&both, job)?;
    let (of_block, of_vectors) = products.view().split_at(Axis(1), first);
    let steps = lanczos.step_by(of_vectors.as_standard_layout().into_owned(), job)?;
    Ok(krylov.extend_by(of_block.as_standard_layout().into_owned(), job)? + steps)
}

/// An orthonormal basis of the columns, without directions that are shorter than `least` or linearly dependent.
///
/// The Gram matrix is diagonalised twice (Stathopoulos & Wu, SIAM J. Sci. Comput. 23, 2002).
fn orthonormal(block: Array2<f64>, least: f64, job: &Job) -> Result<Array2<f64>> {
    let once = orthonormal_by_gram(block, least, job)?;
    if once.ncols() == 0 { Ok(once) } else { orthonormal_by_gram(once, 0.0, job) }
}

/// One pass of [`orthonormal`], whose result is orthonormal up to the condition of the Gram matrix.
fn orthonormal_by_gram(block: Array2<f64>, least: f64, job: &Job) -> Result<Array2<f64>> {
    let gram = tall::inner_products(from_ref(&block), &block, job)?;
    let (squares, mut vectors) = job.serial_lapack(|| symmetric_eigenpairs(gram.view()))?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    let longest = lengths.iter().fold(0.0, |longest: f64, length| longest.max(*length));
    let is_long = |i: &usize| lengths[*i] > (RANK_TOL * longest).max(least);
    let kept: Vec<usize> = (0..lengths.len()).filter(is_long).collect();
    for (mut column, length) in vectors.axis_iter_mut(Axis(1)).zip(&lengths) {
        column /= *length;
    }
    let vectors = vectors.select(Axis(1), &kept);
    tall::combination(from_ref(&block), vectors.view(), block.nrows(), job)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::runtime::parallel;
    use crate::slq::diagonal::{Diagonal, noise};

    #[test]
    fn rules_of_a_block_are_exact_to_their_degree_and_bracket() {
        let operator = Diagonal::decaying(80);
        let run = |job: &Job| {
            let mut krylov = BlockKrylov::new(&operator, noise(80, 4), job)?;
            for _ in 0..5 {
                krylov.extend(job)?;
            }
            let basis = ndarray::concatenate![Axis(1), krylov.blocks[0], krylov.blocks[1]];
            Ok((krylov.rules(2, operator.range(), job)?, krylov.moments(2), basis))
        };
        let (rules, moments, q) = parallel::run(1, || false, run).unwrap();
        approx::assert_abs_diff_eq!(q.t().dot(&q), Array2::eye(8), epsilon = 1e-13);
        let exact = |f: &dyn Fn(f64) -> f64| {
            operator.0.iter().zip(q.rows()).map(|(&x, row)| row.dot(&row) * f(x)).sum::<f64>()
        };
        approx::assert_relative_eq!(moments.0, exact(&|x| x), max_relative = 1e-12);
        approx::assert_relative_eq!(moments.1, exact(&|x| x * x), max_relative = 1e-12);
        for degree in 0..=7 {
            let power = |x: f64| x.powi(degree);
            approx::assert_relative_eq!(rules.gauss.sum(power), exact(&power), max_relative = 1e-11);
            if degree < 7 {
                approx::assert_relative_eq!(rules.ends[1].sum(power), exact(&power), max_relative = 1e-10);
            }
        }
        for power in [0.5, 1.5, 2.5] {
            let f = |x: f64| x.max(0.0).powf(power);
            let (one, other) = (rules.gauss.sum(f), rules.ends[1].sum(f));
            assert!(
                one.min(other) <= exact(&f) && exact(&f) <= one.max(other),
                "{power}: {one} {} {other}",
                exact(&f)
            );
        }
    }

    /// Both ends are exact for even polynomials, and the truth lies between them for powers of the modulus.
    #[test]
    fn rules_of_the_modulus_bracket_where_eigenvalues_are_negative() {
        let operator = Diagonal((0..90).map(|i| 0.93_f64.powi(i) * if i % 3 == 0 { -0.5 } else { 1.0 }).collect());
        let (start, none) = (noise(90, 4), Array2::zeros((90, 0)));
        let run = |job: &Job| {
            let mut krylov = BlockKrylov::new(&operator, start.clone(), job)?;
            let mut lanczos = Lanczos::new(&operator, operator.range(), 1.0, start.clone(), Arc::new(none.clone()));
            for _ in 0..7 {
                krylov.extend(job)?;
                lanczos.step(job)?;
            }
            let basis = ndarray::concatenate![Axis(1), krylov.blocks[0], krylov.blocks[1]];
            Ok((krylov.rules(2, operator.range(), job)?, lanczos.rules(job)?, basis))
        };
        let (of_block, of_vectors, q) = parallel::run(1, || false, run).unwrap();
        let columns = start.columns().into_iter().map(|v| v.mapv(|v| v * v));
        let squares = std::iter::once(q.map_axis(Axis(1), |row| row.dot(&row))).chain(columns);
        for (squares, Bracket { gauss, ends: [one, other], .. }) in
            squares.zip(std::iter::once(&of_block).chain(&of_vectors))
        {
            let exact = |f: &dyn Fn(f64) -> f64| operator.0.iter().zip(&squares).map(|(&x, w)| w * f(x)).sum::<f64>();
            approx::assert_relative_eq!(gauss.sum(|x| x), exact(&|x| x), max_relative = 1e-11);
            for degree in [0, 2, 4] {
                let power = |x: f64| x.powi(degree);
                approx::assert_relative_eq!(one.sum(power), exact(&power), max_relative = 1e-11);
                approx::assert_relative_eq!(other.sum(power), exact(&power), max_relative = 1e-11);
            }
            for power in [0.5, 1.0, 1.5, 2.5, 3.0] {
                let entropy = |x: f64| if x == 0.0 { 0.0 } else { -x.abs().powf(power) * x.abs().ln() };
                let power = |x: f64| x.abs().powf(power);
                for f in [&power as &dyn Fn(f64) -> f64, &entropy] {
                    let (low, high) = (one.sum(f).min(other.sum(f)), one.sum(f).max(other.sum(f)));
                    assert!(low <= exact(f) && exact(f) <= high, "{low} {} {high}", exact(f));
                }
            }
        }
    }

    /// Rounding as in f32 brings two large eigenvalues back into a recurrence, unless their Ritz vectors are projected out.
    #[test]
    fn converged_ritz_vectors_do_not_come_back() {
        struct Rounded(Diagonal);

        impl SymmetricOperator for Rounded {
            fn dim(&self) -> usize {
                self.0.dim()
            }

            fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
                Ok(self.0.apply(x, job)? + noise(x.nrows(), x.ncols()) * 1e-8)
            }

            fn is_positive_semidefinite(&self) -> bool {
                true
            }
        }

        let n = 200;
        let operator = Rounded(Diagonal(
            (0..n).map(|i| if i < 2 { 1.0 - 0.1 * i as f64 } else { 1e-3 * i as f64 / n as f64 }).collect(),
        ));
        let run = |job: &Job| {
            let mut krylov = BlockKrylov::new(&operator, noise(n, 3), job)?;
            for _ in 0..6 {
                krylov.extend(job)?;
            }
            let found = krylov.ritz_vectors(5, job)?;
            let largest = |ritz_vectors: &Array2<f64>| {
                let mut v = noise(n, 2).mapv(f64::exp);
                krylov.project_out(5, &mut v, job)?;
                krylov.project_out(5, &mut v, job)?;
                let mut lanczos = Lanczos::new(&operator, operator.0.range(), 1.0, v, Arc::new(ritz_vectors.clone()));
                for _ in 0..8 {
                    lanczos.step(job)?;
                }
                let rules = lanczos.rules(job)?;
                Ok(rules.iter().flat_map(|rule| rule.gauss.nodes.clone()).fold(0.0, f64::max))
            };
            Ok((largest(&Array2::zeros((n, 0)))?, largest(&found)?, found))
        };
        let (without, with, found) = parallel::run(2, || false, run).unwrap();
        assert_eq!(found.ncols(), 2);
        for i in 0..2 {
            approx::assert_relative_eq!(found[[i, i]].abs(), 1.0, max_relative = 1e-6);
        }
        assert!(without > 0.9, "{without}");
        assert!(with < 1.1e-3, "{with}");
    }
}
