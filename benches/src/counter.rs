//! A global allocator that counts where it is asked to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator. Where nobody counts it costs one look at a thread-local value more.
pub struct Counting;

/// What was asked of the allocator. To enlarge a piece of memory counts as a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many pieces.
    pub allocations: usize,
    /// How many bytes in all.
    pub bytes: usize,
}

/// Counts what this thread allocates in `work`. Always nothing where [`Counting`] is not the global allocator.
pub fn count(work: impl FnOnce()) -> Count {
    COUNT.set(Some(Count::default()));
    work();
    COUNT.take().unwrap_or_default()
}

#[allow(unsafe_code, reason = "an allocator cannot be written without; each call is passed on as it came")]
// SAFETY: every method hands its arguments to the system's allocator unchanged, and returns what that returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn add(bytes: usize) {
    if let Some(count) = COUNT.get() {
        COUNT.set(Some(Count { allocations: count.allocations + 1, bytes: count.bytes + bytes }));
    }
}

thread_local! {
    static COUNT: Cell<Option<Count>> = const { Cell::new(None) };
}
