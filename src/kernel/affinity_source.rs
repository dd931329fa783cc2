//! Where an affinity comes from: rows, given distances, stored distances, or given affinities.
//!
//! Operators see none of these differences: an exact solver takes the affinity as a matrix, an estimate takes it as a
//! [`Kernel`], tile by tile.

use ndarray::ArrayView2;

use crate::data::distances::{Distances, GivenDistances, StoredDistances};
use crate::data::input::{Input, Metric};
use crate::data::points::Points;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::bandwidth::Bandwidth;
use crate::kernel::gaussian::{Gaussian, gaussian_affinity};
use crate::kernel::gaussian_f32::GaussianF32;
use crate::kernel::precomputed::{AffinityUnit, GivenAffinities, given_affinity};
use crate::linalg::scalar::Element;
use crate::linalg::upper_triangle::UpperTriangle;
use crate::runtime::parallel::Job;

/// The source of an affinity, with the bandwidth of its Gaussian kernel where it has one.
pub(crate) enum AffinitySource<'a, T> {
    /// Rows, whose Euclidean distances are computed each time that they are needed.
    Rows(Points, Bandwidth),
    /// A matrix of distances.
    GivenDistances(GivenDistances<'a, T>, Bandwidth),
    /// Distances that were computed before, Euclidean ones or others.
    StoredDistances(&'a StoredDistances, DistanceKind, Bandwidth),
    /// A matrix of affinities.
    GivenAffinities(ArrayView2<'a, T>),
}

/// The properties of distances that decide the precision and the memory of what is computed from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DistanceKind {
    /// Euclidean distances of rows, computed each time that they are needed.
    Computed {
        /// Columns of the rows.
        columns: usize,
    },
    /// Euclidean distances that are stored.
    Stored,
    /// Distances or affinities that are given, so a kernel of them need not be positive definite.
    Given,
}

impl DistanceKind {
    /// The kind of the distances of a data set.
    pub(crate) fn of<T: Element>(input: &Input<T>) -> Self {
        input.columns().map_or(Self::Given, |columns| Self::Computed { columns })
    }

    /// The kind of these distances after they were stored.
    pub(crate) fn stored(self) -> Self {
        if self == Self::Given { Self::Given } else { Self::Stored }
    }

    /// Columns of the rows that are held besides, 0 where none are.
    pub(crate) fn columns(self) -> usize {
        match self {
            Self::Computed { columns } => columns,
            Self::Stored | Self::Given => 0,
        }
    }
}

impl<'a, T: Element> AffinitySource<'a, T> {
    /// Prepares a data set for a bandwidth, which plays no part for given affinities.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite, or of another number of rows.
    pub(crate) fn new(input: Input<'a, T>, bandwidth: &Bandwidth) -> Result<Self> {
        Self::prepare(input, bandwidth, Points::new)
    }

    /// Prepares a data set as [`Self::new`] does, with rows centred at a mean that has the same bits in whatever order it
    /// was summed, so that several machines compute the same affinities.
    ///
    /// # Errors
    /// The errors of [`Self::new`].
    pub(crate) fn reproducible(input: Input<'a, T>, bandwidth: &Bandwidth) -> Result<Self> {
        Self::prepare(input, bandwidth, Points::around_rounded_mean)
    }

    /// Fails unless the bandwidth is positive and finite, with one sigma or one per row. Given affinities need none.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for any other bandwidth.
    pub(crate) fn require_bandwidth(input: &Input<T>, bandwidth: &Bandwidth) -> Result<()> {
        if input.metric == Metric::Affinity { Ok(()) } else { bandwidth.require(input.len()) }
    }

    fn prepare(
        input: Input<'a, T>,
        bandwidth: &Bandwidth,
        points: impl FnOnce(ArrayView2<'a, T>, f64) -> Points,
    ) -> Result<Self> {
        Self::require_bandwidth(&input, bandwidth)?;
        let length = bandwidth.smallest();
        Ok(match input.metric {
            Metric::Euclidean => Self::Rows(points(input.matrix, length), bandwidth.clone()),
            Metric::Precomputed => Self::GivenDistances(GivenDistances::new(input.matrix, length), bandwidth.clone()),
            Metric::Affinity => Self::GivenAffinities(input.matrix),
        })
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Rows(points, _) => points.len(),
            Self::GivenDistances(distances, _) => distances.len(),
            Self::StoredDistances(distances, ..) => distances.len(),
            Self::GivenAffinities(matrix) => matrix.nrows(),
        }
    }

    /// The kind of the distances.
    pub(crate) fn distance_kind(&self) -> DistanceKind {
        match self {
            Self::Rows(points, _) => DistanceKind::Computed { columns: points.dim() },
            Self::StoredDistances(_, kind, _) => *kind,
            Self::GivenDistances(..) | Self::GivenAffinities(_) => DistanceKind::Given,
        }
    }

    /// The distances and the one bandwidth of a Gaussian kernel of Euclidean distances, which is positive definite; None
    /// for any other affinity.
    pub(crate) fn positive_definite_gaussian(&self) -> Option<(&dyn Distances, f64)> {
        match self.affinities() {
            Affinities::Gaussian(distances, Bandwidth::Fixed(sigma))
                if self.distance_kind() != DistanceKind::Given =>
            {
                Some((distances, *sigma))
            }
            _ => None,
        }
    }

    /// Whether the affinity is known to be positive semi-definite. `given` states it of given affinities.
    pub(crate) fn is_positive_semidefinite(&self, given: bool) -> bool {
        match self {
            Self::GivenAffinities(_) => given,
            _ => self.positive_definite_gaussian().is_some(),
        }
    }

    /// The affinity as a matrix. `unit` applies to given affinities; a Gaussian kernel has none.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`]; [`crate::Error::Interrupted`].
    pub(crate) fn matrix(&self, unit: AffinityUnit, job: &Job) -> Result<UpperTriangle> {
        match self.affinities() {
            Affinities::Gaussian(distances, bandwidth) => gaussian_affinity(distances, bandwidth, job),
            Affinities::Given(matrix) => given_affinity(matrix, unit, job),
        }
    }

    /// The affinity in f64, tile by tile.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite, or of another number of rows.
    pub(crate) fn kernel(&self) -> Result<Box<dyn Kernel<f64> + '_>> {
        let kernel: Box<dyn Kernel<f64> + '_> = match self.affinities() {
            Affinities::Gaussian(distances, bandwidth) => Box::new(Gaussian::new(distances, bandwidth)?),
            Affinities::Given(matrix) => Box::new(GivenAffinities::new(matrix)),
        };
        Ok(kernel)
    }

    /// The affinity in f32, tile by tile; None where its relative error could be above `tolerance`, and for anything but
    /// rows with one bandwidth.
    pub(crate) fn kernel_f32(&self, tolerance: f64) -> Option<GaussianF32> {
        match self {
            Self::Rows(points, Bandwidth::Fixed(sigma)) => GaussianF32::new(points, *sigma, tolerance),
            _ => None,
        }
    }

    /// The kind of the affinities, with all that they are computed from.
    fn affinities(&self) -> Affinities<'_, T> {
        match self {
            Self::Rows(points, bandwidth) => Affinities::Gaussian(points, bandwidth),
            Self::GivenDistances(distances, bandwidth) => Affinities::Gaussian(distances, bandwidth),
            Self::StoredDistances(distances, _, bandwidth) => Affinities::Gaussian(*distances, bandwidth),
            Self::GivenAffinities(matrix) => Affinities::Given(*matrix),
        }
    }
}

/// The two kinds of affinities, wherever distances come from.
enum Affinities<'a, T> {
    Gaussian(&'a dyn Distances, &'a Bandwidth),
    Given(ArrayView2<'a, T>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::{Array2, array};

    /// The matrix and the tiles of each source hold the same affinities, up to the unit of given ones.
    #[test]
    fn matrix_and_kernel_hold_the_same_affinities() {
        let x = array![[0.0, 1.0], [2.0, 0.5], [1.0, 1.0], [4.0, 3.0]];
        let pairs = array![[0.0, 1.0, 2.0, 4.0], [1.0, 0.0, 1.0, 3.0], [2.0, 1.0, 0.0, 2.0], [4.0, 3.0, 2.0, 0.0]];
        let fixed = Bandwidth::Fixed(1.5);
        let adaptive = Bandwidth::Adaptive(vec![1.0, 2.0, 3.0, 4.0]);
        for (metric, matrix, is_positive_semidefinite) in
            [(Metric::Euclidean, &x, true), (Metric::Precomputed, &pairs, false), (Metric::Affinity, &pairs, false)]
        {
            for bandwidth in [&fixed, &adaptive] {
                let input = Input { metric, matrix: matrix.view() };
                let source = AffinitySource::new(input, bandwidth).unwrap();
                let dense = parallel::run(1, || false, |job| source.matrix(AffinityUnit::AsGiven, job)).unwrap();
                let mut tile = Array2::zeros((4, 4));
                source.kernel().unwrap().affinities(0..4, 0..4, tile.view_mut());
                let unit = if metric == Metric::Affinity { 4.0 } else { 1.0 };
                for ((i, j), affinity) in tile.indexed_iter() {
                    approx::assert_relative_eq!(dense.get(i, j), affinity * unit, max_relative = 1e-14);
                }
                let one_bandwidth = *bandwidth == fixed;
                assert_eq!(source.positive_definite_gaussian().is_some(), is_positive_semidefinite && one_bandwidth);
                assert_eq!(source.kernel_f32(1e-3).is_some(), is_positive_semidefinite && one_bandwidth);
            }
        }
    }
}
