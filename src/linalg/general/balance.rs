//! Balancing of a component of a general matrix A, as LAPACK's `gebal` scales it.
//!
//! D^-1 A D has the eigenvalues of A, and its QR iteration is wrong by eps times its own norm. D is diagonal, of powers
//! of two, so nothing is rounded. One row and column after the other are scaled until all have nearly equal norms
//! (Osborne 1960; Parlett & Reinsch, Numer. Math. 13, 1969, doi:10.1007/BF02165404). The norms are Euclidean and include
//! the diagonal, so a row whose other entries are rounding is left alone (James, Langou & Lowery, "On matrix balancing
//! and eigenvector computation", arXiv:1401.5766). Norms are held as logarithms, so that no scale over- or underflows.
//! Cost: two steps for each entry and pass; a few passes.

use crate::error::Result;
use crate::linalg::general::component::Component;
use crate::linalg::scaling::{binary_exponent, times_power_of_two};
use crate::runtime::parallel::Job;

/// A row and its column are scaled where the sum of their norms falls below this part.
const WORTHWHILE: f64 = 0.95;
/// Factors whose exponents differ by no more than this are left out. The error grows by at most as many bits, and the
/// matrix of a graph, whose entries are all 1, keeps its rounding.
const NEGLIGIBLE_RANGE: i32 = 3;
/// Passes over all rows. Each lowers the norm of the matrix, by which the iteration converges; a few are usual.
const MAX_PASSES: usize = 100;

/// The powers of two that scale a component.
pub(super) struct Scaling {
    /// The exponents of D.
    exponents: Vec<i32>,
    /// The exponent of a common factor, which takes the largest entry of D^-1 A D near 1.
    common: i32,
}

impl Scaling {
    /// Finds the scaling of a component.
    pub(super) fn new(component: Component, job: &Job) -> Result<Self> {
        let mut exponents = balancing_exponents(component, job)?;
        let range = exponents.iter().max().zip(exponents.iter().min()).map_or(0, |(most, least)| most - least);
        if range <= NEGLIGIBLE_RANGE {
            exponents.fill(0);
        }
        let entries = (0..component.len()).flat_map(|i| component.row(i).map(move |(j, entry)| (i, j, entry)));
        let largest = entries.map(|(i, j, entry)| binary_exponent(entry) + exponents[j] - exponents[i]).max();
        Ok(Self { exponents, common: -largest.unwrap_or(0) })
    }

    /// The entry of row i and column j after scaling.
    pub(super) fn apply(&self, i: usize, j: usize, entry: f64) -> f64 {
        times_power_of_two(entry, self.exponents[j] - self.exponents[i] + self.common)
    }

    /// The number that an eigenvalue, or a part of it, had before scaling.
    pub(super) fn undo(&self, eigenvalue: f64) -> f64 {
        times_power_of_two(eigenvalue, -self.common)
    }
}

/// The exponents of D.
fn balancing_exponents(component: Component, job: &Job) -> Result<Vec<i32>> {
    let mut exponents = vec![0; component.len()];
    for _ in 0..MAX_PASSES {
        job.check()?;
        let mut changed = false;
        for i in 0..component.len() {
            let row = log2_norm(component.row(i).map(|(j, entry)| (entry, exponents[j] - exponents[i])));
            let column = log2_norm(component.column(i).map(|(j, entry)| (entry, exponents[i] - exponents[j])));
            let exponent = worthwhile_exponent(row, column);
            exponents[i] += exponent;
            changed |= exponent != 0;
        }
        if !changed {
            break;
        }
    }
    Ok(exponents)
}

/// The exponent by which a column is multiplied and its row divided, from the logarithms of their norms.
fn worthwhile_exponent(row: f64, column: f64) -> i32 {
    if !(row - column).is_finite() {
        return 0; // a component of one row without an entry
    }
    #[expect(clippy::cast_possible_truncation, reason = "a difference of exponents")]
    let exponent = ((row - column) / 2.0).round() as i32;
    let reference = row.max(column);
    let sum = |by: f64| (column + by - reference).exp2() + (row - by - reference).exp2();
    if sum(f64::from(exponent)) < WORTHWHILE * sum(0.0) { exponent } else { 0 }
}

/// The logarithm, to base 2, of the Euclidean norm of numbers that are each multiplied by a power of two.
fn log2_norm(numbers: impl Iterator<Item = (f64, i32)> + Clone) -> f64 {
    let Some(largest) = numbers.clone().map(|(number, exponent)| binary_exponent(number) + exponent).max() else {
        return f64::NEG_INFINITY;
    };
    let squares = numbers.map(|(number, exponent)| times_power_of_two(number, exponent - largest).powi(2));
    f64::from(largest) + squares.sum::<f64>().log2() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::general::component::{Components, Entries};
    use crate::runtime::parallel;

    /// Calls `check` with the only component of a matrix, given by its nonzero entries, and the scaling of that.
    fn with_scaling(edges: &[(u32, u32, f64)], check: impl Fn(Component, &Scaling) + Sync) {
        let components = Components::new(Entries::from_edges(edges));
        assert_eq!(components.iter().count(), 1);
        let work = |job: &Job| {
            let component = components.iter().next().expect("there is one component");
            check(component, &Scaling::new(component, job)?);
            Ok(())
        };
        parallel::run(1, || false, work).unwrap();
    }

    /// A cycle of 40 points, of which the first has an edge from every other one: its row has one entry, its column 39.
    #[test]
    fn graph_keeps_its_bits() {
        let edges: Vec<_> = (0..40).flat_map(|i| [(i, (i + 1) % 40, 1.0), (i, 0, 1.0)]).collect();
        with_scaling(&edges, |_, scaling| {
            for &(i, j, entry) in &edges {
                assert_eq!(scaling.apply(i as usize, j as usize, entry), entry);
            }
            assert_eq!(scaling.undo(0.3), 0.3);
        });
    }

    /// Entries of 1e-280 to 1e280, whose squares over- and underflow. Each scaled row and column have norms whose ratio is
    /// at most 4, and products of entries along a cycle are those of the matrix times the common factor.
    #[test]
    fn rows_and_columns_get_similar_norms() {
        let factor = |i: u32| 10f64.powi(i32::try_from(i * 7 % 15).expect("a small number") * 20 - 140);
        let entry = |i: u32, j: u32| (1.0 + f64::from(i * j % 4)) * factor(i) / factor(j);
        let edges: Vec<_> = (0..15).flat_map(|i| (0..15).map(move |j| (i, j, entry(i, j)))).collect();
        with_scaling(&edges, |component, scaling| {
            let norm =
                |entries: &mut dyn Iterator<Item = f64>| entries.map(|entry| entry * entry).sum::<f64>().sqrt();
            for i in 0..15 {
                let row = norm(&mut component.row(i).map(|(j, entry)| scaling.apply(i, j, entry)));
                let column = norm(&mut component.column(i).map(|(j, entry)| scaling.apply(j, i, entry)));
                assert!((0.25..=4.0).contains(&(row / column)) && row < 100.0, "{row} {column}");
            }
            let [(_, _, there), (_, _, back)] = [edges[3], edges[45]];
            let scaled = scaling.apply(0, 3, there) * scaling.apply(3, 0, back);
            assert_eq!(scaling.undo(scaling.undo(scaled)), there * back);
        });
    }
}
