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

/// What the control group of this process, or one around it, leaves.
fn cgroup() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut least: Option<u64> = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let (root, most, used) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
            c if c.split(',').any(|c| c == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            let number = |name: &str| {
                fs::read_to_string(format!("{root}{path}/{name}")).ok()?.trim().parse::<u64>().ok()
            };
            if let (Some(most), Some(used)) = (number(most), number(used)) {
                let left = most.saturating_sub(used);
                least = Some(least.map_or(left, |l| l.min(left)));
            }
            match path.rfind('/') {
                Some(at) => path = &path[..at],
                None => break,
            }
        }
    }
    least
}
