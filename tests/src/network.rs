//! Machines with a network of their own, in which all ports are free. They are gone with their last process.

use std::process::Command;

/// Runs what follows in a network in which `change`, a shell script, was made. It needs `unshare` and `ip`; only root needs no
/// user namespace for it. What it mounts it mounts for itself.
pub fn network(change: &str) -> Command {
    let inner = format!("set -e; ip link set lo up; {change}\nexec \"$@\"");
    let script = "as=; [ $(id -u) = 0 ] || as=--map-root-user; exec unshare $as --net --mount sh -c \"$0\" sh \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, &inner]);
    for name in ["all_proxy", "http_proxy", "https_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}
