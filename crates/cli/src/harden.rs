//! No core dump of this process, since its memory holds tokens.

/// Forbids core dumps and other processes of the user to read our memory. Linux only; elsewhere core dumps alone.
pub fn apply() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    #[cfg(all(unix, not(target_os = "linux")))]
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    );
}
