//! Socket options: `SOL_NETLINK` (`linux/netlink.h`), buffers, counters.

use std::io;

use crate::socket::Socket;
use crate::sys;

/// The switches of a netlink socket, all off at first.
///
/// Groups are joined and listed by [`Socket::join`], [`Socket::leave`] and
/// [`Socket::memberships`] (options 1, 2 and 9). `NETLINK_RX_RING` and
/// `NETLINK_TX_RING` (6 and 7), the memory-mapped rings, were removed in Linux
/// 4.6 and are not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum NetlinkOption {
    /// `NETLINK_PKTINFO`: each datagram tells the group it was sent to, in
    /// [`Datagram::group`](crate::ring::Datagram::group).
    PacketInfo = 3,
    /// `NETLINK_BROADCAST_ERROR`: the kernel learns of an event that this socket
    /// could not take; conntrack then delivers a destroy event again later.
    BroadcastError = 4,
    /// `NETLINK_NO_ENOBUFS`: losses raise no error and no pause; they show in
    /// [`Socket::drops`] only.
    NoEnobufs = 5,
    /// `NETLINK_LISTEN_ALL_NSID` (Linux 4.2): events of every namespace that has
    /// an id in this one, told by [`Datagram::nsid`](crate::ring::Datagram::nsid).
    /// Needs `CAP_NET_BROADCAST` to set; kernels before 6.12 cannot be asked for it.
    ListenAllNsid = 8,
    /// `NETLINK_CAP_ACK` (Linux 4.3): errors repeat the header of the request
    /// only, not all of it, which saves receive buffer.
    CapAck = 10,
    /// `NETLINK_EXT_ACK` (Linux 4.12): errors come with text and offset.
    ExtAck = 11,
    /// `NETLINK_GET_STRICT_CHK` (Linux 4.20): dump requests are checked strictly
    /// and their filters obeyed.
    GetStrictCheck = 12,
}

impl NetlinkOption {
    /// Every option, in ascending order.
    pub const ALL: [Self; 7] = [
        Self::PacketInfo,
        Self::BroadcastError,
        Self::NoEnobufs,
        Self::ListenAllNsid,
        Self::CapAck,
        Self::ExtAck,
        Self::GetStrictCheck,
    ];
}

/// Memory and losses of a socket in bytes (`SO_MEMINFO`, `linux/sock_diag.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemInfo {
    /// Charged for what is queued to be received: an event costs 1,280 bytes
    /// where its message has 200.
    pub receive_queued: u32,
    /// Limit of `receive_queued`.
    pub receive_buffer: u32,
    /// Charged for what was sent and not yet taken.
    pub send_queued: u32,
    /// Limit of `send_queued`; a datagram may have 32 bytes less.
    pub send_buffer: u32,
    /// Reserved ahead.
    pub forward_allocated: u32,
    /// Persistent send queue, unused by netlink.
    pub write_queued: u32,
    /// Options, such as the socket filter.
    pub option_memory: u32,
    /// Backlog, unused by netlink.
    pub backlog: u32,
    /// Datagrams lost for want of room since the socket was opened: events and
    /// replies, with or without `ENOBUFS`, but not what a filter refused. Wraps.
    pub drops: u32,
}

impl Socket {
    /// Turns an option on or off.
    ///
    /// # Errors
    /// `ENOPROTOOPT`: the kernel is older than the option. `EPERM`: needs a
    /// privilege.
    pub fn set_option(&self, option: NetlinkOption, on: bool) -> io::Result<()> {
        self.set_option_value(libc::SOL_NETLINK, option as i32, on.into())
    }

    /// Whether an option is on.
    ///
    /// # Errors
    /// `ENOPROTOOPT`: the kernel does not tell.
    pub fn option(&self, option: NetlinkOption) -> io::Result<bool> {
        self.option_word(libc::SOL_NETLINK, option as i32).map(|value| value != 0)
    }

    /// Sets the receive buffer and gives the size in effect, in bytes of kernel
    /// memory: twice what was asked, if the host allows. Asks with
    /// `SO_RCVBUFFORCE` first, which root of the first user namespace may do
    /// without limit, then with `SO_RCVBUF`, limited by `net.core.rmem_max`.
    ///
    /// # Errors
    /// As setsockopt(2). A limit that cut the size is no error: compare.
    pub fn set_receive_buffer(&self, bytes: usize) -> io::Result<usize> {
        self.set_buffer(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, bytes)
    }

    /// Sets the send buffer, as [`Socket::set_receive_buffer`]: it limits the
    /// length of one datagram, and so how many requests a batch may have.
    ///
    /// # Errors
    /// As setsockopt(2).
    pub fn set_send_buffer(&self, bytes: usize) -> io::Result<usize> {
        self.set_buffer(libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, bytes)
    }

    fn set_buffer(&self, force: i32, plain: i32, bytes: usize) -> io::Result<usize> {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        match self.set_option_value(libc::SOL_SOCKET, force, bytes) {
            Err(error) if sys::is(&error, libc::EPERM) => {
                self.set_option_value(libc::SOL_SOCKET, plain, bytes)?;
            }
            other => other?,
        }
        self.option_word(libc::SOL_SOCKET, plain).map(|effective| effective as usize)
    }

    /// The receive buffer in effect, in bytes of kernel memory.
    ///
    /// # Errors
    /// As getsockopt(2).
    pub fn receive_buffer(&self) -> io::Result<usize> {
        self.option_word(libc::SOL_SOCKET, libc::SO_RCVBUF).map(|bytes| bytes as usize)
    }

    /// The send buffer in effect, in bytes of kernel memory.
    ///
    /// # Errors
    /// As getsockopt(2).
    pub fn send_buffer(&self) -> io::Result<usize> {
        self.option_word(libc::SOL_SOCKET, libc::SO_SNDBUF).map(|bytes| bytes as usize)
    }

    /// Memory and losses of this socket.
    ///
    /// # Errors
    /// `ENOPROTOOPT` before Linux 4.12.
    pub fn mem_info(&self) -> io::Result<MemInfo> {
        let mut words = [0_u32; 9];
        self.option_words(libc::SOL_SOCKET, libc::SO_MEMINFO, &mut words)?;
        let [
            receive_queued,
            receive_buffer,
            send_queued,
            send_buffer,
            forward_allocated,
            write_queued,
            option_memory,
            backlog,
            drops,
        ] = words;
        Ok(MemInfo {
            receive_queued,
            receive_buffer,
            send_queued,
            send_buffer,
            forward_allocated,
            write_queued,
            option_memory,
            backlog,
            drops,
        })
    }

    /// Datagrams lost since the socket was opened, see [`MemInfo::drops`]: the
    /// only complete account of losses. Compare it after each drain.
    ///
    /// # Errors
    /// As [`Socket::mem_info`].
    pub fn drops(&self) -> io::Result<u32> {
        self.mem_info().map(|info| info.drops)
    }

    fn option_word(&self, level: i32, name: i32) -> io::Result<u32> {
        let mut word = [0_u32];
        self.option_words(level, name, &mut word)?;
        Ok(word[0])
    }
}
