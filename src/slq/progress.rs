//! The number of matrix-vector products, reported while an estimate is computed.

/// A function that is called with the number of matrix-vector products and the present uncertainty in bits.
pub type Progress<'a> = &'a (dyn Fn(usize, f64) + Sync);

/// Counts matrix-vector products and reports them.
///
/// Products are reported when the next ones are added or the uncertainty after them is known, so each number of products
/// has one uncertainty, and the last report has the final one.
pub(crate) struct ProductCounter<'a> {
    products: usize,
    reported: usize,
    uncertainty: f64,
    progress: Progress<'a>,
}

impl<'a> ProductCounter<'a> {
    /// Starts at no products, with an unknown (infinite) uncertainty.
    pub(crate) fn new(progress: Progress<'a>) -> Self {
        Self { products: 0, reported: 0, uncertainty: f64::INFINITY, progress }
    }

    /// The number of products so far.
    pub(crate) fn products(&self) -> usize {
        self.products
    }

    /// Adds products.
    pub(crate) fn add(&mut self, products: usize) {
        if self.products > self.reported {
            self.report();
        }
        self.products += products;
    }

    /// Sets the uncertainty that is reported from now on.
    pub(crate) fn set_uncertainty(&mut self, uncertainty: f64) {
        self.uncertainty = uncertainty;
        self.report();
    }

    fn report(&mut self) {
        self.reported = self.products;
        (self.progress)(self.products, self.uncertainty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn each_number_of_products_is_reported_with_one_uncertainty() {
        let reports = Mutex::new(Vec::new());
        let record = |products, uncertainty| reports.lock().unwrap().push((products, uncertainty));
        let mut counter = ProductCounter::new(&record);
        counter.add(16);
        counter.add(16);
        counter.set_uncertainty(0.5);
        counter.add(8);
        counter.add(8);
        counter.set_uncertainty(0.25);
        assert_eq!(*reports.lock().unwrap(), [(16, f64::INFINITY), (32, 0.5), (40, 0.5), (48, 0.25)]);
    }
}
