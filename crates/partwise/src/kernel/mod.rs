//! Leaf numerics: no policy, no threads. The only place with `unsafe` beside the two casts of
//! [`Factor`](crate::Factor).
//!
//! Each kernel is one [`simd::Job`]; its scalar twin is the same body on [`simd::Portable`].

#![allow(unsafe_code)]

pub(crate) mod beta_divergence;
pub(crate) mod cholesky;
pub(crate) mod dense;
pub(crate) mod extrapolate;
pub(crate) mod hals;
pub(crate) mod impute;
pub(crate) mod kkt;
pub(crate) mod kl;
pub(crate) mod kl_divergence;
pub(crate) mod look;
pub(crate) mod panel;
pub(crate) mod power;
pub(crate) mod residual;
pub(crate) mod sddmm;
pub(crate) mod simd;
pub(crate) mod sparse;
pub(crate) mod sums;
#[cfg(test)]
mod tests;
