//! Parsers for names, each with a line on what it stands for.

use super::DTypeChoice;
use crate::matching::Match;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use partwise::{Error, Loss, Rule, Side, Start, Until};
use partwise_io::Switch;
use std::ffi::OsStr;
use std::str::FromStr;

/// A parser that knows more spellings of the names than it lists.
#[derive(Clone)]
struct Spelled<T> {
    listed: Vec<PossibleValue>,
    parse: fn(&str) -> Result<T, String>,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Spelled<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let parse = self.parse;
        let parser = StringValueParser::new().try_map(move |typed| parse(&typed));
        parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.listed.iter().cloned()))
    }
}

/// A name that the engine reads.
fn read<T: FromStr<Err = Error>>(typed: &str) -> Result<T, String> {
    typed.parse().map_err(|error| match error {
        // The parser of the command line says of which option and what was typed.
        Error::Unknown { meant: Some(meant), known, .. } => {
            format!("did you mean {meant}? known: {known}")
        }
        Error::Unknown { known, .. } => format!("known: {known}"),
        other => other.to_string(),
    })
}

pub(super) fn losses(typed: &str) -> Result<Loss, String> {
    read(typed)
}

pub(super) fn rules() -> impl TypedValueParser<Value = Rule> {
    let about = |rule: &Rule| format!("{} [{}]", rule.about().trim_end_matches('.'), served(*rule));
    let listed = Rule::ALL.iter().map(|r| PossibleValue::new(r.name()).help(about(r)));
    Spelled { listed: listed.collect(), parse: read::<Rule> }
}

/// The losses that a rule minimises.
fn served(rule: Rule) -> String {
    if Loss::new(1.5).is_ok_and(|loss| rule.supports(loss)) {
        let all = rule.supports(Loss::FROBENIUS);
        return if all { "any loss" } else { "all but frobenius" }.into();
    }
    let named = Loss::named().map(|(name, _)| name);
    let served: Vec<&str> =
        named.filter(|name| name.parse().is_ok_and(|loss| rule.supports(loss))).collect();
    served.join(", ")
}

pub(super) fn starts() -> impl TypedValueParser<Value = Start> {
    let listed = Start::ALL
        .iter()
        .map(|s| PossibleValue::new(s.name()).help(s.about().trim_end_matches('.')));
    Spelled { listed: listed.collect(), parse: read::<Start> }
}

pub(super) fn ends() -> impl TypedValueParser<Value = Until> {
    Spelled {
        listed: Until::ALL.iter().map(|u| PossibleValue::new(u.name())).collect(),
        parse: read::<Until>,
    }
}

pub(super) fn sides() -> impl TypedValueParser<Value = Side> {
    Spelled {
        listed: ["w", "h"].map(PossibleValue::new).to_vec(),
        parse: |typed| match typed {
            "w" | "W" => Ok(Side::Rows),
            "h" | "H" => Ok(Side::Columns),
            _ => Err("known: w, h".into()),
        },
    }
}

pub(super) fn dtypes() -> impl TypedValueParser<Value = DTypeChoice> {
    let listed = ["auto", "f32", "f64"].map(PossibleValue::new).to_vec();
    Spelled { listed, parse: dtype }
}

/// A type by its name here, in NumPy, or elsewhere.
fn dtype(typed: &str) -> Result<DTypeChoice, String> {
    match typed.to_lowercase().as_str() {
        "auto" => Ok(DTypeChoice::Auto),
        "f32" | "float32" | "single" | "fp32" | "f4" | "<f4" | "np.float32" | "32" => {
            Ok(DTypeChoice::F32)
        }
        "f64" | "float64" | "double" | "fp64" | "f8" | "<f8" | "np.float64" | "64" => {
            Ok(DTypeChoice::F64)
        }
        "float" => Err("did you mean f32 or f64? known: auto, f32, f64".into()),
        "f16" | "float16" | "half" => {
            Err("did you mean f32? That is what half precision is computed in".into())
        }
        _ => Err("known: auto, f32, f64".into()),
    }
}

pub(super) fn matches() -> impl TypedValueParser<Value = Match> {
    Spelled {
        listed: ["names", "position"].map(PossibleValue::new).to_vec(),
        parse: |typed| match typed.to_lowercase().as_str() {
            "names" | "name" => Ok(Match::Names),
            "position" | "positions" => Ok(Match::Position),
            _ => Err("known: names, position".into()),
        },
    }
}

pub(super) fn switches() -> impl TypedValueParser<Value = Switch> {
    Spelled {
        listed: ["auto", "yes", "no"].map(PossibleValue::new).to_vec(),
        parse: |typed| match typed.to_lowercase().as_str() {
            "auto" => Ok(Switch::Auto),
            "yes" | "true" | "on" => Ok(Switch::Yes),
            "no" | "false" | "off" | "none" => Ok(Switch::No),
            _ => Err("known: auto, yes, no".into()),
        },
    }
}

/// What each loss is, a line for each.
pub(super) fn all_losses() -> String {
    let all = || Loss::named().chain(Loss::families());
    let width = all().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let mut text = "What is minimised, by these names or those of scikit-learn:".to_owned();
    for (name, about) in all() {
        text += &format!("\n- {:<width$} {about}", format!("{name}:"));
    }
    text
}
