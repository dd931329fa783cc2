//! A quadrature rule: nodes and weights.

/// Nodes and weights: the sum of `weight f(node)` estimates an integral of f.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rule {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Rule {
    /// The sum of `weight f(node)`.
    pub(crate) fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&node, weight)| weight * f(node)).sum()
    }

    /// The sum of the weights.
    pub(crate) fn mass(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// The sum of two rules.
    pub(crate) fn plus(mut self, other: Self) -> Self {
        self.nodes.extend(other.nodes);
        self.weights.extend(other.weights);
        self
    }
}
