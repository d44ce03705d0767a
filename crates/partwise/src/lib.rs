//! The engine of partwise.
