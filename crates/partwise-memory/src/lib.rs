//! How much memory this process can still have: what the machine, the control groups around the process
//! and its own limits leave, whichever is least.
//!
//! Asked of `/proc` and `/sys/fs/cgroup`, so only Linux answers. Elsewhere nothing is known, and callers do
//! without a limit.

use std::fs;

/// Bytes that can be had without swapping; `None` if the system does not tell.
pub fn free() -> Option<u64> {
    least([machine(&["MemAvailable:"]), groups(), address_space()])
}

/// Three quarters of what is [`free`]: what a program takes when nobody says how much.
pub fn modest() -> Option<u64> {
    free().map(|free| free / 4 * 3)
}

/// Bytes that can be had at all, swapping included. What needs more than this ends the process.
pub fn most() -> Option<u64> {
    least([machine(&["MemAvailable:", "SwapFree:"]), groups(), address_space()])
}

fn least<const N: usize>(known: [Option<u64>; N]) -> Option<u64> {
    known.into_iter().flatten().min()
}

/// The sum of some lines of /proc/meminfo.
fn machine(lines: &[&str]) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    lines.iter().map(|line| kilobytes(&text, line)).sum()
}

/// The bytes of a line like `VmSize:  1234 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What the limits that a process has of its own leave (`ulimit -v`, `ulimit -d`).
fn address_space() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    left_by_limits(&limits, &status)
}

fn left_by_limits(limits: &str, status: &str) -> Option<u64> {
    let left = |limit: &str, used: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let most = line.split_whitespace().next()?.parse::<u64>().ok()?;
        Some(most.saturating_sub(kilobytes(status, used)?))
    };
    least([left("Max address space", "VmSize:"), left("Max data size", "VmData:")])
}

/// What the control groups around this process leave.
fn groups() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    left_by_groups(&own, |path| fs::read_to_string(path).ok())
}

/// The least that a group in `own` (as in /proc/self/cgroup), or one around it, leaves. Cached files count
/// as free, for they go when memory is needed.
fn left_by_groups(own: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let number = |path: String| read(&path)?.trim().parse::<u64>().ok();
    let mut least: Option<u64> = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let Some(files) = Files::of(controllers) else { continue };
        let mut path = path.trim_end_matches('/');
        loop {
            let folder = format!("{}{path}", files.root);
            let most = number(format!("{folder}/{}", files.most));
            let used = number(format!("{folder}/{}", files.used));
            if let (Some(most), Some(used)) = (most, used) {
                let cached = read(&format!("{folder}/memory.stat")).map_or(0, |stat| {
                    files.cached.iter().filter_map(|name| value(&stat, name)).sum()
                });
                let left = most.saturating_sub(used.saturating_sub(cached));
                least = Some(least.map_or(left, |l| l.min(left)));
            }
            let Some(at) = path.rfind('/') else { break };
            path = &path[..at];
        }
    }
    least
}

/// The number on a line like `active_file 1234`.
fn value(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// What the files of a version of control groups are called.
struct Files {
    root: &'static str,
    most: &'static str,
    used: &'static str,
    cached: [&'static str; 2],
}

impl Files {
    /// None for controllers other than that of memory.
    fn of(controllers: &str) -> Option<Self> {
        if controllers.is_empty() {
            return Some(Self {
                root: "/sys/fs/cgroup",
                most: "memory.max",
                used: "memory.current",
                cached: ["active_file", "inactive_file"],
            });
        }
        controllers.split(',').any(|c| c == "memory").then_some(Self {
            root: "/sys/fs/cgroup/memory",
            most: "memory.limit_in_bytes",
            used: "memory.usage_in_bytes",
            cached: ["total_active_file", "total_inactive_file"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_counts() {
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

    #[test]
    fn cached_files_are_free_memory() {
        let read = |path: &str| {
            let text = match path.rsplit('/').next()? {
                "memory.max" => "1000",
                "memory.current" => "900",
                "memory.stat" => "anon 300\ninactive_file 400\nactive_file 50\nactive_file_x 7\n",
                _ => return None,
            };
            Some(text.to_owned())
        };
        assert_eq!(left_by_groups("0::/a\n", read), Some(1000 - 450));
    }

    #[test]
    fn limits_of_the_process_count() {
        let limits = |space: &str, data: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max data size             {data}            unlimited            bytes\n\
                 Max address space         {space}           unlimited            bytes\n"
            )
        };
        let status = "Name:\tx\nVmSize:\t    1000 kB\nVmData:\t     100 kB\n";
        let left = |space, data| left_by_limits(&limits(space, data), status);
        assert_eq!(left("unlimited", "unlimited"), None);
        assert_eq!(left("2048000", "unlimited"), Some(1024 * 1000));
        assert_eq!(left("2048000", "204800"), Some(102_400));
        assert_eq!(left("5", "unlimited"), Some(0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_answers() {
        let (modest, free, most) =
            (modest().unwrap_or(0), free().unwrap_or(0), most().unwrap_or(0));
        assert!(0 < modest && modest < free && free <= most.saturating_mul(2), "{free} {most}");
    }
}
