//! Rows, the distances of pairs of them, and nearest neighbours.

pub(crate) mod distances;
pub(crate) mod input;
pub(crate) mod knn_search;
pub(crate) mod neighbors;
pub(crate) mod points;
