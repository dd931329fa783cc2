//! Probes: vectors of random signs, and the quadrature rules of their Lanczos recurrences.
//!
//! ```text
//! E z' P f(K) P z = tr P f(K) P,     z a vector of random signs, P = I - Q Q'
//! ```
//!
//! This is Hutchinson's estimator (Commun. Stat. Simul. Comput. 19, 1990), for the part of the spectrum that the first
//! blocks Q of the block Krylov space do not span.

use std::sync::Arc;

use ndarray::Array2;

use crate::error::Result;
use crate::runtime::parallel::Job;
use crate::slq::block_krylov::extend_both;
use crate::slq::bracket::Bracket;
use crate::slq::deflation::Deflation;
use crate::slq::lanczos::Lanczos;
use crate::slq::progress::ProductCounter;

/// Probes whose recurrences take their steps together, and their rules at the present depth.
pub(crate) struct ProbeBatch<'a> {
    /// The recurrences; none if they are not continued.
    lanczos: Option<Lanczos<'a>>,
    rules: Vec<Bracket>,
}

impl<'a> ProbeBatch<'a> {
    /// Makes `depth` steps from the vectors, projected onto the complement of the deflated blocks.
    pub(crate) fn new(
        deflation: &Deflation<'a>,
        mut vectors: Array2<f64>,
        depth: usize,
        counter: &mut ProductCounter,
        job: &Job,
    ) -> Result<Self> {
        deflation.project_out(&mut vectors, job)?;
        deflation.project_out(&mut vectors, job)?;
        let krylov = deflation.krylov();
        let ritz_vectors = Arc::clone(deflation.ritz_vectors());
        let mut lanczos = Lanczos::new(krylov.operator(), deflation.range(), krylov.norm(), vectors, ritz_vectors);
        for _ in 0..depth {
            counter.add(lanczos.step(job)?);
        }
        let rules = lanczos.rules(job)?;
        Ok(Self { lanczos: Some(lanczos), rules })
    }

    /// Frees the vectors, so that the recurrences cannot be continued.
    pub(crate) fn drop_vectors(&mut self) {
        self.lanczos = None;
    }

    /// The rules of each probe.
    pub(crate) fn rules(&self) -> &[Bracket] {
        &self.rules
    }

    /// Makes `steps` more steps, and extends the block Krylov space in the same passes over the operator, while
    /// `more_blocks` is positive.
    pub(crate) fn deepen(
        &mut self,
        steps: usize,
        deflation: &mut Deflation<'a>,
        more_blocks: &mut usize,
        counter: &mut ProductCounter,
        job: &Job,
    ) -> Result<()> {
        let Some(lanczos) = self.lanczos.as_mut().filter(|_| steps > 0) else { return Ok(()) };
        for _ in 0..steps {
            let with_block = *more_blocks > 0;
            let products =
                if with_block { extend_both(deflation.krylov_mut(), lanczos, job)? } else { lanczos.step(job)? };
            *more_blocks = more_blocks.saturating_sub(1);
            counter.add(products);
        }
        self.rules = lanczos.rules(job)?;
        Ok(())
    }
}
