//! Block Krylov spaces and Lanczos recurrences of a symmetric operator, and the quadrature rules that they give.
//!
//! After k steps from a vector v the tridiagonal T has, in its eigenvalues and the squared first entries of its
//! eigenvectors, a quadrature rule for v' f(K) v that is exact for polynomials of degree 2k - 1 (Gauss); with its last
//! entry changed such that 0 is an eigenvalue, one that is exact to degree 2k - 2 (Gauss-Radau): Golub & Meurant,
//! "Matrices, moments and quadrature with applications" (2010). Of a block of vectors the same holds with blocks.
//!
//! Where K may have negative eigenvalues, functions of |K| are bracketed through K^2, in the space that products with K
//! have spanned. With V a basis of it, J = V' K^2 V has eigenpairs (y, u), and for e in that space, with K e in it,
//!
//! ```text
//! sum (u' e)^2 h(y),        sum (u' V' K e)^2 / y h(y) + (what is left of e' e) h(0)
//! ```
//!
//! err to opposite sides of e' h(K^2) e for h = y^s and -y^s log y: these are integrals of c / (y + tau) and a polynomial of
//! y that both rules integrate exactly, and of (K^2 + tau)^-1 a subspace gives a lower bound; the second rule is that
//! bound for K e, since e' (K^2 + tau)^-1 e = (e' e - e' K (K^2 + tau)^-1 K e) / tau.
//!
//! A block whose vectors come out dependent is cut; one that vanishes ends its recurrence: what it spans is invariant.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate, s};
use ndarray_linalg::{Eigh, JobSvd, SVDDC, UPLO};

use crate::error::Result;
use crate::linalg::lapack_error;
use crate::operator::SymmetricOperator;
use crate::parallel::Job;

/// A direction of a new block that is shorter than this part of the longest one is cut: in the block's Gram matrix its
/// square is rounding.
const DEPENDENT: f64 = 1e-7;

/// A direction shorter than this part of the operator is rounding: its recurrence has ended.
const VANISHED: f64 = 1e-12;

/// The size up to which moduli are singular values; beyond, where no spectrum is of low rank, roots of eigenvalues, which
/// take a third of the time.
const PRECISE_UP_TO: usize = 128;

/// Nodes and weights: an integral of f is estimated by the sum of `weight f(node)`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rule {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Rule {
    pub(crate) fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&node, weight)| weight * f(node)).sum()
    }
}

/// The same integral by Gauss' rule for K, and by two rules between which it lies for the functions that
/// [`crate::stochastic`] asks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bracket {
    pub gauss: Rule,
    /// Of an operator without negative eigenvalues Gauss' and Gauss-Radau's, of another those through its square.
    pub ends: [Rule; 2],
}

impl Bracket {
    /// The rule is exact.
    fn point(gauss: Rule) -> Self {
        Self { ends: [gauss.clone(), gauss.clone()], gauss }
    }

    /// Takes Gauss' rule as exact.
    pub(crate) fn close(&mut self) {
        self.ends = [self.gauss.clone(), self.gauss.clone()];
    }

    /// Nodes and weights of Gauss, and of the two ends.
    pub(crate) fn rows(&self) -> [&[f64]; 6] {
        let [one, other] = &self.ends;
        [&self.gauss.nodes, &self.gauss.weights, &one.nodes, &one.weights, &other.nodes, &other.weights]
    }

    pub(crate) fn from_rows(rows: ArrayView2<f64>) -> Self {
        let rule = |i: usize| Rule { nodes: rows.row(i).to_vec(), weights: rows.row(i + 1).to_vec() };
        Self { gauss: rule(0), ends: [rule(2), rule(4)] }
    }
}

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
        let first = job.serial_lapack(|| orthonormal(start, 0.0))?;
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
        job.lapack(|| {
            let mut at = 0;
            for block in &self.blocks {
                let entries = block.t().dot(&w);
                t.slice_mut(s![at..at + block.ncols(), before..]).assign(&entries);
                w -= &block.dot(&entries);
                at += block.ncols();
            }
            Ok(())
        })?;
        let upper = t.slice(s![..before, before..]).to_owned();
        t.slice_mut(s![before.., ..before]).assign(&upper.t());
        self.t = (&t + &t.t()) * 0.5;
        job.lapack(|| {
            self.project_out(self.blocks.len(), &mut w);
            self.residual = w.t().dot(&w);
            Ok(())
        })?;
        let mut next = job.serial_lapack(|| orthonormal(w, VANISHED * self.size))?;
        if next.ncols() > 0 {
            job.lapack(|| {
                self.project_out(self.blocks.len(), &mut next);
                Ok(())
            })?;
            next = job.serial_lapack(|| orthonormal(next, 0.5))?;
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
    pub(crate) fn project_out(&self, blocks: usize, w: &mut Array2<f64>) {
        for block in &self.blocks[..blocks] {
            let entries = block.t().dot(w);
            *w -= &block.dot(&entries);
        }
    }

    /// The dimension of the first blocks.
    pub(crate) fn dim(&self, blocks: usize) -> usize {
        self.blocks[..blocks].iter().map(Array2::ncols).sum()
    }

    /// tr Q' K Q and ||K Q||^2 of the first blocks.
    pub(crate) fn moments(&self, blocks: usize) -> (f64, f64) {
        let trace = self.t.diag().iter().take(self.dim(blocks)).sum();
        (trace, self.squared_products[..blocks].iter().sum())
    }

    /// Rules for tr Q' f(K) Q with Q the first blocks, from all that are known.
    pub(crate) fn rules(&self, blocks: usize, job: &Job) -> Result<Bracket> {
        let first = self.dim(blocks);
        let n = self.t.nrows();
        let last = n - self.dim(self.steps() - 1);
        let gauss = job.serial_lapack(|| rule(&self.t, first))?;
        if self.ended || self.steps() == 1 {
            return Ok(Bracket::point(gauss)); // exact
        }
        if !self.operator.is_positive() {
            let beyond = job.serial_lapack(|| root(&self.residual))?;
            let ends = job.serial_lapack(|| rules_of_modulus(&self.t, &beyond, first))?;
            return Ok(Bracket { gauss, ends });
        }
        let mut changed = self.t.clone();
        let (head, beside) = (self.t.slice(s![..n - last, ..n - last]), self.t.slice(s![n - last.., ..n - last]));
        let corner = job.serial_lapack(|| congruent_to_inverse(head, beside))?;
        changed.slice_mut(s![n - last.., n - last..]).assign(&corner);
        let radau = job.serial_lapack(|| rule(&changed, first))?;
        Ok(Bracket { ends: [gauss.clone(), radau], gauss })
    }
}

/// The rule of the first `first` coordinates of a symmetric matrix: its eigenvalues, and how much of each of their
/// vectors lies there.
fn rule(t: &Array2<f64>, first: usize) -> Result<Rule> {
    let (nodes, vectors) = t.eigh(UPLO::Upper).map_err(|error| lapack_error(&error))?;
    let weights = vectors.slice(s![..first, ..]).map_axis(Axis(0), |part| part.dot(&part));
    Ok(Rule { nodes: nodes.to_vec(), weights: weights.to_vec() })
}

/// The two rules through K^2, for functions of |K|, of the first coordinates: see above. T is K in the space, `beyond`
/// what K makes of its last vectors outside.
fn rules_of_modulus(t: &Array2<f64>, beyond: &Array2<f64>, first: usize) -> Result<[Rule; 2]> {
    let n = t.nrows();
    let (moduli, v) = moduli(t, beyond)?;
    let (own, of_products) = (v.slice(s![.., ..first]), v.dot(&t.slice(s![.., ..first])));
    let squares = |row: ArrayView1<f64>| row.dot(&row);
    let mut one = Rule { nodes: moduli.to_vec(), weights: own.rows().into_iter().map(squares).collect() };
    let least = f64::EPSILON * n as f64 * moduli.iter().fold(0.0, |largest: f64, modulus| largest.max(*modulus));
    let weights = of_products.rows().into_iter().map(squares).zip(&moduli);
    let weights = weights.map(|(square, &modulus)| if modulus > least { square / modulus.powi(2) } else { 0.0 });
    let mut other = Rule { nodes: moduli.to_vec(), weights: weights.collect() };
    let left = first as f64 - other.weights.iter().sum::<f64>();
    for (rule, weight) in [(&mut one, 0.0), (&mut other, left.max(0.0))] {
        rule.nodes.push(0.0);
        rule.weights.push(weight);
    }
    Ok([one, other])
}

/// The square roots of the eigenvalues of J, and their vectors, as rows.
fn moduli(t: &Array2<f64>, beyond: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    let (n, last) = (t.nrows(), beyond.ncols());
    if n > PRECISE_UP_TO {
        let mut j = t.dot(t);
        let mut corner = j.slice_mut(s![n - last.., n - last..]);
        corner += &beyond.t().dot(beyond);
        let (squares, vectors) = j.eigh(UPLO::Upper).map_err(|error| lapack_error(&error))?;
        return Ok((squares.mapv(|square| square.max(0.0).sqrt()), vectors.reversed_axes()));
    }
    // K = U S V', J = V S^2 V': singular values have their own rounding, not the root of that of squares.
    let mut k = Array2::zeros((n + beyond.nrows(), n));
    k.slice_mut(s![..n, ..]).assign(t);
    k.slice_mut(s![n.., n - last..]).assign(beyond);
    let (_, moduli, v) = k.svddc(JobSvd::Some).map_err(|error| lapack_error(&error))?;
    Ok((moduli, v.expect("it was asked for")))
}

/// R with R' R a matrix that is not negative.
fn root(gram: &Array2<f64>) -> Result<Array2<f64>> {
    let (squares, vectors) = gram.eigh(UPLO::Upper).map_err(|error| lapack_error(&error))?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    Ok(&vectors.t() * &lengths.insert_axis(Axis(1)))
}

/// B A^-1 B', where A is positive and may be nearly singular.
fn congruent_to_inverse(a: ArrayView2<f64>, b: ArrayView2<f64>) -> Result<Array2<f64>> {
    let (values, vectors) = a.to_owned().eigh(UPLO::Upper).map_err(|error| lapack_error(&error))?;
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(*value));
    let mut scaled = b.dot(&vectors);
    let right = scaled.clone();
    for (mut column, &value) in scaled.axis_iter_mut(Axis(1)).zip(&values) {
        column *= if value > f64::EPSILON * a.nrows() as f64 * largest { value.recip() } else { 0.0 };
    }
    Ok(scaled.dot(&right.t()))
}

/// An orthonormal basis of the columns, without directions that are shorter than `least` or depend on the others. Twice
/// through the Gram matrix (Stathopoulos & Wu, SIAM J. Sci. Comput. 23, 2002).
fn orthonormal(block: Array2<f64>, least: f64) -> Result<Array2<f64>> {
    let once = through_gram(block, least)?;
    if once.ncols() == 0 { Ok(once) } else { through_gram(once, 0.0) }
}

fn through_gram(block: Array2<f64>, least: f64) -> Result<Array2<f64>> {
    let (squares, vectors) = block.t().dot(&block).eigh(UPLO::Upper).map_err(|error| lapack_error(&error))?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    let longest = lengths.iter().fold(0.0, |longest: f64, length| longest.max(*length));
    let long = |i: &usize| lengths[*i] > (DEPENDENT * longest).max(least);
    let kept: Vec<usize> = (0..lengths.len()).filter(long).collect();
    let mut basis = block.dot(&vectors.select(Axis(1), &kept));
    for (mut column, i) in basis.axis_iter_mut(Axis(1)).zip(kept) {
        column /= lengths[i];
    }
    Ok(basis)
}

/// Lanczos recurrences from several vectors at once, without reorthogonalisation: quadrature does not need it (Golub &
/// Meurant, chapter 4).
pub(crate) struct Lanczos<'a> {
    operator: &'a dyn SymmetricOperator,
    /// About the largest modulus of an eigenvalue.
    size: f64,
    squared_norms: Array1<f64>,
    previous: Array2<f64>,
    current: Array2<f64>,
    /// Of each vector, the diagonal of T and what stands beside it; both end where the recurrence did.
    diagonals: Vec<Vec<f64>>,
    besides: Vec<Vec<f64>>,
    ended: Vec<bool>,
}

impl<'a> Lanczos<'a> {
    /// Begins with vectors; `size` is about the largest modulus of an eigenvalue.
    pub(crate) fn new(operator: &'a dyn SymmetricOperator, size: f64, vectors: Array2<f64>) -> Self {
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
        let kept = |p: usize, value: f64| if self.ended[p] { 0.0 } else { value };
        let columns = 0..self.ended.len();
        let besides: Vec<f64> = columns.clone().map(|p| self.besides[p].last().copied().unwrap_or(0.0)).collect();
        let diagonals = sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, previous, current| {
            *w = kept(p, *w - besides[p] * previous);
            *w * current
        })?;
        let squares = sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, _, current| {
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
        sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, _, _| {
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
        let diagonal = &self.diagonals[p];
        let scaled = |mut rule: Rule| -> Rule {
            rule.weights.iter_mut().for_each(|weight| *weight *= self.squared_norms[p]);
            rule
        };
        if diagonal.is_empty() {
            return Ok(Bracket::default());
        }
        let (beside, beyond) = self.besides[p].split_at(diagonal.len() - 1);
        let t = tridiagonal(diagonal, beside);
        let gauss = scaled(rule(&t, 1)?);
        if self.ended[p] {
            return Ok(Bracket::point(gauss)); // exact
        }
        if !self.operator.is_positive() {
            let beyond = Array2::from_elem((1, 1), beyond[0]);
            return Ok(Bracket { gauss, ends: rules_of_modulus(&t, &beyond, 1)?.map(scaled) });
        }
        let least = VANISHED * self.size;
        let Some(last) = last_entry_for_zero(diagonal, beside, least) else { return Ok(Bracket::point(gauss)) };
        let mut of_radau = diagonal.clone();
        *of_radau.last_mut().expect("there is one") = last;
        let radau = scaled(rule(&tridiagonal(&of_radau, beside), 1)?);
        Ok(Bracket { ends: [gauss.clone(), radau], gauss })
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

/// Changes each entry of `w` by those beside it in two other arrays, and sums what comes of that over the rows: in
/// blocks, then in order, so that the sums do not depend on threads.
fn sums_over_rows(
    w: &mut Array2<f64>,
    one: &Array2<f64>,
    other: &Array2<f64>,
    job: &Job,
    change: impl Fn(usize, &mut f64, f64, f64) -> f64 + Sync,
) -> Result<Vec<f64>> {
    const BLOCK_ROWS: usize = 1024;
    let width = w.ncols();
    let sums: Vec<Vec<f64>> = job.parallel(|| {
        let blocks = w.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter();
        let others = [one, other].map(|other| other.axis_chunks_iter(Axis(0), BLOCK_ROWS).into_par_iter());
        let [one, other] = others;
        let blocks = blocks.zip(one).zip(other).map(|((mut w, one), other)| {
            let mut sums = vec![0.0; width];
            for ((mut w, one), other) in w.rows_mut().into_iter().zip(one.rows()).zip(other.rows()) {
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum += change(p, &mut w[p], one[p], other[p]);
                }
            }
            sums
        });
        Ok(blocks.collect())
    })?;
    let mut total = vec![0.0; width];
    for sums in sums {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    Ok(total)
}

fn tridiagonal(diagonal: &[f64], beside: &[f64]) -> Array2<f64> {
    let mut t = Array2::from_diag(&Array1::from(diagonal.to_vec()));
    for (i, &entry) in beside.iter().enumerate() {
        t[[i, i + 1]] = entry;
        t[[i + 1, i]] = entry;
    }
    t
}

/// The last diagonal entry with which a positive tridiagonal matrix has the eigenvalue 0; none where what stands
/// before it is singular already.
fn last_entry_for_zero(diagonal: &[f64], beside: &[f64], least: f64) -> Option<f64> {
    let mut pivot = f64::INFINITY;
    let mut last = 0.0;
    for (i, &entry) in diagonal.iter().enumerate() {
        last = if i == 0 { 0.0 } else { beside[i - 1] * beside[i - 1] / pivot };
        pivot = entry - last;
        if i + 1 < diagonal.len() && pivot <= least {
            return None;
        }
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;

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
        let v = noise(60, 3);
        let run = |job: &Job| {
            let mut lanczos = Lanczos::new(&operator, 1.0, v.clone());
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
        let start = noise(90, 4);
        let run = |job: &Job| {
            let mut krylov = BlockKrylov::new(&operator, start.clone(), job)?;
            let mut lanczos = Lanczos::new(&operator, 1.0, start.clone());
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
        let run = |job: &Job| {
            let mut lanczos = Lanczos::new(&operator, 1.0, noise(50, 2));
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
}
