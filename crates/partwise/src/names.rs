//! Closed sets of things with a name: one list gives the enum, its text, its parser and `ALL`.

/// Declares an enum whose variants have one name each, used on every surface of the program.
macro_rules! names {
    ($(#[$doc:meta])* pub enum $name:ident($what:literal) {
        $($(#[doc = $about:literal])* $variant:ident = $text:literal,)+
    }) => {
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
                Self::ALL.iter().copied().find(|v| v.name() == name).ok_or_else(|| {
                    let known = Self::ALL.iter().map(|v| v.name()).collect::<Vec<_>>().join(", ");
                    $crate::error::Error::Unknown { what: $what, name: name.to_owned(), known }
                })
            }
        }
    };
}
pub(crate) use names;
