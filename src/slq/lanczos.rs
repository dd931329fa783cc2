//! Block Krylov spaces and Lanczos recurrences of a symmetric operator, from which [`crate::quadrature`] has its rules.
//!
//! A block whose vectors come out dependent is cut; one that vanishes ends its recurrence: what it spans is invariant.

use std::slice::from_ref;

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Axis, concatenate, s};

use crate::error::Result;
use crate::linalg::{symmetric_eigenpairs, tall_skinny as tall};
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;
use crate::slq::quadrature::{self, Bracket};

/// A direction of a new block that is shorter than this part of the longest one is cut: in the block's Gram matrix its
/// square is rounding.
const DEPENDENT: f64 = 1e-7;

/// A direction shorter than this part of the operator is rounding: its recurrence has ended.
const VANISHED: f64 = 1e-12;

/// A vector that K takes out of a space by less than this part of its size is taken as an eigenvector: eigenvalues are
/// off by the square of it.
const INVARIANT: f64 = 1e-6;

/// Of such vectors, the largest number that is kept.
pub(crate) const MOST_INVARIANT: usize = 32;

/// The span of powers of the operator times a block, with an orthonormal basis, block by block.
pub(crate) struct BlockKrylov<'a> {
    operator: &'a dyn SymmetricOperator,
    blocks: Vec<Array2<f64>>,
    /// Q' K Q of all blocks whose product with K is known.
    t: Array2<f64>,
    /// The squared norm of K times each of those blocks.
    squared_products: Vec<f64>,
    /// The longest product with K of a vector of length 1.
    size: f64,
    /// The Gram matrix of what the last product adds to the space.
    residual: Array2<f64>,
    ended: bool,
}

impl<'a> BlockKrylov<'a> {
    /// Begins with a block of vectors, which need not be orthonormal.
    pub(crate) fn new(operator: &'a dyn SymmetricOperator, start: Array2<f64>, job: &Job) -> Result<Self> {
        let first = orthonormal(start, 0.0, job)?;
        let ended = first.ncols() == 0;
        let nothing = Array2::zeros((0, 0));
        let (t, residual) = (nothing.clone(), nothing);
        Ok(Self { operator, blocks: vec![first], t, squared_products: Vec::new(), size: 0.0, residual, ended })
    }

    /// Whether the space is invariant: nothing can be added.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The longest product with K of a vector of length 1 so far: about the largest modulus of an eigenvalue.
    pub(crate) fn size(&self) -> f64 {
        self.size
    }

    /// The number of blocks that were multiplied.
    pub(crate) fn steps(&self) -> usize {
        self.squared_products.len()
    }

    /// Multiplies the last block; returns the number of products with K.
    pub(crate) fn extend(&mut self, job: &Job) -> Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let product = self.operator.apply(self.last(), job)?;
        self.extend_by(product, job)
    }

    /// The block that is to be multiplied next.
    fn last(&self) -> &Array2<f64> {
        self.blocks.last().expect("there is a first block")
    }

    /// Takes the product of the last block.
    fn extend_by(&mut self, product: Array2<f64>, job: &Job) -> Result<usize> {
        let products = product.ncols();
        let mut w = product;
        let lengths = w.map_axis(Axis(0), |product| product.dot(&product));
        self.squared_products.push(lengths.sum());
        self.size = lengths.iter().fold(self.size, |size, length| size.max(length.sqrt()));
        let before = self.t.nrows();
        let mut t = Array2::zeros((before + products, before + products));
        t.slice_mut(s![..before, ..before]).assign(&self.t);
        let entries = tall::project_out(&self.blocks, &mut w, job)?;
        t.slice_mut(s![.., before..]).assign(&entries);
        t.slice_mut(s![before.., ..before]).assign(&entries.slice(s![..before, ..]).t());
        self.t = (&t + &t.t()) * 0.5;
        tall::project_out(&self.blocks, &mut w, job)?;
        self.residual = tall::inner_products(from_ref(&w), &w, job)?;
        let mut next = orthonormal(w, VANISHED * self.size, job)?;
        if next.ncols() > 0 {
            tall::project_out(&self.blocks, &mut next, job)?;
            next = orthonormal(next, 0.5, job)?;
        }
        self.ended = next.ncols() == 0;
        if !self.ended {
            self.blocks.push(next);
        }
        Ok(products)
    }

    /// The operator.
    pub(crate) fn operator(&self) -> &'a dyn SymmetricOperator {
        self.operator
    }

    /// Takes the part in the first blocks away.
    pub(crate) fn project_out(&self, blocks: usize, w: &mut Array2<f64>, job: &Job) -> Result<()> {
        tall::project_out(&self.blocks[..blocks], w, job).map(|_| ())
    }

    /// The dimension of the first blocks.
    pub(crate) fn dim(&self, blocks: usize) -> usize {
        tall::width(&self.blocks[..blocks])
    }

    /// tr Q' K Q and ||K Q||^2 of the first blocks.
    pub(crate) fn moments(&self, blocks: usize) -> (f64, f64) {
        let trace = self.t.diag().iter().take(self.dim(blocks)).sum();
        (trace, self.squared_products[..blocks].iter().sum())
    }

    /// The eigenvectors that lie in the first blocks, [N, m]: those of the largest moduli, at most [`MOST_INVARIANT`].
    pub(crate) fn invariant(&self, blocks: usize, job: &Job) -> Result<Array2<f64>> {
        let dim = self.dim(blocks);
        if dim == 0 {
            return Ok(Array2::zeros((self.operator.dim(), 0)));
        }
        let within = self.t.slice(s![..dim, ..dim]);
        let (values, vectors) = job.serial_lapack(|| symmetric_eigenpairs(within))?;
        let beyond = self.t.slice(s![dim.., ..dim]).dot(&vectors);
        let lengths = beyond.map_axis(Axis(0), |part| part.dot(&part).sqrt());
        let mut found: Vec<usize> = (0..dim).filter(|&i| lengths[i] <= INVARIANT * self.size).collect();
        found.sort_by(|&i, &j| values[j].abs().total_cmp(&values[i].abs()));
        found.truncate(MOST_INVARIANT);
        let vectors = vectors.select(Axis(1), &found);
        tall::combination(&self.blocks[..blocks], vectors.view(), self.operator.dim(), job)
    }

    /// No eigenvalue has a larger modulus: of the largest that was found, theta with residual r, and the Frobenius norm F
    /// of what K is at right angles to its vector, the largest eigenvalue of [theta, r; r, F]. Where F is not known, or
    /// above theta, it takes theta in place of it, as if the rest had none that is larger than what was found.
    pub(crate) fn largest(&self, job: &Job) -> Result<f64> {
        let before = self.t.nrows() - self.residual.nrows();
        if self.t.nrows() == 0 {
            return Ok(0.0);
        }
        let (values, vectors) = job.serial_lapack(|| symmetric_eigenpairs(self.t.view()))?;
        let i = (0..values.len()).max_by(|&i, &j| values[i].abs().total_cmp(&values[j].abs())).unwrap_or(0);
        let theta = values[i].abs();
        let last = vectors.slice(s![before.., i]);
        let residual = if self.ended { 0.0 } else { last.dot(&self.residual.dot(&last)).max(0.0) };
        let others = self.operator.squared_norm().map_or(theta, |whole| {
            let rest = (whole - theta * theta - residual).max(self.operator.rounding() * whole);
            rest.sqrt().min(theta)
        });
        Ok(f64::midpoint(theta, others) + (0.25 * (theta - others).powi(2) + residual).sqrt())
    }

    /// Rules for tr Q' f(K) Q with Q the first blocks, from all that are known.
    pub(crate) fn rules(&self, blocks: usize, job: &Job) -> Result<Bracket> {
        let exact = self.ended || self.steps() == 1;
        let beyond = (!exact).then_some(&self.residual);
        job.serial_lapack(|| quadrature::of_block(&self.t, beyond, self.dim(blocks), self.operator.is_positive()))
    }
}

/// An orthonormal basis of the columns, without directions that are shorter than `least` or depend on the others. Twice
/// through the Gram matrix (Stathopoulos & Wu, SIAM J. Sci. Comput. 23, 2002).
fn orthonormal(block: Array2<f64>, least: f64, job: &Job) -> Result<Array2<f64>> {
    let once = through_gram(block, least, job)?;
    if once.ncols() == 0 { Ok(once) } else { through_gram(once, 0.0, job) }
}

fn through_gram(block: Array2<f64>, least: f64, job: &Job) -> Result<Array2<f64>> {
    let gram = tall::inner_products(from_ref(&block), &block, job)?;
    let (squares, mut vectors) = job.serial_lapack(|| symmetric_eigenpairs(gram.view()))?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    let longest = lengths.iter().fold(0.0, |longest: f64, length| longest.max(*length));
    let long = |i: &usize| lengths[*i] > (DEPENDENT * longest).max(least);
    let kept: Vec<usize> = (0..lengths.len()).filter(long).collect();
    for (mut column, length) in vectors.axis_iter_mut(Axis(1)).zip(&lengths) {
        column /= *length;
    }
    let vectors = vectors.select(Axis(1), &kept);
    tall::combination(from_ref(&block), vectors.view(), block.nrows(), job)
}

/// Lanczos recurrences from several vectors at once, without reorthogonalisation: quadrature does not need it (Golub &
/// Meurant, chapter 4). But rounding brings back what the vectors had no part in, multiplied by its eigenvalue at each
/// step, and a recurrence that finds a large one again has spent a node on it: eigenvectors that are known are taken out
/// at each step (Parlett & Scott, "The Lanczos algorithm with selective orthogonalization", Math. Comp. 33, 1979).
pub(crate) struct Lanczos<'a> {
    operator: &'a dyn SymmetricOperator,
    /// About the largest modulus of an eigenvalue.
    size: f64,
    squared_norms: Array1<f64>,
    /// Eigenvectors at right angles to the vectors.
    invariant: &'a Array2<f64>,
    previous: Array2<f64>,
    current: Array2<f64>,
    /// Of each vector, the diagonal of T and what stands beside it; both end where the recurrence did.
    diagonals: Vec<Vec<f64>>,
    besides: Vec<Vec<f64>>,
    ended: Vec<bool>,
}

impl<'a> Lanczos<'a> {
    /// Begins with vectors, which are at right angles to the eigenvectors `invariant`; `size` is about the largest modulus
    /// of an eigenvalue.
    pub(crate) fn new(
        operator: &'a dyn SymmetricOperator,
        size: f64,
        vectors: Array2<f64>,
        invariant: &'a Array2<f64>,
    ) -> Self {
        let squared_norms = vectors.map_axis(Axis(0), |vector| vector.dot(&vector));
        let mut current = vectors;
        let ended: Vec<bool> = squared_norms.iter().map(|&norm| norm <= VANISHED * VANISHED).collect();
        for ((mut vector, norm), ended) in current.axis_iter_mut(Axis(1)).zip(&squared_norms).zip(&ended) {
            vector *= if *ended { 0.0 } else { norm.sqrt().recip() };
        }
        let count = squared_norms.len();
        Self {
            operator,
            size,
            squared_norms,
            invariant,
            previous: Array2::zeros(current.raw_dim()),
            current,
            diagonals: vec![Vec::new(); count],
            besides: vec![Vec::new(); count],
            ended,
        }
    }

    /// Whether all recurrences have ended: their rules are exact.
    pub(crate) fn ended(&self) -> bool {
        self.ended.iter().all(|&ended| ended)
    }

    /// One step of each; returns the number of products with K.
    pub(crate) fn step(&mut self, job: &Job) -> Result<usize> {
        if self.ended() {
            return Ok(0);
        }
        let product = self.operator.apply(&self.current, job)?;
        self.step_by(product, job)
    }

    /// Takes the product of the current vectors.
    fn step_by(&mut self, product: Array2<f64>, job: &Job) -> Result<usize> {
        let mut w = product;
        if self.invariant.ncols() > 0 {
            tall::project_out(from_ref(self.invariant), &mut w, job)?;
        }
        let kept = |p: usize, value: f64| if self.ended[p] { 0.0 } else { value };
        let columns = 0..self.ended.len();
        let besides: Vec<f64> = columns.clone().map(|p| self.besides[p].last().copied().unwrap_or(0.0)).collect();
        let diagonals =
            tall::sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, previous, current| {
                *w = kept(p, *w - besides[p] * previous);
                *w * current
            })?;
        let squares = tall::sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, _, current| {
            *w -= diagonals[p] * current;
            *w * *w
        })?;
        for p in columns.filter(|&p| !self.ended[p]).collect::<Vec<_>>() {
            self.diagonals[p].push(diagonals[p]);
            self.besides[p].push(squares[p].sqrt());
            self.ended[p] = squares[p].sqrt() <= VANISHED * self.size;
        }
        let scale: Vec<f64> = squares
            .iter()
            .zip(&self.ended)
            .map(|(square, ended)| if *ended { 0.0 } else { square.sqrt().recip() })
            .collect();
        tall::sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, _, _| {
            *w *= scale[p];
            0.0
        })?;
        self.previous = std::mem::replace(&mut self.current, w);
        Ok(self.previous.ncols())
    }

    /// The rules of each vector, for v' f(K) v.
    pub(crate) fn rules(&self, job: &Job) -> Result<Vec<Bracket>> {
        job.parallel(|| (0..self.ended.len()).into_par_iter().map(|p| self.rules_of(p)).collect())
    }

    fn rules_of(&self, p: usize) -> Result<Bracket> {
        if self.diagonals[p].is_empty() {
            return Ok(Bracket::default());
        }
        let least = (!self.ended[p]).then_some(VANISHED * self.size);
        let mut rules =
            quadrature::of_vector(&self.diagonals[p], &self.besides[p], least, self.operator.is_positive())?;
        rules.scale(self.squared_norms[p]);
        Ok(rules)
    }
}

/// A step of each, with the products of both in one pass; returns their number.
pub(crate) fn extend_both(krylov: &mut BlockKrylov, lanczos: &mut Lanczos, job: &Job) -> Result<usize> {
    if krylov.ended() || lanczos.ended() {
        return Ok(krylov.extend(job)? + lanczos.step(job)?);
    }
    let first = krylov.last().ncols();
    let both = concatenate![Axis(1), *krylov.last(), lanczos.current];
    let products = krylov.operator.apply(&both, job)?;
    let (of_block, of_vectors) = products.view().split_at(Axis(1), first);
    let steps = lanczos.step_by(of_vectors.as_standard_layout().into_owned(), job)?;
    Ok(krylov.extend_by(of_block.as_standard_layout().into_owned(), job)? + steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    /// diag(lambda), to have a spectrum that is known.
    struct Diagonal(Vec<f64>);

    impl SymmetricOperator for Diagonal {
        fn dim(&self) -> usize {
            self.0.len()
        }

        fn apply(&self, x: &Array2<f64>, _: &Job) -> Result<Array2<f64>> {
            let mut y = x.clone();
            for (mut row, lambda) in y.axis_iter_mut(Axis(0)).zip(&self.0) {
                row *= *lambda;
            }
            Ok(y)
        }

        fn is_positive(&self) -> bool {
            self.0.iter().all(|&lambda| lambda >= 0.0)
        }
    }

    fn noise(n: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, columns), |(i, j)| {
            ((i * 7919 + j * 104_729 + i * i * 31) % 1009) as f64 / 504.5 - 1.0
        })
    }

    fn decaying(n: usize) -> Diagonal {
        Diagonal((0..n).map(|i| 0.9_f64.powi(i32::try_from(i).unwrap())).collect())
    }

    /// Gauss is exact to degree 2k - 1, Radau to 2k - 2, and for x^3.5 the truth lies between them.
    #[test]
    fn rules_of_a_vector_are_exact_to_their_degree_and_bracket() {
        let operator = decaying(60);
        let (v, nothing) = (noise(60, 3), Array2::zeros((60, 0)));
        let run = |job: &Job| {
            let mut lanczos = Lanczos::new(&operator, 1.0, v.clone(), &nothing);
            for _ in 0..4 {
                lanczos.step(job)?;
            }
            lanczos.rules(job)
        };
        let rules = parallel::run(1, || false, run).unwrap();
        for (p, Bracket { gauss, ends: [_, radau] }) in rules.iter().enumerate() {
            let exact =
                |f: &dyn Fn(f64) -> f64| operator.0.iter().zip(v.column(p)).map(|(&x, v)| v * v * f(x)).sum::<f64>();
            for degree in 0..8 {
                let power = |x: f64| x.powi(degree);
                approx::assert_relative_eq!(gauss.sum(power), exact(&power), max_relative = 1e-12);
                if degree < 7 {
                    approx::assert_relative_eq!(radau.sum(power), exact(&power), max_relative = 1e-12);
                }
            }
            assert!(radau.nodes.iter().any(|node| node.abs() < 1e-14));
            for power in [0.5, 1.5, 2.5, 3.5] {
                let f = |x: f64| x.max(0.0).powf(power);
                let (one, other) = (gauss.sum(f), radau.sum(f));
                assert!(one.min(other) <= exact(&f) && exact(&f) <= one.max(other), "{power}");
            }
        }
    }

    #[test]
    fn rules_of_a_block_are_exact_to_their_degree_and_bracket() {
        let operator = decaying(80);
        let run = |job: &Job| {
            let mut krylov = BlockKrylov::new(&operator, noise(80, 4), job)?;
            for _ in 0..5 {
                krylov.extend(job)?;
            }
            let basis = ndarray::concatenate![Axis(1), krylov.blocks[0], krylov.blocks[1]];
            Ok((krylov.rules(2, job)?, krylov.moments(2), basis))
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
        let (start, nothing) = (noise(90, 4), Array2::zeros((90, 0)));
        let run = |job: &Job| {
            let mut krylov = BlockKrylov::new(&operator, start.clone(), job)?;
            let mut lanczos = Lanczos::new(&operator, 1.0, start.clone(), &nothing);
            for _ in 0..7 {
                krylov.extend(job)?;
                lanczos.step(job)?;
            }
            let basis = ndarray::concatenate![Axis(1), krylov.blocks[0], krylov.blocks[1]];
            Ok((krylov.rules(2, job)?, lanczos.rules(job)?, basis))
        };
        let (of_block, of_vectors, q) = parallel::run(1, || false, run).unwrap();
        let columns = start.columns().into_iter().map(|v| v.mapv(|v| v * v));
        let squares = std::iter::once(q.map_axis(Axis(1), |row| row.dot(&row))).chain(columns);
        for (squares, Bracket { gauss, ends: [one, other] }) in
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

    /// Three distinct eigenvalues: a vector's recurrence ends after three steps, a block's space is invariant.
    #[test]
    fn low_rank_ends_the_recurrences_and_is_exact() {
        let operator = Diagonal((0..50).map(|i| [1.0, 0.25, 0.0][i % 3]).collect());
        let nothing = Array2::zeros((50, 0));
        let run = |job: &Job| {
            let mut lanczos = Lanczos::new(&operator, 1.0, noise(50, 2), &nothing);
            let mut krylov = BlockKrylov::new(&operator, noise(50, 2), job)?;
            for _ in 0..6 {
                lanczos.step(job)?;
                krylov.extend(job)?;
            }
            Ok((
                lanczos.ended(),
                lanczos.diagonals[0].len(),
                krylov.ended(),
                krylov.dim(krylov.steps()),
                lanczos.rules(job)?,
            ))
        };
        let (ended, depth, krylov_ended, dim, rules) = parallel::run(1, || false, run).unwrap();
        assert!(ended && krylov_ended);
        assert_eq!((depth, dim), (3, 6));
        let v = noise(50, 2);
        for (p, rule) in rules.iter().enumerate() {
            let root = |x: f64| x.max(0.0).sqrt();
            let exact: f64 = operator.0.iter().zip(v.column(p)).map(|(&x, v)| v * v * root(x)).sum();
            // A node that should be 0 is off by rounding, whose root is 1e-8.
            approx::assert_relative_eq!(rule.gauss.sum(root), exact, max_relative = 1e-6);
        }
    }

    /// Products that are rounded as those in f32 are bring two large eigenvalues back, unless their vectors are taken out.
    #[test]
    fn eigenvectors_that_were_found_do_not_come_back() {
        struct Rounded(Diagonal);

        impl SymmetricOperator for Rounded {
            fn dim(&self) -> usize {
                self.0.dim()
            }

            fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
                Ok(self.0.apply(x, job)? + noise(x.nrows(), x.ncols()) * 1e-8)
            }

            fn is_positive(&self) -> bool {
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
            let found = krylov.invariant(5, job)?;
            let largest = |invariant: &Array2<f64>| {
                let mut v = noise(n, 2).mapv(f64::exp);
                krylov.project_out(5, &mut v, job)?;
                krylov.project_out(5, &mut v, job)?;
                let mut lanczos = Lanczos::new(&operator, 1.0, v, invariant);
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
