//! Sizes of tests: smaller ones under valgrind, which runs code a hundred times slower.
//!
//! A smaller size still takes the paths of the larger one: more rows than a tile or a block has, two stages. The
//! integration tests in `tests/` include this file by its path.

/// The size `full`, or `reduced` where `DSENTROPY_VALGRIND` is set (`tools/valgrind.py` sets it).
pub(crate) fn sized(full: usize, reduced: usize) -> usize {
    if std::env::var_os("DSENTROPY_VALGRIND").is_some() { reduced } else { full }
}
