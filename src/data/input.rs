//! The input of operators: rows of data, or distances or affinities of all pairs of rows.

use ndarray::{Array2, ArrayView2, Axis};

use crate::data::distances::{Distances, GivenDistances};
use crate::data::points::Points;
use crate::error::{Error, Result};
use crate::linalg::scalar::Element;

/// The meaning of the entries of an input matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Coordinates [N, D], whose distances are Euclidean.
    Euclidean,
    /// Distances [N, N].
    Precomputed,
    /// Affinities [N, N].
    Affinity,
}

/// A data set. Matrices of pairs are symmetric and not negative. Only their entries on and above the diagonal are read,
/// except for the graph of nearest neighbours, which reads all.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a, T> {
    /// The meaning of the entries.
    pub metric: Metric,
    /// The entries.
    pub matrix: ArrayView2<'a, T>,
}

/// The part of an input that has distances: all but affinities.
pub(crate) enum DistanceInput<'a, T> {
    /// Coordinates [N, D], whose distances are Euclidean.
    Rows(ArrayView2<'a, T>),
    /// Distances [N, N].
    Given(ArrayView2<'a, T>),
}

impl<'a, T: Element> Input<'a, T> {
    /// Takes rows [N, D].
    pub fn rows(matrix: ArrayView2<'a, T>) -> Self {
        Self { metric: Metric::Euclidean, matrix }
    }

    /// N, the number of rows.
    pub fn len(&self) -> usize {
        self.matrix.nrows()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of columns of rows, whose distances are Euclidean, so that a Gaussian kernel is positive definite. For
    /// matrices of pairs there is none, and the kernel need not be.
    pub(crate) fn columns(&self) -> Option<usize> {
        (self.metric == Metric::Euclidean).then(|| self.matrix.ncols())
    }

    /// Selects rows, or the entries of pairs of them from a matrix of pairs.
    pub(crate) fn part(&self, rows: &[usize]) -> Array2<T> {
        let matrix = &self.matrix;
        if self.metric == Metric::Euclidean {
            return matrix.select(Axis(0), rows);
        }
        let ordered = |i: usize, j: usize| if i <= j { [i, j] } else { [j, i] };
        Array2::from_shape_fn((rows.len(), rows.len()), |(i, j)| matrix[ordered(rows[i], rows[j])])
    }

    /// Fails for affinities, which have no distances.
    pub(crate) fn require_distances(&self) -> Result<DistanceInput<'a, T>> {
        match self.metric {
            Metric::Euclidean => Ok(DistanceInput::Rows(self.matrix)),
            Metric::Precomputed => Ok(DistanceInput::Given(self.matrix)),
            Metric::Affinity => Err(Error::invalid("metric", "of distances", "affinities")),
        }
    }

    /// Prepares distances that are compared with `length`; fails for affinities.
    pub(crate) fn distances(&self, length: f64) -> Result<Box<dyn Distances + 'a>> {
        Ok(match self.require_distances()? {
            DistanceInput::Rows(rows) => Box::new(Points::new(rows, length)),
            DistanceInput::Given(matrix) => Box::new(GivenDistances::new(matrix, length)),
        })
    }

    /// Fails unless there are entries, all finite, and a matrix of pairs is square.
    pub(crate) fn require(&self) -> Result<()> {
        let matrix = self.matrix;
        if matrix.is_empty() {
            return Err(Error::invalid("x", "of at least one row and one column", format!("{:?}", matrix.shape())));
        }
        if self.metric != Metric::Euclidean && !matrix.is_square() {
            return Err(Error::invalid("x", "square", format!("{:?}", matrix.shape())));
        }
        // Without an early exit, the check of a row is vectorized.
        if matrix.rows().into_iter().all(|row| row.iter().fold(true, |all, &entry| all & entry.into().is_finite())) {
            return Ok(());
        }
        match matrix.indexed_iter().find(|(_, entry)| !(**entry).into().is_finite()) {
            None => Ok(()),
            Some(((i, j), entry)) => {
                let value = (*entry).into();
                Err(Error::invalid("x", "finite", format!("{value} in row {i}, column {j}")))
            }
        }
    }
}
