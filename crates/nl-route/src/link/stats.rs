//! Counters of a link: `struct rtnl_link_stats64` (linux/if_link.h).

use alloc::vec::Vec;

macro_rules! stats {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        /// Counters since the link was made.
        ///
        /// An older kernel sends fewer; those are 0.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        pub struct Stats64 {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Stats64 {
            pub(crate) fn decode(bytes: &[u8]) -> Self {
                // Missing ones are zeros; then all are read without a look at the length.
                let mut all = [0; size_of::<Self>()];
                let length = bytes.len().min(all.len()) & !7;
                all[..length].copy_from_slice(&bytes[..length]);
                let mut numbers = all.chunks_exact(8);
                let mut next = || {
                    let number = numbers.next().and_then(<[u8]>::first_chunk);
                    number.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
                };
                Self { $($field: next(),)* }
            }

            pub(crate) fn encode(&self) -> Vec<u8> {
                [$(self.$field),*].into_iter().flat_map(u64::to_ne_bytes).collect()
            }
        }
    };
}

stats! {
    /// Packets received.
    rx_packets,
    /// Packets sent.
    tx_packets,
    /// Bytes received.
    rx_bytes,
    /// Bytes sent.
    tx_bytes,
    /// Bad packets received.
    rx_errors,
    /// Packets that could not be sent.
    tx_errors,
    /// Packets received but dropped for want of room.
    rx_dropped,
    /// Packets dropped instead of sent.
    tx_dropped,
    /// Multicast packets received.
    multicast,
    /// Collisions.
    collisions,
    /// Received packets of a wrong length.
    rx_length_errors,
    /// Packets beyond what the device could hold.
    rx_over_errors,
    /// Packets with a wrong checksum.
    rx_crc_errors,
    /// Packets with wrong framing.
    rx_frame_errors,
    /// Overruns of the receive queue.
    rx_fifo_errors,
    /// Packets missed by the host.
    rx_missed_errors,
    /// Transmissions given up.
    tx_aborted_errors,
    /// Transmissions without carrier.
    tx_carrier_errors,
    /// Underruns of the transmit queue.
    tx_fifo_errors,
    /// Missing heartbeats.
    tx_heartbeat_errors,
    /// Late collisions.
    tx_window_errors,
    /// Compressed packets received.
    rx_compressed,
    /// Compressed packets sent.
    tx_compressed,
    /// Packets dropped as nobody wanted them.
    rx_nohandler,
    /// Packets dropped as they were for another host.
    rx_otherhost_dropped,
}
