//! Rows of data, the distances of pairs of them, and nearest neighbours.

mod candidates;
pub(crate) mod distances;
pub(crate) mod distinct_rows;
pub(crate) mod input;
mod knn_search;
pub(crate) mod neighbor_edges;
pub(crate) mod neighbors;
pub(crate) mod points;
mod ties;
pub(crate) mod wide_square;
