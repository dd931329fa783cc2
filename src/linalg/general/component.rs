//! A strongly connected component of a matrix: a diagonal block, read from the graph of the nonzero entries.

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// The nonzero entries of a matrix, as edges from row to column.
pub(super) type Entries = DiGraph<(), f64, u32>;

/// The strongly connected components of a matrix.
pub(super) struct Components {
    entries: Entries,
    /// The rows of each component, ascending; the largest component comes first.
    rows: Vec<Vec<NodeIndex<u32>>>,
    /// The component of each row, and its position there.
    places: Vec<(usize, usize)>,
}

impl Components {
    pub(super) fn new(entries: Entries) -> Self {
        let mut rows = kosaraju_scc(&entries);
        for rows in &mut rows {
            rows.sort_unstable();
        }
        rows.sort_by_key(|rows| std::cmp::Reverse(rows.len())); // a stable sort, so the order is reproducible
        let mut places = vec![(0, 0); entries.node_count()];
        for (component, rows) in rows.iter().enumerate() {
            for (position, row) in rows.iter().enumerate() {
                places[row.index()] = (component, position);
            }
        }
        Self { entries, rows, places }
    }

    /// All components, the largest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Component<'_>> {
        (0..self.rows.len()).map(|number| Component { all: self, number })
    }
}

/// One component, whose rows and columns are numbered from 0 on.
#[derive(Clone, Copy)]
pub(super) struct Component<'a> {
    all: &'a Components,
    number: usize,
}

impl<'a> Component<'a> {
    /// The number of rows.
    pub(super) fn len(self) -> usize {
        self.all.rows[self.number].len()
    }

    /// The nonzero entries of a row, each with its column.
    pub(super) fn row(self, i: usize) -> impl Iterator<Item = (usize, f64)> + Clone + use<'a> {
        self.edges(i, Direction::Outgoing)
    }

    /// The nonzero entries of a column, each with its row.
    pub(super) fn column(self, j: usize) -> impl Iterator<Item = (usize, f64)> + Clone + use<'a> {
        self.edges(j, Direction::Incoming)
    }

    fn edges(self, at: usize, direction: Direction) -> impl Iterator<Item = (usize, f64)> + Clone + use<'a> {
        let Self { all, number } = self;
        all.entries.edges_directed(all.rows[number][at], direction).filter_map(move |edge| {
            let other = if direction == Direction::Outgoing { edge.target() } else { edge.source() };
            let (component, position) = all.places[other.index()];
            (component == number).then_some((position, *edge.weight()))
        })
    }
}
