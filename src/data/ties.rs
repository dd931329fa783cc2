//! Neighbours that are as far as the last one up to the rounding of their distances.
//!
//! ```text
//! tied:   d_ij <= r_i (1 + 2u + (D + 2) eps / 2) + 4u |x_i|     rows, rounded with unit roundoff u
//!         d_ij <= r_i (1 + 2u + 2 eps) + 16 min(u, 2^-24) max_j d_ij         given distances
//! ```
//!
//! Rounding moves x_i by at most u |x_i|. So a distance moves by u (|x_i| + |x_j|), where |x_j| <= |x_i| + d_ij, and the
//! sum of D squares by (D + 2) eps / 2 of itself before the root, eps = 2^-52; r_i moves as much. Of given distances the
//! rows are not known: the farthest row is in place of |x_i|, and what is given with less than the precision of f32 counts as
//! computed in f32, then rounded. Cost: N D flops.

use crate::data::distances::Distances;
use crate::data::points::Points;
use crate::data::wide_square::WideSquare;

/// What rounding may add to the distance of one row to a neighbour, against that of its last neighbour.
#[derive(Debug, Clone, Copy)]
pub(super) struct TieMargin {
    relative: f64,
    absolute: f64,
}

impl TieMargin {
    /// Ties of distances that are equal to the last bit.
    pub(super) const EXACT: Self = Self { relative: 0.0, absolute: 0.0 };

    /// The margin of each row, whose entries have the unit roundoff `rounding`.
    pub(super) fn of_rows(points: &Points, rounding: f64) -> Vec<Self> {
        let origin = vec![0.0; points.dim()];
        let sums = (points.dim() as f64 + 2.0) * f64::EPSILON / 2.0;
        let of_row = |row: &[f64]| Self {
            relative: 2.0 * rounding + sums,
            absolute: 4.0 * rounding * WideSquare::between(row, &origin).root().min(f64::MAX),
        };
        (0..points.len()).map(|i| of_row(points.row(i))).collect()
    }

    /// The margin of a row of given distances, whose entries have the unit roundoff `rounding`.
    pub(super) fn of_distances(distances: impl Iterator<Item = f64>, rounding: f64) -> Self {
        let farthest = distances.fold(0.0, f64::max);
        let computed = rounding.min(f64::from(f32::EPSILON) / 2.0);
        Self { relative: 2.0 * rounding + 2.0 * f64::EPSILON, absolute: 16.0 * computed * farthest }
    }

    /// The margin for distances in units in which they are `factor` times as large.
    pub(super) fn in_units(self, factor: f64) -> Self {
        Self { absolute: self.absolute * factor, ..self }
    }

    /// The largest distance that is tied with `radius`.
    pub(super) fn widened(self, radius: f64) -> f64 {
        (radius + (self.relative * radius + self.absolute)).min(f64::MAX).max(radius)
    }

    /// The square of the largest distance that is tied with one.
    pub(super) fn widened_square(self, radius: WideSquare) -> WideSquare {
        if self.is_exact() {
            return radius;
        }
        let widened = WideSquare::of(self.widened(radius.root()));
        if widened.order(&radius).is_lt() { radius } else { widened }
    }

    /// An upper bound of a squared distance, widened and rounded upward.
    pub(super) fn widened_bound(self, squared: f32) -> f32 {
        if self.is_exact() {
            return squared;
        }
        let widened = self.widened(f64::from(squared.max(0.0)).sqrt()).powi(2);
        #[expect(clippy::cast_possible_truncation, reason = "two eps of f32 are added")]
        let rounded = (widened * (1.0 + 2.0 * f64::from(f32::EPSILON))) as f32;
        rounded + f32::MIN_POSITIVE
    }

    fn is_exact(self) -> bool {
        self.relative == 0.0 && self.absolute == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn exact_ties_leave_a_radius_as_it_is() {
        let radius = WideSquare::of(0.3);
        assert_eq!(TieMargin::EXACT.widened_square(radius), radius);
        assert_eq!(TieMargin::EXACT.widened_bound(0.3), 0.3);
    }

    #[test]
    fn margins_follow_the_scale_of_rows_and_never_shrink_a_radius() {
        for scale in [1e-320, 1e-200, 1.0, 1e200, 1e307] {
            let points = Points::in_own_scale(array![[0.0, 0.0], [3.0 * scale, 4.0 * scale]].view());
            let margins = TieMargin::of_rows(&points, f64::EPSILON);
            for margin in margins {
                let radius = WideSquare::of(scale);
                assert!(margin.widened_square(radius).order(&radius).is_ge());
                assert!(margin.widened(scale) <= scale * (1.0 + 30.0 * f64::EPSILON));
                assert!(margin.widened_bound(0.5) > 0.5);
            }
        }
        let points = Points::in_own_scale(array![[f64::MAX, f64::MAX]].view());
        assert!(TieMargin::of_rows(&points, 0.5)[0].widened(1.0).is_finite());
    }
}
