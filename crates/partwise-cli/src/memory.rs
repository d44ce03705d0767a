//! How much memory a fit may take when nobody says.

use std::fs;

/// Three quarters of the memory that is free for this process, where the system tells it.
pub(crate) fn limit() -> Option<u64> {
    let free = match (machine(), cgroup()) {
        (Some(machine), Some(cgroup)) => machine.min(cgroup),
        (machine, cgroup) => machine.or(cgroup)?,
    };
    Some(free / 4 * 3)
}

/// The limit if the process runs in a group that may use less than the machine has: the readers
/// know of the machine only.
pub(crate) fn group_limit() -> Option<u64> {
    let group = cgroup()?;
    machine().is_none_or(|free| group < free).then_some(group / 4 * 3)
}

fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What the control group of this process leaves.
fn cgroup() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    left_by_groups(&own, |path| fs::read_to_string(path).ok())
}

/// The least that a group in `own` (as in /proc/self/cgroup), or one around it, leaves.
fn left_by_groups(own: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let number = |path: String| read(&path)?.trim().parse::<u64>().ok();
    let mut least: Option<u64> = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, most, used) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
            c if c.split(',').any(|c| c == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            let most = number(format!("{root}{path}/{most}"));
            let used = number(format!("{root}{path}/{used}"));
            if let (Some(most), Some(used)) = (most, used) {
                let left = most.saturating_sub(used);
                least = Some(least.map_or(left, |l| l.min(left)));
            }
            let Some(at) = path.rfind('/') else { break };
            path = &path[..at];
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c11_the_tightest_group_counts() {
        let files = [
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/b/memory.current", "5\n"),
            ("/sys/fs/cgroup/a/memory.max", "536870912\n"),
            ("/sys/fs/cgroup/a/memory.current", "1000\n"),
        ];
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| *name == path);
            file.map(|(_, text)| (*text).to_owned())
        };
        assert_eq!(left_by_groups("0::/a/b\n", read), Some(536_870_912 - 1000));
        assert_eq!(left_by_groups("0::/\n", read), None);
        let old = |path: &str| {
            (path == "/sys/fs/cgroup/memory/x/memory.limit_in_bytes")
                .then(|| "700".to_owned())
                .or((path == "/sys/fs/cgroup/memory/x/memory.usage_in_bytes").then(|| "900".into()))
        };
        assert_eq!(left_by_groups("3:cpu:/x\n2:memory:/x\n", old), Some(0));
    }
}
