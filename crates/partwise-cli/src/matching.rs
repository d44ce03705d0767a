//! Rows and columns of two inputs, matched by their names.
//!
//! Two files that belong together (X and its weights, a model and new data) may hold the same rows and
//! columns in another order. Where both carry names, the names decide: another order is put right and
//! said, other names are refused. Where one of them carries none, positions decide.

use crate::failure::Failure;
use crate::text::{counted, escaped};
use partwise_io::Table;
use std::collections::{HashMap, HashSet};

/// What decides which row or column is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Match {
    /// Names, where both inputs carry them.
    #[default]
    Names,
    /// Positions, whatever the names.
    Position,
}

/// Names of one side of an input, and what the input is called.
#[derive(Clone, Copy)]
pub(crate) struct NamesOf<'a> {
    pub(crate) of: &'a str,
    pub(crate) names: Option<&'a [String]>,
}

/// Names that are listed of each side when they differ.
const LISTED: usize = 3;

impl Match {
    /// Where each of `ours` stands among `theirs`; `None` if positions are right as they are. `what` is
    /// `"row"`, `"column"` or `"component"`.
    pub(crate) fn order(
        self,
        what: &str,
        ours: NamesOf<'_>,
        theirs: NamesOf<'_>,
    ) -> Result<Option<Vec<usize>>, Failure> {
        let (Self::Names, Some(own), Some(other)) = (self, ours.names, theirs.names) else {
            return Ok(None);
        };
        if own == other {
            return Ok(None);
        }
        let places = places(what, theirs)?;
        self::places(what, ours)?;
        let order: Vec<usize> =
            own.iter().filter_map(|name| places.get(name.as_str()).copied()).collect();
        if order.len() == own.len() && own.len() == other.len() {
            return Ok(Some(order));
        }
        Err(differ(what, ours, theirs))
    }

    /// Brings the rows and columns of `table`, called `name`, into the order of names given for it; notes
    /// what was put right.
    pub(crate) fn arrange(
        self,
        table: Table,
        name: &str,
        (rows, columns): (Option<NamesOf<'_>>, Option<NamesOf<'_>>),
        notices: &mut Vec<String>,
    ) -> Result<Table, Failure> {
        let mut moved = Vec::new();
        let mut order = |what: &str, ours: Option<NamesOf<'_>>, names: Option<&[String]>| {
            let Some(ours) = ours else { return Ok(None) };
            let order = self.order(what, ours, NamesOf { of: name, names })?;
            moved.extend(order.is_some().then(|| format!("{what}s than {}", ours.of)));
            Ok::<_, Failure>(order)
        };
        let by_rows = order("row", rows, table.row_names.as_deref())?;
        let by_cols = order("column", columns, table.col_names.as_deref())?;
        if !moved.is_empty() {
            notices.push(format!(
                "{name} has another order of {}: they were matched by name (--match position goes \
                 by position)",
                moved.join(" and of ")
            ));
        }
        Ok(table.arranged(by_rows.as_deref(), by_cols.as_deref())?)
    }
}

/// Where each name stands; refuses one that stands twice.
fn places<'a>(what: &str, side: NamesOf<'a>) -> Result<HashMap<&'a str, usize>, Failure> {
    let names = side.names.unwrap_or_default();
    let mut places = HashMap::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        if let Some(before) = places.insert(name.as_str(), at) {
            let text = format!(
                "{}: the {what} name '{}' stands twice, at {before} and {at}, so names cannot say which \
                 {what} is which; give each its own, or --match position to go by position",
                side.of,
                escaped(name)
            );
            return Err(Failure::Data { code: "E-NAMES", text, at: None });
        }
    }
    Ok(places)
}

/// The refusal of names that are not the same.
fn differ(what: &str, ours: NamesOf<'_>, theirs: NamesOf<'_>) -> Failure {
    let only = |side: NamesOf<'_>, other: NamesOf<'_>| {
        let known: HashSet<&String> = other.names.unwrap_or_default().iter().collect();
        let lacking: Vec<&String> =
            side.names.unwrap_or_default().iter().filter(|name| !known.contains(name)).collect();
        let shown: Vec<String> =
            lacking.iter().take(LISTED).map(|name| format!("'{}'", escaped(name))).collect();
        let more = if lacking.len() > LISTED { ", …" } else { "" };
        match lacking.len() {
            0 => None,
            n => Some(format!("{n} only in {} ({}{more})", side.of, shown.join(", "))),
        }
    };
    let parts: Vec<String> =
        [only(theirs, ours), only(ours, theirs)].into_iter().flatten().collect();
    let count = counted(ours.names.map_or(0, <[String]>::len), what);
    let text = format!(
        "{}: its {what} names are not those of {}, which has {count}: {}; give files with the same \
         {what}s, or --match position to go by position",
        theirs.of,
        ours.of,
        parts.join(", ")
    );
    Failure::Data { code: "E-NAMES", text, at: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(ours: &[&str], theirs: &[&str]) -> Result<Option<Vec<usize>>, String> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (ours, theirs) = (owned(ours), owned(theirs));
        let ours = NamesOf { of: "x.csv", names: Some(&ours) };
        let theirs = NamesOf { of: "w.csv", names: Some(&theirs) };
        Match::Names.order("column", ours, theirs).map_err(|failure| failure.text())
    }

    #[test]
    fn names_decide_where_each_stands() {
        assert_eq!(order(&["a", "b", "c"], &["a", "b", "c"]), Ok(None));
        assert_eq!(order(&["a", "b", "c"], &["c", "a", "b"]), Ok(Some(vec![1, 2, 0])));
        // The same names in the same order need not be told apart.
        assert_eq!(order(&["a", "a"], &["a", "a"]), Ok(None));
    }

    #[test]
    fn other_names_are_refused_with_those_of_both_sides() {
        let text = order(&["a", "b", "c"], &["c", "a", "d"]).expect_err("other names");
        assert!(text.contains("1 only in w.csv ('d'), 1 only in x.csv ('b')"), "{text}");
        let text = order(&["a", "b"], &["a", "b", "z"]).expect_err("one more");
        assert!(
            text.contains("1 only in w.csv ('z')") && !text.contains("only in x.csv"),
            "{text}"
        );
        let text = order(&["a", "b"], &["b", "b"]).expect_err("twice");
        assert!(text.contains("the column name 'b' stands twice, at 0 and 1"), "{text}");
        let text = order(&["v", "w", "x", "y"], &["0", "1", "2", "3"]).expect_err("none");
        assert!(text.contains("4 only in w.csv ('0', '1', '2', …)"), "{text}");
    }
}
