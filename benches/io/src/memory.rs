//! A global allocator that counts for the whole process, if it is asked to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// The system's allocator. While it does not count, it only reads one flag more.
pub struct Counting;

/// What happened since the count began. To enlarge a piece of memory counts as a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many pieces were asked for.
    pub allocations: usize,
    /// How many bytes in all.
    pub bytes: usize,
    /// How many bytes there are more than when it began.
    pub live: isize,
    /// The most that these ever were.
    pub peak: isize,
}

/// Begins to count from nothing.
pub fn begin() {
    ALLOCATIONS.store(0, Relaxed);
    OCTETS.store(0, Relaxed);
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
}

/// What was counted so far.
pub fn so_far() -> Count {
    Count {
        allocations: ALLOCATIONS.load(Relaxed),
        bytes: OCTETS.load(Relaxed),
        live: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed),
    }
}

/// Counts no longer.
pub fn end() {
    COUNTS.store(false, Relaxed);
}

#[allow(unsafe_code, reason = "an allocator cannot be written without; each call is passed on as it came")]
// SAFETY: every method hands its arguments to the system's allocator unchanged, and returns what that returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if COUNTS.load(Relaxed) {
            LIVE.fetch_sub(layout.size() as isize, Relaxed);
        }
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size, layout.size());
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn add(bytes: usize, gone: usize) {
    if COUNTS.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        OCTETS.fetch_add(bytes, Relaxed);
        let more = bytes as isize - gone as isize;
        PEAK.fetch_max(LIVE.fetch_add(more, Relaxed) + more, Relaxed);
    }
}

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static OCTETS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);
