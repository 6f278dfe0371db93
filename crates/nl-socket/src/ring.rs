//! Receiving: many datagrams with one recvmmsg(2).

use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd as _;

use crate::options::NetlinkOption;
use crate::socket::{Socket, Wait};
use crate::sys;
use crate::sys::memory::{Pages, Zeroed};

/// Control message with the group number (`NETLINK_PKTINFO`).
const PACKET_INFO: i32 = NetlinkOption::PacketInfo as i32;
/// Control message with the namespace id (`NETLINK_LISTEN_ALL_NSID`).
const NAMESPACE_ID: i32 = NetlinkOption::ListenAllNsid as i32;

/// One received datagram and everything that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Datagram<'a> {
    /// The bytes that fitted the slot.
    pub bytes: &'a [u8],
    /// Port of the sender; 0 is the kernel, and nobody else may be trusted.
    pub sender_port: u32,
    /// Mask of the multicast group it was sent to (bit 0 is group 1): 0 for
    /// replies and for groups above 32, which [`Datagram::group`] tells.
    pub sender_groups: u32,
    /// The true length in bytes, also where `bytes` was cut.
    pub length: usize,
    /// Bytes were cut off; for a dump this means that messages are lost.
    pub truncated: bool,
    /// Namespace the event comes from, as the receiver's namespace numbers it:
    /// with [`NetlinkOption::ListenAllNsid`], `None` for its own.
    pub nsid: Option<i32>,
    /// Multicast group, 0 for replies: with [`NetlinkOption::PacketInfo`].
    pub group: Option<u32>,
}

/// Buffers for receiving many datagrams with one system call.
///
/// Use one ring with one size of slots for the life of a socket: the kernel cuts
/// dump datagrams to the largest buffer it was ever offered, and a shorter one
/// then truncates.
pub struct Ring {
    /// Not of the allocator: that may hand out memory used before, all of which stays resident.
    buffer: Zeroed<u8>,
    slot_bytes: usize,
    batch: sys::recv::Batch,
    received: usize,
}

impl Ring {
    /// Slots of [`Ring::default`]: with more, a datagram costs no less.
    pub const SLOTS: usize = 16;

    /// Bytes of a slot of [`Ring::default`]. Dump datagrams have 32 KiB at most
    /// but one message may be longer: a link with many virtual functions has
    /// 41 KB and more.
    pub const SLOT_BYTES: usize = 256 * 1024;

    /// Most slots a ring may have (`UIO_MAXIOV` of the kernel).
    pub const SLOTS_MAX: usize = 1024;

    /// A ring of `slots` (1 to [`Ring::SLOTS_MAX`], else the nearest) datagrams
    /// of up to `slot_bytes` (at least 1) bytes. The memory is one
    /// mapping: pages that no datagram reaches cost nothing.
    ///
    /// # Panics
    /// If both multiplied exceed what can be allocated.
    pub fn new(slots: usize, slot_bytes: usize) -> Self {
        let slots = slots.clamp(1, Self::SLOTS_MAX);
        let slot_bytes = slot_bytes.max(1);
        let bytes = slots.checked_mul(slot_bytes).expect("a ring larger than memory");
        Self {
            buffer: Zeroed::new(bytes, Pages::Small).expect("a ring larger than memory"),
            slot_bytes,
            batch: sys::recv::Batch::new(slots),
            received: 0,
        }
    }

    /// Receives the datagrams that are queued, as many as there are slots, and
    /// gives their number, at least one. Waits for the first only.
    ///
    /// Forgets the datagrams of the call before, also when it fails.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): nothing there, with
    /// [`Wait::Never`]. [`TimedOut`](io::ErrorKind::TimedOut): nothing came in
    /// time. `ENOBUFS`: datagrams were lost before those still queued; told
    /// once. Receive until `WouldBlock` before listing anew: until the queue
    /// has been empty the kernel drops every further event.
    pub fn receive(&mut self, socket: &Socket, wait: Wait) -> io::Result<usize> {
        self.receive_some(socket, wait, Self::SLOTS_MAX)
    }

    /// As [`Ring::receive`], of `most` datagrams at most (at least 1): the kernel makes the next
    /// datagram of a dump while one is received, so that a call for many takes a while.
    ///
    /// # Errors
    /// As [`Ring::receive`].
    pub fn receive_some(&mut self, socket: &Socket, wait: Wait, most: usize) -> io::Result<usize> {
        self.receive_in_time(socket, wait, most)?.ok_or(io::ErrorKind::TimedOut.into())
    }

    /// As [`Ring::receive_some`], but `None` if nothing came in time.
    pub(crate) fn receive_in_time(
        &mut self,
        socket: &Socket,
        wait: Wait,
        most: usize,
    ) -> io::Result<Option<usize>> {
        self.received = 0;
        let bytes = self.buffer.len().min(self.slot_bytes.saturating_mul(most.max(1)));
        loop {
            let slots = self.buffer.get_mut(..bytes).unwrap_or_default();
            match self.batch.receive(socket.as_fd(), slots, self.slot_bytes) {
                Err(error) if wait != Wait::Never && sys::is(&error, libc::EAGAIN) => {
                    if !socket.wait_readable(wait)? {
                        return Ok(None);
                    }
                }
                other => {
                    self.received = other?;
                    return Ok(Some(self.received));
                }
            }
        }
    }

    /// Datagram `index` of the last [`Ring::receive`], if there were so many.
    pub fn datagram(&self, index: usize) -> Option<Datagram<'_>> {
        if index >= self.received {
            return None;
        }
        let received = self.batch.received(index)?;
        // In the buffer, so neither overflows.
        let start = index * self.slot_bytes;
        let kept = received.length.min(self.slot_bytes);
        let mut datagram = Datagram {
            bytes: self.buffer.get(start..start + kept)?,
            sender_port: received.sender_port,
            sender_groups: received.sender_groups,
            length: received.length,
            truncated: received.truncated,
            nsid: None,
            group: None,
        };
        for (level, kind, payload) in self.batch.control(index, &received) {
            let (libc::SOL_NETLINK, Some(&word)) = (level, payload.first_chunk()) else { continue };
            match kind {
                PACKET_INFO => datagram.group = Some(u32::from_ne_bytes(word)),
                NAMESPACE_ID => datagram.nsid = Some(i32::from_ne_bytes(word)),
                _ => {}
            }
        }
        Some(datagram)
    }

    /// Where the bytes of datagram `index` of the last [`Ring::receive`] are, for [`Ring::bytes`]:
    /// what every entry of a dump would ask [`Ring::datagram`] for, asked for once.
    pub(crate) fn place(&self, index: usize) -> Range<usize> {
        let start = index * self.slot_bytes;
        let received = self.batch.received(index).filter(|_| index < self.received);
        start..start + received.map_or(0, |received| received.length.min(self.slot_bytes))
    }

    /// Bytes received.
    #[inline]
    pub(crate) fn bytes(&self, place: Range<usize>) -> &[u8] {
        self.buffer.get(place).unwrap_or_default()
    }

    /// The datagrams of the last [`Ring::receive`], in order.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.received).filter_map(|index| self.datagram(index))
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new(Self::SLOTS, Self::SLOT_BYTES)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("slots", &(self.buffer.len() / self.slot_bytes))
            .field("slot_bytes", &self.slot_bytes)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
