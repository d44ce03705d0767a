//! Closed sets of things with a name: one list gives the enum, its text, its parser and `ALL`.
//!
//! A name may have other spellings: those of scikit-learn, of papers, of everyday. They are read, in
//! any case and with any of space, `_` and `-` between words, and never written.

/// Declares an enum whose variants have one name each, used on every surface of the program.
macro_rules! names {
    ($(#[$doc:meta])* pub enum $name:ident($what:literal) {
        $($(#[doc = $about:literal])* $variant:ident = $text:literal $(| $other:literal)*,)+
    } $(instead { $($typed:literal => $instead:literal,)+ })?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $about])* $variant,)+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as typed on the command line and in Python.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// One line on what it is.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($about),*).trim_ascii(),)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                const NAMES: &[(&str, $name)] =
                    &[$(($text, $name::$variant), $(($other, $name::$variant),)*)+];
                const INSTEAD: &[(&str, &str)] = &[$($(($typed, $instead),)+)?];
                let typed = $crate::names::plain(name);
                let found = NAMES.iter().find(|(known, _)| *known == typed);
                found.map(|(_, variant)| *variant).ok_or_else(|| {
                    let near = $crate::names::nearest(&typed, NAMES.iter().map(|(known, _)| *known));
                    let of = |near| NAMES.iter().find(|(known, _)| *known == near);
                    let known = Self::ALL.iter().map(|v| v.name()).collect::<Vec<_>>().join(", ");
                    $crate::error::Error::Unknown {
                        what: $what,
                        name: name.to_owned(),
                        meant: $crate::names::instead(&typed, INSTEAD)
                            .or(near.and_then(of).map(|(_, variant)| variant.name())),
                        known,
                    }
                })
            }
        }
    };
}
pub(crate) use names;

/// Likeness from 0 to 1 above which a name is taken for a slip of another: what clap takes for those of options.
const ALIKE: f64 = 0.7;

/// A name as typed, in the spelling of the lists.
pub(crate) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', ' ', '–', '—'], "-")
}

/// What is said to a name that stands for something else here.
pub(crate) fn instead(typed: &str, list: &[(&str, &'static str)]) -> Option<&'static str> {
    list.iter().find(|(name, _)| *name == typed).map(|(_, instead)| *instead)
}

/// The name that `typed` is most like, if it is like any.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any name: a paste gone wrong, and the comparison takes the product of both lengths.
    if typed.len() > 64 {
        return None;
    }
    let alike = names.map(|name| (strsim::jaro(typed, name), name));
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.filter(|(alike, _)| *alike > ALIKE).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use crate::{Rule, Start};

    #[test]
    fn names_are_read_in_the_spelling_of_others() {
        for (typed, rule) in [
            ("cd", Rule::Hals),
            ("Coordinate_Descent", Rule::Hals),
            ("HALS", Rule::Hals),
            ("multiplicative update", Rule::Mu),
            ("ANLS", Rule::Bpp),
            ("projected-gradient", Rule::Pgd),
        ] {
            assert_eq!(typed.parse(), Ok(rule), "{typed}");
        }
        assert_eq!("NNDSVDa".parse(), Ok(Start::Nndsvda));
        for rule in Rule::ALL {
            assert_eq!(rule.name().parse(), Ok(*rule));
        }
    }

    #[test]
    fn a_slip_is_answered_with_the_name() {
        let refused = |typed: &str| typed.parse::<Rule>().expect_err(typed).to_string();
        assert!(
            refused("hasl").starts_with("unknown rule 'hasl'; did you mean hals? known: hals, mu")
        );
        assert!(refused("multiplicativ").contains("did you mean mu? known"));
        assert!(refused("lee").contains("did you mean mu (loss frobenius)?"));
        assert!(refused("xyz").starts_with("unknown rule 'xyz'; known: hals, mu"));
        assert!(refused(&"x".repeat(1 << 20)).contains("xx'; known: hals"));
        let start = "svd".parse::<Start>().expect_err("no start").to_string();
        assert!(start.contains("did you mean nndsvd, or nndsvda"), "{start}");
    }
}
