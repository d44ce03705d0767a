//! Between a fit and a model file.

use super::fit::Kept;
use crate::about::About;
use crate::args;
use crate::components;
use crate::failure::Failure;
use crate::matching::{Match, NamesOf};
use crate::number::Number;
use crate::text;
use crate::weigh::Seen;
use partwise::matrix::Digest;
use partwise::verify::Objective;
use partwise::{Fit, Input, Penalty, Until};
use partwise_io::{
    Entries, Factor, FactorValues, Fingerprint, Model, Origin, Penalties, Table, Weighing,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a model that goes with X.
///
/// # Errors
/// Those of [`Model::read`]; if it is X that is a model, the order in which they stand.
pub(crate) fn read(command: &str, model: &Path, x: &Path) -> Result<Model, Failure> {
    Model::read(model).map_err(|error| {
        let begins = |path: &Path| {
            let mut first = [0; 8];
            let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
            read.is_ok() && first == *b"partwise"
        };
        // What is no file, such as a pipe, is not touched.
        if !x.is_file() || !begins(x) || begins(model) {
            return error.into();
        }
        let [first, second] = [x, model].map(|path| text::shown(&path.to_string_lossy()));
        Failure::Usage(format!("the model stands before X: partwise {command} {first} {second} …"))
    })
}

/// The model of a fit. Nothing in it depends on the time, the machine or the number of threads.
pub(crate) fn of<T: Number>(
    args: &args::Fit,
    fit: &Fit<T>,
    (about, seen): (&About, Option<&Seen>),
    kept: Kept<T>,
    (w, h): (Vec<T>, Vec<T>),
) -> Model {
    let k = fit.w.cols();
    let mut options = BTreeMap::new();
    let mut option = |name: &str, value: String| options.insert(name.to_owned(), value);
    option("rank", k.to_string());
    option("init", args.init.to_string());
    option("n_init", args.n_init.to_string());
    option("tol", format!("{:e}", args.tol));
    option("max_iter", args.max_iter.to_string());
    if args.until != Until::Stationary {
        option("until", args.until.to_string());
    }
    if let Some(limit) = args.time_limit {
        option("time_limit", limit.as_secs_f64().to_string());
    }
    for (name, given) in [("w", &args.w), ("h", &args.h)] {
        if given.is_some() {
            option(name, "given".into());
        }
    }
    if let Some(side) = args.fix {
        option("fixed", if side == partwise::Side::Rows { "w" } else { "h" }.into());
    }
    Model {
        w: Some(Factor { rows: about.rows, cols: k, values: T::wrap(w) }),
        h: Factor { rows: k, cols: about.cols, values: T::wrap(h) },
        row_names: about.row_names.clone(),
        col_names: about.col_names.clone(),
        component_names: kept.component_names,
        column_weights: kept.column_weights.map(|weights| Factor {
            rows: 1,
            cols: about.cols,
            values: T::wrap(weights),
        }),
        origin: Origin {
            loss: args.loss.to_string(),
            rule: args.rule().to_string(),
            seed: args.seed,
            options,
            // The square of a matrix near 1e300 is beyond a double; the file has no infinity.
            objective: measured(fit.objective).map(|objective| objective.min(f64::MAX)),
            relative_error: Some(fit.relative_error).filter(|error| error.is_finite()),
            kkt: measured(fit.kkt.residual()),
            status: fit.status.to_string(),
            iterations: Some(fit.iterations as u64),
            data: fingerprint(about, kept.entries),
            penalties: penalties(fit),
            weighing: seen
                .map(|seen| Weighing { given: seen.given.clone(), observed: seen.observed as u64 }),
        },
    }
}

/// A figure that was measured.
fn measured(figure: f64) -> Option<f64> {
    Some(figure).filter(|figure| !figure.is_nan())
}

/// The entries of X in the words of a model.
pub(crate) fn entries<T: Number>(x: &Input<'_, T>) -> Result<Entries, partwise::Error> {
    let Digest { mix, nonzero, nan } = Digest::of(x)?;
    Ok(Entries { digest: mix, nonzero: nonzero as u64, nan: nan as u64 })
}

/// What a fit charged, if anything.
pub(crate) fn penalties<T: Number>(fit: &Fit<T>) -> Option<Penalties> {
    let (w, h) = (fit.w_penalty, fit.h_penalty);
    let prices = Penalties { w_l1: w.l1, w_l2: w.l2, h_l1: h.l1, h_l2: h.l2 };
    (!(w.is_none() && h.is_none())).then_some(prices)
}

/// What a model minimises.
pub(crate) fn objective(model: &Model) -> Result<Objective, Failure> {
    let name = &model.origin.loss;
    let loss = name.parse().map_err(|_| {
        let name = crate::text::escaped(name);
        Failure::Mismatch(format!("the model minimises '{name}', a loss unknown to this version"))
    })?;
    let Some(p) = model.origin.penalties else {
        return Ok(Objective { loss, ..Objective::default() });
    };
    let w_penalty = Penalty { l1: p.w_l1, l2: p.w_l2 };
    Ok(Objective { loss, w_penalty, h_penalty: Penalty { l1: p.h_l1, l2: p.h_l2 } })
}

/// What identifies a matrix.
fn fingerprint(about: &About, entries: Option<Entries>) -> Fingerprint {
    Fingerprint {
        rows: about.rows as u64,
        cols: about.cols as u64,
        stored: about.stored as u64,
        sum_bits: about.sum.to_bits(),
        entries,
    }
}

/// Whether a model was fitted in single precision.
pub(crate) fn is_single(model: &Model) -> bool {
    matches!(model.h.values, FactorValues::F32(_))
}

/// A factor of a model as the engine stores it.
pub(crate) fn factor<T: Number>(factor: &Factor) -> Result<partwise::Factor<T>, Failure> {
    Ok(partwise::Factor::from_rows(factor.rows, factor.cols, numbers(factor)?))
}

/// The numbers of a factor of a model, row by row.
pub(crate) fn numbers<T: Number>(factor: &Factor) -> Result<&[T], Failure> {
    T::unwrap(&factor.values)
        .ok_or_else(|| Failure::Mismatch("W and H of the model have different types".into()))
}

/// Names of the components of a model.
pub(crate) fn components(model: &Model) -> Vec<String> {
    model.component_names.clone().unwrap_or_else(|| components::numbered(model.rank()))
}

/// H of a model as the engine stores it: tall.
pub(crate) fn tall<T: Number>(h: &Factor) -> Result<partwise::Factor<T>, Failure> {
    let wide = factor::<T>(h)?;
    Ok(partwise::Factor::from_rows(h.cols, h.rows, &wide.to_transposed_vec()))
}

/// What was missing in the fit by what it was.
pub(crate) fn missing(model: &Model) -> args::Missing {
    let given = |option: &str| of_fit(model).iter().any(|given| given == option);
    args::Missing { nan: given("--missing nan"), absent: given("--missing absent") }
}

/// The options of the fit that said which entries count, and how much.
pub(crate) fn of_fit(model: &Model) -> &[String] {
    model.origin.weighing.as_ref().map_or(&[][..], |weighing| &weighing.given)
}

/// The rows, if they are those of the fit, and columns of X in the order of the model, by their names.
pub(crate) fn arranged(
    model: &Model,
    (table, name): (Table, &str),
    rows: bool,
    (matching, path): (Match, &Path),
    notices: &mut Vec<String>,
) -> Result<Table, Failure> {
    let of = crate::text::path(path);
    let rows = rows.then_some(NamesOf { of: &of, names: model.row_names.as_deref() });
    let columns = Some(NamesOf { of: &of, names: model.col_names.as_deref() });
    matching.arrange(table, name, (rows, columns), notices)
}

/// Refuses X if it has not as many columns as the model.
pub(crate) fn check_columns(model: &Model, about: &About) -> Result<(), Failure> {
    if model.h.cols == about.cols {
        return Ok(());
    }
    let text =
        format!("{}: the model has {} columns, X has {}", about.name, model.h.cols, about.cols);
    Err(Failure::Data { code: "E-SHAPE", text, at: None })
}
