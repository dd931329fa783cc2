//! Rows of data, the distances of pairs of them, and nearest neighbours.

mod candidates;
pub(crate) mod distances;
pub(crate) mod input;
mod knn_search;
pub(crate) mod neighbors;
pub(crate) mod points;
