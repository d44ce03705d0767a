//! Parsers for names, each with a line on what it stands for.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use partwise::{Loss, Rule, Side, Start};
use partwise_io::Switch;

/// A parser for a closed set of names.
fn named<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = (&'static str, Option<String>, T)>,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<_> = names.into_iter().collect();
    let values: Vec<PossibleValue> = names
        .iter()
        .map(|(name, about, _)| match about {
            Some(about) => PossibleValue::new(*name).help(about),
            None => PossibleValue::new(*name),
        })
        .collect();
    PossibleValuesParser::new(values).try_map(move |typed| {
        let known = names.iter().find(|(name, _, _)| *name == typed);
        known.map(|(_, _, value)| value.clone()).ok_or("not one of the known names")
    })
}

pub(super) fn rules() -> impl TypedValueParser<Value = Rule> {
    let about = |rule: &Rule| format!("{} [{}]", rule.about().trim_end_matches('.'), served(*rule));
    named(Rule::ALL.iter().map(move |r| (r.name(), Some(about(r)), *r)))
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
    named(Start::ALL.iter().map(|s| (s.name(), Some(s.about().to_owned()), *s)))
}

pub(super) fn sides() -> impl TypedValueParser<Value = Side> {
    named([("w", None, Side::Rows), ("h", None, Side::Columns)])
}

pub(super) fn switches() -> impl TypedValueParser<Value = Switch> {
    named([("auto", None, Switch::Auto), ("yes", None, Switch::Yes), ("no", None, Switch::No)])
}

/// What each loss is, a line for each.
pub(super) fn losses() -> String {
    let all = || Loss::named().chain(Loss::families());
    let width = all().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let mut text = "What is minimised:".to_owned();
    for (name, about) in all() {
        text += &format!("\n- {:<width$} {about}", format!("{name}:"));
    }
    text
}
