//! Sums of products that have the same bits in any order.
//!
//! ```text
//! sum_k round(p_k),     round(p) = (p + c) - c,     c = 1.5 * 2^m,     2^m at least twice any sum
//! ```
//!
//! Krylov spaces magnify rounding: a product that differs in its last bits ends in another basis, and an estimate in
//! another number, as good but not equal. So each tile's product is rounded to a multiple of one power of two for each
//! column, which makes all sums exact (Demmel & Nguyen, "Fast reproducible floating-point summation", ARITH 2013,
//! doi:10.1109/ARITH.2013.9). The result depends neither on threads nor on storage, nor on which of several machines of
//! one kind computes which tiles. Cost: two additions per entry of a product.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};

use crate::linalg::scalar::Entry;
use crate::linalg::scaling::max_abs;

/// The rounding of the products of tiles that makes their sums exact.
#[derive(Debug, Clone, PartialEq)]
pub struct SumRounding {
    /// For each column, the number that is added to each product and subtracted again; 0 where nothing is rounded.
    pub ceilings: Vec<f64>,
}

impl SumRounding {
    /// The rounding for products of `x` with a matrix whose rows have absolute sums up to `largest_row`.
    pub(crate) fn new(x: ArrayView2<f64>, largest_row: f64) -> Self {
        let ceiling = |column: ArrayView1<f64>| {
            // Twice as large as any sum, so that the last bit of each sum is that of the ceiling.
            let bound = 2.0 * max_abs([column]) * largest_row;
            if bound > 0.0 && bound < f64::MAX / 8.0 { 1.5 * bound.log2().ceil().exp2() } else { 0.0 }
        };
        Self { ceilings: x.axis_iter(Axis(1)).map(ceiling).collect() }
    }

    /// Adds `a b`, rounded, to `sums`; `product` is a buffer.
    pub(crate) fn add<A: Entry>(
        &self,
        a: ArrayView2<A>,
        b: ArrayView2<A>,
        product: &mut Array2<A>,
        mut sums: ArrayViewMut2<f64>,
    ) {
        let mut product = product.slice_mut(s![..sums.nrows(), ..]);
        general_mat_mul(A::one(), &a, &b, A::zero(), &mut product);
        for (mut sums, product) in sums.rows_mut().into_iter().zip(product.rows()) {
            for ((sum, &entry), &ceiling) in sums.iter_mut().zip(product).zip(&self.ceilings) {
                *sum += (entry.into() + ceiling) - ceiling;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Terms whose plain sums would round differently in another order.
    #[test]
    fn sums_are_the_same_in_any_order() {
        let a = Array2::from_shape_fn((700, 3), |(i, j)| (i as f64 * 0.37 + j as f64).sin() / 3.0);
        let x = Array2::from_shape_fn((3, 2), |(i, j)| (i + 2 * j) as f64 / 7.0 - 0.4);
        let rounding = SumRounding::new(x.view(), 700.0 * 3.0);
        let sum = |order: &mut dyn Iterator<Item = usize>| {
            let (mut sums, mut buffer) = (Array2::zeros((1, 2)), Array2::zeros((1, 2)));
            order.for_each(|i| rounding.add(a.slice(s![i..=i, ..]), x.view(), &mut buffer, sums.view_mut()));
            sums
        };
        let forward = sum(&mut (0..700));
        assert_eq!(forward, sum(&mut (0..700).rev()));
        approx::assert_abs_diff_eq!(forward, a.dot(&x).sum_axis(Axis(0)).insert_axis(Axis(0)), epsilon = 1e-11);
    }
}
