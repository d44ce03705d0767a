//! What a factor is charged beside the loss.
//!
//! A penalty never sees X. It enters every rule the same way: its gradient joins the positive part
//! of the gradient of the loss, its curvature the diagonal of the Gram matrix.

mod elastic;

pub use elastic::Penalty;
