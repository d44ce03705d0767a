//! The two number types a fit computes in, between the file side and the engine side.

use crate::args::DTypeChoice;
use partwise_io::{DType, FactorValues, Numbers, Rounding};

/// `f32` or `f64`.
pub(crate) trait Number: partwise::Scalar + partwise_io::Element {
    /// The same in terms of files.
    const DTYPE: DType;
    /// The numbers of a file in this type.
    fn take(numbers: Numbers) -> (Vec<Self>, Option<Rounding>);
    /// As a factor of a model.
    fn wrap(values: Vec<Self>) -> FactorValues;
    /// From a factor of a model, if it has this type.
    fn unwrap(values: &FactorValues) -> Option<&[Self]>;
}

impl Number for f32 {
    const DTYPE: DType = DType::F32;
    fn take(numbers: Numbers) -> (Vec<f32>, Option<Rounding>) {
        numbers.into_f32()
    }
    fn wrap(values: Vec<f32>) -> FactorValues {
        FactorValues::F32(values)
    }
    fn unwrap(values: &FactorValues) -> Option<&[f32]> {
        if let FactorValues::F32(v) = values { Some(v) } else { None }
    }
}

impl Number for f64 {
    const DTYPE: DType = DType::F64;
    fn take(numbers: Numbers) -> (Vec<f64>, Option<Rounding>) {
        numbers.into_f64()
    }
    fn wrap(values: Vec<f64>) -> FactorValues {
        FactorValues::F64(values)
    }
    fn unwrap(values: &FactorValues) -> Option<&[f64]> {
        if let FactorValues::F64(v) = values { Some(v) } else { None }
    }
}

/// Whether to compute in single precision: as asked, or if every value of the file is exact in it.
pub(crate) fn single(choice: DTypeChoice, file: DType) -> bool {
    match choice {
        DTypeChoice::F32 => true,
        DTypeChoice::F64 => false,
        DTypeChoice::Auto => matches!(
            file,
            DType::F32 | DType::Bool | DType::U8 | DType::I8 | DType::U16 | DType::I16
        ),
    }
}

/// Calls a generic function for `f32` or `f64`.
macro_rules! with_number {
    ($single:expr, $function:ident($($argument:expr),* $(,)?)) => {
        if $single { $function::<f32>($($argument),*) } else { $function::<f64>($($argument),*) }
    };
}
pub(crate) use with_number;
