//! Groups of equal rows, or of rows that are equal up to a tolerance.
//!
//! Rows are sorted by one column after the other and split wherever the next entry is farther than the tolerance, until
//! each run has one row or no column is left. The rows of such a run join the first one of the run, in lexicographic
//! order, that is no farther than the tolerance. Neither step depends on the order in which rows are given. Cost: N log N
//! comparisons for the first column, and as many entries of the others as there are rows in runs of several.

use std::cmp::Ordering;
use std::ops::Range;

use ndarray::ArrayView2;

use crate::linalg::scalar::Element;

/// Finds a row that represents each row: the number of one that is equal to it or, with a tolerance above 0, at most
/// that far from it. Without a tolerance it is the first of its group. 0 and -0 are equal; entries must be finite.
pub fn distinct_rows<T: Element>(x: ArrayView2<T>, tolerance: f64) -> Vec<usize> {
    let entry = |row: usize, column: usize| -> f64 { x[[row, column]].into() };
    let mut order: Vec<usize> = (0..x.nrows()).collect();
    let mut runs: Vec<Range<usize>> = std::iter::once(0..x.nrows()).collect();
    for column in 0..x.ncols() {
        let mut parts = Vec::new();
        for run in runs {
            let rows = &mut order[run.clone()];
            rows.sort_by(|&a, &b| compare(entry(a, column), entry(b, column)));
            let together = rows.chunk_by(|&a, &b| entry(b, column) - entry(a, column) <= tolerance);
            let mut start = run.start;
            for part in together {
                if part.len() > 1 {
                    parts.push(start..start + part.len());
                }
                start += part.len();
            }
        }
        runs = parts;
    }
    let mut representatives: Vec<usize> = (0..x.nrows()).collect();
    for run in runs {
        let rows = &mut order[run];
        if tolerance == 0.0 {
            let first = rows.iter().copied().min().unwrap_or_default();
            for &mut row in rows {
                representatives[row] = first;
            }
            continue;
        }
        rows.sort_by(|&a, &b| {
            let pairs = x.row(a).into_iter().zip(x.row(b));
            pairs.map(|(&a, &b)| compare(a.into(), b.into())).find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
        });
        let distance = |a: usize, b: usize| {
            let pairs = x.row(a).into_iter().zip(x.row(b));
            pairs.map(|(&a, &b)| (a.into() - b.into()).powi(2)).sum::<f64>().sqrt()
        };
        let mut leaders: Vec<usize> = Vec::new();
        for &mut row in rows {
            match leaders.iter().find(|&&leader| distance(row, leader) <= tolerance) {
                Some(&leader) => representatives[row] = leader,
                None => leaders.push(row),
            }
        }
    }
    representatives
}

/// The order of two finite numbers, in which 0 and -0 are equal.
fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis, array};

    #[test]
    fn equal_rows_have_the_first_of_them_in_common() {
        let x = array![[1.0, 0.0], [2.0, 5.0], [1.0, -0.0], [1.0, 1.0], [2.0, 5.0], [1.0, 0.0]];
        assert_eq!(distinct_rows(x.view(), 0.0), [0, 1, 0, 3, 1, 0]);
        assert_eq!(distinct_rows(Array2::<f32>::zeros((5, 3)).view(), 0.0), [0; 5]);
        assert_eq!(distinct_rows(array![[1e308], [-1e308], [1e308]].view(), 0.0), [0, 1, 0]);
    }

    #[test]
    fn groups_are_those_of_all_pairs() {
        let x = Array2::from_shape_fn((700, 4), |(i, j)| ((i * 7919 + j * 104_729 + i * i * 31) % 10_007 % 4) as f64);
        let found = distinct_rows(x.view(), 0.0);
        for (i, &found) in found.iter().enumerate() {
            assert_eq!(found, (0..700).find(|&j| x.row(i) == x.row(j)).unwrap());
        }
    }

    /// Rounding of some rows splits no group, and near rows at a larger distance stay apart.
    #[test]
    fn a_tolerance_joins_near_rows_in_whatever_order() {
        let noise = |i: usize, j: usize| 1e-16 * ((i * 7 + j * 3) % 5) as f64;
        let x = Array2::from_shape_fn((60, 3), |(i, j)| {
            ((i % 6 + 2 * j) % 4) as f64 + 1e-14 * (i % 6) as f64 + noise(i, j)
        });
        let leaders = |order: &[usize]| -> Vec<usize> {
            let found = distinct_rows(x.select(Axis(0), order).view(), 1e-15);
            let place = |row: usize| order.iter().position(|&i| i == row).unwrap();
            (0..60).map(|row| order[found[place(row)]]).collect()
        };
        let forward = leaders(&(0..60).collect::<Vec<usize>>());
        let backward = leaders(&(0..60).rev().collect::<Vec<usize>>());
        assert!((0..60).all(|i| forward[i] % 6 == i % 6));
        // Of equal rows another one may be the leader.
        assert_eq!(x.select(Axis(0), &forward), x.select(Axis(0), &backward));
        let mut leaders = forward;
        leaders.sort_unstable();
        leaders.dedup();
        assert_eq!(leaders.len(), 6);
    }
}
