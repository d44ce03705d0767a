//! Random choices that a seed decides.

/// A generator of random numbers: splitmix64 (Steele, Lea & Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of one input of a run.
    #[must_use]
    pub fn new(seed: u64, input: u64) -> Self {
        let mut random = Self(seed);
        random.0 = random.any().wrapping_add(input.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.any() % (limit as u64).max(1)).unwrap_or(0)
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// A size, mostly small; now and then one at which integers or memory end.
    pub fn size(&mut self) -> u64 {
        const EDGES: [u64; 16] = [
            0,
            1,
            2,
            255,
            65_535,
            65_536,
            100_000_000,
            (1 << 31) - 1,
            1 << 31,
            u32::MAX as u64,
            1 << 32,
            4_000_000_000_000,
            (1 << 63) - 1,
            1 << 63,
            u64::MAX - 1,
            u64::MAX,
        ];
        if self.one_in(4) { self.pick(&EDGES) } else { self.any() % 8 }
    }

    /// A number as text, from plain to odd.
    pub fn number(&mut self) -> String {
        const ODD: [&str; 24] = [
            "nan",
            "NaN",
            "NA",
            "inf",
            "-inf",
            "1e400",
            "1e-400",
            "5e-324",
            "-0",
            "0x1p3",
            "1_000",
            "1,5",
            "1.234,5",
            "1'000",
            "١",
            "+3",
            ".5",
            "5.",
            "1e",
            "--1",
            "",
            "\"2\"",
            "12%",
            "340282350000000000000000000000000000000",
        ];
        match self.below(8) {
            0 => self.pick(&ODD).to_owned(),
            1 => self.size().to_string(),
            2 => format!("{:e}", f64::from_bits(self.any())),
            _ => format!("{}", self.below(10)),
        }
    }
}
