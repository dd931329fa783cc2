//! The numbers that matrices and data may hold.

/// What the entries of a data set may be.
pub trait Element: Copy + Into<f64> + Send + Sync {}
impl Element for f32 {}
impl Element for f64 {}
