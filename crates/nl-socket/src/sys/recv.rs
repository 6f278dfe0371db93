//! recvmmsg(2): many datagrams with one call.

use std::io;
use std::iter;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::{check, retry, socklen_of};

/// Room for the control messages of one datagram: two of 24 bytes (the group
/// number and the namespace id) and some to spare. Aligned for `cmsghdr`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; 64]);

/// What the kernel says about one received datagram, besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    /// The datagram's true length in bytes, also where the buffer was shorter.
    pub(crate) length: usize,
    /// `MSG_TRUNC`: bytes were cut off.
    pub(crate) truncated: bool,
    /// Port of the sender; 0 is the kernel.
    pub(crate) sender_port: u32,
    /// Mask of the group it was sent to, 0 for unicast and groups above 32.
    pub(crate) sender_groups: u32,
    /// Bytes of control messages.
    control: usize,
}

/// The tables which recvmmsg(2) works with, kept between calls so that a call
/// allocates nothing.
pub(crate) struct Batch {
    headers: Vec<libc::mmsghdr>,
    rooms: Vec<Room>,
}

/// What a header points to, but for the datagram itself.
#[derive(Clone, Copy)]
struct Room {
    vector: libc::iovec,
    name: libc::sockaddr_nl,
    control: Control,
}

// SAFETY: the raw pointers in `headers` and `rooms` are written anew at the
// start of every `receive` and read only by the kernel during that call. Between
// calls they are plain numbers that nobody follows, so the thread does not matter.
unsafe impl Send for Batch {}

// SAFETY: as above: shared references give access to lengths, flags, addresses
// and control bytes only, none of which is behind a raw pointer.
unsafe impl Sync for Batch {}

impl Batch {
    /// Tables for `slots` datagrams a call.
    pub(crate) fn new(slots: usize) -> Self {
        // SAFETY: null pointers and zero lengths are values of every field.
        let header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        // SAFETY: the structure holds integers only, for which all zeros is a value.
        let name: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        let vector = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
        Self {
            headers: iter::repeat_n(header, slots).collect(),
            rooms: iter::repeat_n(Room { vector, name, control: Control([0; 64]) }, slots)
                .collect(),
        }
    }

    /// Receives what is queued, without waiting: datagram `n` into the `n`th
    /// chunk of `slot_bytes` bytes of `buffer`. Gives the number of datagrams,
    /// at least one; an empty queue is [`io::ErrorKind::WouldBlock`].
    pub(crate) fn receive(
        &mut self,
        fd: BorrowedFd<'_>,
        buffer: &mut [u8],
        slot_bytes: usize,
    ) -> io::Result<usize> {
        let mut slots = 0;
        let tables = self.headers.iter_mut().zip(&mut self.rooms);
        // Chunks of 0 bytes would be a panic, and its text in every program.
        for (chunk, (header, room)) in buffer.chunks_exact_mut(slot_bytes.max(1)).zip(tables) {
            let Room { vector, name, control } = room;
            vector.iov_base = chunk.as_mut_ptr().cast();
            vector.iov_len = chunk.len();
            let message = &mut header.msg_hdr;
            message.msg_name = std::ptr::from_mut(name).cast();
            message.msg_namelen = socklen_of::<libc::sockaddr_nl>();
            message.msg_iov = vector;
            message.msg_iovlen = 1;
            message.msg_control = control.0.as_mut_ptr().cast();
            message.msg_controllen = size_of::<Control>() as _;
            message.msg_flags = 0;
            slots += 1;
        }
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let count = retry(|| {
            // SAFETY: the first `slots` headers were filled above, each with its
            // own vector, name and control entry of `self` and its own chunk of
            // `buffer`, all with their true lengths. `self` and `buffer` are
            // borrowed exclusively until after the call, so nothing moves, is
            // freed or is read meanwhile; the kernel keeps no pointer, and every
            // byte it may write is a valid value of those types.
            check(unsafe {
                libc::recvmmsg(
                    fd.as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    slots,
                    flags as _,
                    std::ptr::null_mut(),
                )
            })
        })?;
        // Not negative: `check` has seen to that.
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// What was said about datagram `index` of the last call.
    #[inline]
    pub(crate) fn received(&self, index: usize) -> Option<Received> {
        let (header, Room { name, .. }) = (self.headers.get(index)?, self.rooms.get(index)?);
        Some(Received {
            length: header.msg_len as usize,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            sender_port: name.nl_pid,
            sender_groups: name.nl_groups,
            // A size_t with glibc, a socklen_t with musl.
            #[allow(clippy::unnecessary_cast)]
            control: header.msg_hdr.msg_controllen as usize,
        })
    }

    /// The control messages of datagram `index` of the last call.
    pub(crate) fn control(&self, index: usize, received: &Received) -> ControlMessages<'_> {
        let bytes = self.rooms.get(index).map_or(&[][..], |room| &room.control.0);
        ControlMessages { rest: bytes.get(..received.control).unwrap_or(bytes) }
    }
}

/// A walk over control messages: level, type, payload.
///
/// Safe reads of bytes instead of `CMSG_NXTHDR`: a `cmsghdr` is a length of the
/// machine's word size which counts itself, level and type of four bytes each,
/// and the next one starts at the next multiple of the word size.
pub(crate) struct ControlMessages<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, fields) = self.rest.split_first_chunk::<{ size_of::<usize>() }>()?;
        let (level, fields) = fields.split_first_chunk::<4>()?;
        let (kind, _) = fields.split_first_chunk::<4>()?;
        let length = usize::from_ne_bytes(*length);
        let payload = self.rest.get(size_of::<usize>() + 8..length)?;
        let step = length.checked_next_multiple_of(size_of::<usize>())?;
        self.rest = self.rest.get(step..).unwrap_or_default();
        Some((i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind), payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: usize = size_of::<usize>();

    fn control(length: usize, level: i32, kind: i32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn control_messages_are_walked() {
        let mut bytes = control(WORD + 12, 270, 8, &[1, 2, 3, 4]);
        bytes.resize(bytes.len().next_multiple_of(WORD), 0xa5);
        bytes.extend(control(WORD + 9, 270, 3, &[9]));
        let walk: Vec<_> = ControlMessages { rest: &bytes }.collect();
        assert_eq!(walk, [(270, 8, &[1, 2, 3, 4][..]), (270, 3, &[9][..])]);
    }

    #[test]
    fn damaged_control_messages_end_the_walk() {
        for length in [0, WORD, WORD + 7, WORD + 13, usize::MAX - 1, usize::MAX] {
            let bytes = control(length, 270, 8, &[1, 2, 3, 4]);
            assert_eq!(ControlMessages { rest: &bytes }.count(), 0, "{length}");
        }
        let whole = control(WORD + 12, 270, 8, &[1, 2, 3, 4]);
        for length in 0..whole.len() {
            assert_eq!(ControlMessages { rest: &whole[..length] }.count(), 0, "{length}");
        }
    }
}
