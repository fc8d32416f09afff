//! An allocator that keeps small blocks in lists by their size. A compilation makes and drops hundreds of small kinds
//! for each expression, and the usual allocator of this target takes half of its time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Sizes are rounded up to these many bytes.
const STEP: usize = 16;
/// Larger blocks are left to the usual allocator.
const LARGEST: usize = 512;
const CLASSES: usize = LARGEST / STEP;
/// Small blocks are cut from pieces of this size, which are kept for good.
const PIECE: usize = 65_536;

/// A block that is free holds the address of the next one.
struct Lists {
    free: [*mut u8; CLASSES],
    piece: *mut u8,
    left: usize,
}

pub struct Pools(UnsafeCell<Lists>);

// The module has one thread.
unsafe impl Sync for Pools {}

impl Pools {
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Lists {
            free: [null_mut(); CLASSES],
            piece: null_mut(),
            left: 0,
        }))
    }
}

/// The list of a layout, unless its blocks are large or aligned beyond the step.
fn class(layout: Layout) -> Option<usize> {
    let small = layout.size() <= LARGEST && layout.size() > 0 && layout.align() <= STEP;
    small.then(|| (layout.size() - 1) / STEP)
}

unsafe impl GlobalAlloc for Pools {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class(layout) else {
            return unsafe { System.alloc(layout) };
        };
        let lists = unsafe { &mut *self.0.get() };
        let block = lists.free[class];
        if !block.is_null() {
            lists.free[class] = unsafe { *block.cast::<*mut u8>() };
            return block;
        }
        let size = (class + 1) * STEP;
        if lists.left < size {
            let piece = unsafe { System.alloc(Layout::from_size_align_unchecked(PIECE, STEP)) };
            if piece.is_null() {
                return piece;
            }
            lists.piece = piece;
            lists.left = PIECE;
        }
        let block = lists.piece;
        lists.piece = unsafe { block.add(size) };
        lists.left -= size;
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(class) = class(layout) else {
            return unsafe { System.dealloc(block, layout) };
        };
        let lists = unsafe { &mut *self.0.get() };
        unsafe { *block.cast::<*mut u8>() = lists.free[class] };
        lists.free[class] = block;
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(grown) = Layout::from_size_align(size, layout.align()) else {
            return null_mut();
        };
        match (class(layout), class(grown)) {
            (None, None) => unsafe { System.realloc(block, layout, size) },
            (before, after) if before == after => block,
            _ => {
                let moved = unsafe { self.alloc(grown) };
                if !moved.is_null() {
                    let kept = layout.size().min(size);
                    unsafe { std::ptr::copy_nonoverlapping(block, moved, kept) };
                    unsafe { self.dealloc(block, layout) };
                }
                moved
            }
        }
    }
}
