//! How deep the stack was: the runtime paints it before `main`, and what was in use has lost its paint.

#![allow(unsafe_code, reason = "the paint is read where no variable stands")]

use core::ptr;
use cortex_m_rt::STACK_PAINT_VALUE;

/// The bytes in use at the deepest moment so far.
#[must_use]
pub fn depth() -> usize {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let words = (start.addr() - end.addr()) / size_of::<u32>();
    // SAFETY: all of these words are the stack's, and the runtime has painted them.
    let painted = (0..words).take_while(|word| unsafe { ptr::read_volatile(end.add(*word)) } == STACK_PAINT_VALUE);
    (words - painted.count()) * size_of::<u32>()
}
