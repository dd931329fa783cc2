//! Eigenvalues of a general matrix, from the diagonal blocks of its strongly connected components.
//!
//! The nonzero entries are the edges of a graph. In the order of its strongly connected components the matrix is block
//! triangular, so its eigenvalues are those of the diagonal blocks. Each block is balanced and scaled by powers of two
//! ([`balance`]) and reduced to Hessenberg form ([`hessenberg`]), and LAPACK's `dhseqr`, the QR iteration without
//! vectors, computes its eigenvalues. They are those of a matrix that differs from the balanced block by a modest
//! multiple of n eps times its norm. Cost: about 10 n^3 flops for a block of n rows.
//!
//! The eigenvalues of a graph that is not symmetric are ill conditioned: rounding in another order moves them visibly. So
//! no step depends on the number of threads, and the QR iteration has one. A block that needs little balancing, such as
//! a block of ones, stays as it is.

mod balance;
mod component;
mod hessenberg;

use ndarray::Array2;
use ndarray_linalg::c64;
use petgraph::graph::NodeIndex;

use super::lapack::hessenberg_eigenvalues;
use super::require_square_and_finite;
use crate::error::Result;
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use balance::Scaling;
use component::{Component, Components, Entries};
use hessenberg::reduce_to_hessenberg;

/// Bytes that an entry takes in the graph of [`general_eigenvalues`].
pub(crate) const EDGE_BYTES: u64 = 24;

/// Computes the eigenvalues of a square matrix, block by block. Parts above [`f64::MAX`] are infinite.
///
/// # Errors
/// [`crate::Error::Invalid`] where the matrix is not square or not finite; [`crate::Error::Lapack`] where the iteration
/// does not converge; [`crate::Error::Interrupted`].
pub fn general_eigenvalues(matrix: Array2<f64>, job: &Job) -> Result<Vec<c64>> {
    require_square_and_finite(matrix.dim(), matrix.rows())?;
    let components = Components::new(entries(&matrix));
    drop(matrix);
    Ok(job.many(components.iter().collect(), component_eigenvalues)?.concat())
}

/// Computes the eigenvalues of one block.
fn component_eigenvalues(component: Component, job: &Job) -> Result<Vec<c64>> {
    let scaling = Scaling::new(component, job)?;
    let mut block = block(component, &scaling)?;
    reduce_to_hessenberg(block.view_mut(), job)?;
    let mut eigenvalues = hessenberg_eigenvalues(block)?;
    for eigenvalue in &mut eigenvalues {
        *eigenvalue = c64::new(scaling.undo(eigenvalue.re), scaling.undo(eigenvalue.im));
    }
    Ok(eigenvalues)
}

/// Collects the nonzero entries of a matrix.
fn entries(matrix: &Array2<f64>) -> Entries {
    let n = matrix.nrows();
    let mut entries = Entries::with_capacity(n, matrix.iter().filter(|&&entry| entry != 0.0).count());
    for _ in 0..n {
        entries.add_node(());
    }
    for (i, row) in matrix.rows().into_iter().enumerate() {
        for (j, &entry) in row.iter().enumerate() {
            if entry != 0.0 {
                entries.add_edge(NodeIndex::new(i), NodeIndex::new(j), entry);
            }
        }
    }
    entries
}

/// The scaled diagonal block of a component, in column-major order. Its transpose has the same eigenvalues but for
/// rounding, which is visible here, so LAPACK gets the matrix itself, as in other libraries.
fn block(component: Component, scaling: &Scaling) -> Result<Array2<f64>> {
    let mut block = memory::zeros(component.len())?.reversed_axes();
    for i in 0..component.len() {
        for (j, entry) in component.row(i) {
            block[[i, j]] = scaling.apply(i, j, entry);
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::array;
    use ndarray_linalg::EigVals;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn general(matrix: Array2<f64>) -> Result<Vec<c64>> {
        parallel::run(2, || false, |job| general_eigenvalues(matrix, job))
    }

    fn random(n: usize) -> Array2<f64> {
        let mut rng = StdRng::seed_from_u64(n as u64);
        Array2::from_shape_simple_fn((n, n), || rng.random_range(-1.0..1.0))
    }

    /// Requires that each expected eigenvalue, times `scale`, is found once, to within `bound` times `scale`.
    fn assert_eigenvalues(found: &[c64], expected: &[c64], scale: f64, bound: f64) {
        assert_eq!(found.len(), expected.len());
        let mut left: Vec<c64> = found.iter().map(|v| c64::new(v.re / scale, v.im / scale)).collect();
        for value in expected {
            let distances = left.iter().map(|v| (v - value).norm());
            let (at, distance) = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert!(distance <= bound, "{value}: {} at a scale of {scale}", left[at]);
            left.swap_remove(at);
        }
    }

    /// Balancing leaves the largest entry, which is on the diagonal, and the others then are at most 1e-306 of it.
    #[test]
    fn entries_of_all_magnitudes_leave_the_largest_eigenvalue_its_digits() {
        let largest = -2.282_227_612_618_174_5e306;
        let matrix = array![[1e-306, 1.8e188, -5.5e303], [1.2e-312, largest, 0.0], [5.5e-321, 0.0, 0.0]];
        let found = general(matrix).unwrap();
        let real = found.iter().map(|value| value.re).fold(0.0, f64::min);
        approx::assert_relative_eq!(real, largest, max_relative = 30.0 * f64::EPSILON);
    }

    /// The eigenvalues of a directed cycle of n points are the n-th roots of unity.
    #[test]
    fn directed_cycle_has_the_roots_of_unity() {
        let n = 12;
        let cycle = Array2::from_shape_fn((n, n), |(i, j)| f64::from(u8::from(j == (i + 1) % n)));
        let eigenvalues = general(cycle).unwrap();
        for k in 0..n {
            let root = c64::from_polar(1.0, std::f64::consts::TAU * k as f64 / n as f64);
            assert!(eigenvalues.iter().any(|v| (v - root).norm() < 1e-13), "{root}");
        }
        assert_eq!(general(Array2::zeros((0, 0))), Ok(vec![]));
    }

    /// A cycle of 3, a cycle of 4 and a point, with edges from each to later ones only, in shuffled rows.
    #[test]
    fn block_triangular_matrix_has_the_eigenvalues_of_its_blocks() {
        let cycle = |first: usize, n: usize| (0..n).map(move |i| (first + i, first + (i + 1) % n));
        let edges = cycle(0, 3).chain(cycle(3, 4)).chain([(0, 3), (1, 5), (2, 7), (4, 7)]);
        let shuffled = |i: usize| i * 3 % 8;
        let mut matrix = Array2::zeros((8, 8));
        for (i, j) in edges {
            matrix[[shuffled(i), shuffled(j)]] = 1.0;
        }
        matrix[[shuffled(7), shuffled(7)]] = 5.0;
        let whole = matrix.eigvals().unwrap();
        let blocks = general(matrix).unwrap();
        let roots =
            |n: u32| (0..n).map(move |k| c64::from_polar(1.0, std::f64::consts::TAU * f64::from(k) / f64::from(n)));
        let expected: Vec<c64> = roots(3).chain(roots(4)).chain([c64::new(5.0, 0.0)]).collect();
        assert_eq!(blocks.len(), 8);
        for value in expected {
            assert!(blocks.iter().any(|v| (v - value).norm() < 1e-13), "{value}");
            // The eigenvalue 1, which both cycles have, is defective in the whole matrix: half of its digits are lost.
            assert!(whole.iter().any(|v| (v - value).norm() < 1e-6), "{value}");
        }
    }

    /// (x - 2)(x^2 - 2x + 5), whose roots are 2 and 1 +- 2i, at both ends of the range of numbers.
    #[test]
    fn no_scale_is_lost() {
        let companion = array![[4.0, -9.0, 10.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let expected = [c64::new(2.0, 0.0), c64::new(1.0, 2.0), c64::new(1.0, -2.0)];
        for scale in [1e-307, 1e-300, 1e-160, 1.0, 1e160, 1e300, 1e307] {
            assert_eigenvalues(&general(&companion * scale).unwrap(), &expected, scale, 1e-13);
        }
        // Subnormal entries are multiples of the smallest number, and so are their eigenvalues.
        assert_eigenvalues(&general(&companion * 5e-320).unwrap(), &expected, 5e-320, 1e-4);
        for entry in [5e-324, -1e-310, 2.0, f64::MAX] {
            assert_eq!(general(array![[entry]]), Ok(vec![c64::new(entry, 0.0)]));
        }
        assert_eq!(general(Array2::from_elem((2, 2), f64::MAX)).unwrap()[0].re, f64::INFINITY);
    }

    /// D A D^-1 has the eigenvalues of A. Balancing brings back a matrix with a norm near that of A, whose eigenvalues
    /// have condition numbers of a few ten here.
    #[test]
    fn badly_scaled_matrix_has_the_eigenvalues_of_the_balanced_one() {
        let n = 60;
        let matrix = random(n);
        let expected = matrix.eigvals().unwrap().to_vec();
        for exponent in [8.0, 16.0, 300.0] {
            let factor = |i: usize| 10f64.powf(exponent * ((i * 37 % n) as f64 / n as f64 - 0.5));
            let scaled = Array2::from_shape_fn((n, n), |(i, j)| matrix[[i, j]] * factor(i) / factor(j));
            assert_eigenvalues(&general(scaled).unwrap(), &expected, 1.0, 1e-12);
        }
    }

    /// Blocks at both ends of the range of numbers, each with a scale of its own.
    #[test]
    fn each_block_keeps_its_own_scale() {
        let mut matrix = Array2::zeros((6, 6));
        for (first, scale) in [(0, 1e-300), (2, 1.0), (4, 1e300)] {
            matrix[[first, first + 1]] = scale;
            matrix[[first + 1, first]] = 4.0 * scale;
        }
        let mut moduli: Vec<f64> = general(matrix).unwrap().into_iter().map(c64::norm).collect();
        moduli.sort_unstable_by(f64::total_cmp);
        for (found, expected) in moduli.iter().zip([2e-300, 2e-300, 2.0, 2.0, 2e300, 2e300]) {
            approx::assert_relative_eq!(*found, expected, max_relative = 1e-15);
        }
    }

    /// The QR iteration runs for minutes on a matrix with one NaN.
    #[test]
    fn entries_that_are_not_finite_and_rectangles_are_refused() {
        for entry in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut matrix = random(120);
            matrix[[70, 11]] = entry;
            let error = general(matrix).unwrap_err().to_string();
            assert!(error.starts_with("matrix must be finite, got"), "{error}");
        }
        let error = general(Array2::zeros((2, 3))).unwrap_err().to_string();
        assert_eq!(error, "matrix must be square, got 2 x 3");
    }
}
