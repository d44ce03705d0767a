//! What a model says about its fit, against itself: what no fit can have been is refused.

use crate::failure::Failure;
use crate::text::{escaped, residual, tolerance};
use partwise::init::Start;
use partwise::{Loss, Rule, Status, Until};
use partwise_io::{Model, Origin};
use std::fmt::Display;
use std::str::FromStr;

/// Names of the options that every model has, and of those that some have.
const ALWAYS: [&str; 5] = ["rank", "init", "n_init", "tol", "max_iter"];
const PERHAPS: [&str; 5] = ["time_limit", "until", "w", "h", "fixed"];

/// Refuses a model that says of its fit what cannot be true.
///
/// # Errors
/// The first contradiction.
pub(crate) fn check(model: &Model) -> Result<(), Failure> {
    let claims = Claims { origin: &model.origin, rank: model.rank() };
    claims
        .check()
        .map_err(|text| Failure::Mismatch(format!("the model contradicts itself: {text}")))
}

struct Claims<'a> {
    origin: &'a Origin,
    rank: usize,
}

impl Claims<'_> {
    fn check(&self) -> Result<(), String> {
        let (loss, rule): (Loss, Rule) =
            (named("loss", &self.origin.loss)?, named("rule", &self.origin.rule)?);
        if !rule.supports(loss) {
            return Err(format!("its rule {rule} does not minimise its loss {loss}"));
        }
        self.check_options()?;
        let name = &self.origin.status;
        let status = Status::ALL.iter().find(|status| status.name() == name);
        self.check_status(*status.ok_or_else(|| unknown("status", name))?)
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.origin.options.get(name).map(String::as_str)
    }

    /// An option as a value for which `holds`.
    fn value<V: FromStr>(
        &self,
        name: &str,
        needed: &str,
        holds: impl Fn(&V) -> bool,
    ) -> Result<V, String> {
        let given = self.option(name).ok_or_else(|| format!("it has no option {name}"))?;
        let value = given.parse().ok().filter(holds);
        value.ok_or_else(|| format!("its option {name} is '{}', not {needed}", escaped(given)))
    }

    fn check_options(&self) -> Result<(), String> {
        let known = |name: &&String| !ALWAYS.iter().chain(&PERHAPS).any(|known| known == name);
        if let Some(name) = self.origin.options.keys().find(known) {
            return Err(format!("no fit has an option '{}'", escaped(name)));
        }
        let rank: usize = self.value("rank", "a number of components", |_| true)?;
        if rank != self.rank {
            return Err(format!("its option rank is {rank}, its factors have {}", self.rank));
        }
        let init: Start = self.value("init", "a start", |_| true)?;
        let n_init: usize = self.value("n_init", "at least 1", |&n| n > 0)?;
        let given = ["w", "h"].map(|name| self.option(name).is_some());
        for name in ["w", "h"].into_iter().filter(|name| self.option(name).is_some()) {
            self.value::<String>(name, "'given'", |value| value == "given")?;
        }
        if n_init > 1 && (init != Start::Random || given != [false; 2]) {
            return Err(format!("it has {n_init} restarts of a start that is not random"));
        }
        if let Some(fixed) = self.option("fixed")
            && !(["w", "h"].contains(&fixed) && self.option(fixed).is_some())
        {
            return Err(format!("it holds '{}' fixed, which was not given", escaped(fixed)));
        }
        if self.option("until").is_some() {
            let until: Until = self.value("until", "what ends a fit", |_| true)?;
            if until == Until::Settled && self.origin.rule != Rule::Mu.name() {
                return Err(format!(
                    "its rule {} does not end when it has settled",
                    self.origin.rule
                ));
            }
        }
        if self.option("time_limit").is_some() {
            self.value("time_limit", "a number of seconds", |&s: &f64| s >= 0.0 && s.is_finite())?;
        }
        Ok(())
    }

    fn check_status(&self, status: Status) -> Result<(), String> {
        let tol =
            self.value("tol", "a finite number >= 0", |&tol: &f64| tol >= 0.0 && tol.is_finite())?;
        let most: u64 = self.value("max_iter", "a number of iterations", |_| true)?;
        let Origin { iterations, kkt, objective, .. } = *self.origin;
        let said = format!("its status is {status}");
        if let Some(made) = iterations {
            let all = status == Status::MaxIter;
            if made > most || (all && made < most) {
                return Err(format!("{said} after {made} iterations, its option max_iter {most}"));
            }
        }
        match (status, kkt) {
            (Status::Converged, Some(kkt)) if kkt > tol => Err(format!(
                "{said} with the KKT residual {} > tol {}",
                residual(kkt),
                tolerance(tol)
            )),
            (Status::Settled, Some(kkt)) if kkt <= tol => Err(format!(
                "{said} with the KKT residual {} <= tol {}: it has converged",
                residual(kkt),
                tolerance(tol)
            )),
            (Status::Settled, _) if self.option("until") != Some("settled") => {
                Err(format!("{said}, and it has no option until that is settled"))
            }
            (Status::Converged | Status::MaxIter | Status::Stalled | Status::Settled, _)
                if kkt.is_none() || objective.is_none() =>
            {
                Err(format!("{said}, and its figures were not measured"))
            }
            (Status::TimeLimit, _) if self.option("time_limit").is_none() => {
                Err(format!("{said}, and it has no option time_limit"))
            }
            _ => Ok(()),
        }
    }
}

/// Something that the engine knows by exactly this name.
fn named<V: FromStr + Display>(what: &str, name: &str) -> Result<V, String> {
    let found = name.parse().ok().filter(|found: &V| found.to_string() == name);
    found.ok_or_else(|| unknown(what, name))
}

fn unknown(what: &str, name: &str) -> String {
    format!("its {what} is '{}', which there is not", escaped(name))
}
