//! The smallest allocator there is: it hands out a piece of memory from its beginning to its end, and takes nothing back.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static HEAP: Heap = Heap(AtomicUsize::new(0));

struct Heap(AtomicUsize);

// SAFETY: no two pieces overlap, each is aligned and inside of the memory, which nobody else uses.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.0.load(Relaxed).next_multiple_of(layout.align());
        let end = start.saturating_add(layout.size());
        if end > OCTETS {
            return ptr::null_mut();
        }
        self.0.store(end, Relaxed);
        (&raw mut MEMORY).cast::<u8>().wrapping_add(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[repr(align(16))]
struct Memory(#[allow(dead_code, reason = "it is read through the pieces")] [u8; OCTETS]);

static mut MEMORY: Memory = Memory([0; OCTETS]);
const OCTETS: usize = 192 * 1024;
