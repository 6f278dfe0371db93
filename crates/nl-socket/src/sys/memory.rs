//! mmap(2), madvise(2): memory of its own, zeroed, that is taken page by page as it is touched.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// Types of which all bytes zero is a value, and that nothing is to be done for at their end.
///
/// # Safety
/// Both must be so, and the alignment must not exceed 4096.
#[allow(unreachable_pub)] // Bounds a public type; nobody else can implement it.
pub unsafe trait Plain {}

// SAFETY: a number without padding or owner.
unsafe impl Plain for u8 {}

// SAFETY: as above; it has the bytes of a `u64`.
unsafe impl Plain for AtomicU64 {}

// SAFETY: an array is its elements, one behind the other.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Bytes of a large page, and of what one must begin at a multiple of: 2 MiB of most machines.
/// Where they are others, advice is of no use but does no harm.
const LARGE: usize = 2 << 20;

/// How memory should be backed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pages {
    /// By ordinary pages, also where the system prefers large ones: for memory of which little is
    /// touched (`MADV_NOHUGEPAGE`).
    Small,
    /// By large pages where the system has them (`MADV_HUGEPAGE`): for tables read at random, where
    /// finding the page costs more than reading. Memory is then taken 2 MiB at a time.
    Large,
}

/// A slice of zeros in a mapping of its own: what is never touched takes no memory, and all of it
/// goes back to the system in the end. Unlike that of an allocator it is never memory that was in
/// use before.
pub struct Zeroed<T> {
    first: NonNull<T>,
    len: usize,
    mapping: *mut libc::c_void,
    mapped: usize,
}

// SAFETY: it owns its elements alone, as a boxed slice does.
unsafe impl<T: Send> Send for Zeroed<T> {}

// SAFETY: as above: shared, it gives shared references to the elements only.
unsafe impl<T: Sync> Sync for Zeroed<T> {}

impl<T: Plain> Zeroed<T> {
    /// `len` elements.
    ///
    /// # Errors
    /// `ENOMEM`: more than the address space, or a limit, has room for.
    pub fn new(len: usize, pages: Pages) -> io::Result<Self> {
        let wanted = len.checked_mul(size_of::<T>());
        // Room to begin at a large page. An empty mapping is refused.
        let spare = if pages == Pages::Large { LARGE } else { 1 };
        let mapped = wanted.and_then(|bytes| bytes.checked_add(spare));
        let (Some(wanted), Some(mapped)) =
            (wanted, mapped.filter(|bytes| isize::try_from(*bytes).is_ok()))
        else {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        };
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: without an address nor a file the kernel makes a new mapping where nothing is.
        let mapping = unsafe { libc::mmap(std::ptr::null_mut(), mapped, protection, flags, -1, 0) };
        if mapping == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let bytes = mapping.cast::<u8>();
        let skipped = if pages == Pages::Large { mapping.addr().wrapping_neg() % LARGE } else { 0 };
        let first = bytes.wrapping_add(skipped);
        let advice = match pages {
            Pages::Small => libc::MADV_NOHUGEPAGE,
            Pages::Large => libc::MADV_HUGEPAGE,
        };
        // Miri knows no advice. The answer is of no matter: kernels without large pages refuse.
        if !cfg!(miri) {
            // SAFETY: the range is in the mapping: less than `LARGE` was skipped, and as much is
            // there to spare. The advice changes no byte of it.
            let _ = unsafe { libc::madvise(first.cast(), wanted, advice) };
        }
        let first = NonNull::new(first.cast()).unwrap_or(NonNull::dangling());
        Ok(Self { first, len, mapping, mapped })
    }
}

impl<T> Deref for Zeroed<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements lie in the mapping, which lives as long as `self`, from `first` on:
        // the beginning of a page, so aligned. They were zero, which is a value of `T` (`Plain`,
        // without which there is no `Self`), and are written as values of `T` only.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Zeroed<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; and `self` is borrowed exclusively as long as the slice is.
        unsafe { std::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for Zeroed<T> {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `new` made, whole, and no reference into it outlives
        // `self`. Its elements need no drop (`Plain`).
        let _ = unsafe { libc::munmap(self.mapping, self.mapped) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn elements_are_zero_aligned_and_keep_what_is_written() {
        for pages in [Pages::Small, Pages::Large] {
            for len in [0, 1, 4096, 300_000] {
                let mut bytes = Zeroed::<u8>::new(len, pages).unwrap();
                assert_eq!((bytes.len(), bytes.iter().find(|byte| **byte != 0)), (len, None));
                bytes.fill(0xa5);
                assert!(bytes.iter().all(|byte| *byte == 0xa5));
            }
            let words = Zeroed::<[AtomicU64; 8]>::new(100_000, pages).unwrap();
            assert_eq!(words.as_ptr().addr() % 4096, 0);
            let last = &words[99_999][7];
            last.store(7, Ordering::Relaxed);
            let sum: u64 = words.iter().flatten().map(|word| word.load(Ordering::Relaxed)).sum();
            assert_eq!(sum, 7);
        }
    }

    #[test]
    fn more_than_there_is_is_refused() {
        for len in [usize::MAX, usize::MAX / 8, isize::MAX as usize / 8] {
            let error =
                Zeroed::<AtomicU64>::new(len, Pages::Small).map(|words| words.len()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENOMEM), "{len}");
        }
    }

    /// Pages that nobody touched take no memory; so a large one can be asked for at ease.
    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn what_is_not_touched_takes_no_memory() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/statm").unwrap();
            status.split(' ').nth(1).unwrap().parse::<usize>().unwrap()
        };
        let before = resident();
        let bytes = Zeroed::<u8>::new(1 << 30, Pages::Small).unwrap();
        assert_eq!(bytes[1 << 29], 0);
        // Other tests run beside this one: a quarter of it is far more than they need.
        assert!(resident() < before + (1 << 28) / 4096);
    }
}
