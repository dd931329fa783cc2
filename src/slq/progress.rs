//! The number of matrix-vector products, reported while an estimate is computed.

/// A function that is called with the number of matrix-vector products and the present uncertainty in bits.
pub type Progress<'a> = &'a (dyn Fn(usize, f64) + Sync);

/// Counts matrix-vector products and reports each change.
pub(crate) struct ProductCounter<'a> {
    products: usize,
    uncertainty: f64,
    progress: Progress<'a>,
}

impl<'a> ProductCounter<'a> {
    /// Starts at no products, with an unknown (infinite) uncertainty.
    pub(crate) fn new(progress: Progress<'a>) -> Self {
        Self { products: 0, uncertainty: f64::INFINITY, progress }
    }

    /// The number of products so far.
    pub(crate) fn products(&self) -> usize {
        self.products
    }

    /// Adds products.
    pub(crate) fn add(&mut self, products: usize) {
        self.products += products;
        (self.progress)(self.products, self.uncertainty);
    }

    /// Sets the uncertainty that is reported from now on.
    pub(crate) fn set_uncertainty(&mut self, uncertainty: f64) {
        self.uncertainty = uncertainty;
        (self.progress)(self.products, self.uncertainty);
    }
}
