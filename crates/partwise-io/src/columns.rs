//! Which columns of a file are read: by name or by number, one by one or as ranges.

use crate::error::{Error, shown};

/// The columns of `--columns` or `--drop-columns`, as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Columns to read; all if empty.
    pub keep: Vec<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
}

impl Columns {
    /// Whether all columns are read.
    pub(crate) fn is_all(&self) -> bool {
        self.keep.is_empty() && self.drop.is_empty()
    }

    /// Which of `count` columns are read, counted from 0, in the order of the file.
    ///
    /// An entry is the name of a column, its number from 1, a range `3-7`, `3..7`, `3..` or `..7`
    /// of either with both ends, or several of these with commas between. A name goes before a
    /// number.
    pub(crate) fn select(
        &self,
        count: usize,
        names: Option<&[String]>,
    ) -> Result<Vec<bool>, Error> {
        let axis = Axis { count, names };
        let mut kept = vec![self.keep.is_empty(); count];
        for (option, entries, value) in
            [("--columns", &self.keep, true), ("--drop-columns", &self.drop, false)]
        {
            for entry in entries {
                axis.mark(option, entry, value, &mut kept)?;
            }
        }
        Ok(kept)
    }
}

struct Axis<'a> {
    count: usize,
    names: Option<&'a [String]>,
}

impl Axis<'_> {
    fn mark(
        &self,
        option: &'static str,
        entry: &str,
        value: bool,
        kept: &mut [bool],
    ) -> Result<(), Error> {
        // A name may hold commas.
        let pieces: Vec<&str> =
            if self.named(entry).is_some() { vec![entry] } else { entry.split(',').collect() };
        for piece in pieces {
            let piece = piece.trim();
            let (from, to) = self.range(piece).ok_or_else(|| self.unknown(option, piece))?;
            if from > to {
                let expected = "a range from the left to the right".into();
                return Err(Error::Option { option, found: shown(piece.as_bytes()), expected });
            }
            kept.iter_mut().take(to + 1).skip(from).for_each(|kept| *kept = value);
            // A name may stand more than once.
            for (kept, name) in kept.iter_mut().zip(self.names.unwrap_or_default()) {
                *kept = if name == piece { value } else { *kept };
            }
        }
        Ok(())
    }

    /// First and last column of an entry.
    fn range(&self, piece: &str) -> Option<(usize, usize)> {
        if let Some(at) = self.one(piece) {
            return Some((at, at));
        }
        if let Some((from, to)) = piece.split_once("..") {
            let (from, to) = (from.trim(), to.trim());
            let first = if from.is_empty() { Some(0) } else { self.one(from) };
            let last = if to.is_empty() { self.count.checked_sub(1) } else { self.one(to) };
            return Some((first?, last?));
        }
        // A name may hold hyphens.
        piece.match_indices('-').find_map(|(at, _)| {
            let (from, to) = (piece.get(..at)?, piece.get(at + 1..)?);
            Some((self.one(from.trim())?, self.one(to.trim())?))
        })
    }

    fn one(&self, text: &str) -> Option<usize> {
        let number = || text.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < self.count);
        self.named(text).or_else(number)
    }

    fn named(&self, text: &str) -> Option<usize> {
        self.names?.iter().position(|name| name == text)
    }

    fn unknown(&self, option: &'static str, piece: &str) -> Error {
        const SHOWN: usize = 8;
        let names = self.names.unwrap_or_default();
        let mut some: Vec<String> =
            names.iter().take(SHOWN).map(|name| format!("'{}'", shown(name.as_bytes()))).collect();
        if names.len() > SHOWN {
            some.push("…".into());
        }
        let expected = match some.as_slice() {
            [] => format!("a number from 1 to {} (the columns have no names)", self.count),
            some => format!("a number from 1 to {} or one of {}", self.count, some.join(", ")),
        };
        Error::Option { option, found: format!("'{}'", shown(piece.as_bytes())), expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(keep: &[&str], drop: &[&str], names: &[&str]) -> Result<String, String> {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let names = owned(names);
        let columns = Columns { keep: owned(keep), drop: owned(drop) };
        let kept = columns.select(5, (!names.is_empty()).then_some(&names));
        let kept = kept.map_err(|error| error.to_string())?;
        Ok(kept.into_iter().map(|kept| if kept { '1' } else { '0' }).collect())
    }

    #[test]
    fn names_numbers_and_ranges() {
        let names = ["id", "a", "b-c", "x,y", "2"];
        for (keep, drop, kept) in [
            (&["2-4"][..], &[][..], "01110"),
            (&["2..4"], &[], "01110"),
            (&["3.."], &[], "00111"),
            (&["..2"], &[], "11000"),
            (&["1,3", "5"], &[], "10101"),
            (&[], &["1", "4-5"], "01100"),
            (&["1-4"], &["2"], "10110"),
        ] {
            assert_eq!(select(keep, drop, &[]).as_deref(), Ok(kept), "{keep:?} {drop:?}");
        }
        for (keep, drop, kept) in [
            (&["a"][..], &[][..], "01000"),
            (&["x,y"], &[], "00010"),
            (&["2"], &[], "00001"),
            (&["id,b-c"], &[], "10100"),
            (&["a-b-c"], &[], "01100"),
            (&[], &["b-c", "id"], "01011"),
        ] {
            assert_eq!(select(keep, drop, &names).as_deref(), Ok(kept), "{keep:?} {drop:?}");
        }
        let error = select(&["z"], &[], &names).err().unwrap_or_default();
        assert!(error.contains("--columns 'z'") && error.contains("'a'"), "{error}");
        assert!(select(&["6"], &[], &[]).is_err() && select(&["4-2"], &[], &[]).is_err());
        // A comma parts entries unless the whole is a name.
        assert!(select(&["a..x,y"], &[], &names).is_err());
        assert!(select(&["0"], &[], &[]).is_err() && select(&[""], &[], &[]).is_err());
    }
}
