//! NumPy arrays that enter the core: rows in either precision, and the row numbers of subsets.

use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

/// The rows of a data set, in f64 or f32.
#[derive(FromPyObject)]
pub enum Rows<'py> {
    Double(PyReadonlyArray2<'py, f64>),
    Single(PyReadonlyArray2<'py, f32>),
}

/// Evaluates an expression on the view of the rows, whichever precision they have.
macro_rules! on_rows {
    ($rows:expr, $x:ident => $value:expr) => {
        match &$rows {
            $crate::python::rows::Rows::Double(rows) => {
                let $x = rows.as_array();
                $value
            }
            $crate::python::rows::Rows::Single(rows) => {
                let $x = rows.as_array();
                $value
            }
        }
    };
}
pub(crate) use on_rows;

/// Subsets of the rows, each an array of row numbers.
pub type Subsets<'py> = Vec<PyReadonlyArray1<'py, u64>>;

/// Copies the row numbers of each subset.
pub fn row_numbers(subsets: &[PyReadonlyArray1<'_, u64>]) -> Vec<Vec<usize>> {
    // A number that does not fit into usize is no row number either, and the core refuses it as one.
    let index = |&row: &u64| usize::try_from(row).unwrap_or(usize::MAX);
    subsets.iter().map(|rows| rows.as_array().iter().map(index).collect()).collect()
}
