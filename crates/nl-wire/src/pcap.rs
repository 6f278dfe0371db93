//! Captures of netlink: classic pcap files of link type 253 (`LINKTYPE_NETLINK`), as tcpdump and
//! Wireshark read and write them for an `nlmon` interface.
//!
//! A record holds one datagram: a "cooked" header of 16 bytes, all of it big-endian (packet type,
//! `ARPHRD_NETLINK`, 10 unused bytes, netlink protocol), then the netlink messages. **The messages
//! are in the byte order of the host that captured them**, and nothing in the file says which that
//! is; but libpcap writes its own numbers in that order as well, so [`Header::is_native`] normally
//! tells whether this host can decode the messages. It misleads where a program rewrote the file
//! on a host of the other kind: that turns the numbers of the file, never those of the messages.
//!
//! [`Reader`] walks a capture in memory. Who streams a large file reads 24 bytes for
//! [`Header::parse`], then over and over 16 bytes for [`Header::parse_record`] and
//! [`RecordHeader::captured_len`] more for [`RecordHeader::record`]. That length is the file's
//! word, so read with a limit (`Read::take`) rather than allocate by it. [`Header::encode`] and
//! [`Header::append_record`] are the same for writing.
//!
//! ```
//! # use {core::time::Duration, nl_wire::pcap::{self, ByteOrder, Precision, Reader, Writer}};
//! let mut file = Vec::new();
//! let mut writer = Writer::new(&mut file, Precision::Nanoseconds, ByteOrder::NATIVE);
//! writer.record(Duration::from_secs(1_700_000_000), pcap::OUTGOING, 0, b"netlink messages");
//!
//! let mut reader = Reader::new(&file)?;
//! let record = reader.next().unwrap()?;
//! assert_eq!(record.payload, b"netlink messages");
//! assert!(reader.next().is_none());
//! # Ok::<(), pcap::PcapError>(())
//! ```

use alloc::vec::Vec;
use core::{fmt, iter::FusedIterator, time::Duration};

/// `LINKTYPE_NETLINK`, the only link type understood here.
pub const LINK_TYPE: u32 = 253;
/// Length of the file header in bytes.
pub const HEADER_LEN: usize = 24;
/// Length of a record header in bytes.
pub const RECORD_HEADER_LEN: usize = 16;
/// Length of the cooked header before the netlink messages in bytes.
pub const COOKED_LEN: usize = COOKED as usize;
/// The most bytes of one record, cooked header included, that libpcap agrees to read. Longer ones
/// are cut.
pub const SNAPSHOT_LEN: u32 = 262_144;

/// Packet type of a datagram that the capturing host received (`PACKET_HOST`, `linux/if_packet.h`).
pub const HOST: u16 = 0;
/// Packet type of a datagram that the capturing host sent (`PACKET_OUTGOING`, `linux/if_packet.h`).
/// `nlmon` gives it to every datagram, whichever way it goes.
pub const OUTGOING: u16 = 4;

const COOKED: u32 = 16;
const ARPHRD_NETLINK: u16 = 824;
const VERSION: (u16, u16) = (2, 4);
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// The first block of every pcapng file, alike in both byte orders.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Byte order of a file's own numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The byte order of this host.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    const fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    const fn u16_bytes(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    const fn u32_bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// The finest time that a file can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// Magic a1b2c3d4: microseconds, what tcpdump writes.
    Microseconds,
    /// Magic a1b23c4d: nanoseconds.
    Nanoseconds,
}

/// Why a capture cannot be read, or not further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PcapError {
    /// The file ends within its header; so many bytes are there.
    HeaderShort(usize),
    /// The file begins with the magic of pcapng.
    Pcapng,
    /// The file begins with these bytes, which are no magic of pcap.
    NotPcap([u8; 4]),
    /// A version other than 2.4: major, minor.
    Version(u16, u16),
    /// A link type other than [`LINK_TYPE`].
    LinkType(u32),
    /// The file ends within a record header; so many bytes are there.
    RecordHeaderShort(usize),
    /// The file ends within a record.
    RecordShort {
        /// Bytes that the record should have.
        expected: u32,
        /// Bytes that are left.
        left: usize,
    },
    /// The record is shorter than the cooked header; so many bytes are there.
    CookedShort(usize),
    /// The cooked header names an ARPHRD type other than `ARPHRD_NETLINK`, 824.
    HardwareType(u16),
}

impl fmt::Display for PcapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderShort(len) => {
                write!(f, "not a pcap file: {len} bytes, and the header alone has 24")
            }
            Self::Pcapng => {
                f.write_str("a pcapng file; convert it to pcap first (editcap -F pcap)")
            }
            Self::NotPcap(magic) => {
                write!(f, "not a pcap file: it begins with {}", crate::text::Hex(&magic))
            }
            Self::Version(major, minor) => {
                write!(f, "pcap version {major}.{minor}; only 2.4 is known")
            }
            Self::LinkType(link) => {
                write!(f, "a capture of link type {link}; netlink is {LINK_TYPE}")
            }
            Self::RecordHeaderShort(len) => {
                write!(f, "record header cut short: {len} bytes of 16 are left")
            }
            Self::RecordShort { expected, left } => {
                write!(f, "record cut short: of {expected} bytes only {left} are left")
            }
            Self::CookedShort(len) => {
                write!(f, "record of {len} bytes, too short for its link header of 16")
            }
            Self::HardwareType(kind) => {
                write!(f, "record of hardware type {kind}; netlink is {ARPHRD_NETLINK}")
            }
        }
    }
}

impl core::error::Error for PcapError {}

/// What a file says of itself; makes its records readable and writable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Byte order of the file, and normally of the netlink messages in it.
    pub byte_order: ByteOrder,
    /// Unit of the fractions of seconds.
    pub precision: Precision,
}

impl Header {
    /// Reads the first 24 bytes of a file.
    ///
    /// # Errors
    ///
    /// [`PcapError::Pcapng`], [`PcapError::NotPcap`], [`PcapError::Version`] or
    /// [`PcapError::LinkType`].
    pub fn parse(bytes: &[u8; HEADER_LEN]) -> Result<Self, PcapError> {
        let [m0, m1, m2, m3, a0, a1, i0, i1, .., l0, l1, l2, l3] = *bytes;
        let magic = [m0, m1, m2, m3];
        let header = Self::from_magic(magic).ok_or(match magic {
            PCAPNG => PcapError::Pcapng,
            _ => PcapError::NotPcap(magic),
        })?;
        let order = header.byte_order;
        let version = (order.u16([a0, a1]), order.u16([i0, i1]));
        if version != VERSION {
            return Err(PcapError::Version(version.0, version.1));
        }
        // The upper half of the field tells about frame check sequences, which netlink has not.
        match order.u32([l0, l1, l2, l3]) & 0xffff {
            LINK_TYPE => Ok(header),
            other => Err(PcapError::LinkType(other)),
        }
    }

    /// The form of file that begins with these bytes, if it is a pcap.
    #[must_use]
    pub fn from_magic(magic: [u8; 4]) -> Option<Self> {
        [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|byte_order| {
            let precision = match byte_order.u32(magic) {
                MICROSECONDS => Precision::Microseconds,
                NANOSECONDS => Precision::Nanoseconds,
                _ => return None,
            };
            Some(Self { byte_order, precision })
        })
    }

    /// The first 24 bytes of such a file.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let magic = match self.precision {
            Precision::Microseconds => MICROSECONDS,
            Precision::Nanoseconds => NANOSECONDS,
        };
        let [m0, m1, m2, m3] = self.byte_order.u32_bytes(magic);
        let [a0, a1] = self.byte_order.u16_bytes(VERSION.0);
        let [i0, i1] = self.byte_order.u16_bytes(VERSION.1);
        let [s0, s1, s2, s3] = self.byte_order.u32_bytes(SNAPSHOT_LEN);
        let [l0, l1, l2, l3] = self.byte_order.u32_bytes(LINK_TYPE);
        // Between version and snapshot length: time zone and accuracy, which nobody uses.
        [m0, m1, m2, m3, a0, a1, i0, i1, 0, 0, 0, 0, 0, 0, 0, 0, s0, s1, s2, s3, l0, l1, l2, l3]
    }

    /// Whether the file is in the byte order of this host, so that the netlink messages in it can
    /// be decoded here.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.byte_order == ByteOrder::NATIVE
    }

    /// Reads the 16 bytes before a record.
    #[must_use]
    pub fn parse_record(&self, bytes: &[u8; RECORD_HEADER_LEN]) -> RecordHeader {
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, o0, o1, o2, o3] = *bytes;
        let seconds = Duration::from_secs(self.byte_order.u32([s0, s1, s2, s3]).into());
        let fraction = self.byte_order.u32([f0, f1, f2, f3]).into();
        RecordHeader {
            time: seconds
                + match self.precision {
                    Precision::Microseconds => Duration::from_micros(fraction),
                    Precision::Nanoseconds => Duration::from_nanos(fraction),
                },
            captured_len: self.byte_order.u32([c0, c1, c2, c3]),
            original_len: self.byte_order.u32([o0, o1, o2, o3]),
        }
    }

    /// Appends a record with its header to a file.
    ///
    /// A payload that would exceed [`SNAPSHOT_LEN`] is cut, and the original length tells. Seconds
    /// end in 2106, later times become the last one. Fractions are cut to the file's precision.
    pub fn append_record(&self, out: &mut Vec<u8>, record: &Record<'_>) {
        const MOST: usize = (SNAPSHOT_LEN - COOKED) as usize;
        let saturate = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let payload = record.payload.get(..MOST).unwrap_or(record.payload);
        let numbers = [
            saturate(record.time.as_secs()),
            match self.precision {
                Precision::Microseconds => record.time.subsec_micros(),
                Precision::Nanoseconds => record.time.subsec_nanos(),
            },
            // At most SNAPSHOT_LEN.
            saturate((COOKED_LEN + payload.len()) as u64),
            record.original_len.saturating_add(COOKED),
        ];
        out.extend(numbers.iter().flat_map(|&number| self.byte_order.u32_bytes(number)));
        out.extend(record.packet_type.to_be_bytes());
        out.extend(ARPHRD_NETLINK.to_be_bytes());
        out.extend([0; 10]);
        out.extend(record.protocol.to_be_bytes());
        out.extend(payload);
    }
}

/// The header of a record, before its bytes are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordHeader {
    /// Time of the capture since 1970-01-01 UTC.
    pub time: Duration,
    /// Bytes that follow in the file, cooked header included. Whatever the file says: not to be
    /// trusted.
    pub captured_len: u32,
    /// Bytes that the packet had, cooked header included.
    pub original_len: u32,
}

impl RecordHeader {
    /// The record, out of the [`captured_len`](Self::captured_len) bytes after this header.
    ///
    /// # Errors
    ///
    /// [`PcapError::CookedShort`] or [`PcapError::HardwareType`]. The length of `bytes` is not
    /// compared with `captured_len`.
    pub fn record<'a>(&self, bytes: &'a [u8]) -> Result<Record<'a>, PcapError> {
        let (cooked, payload) =
            bytes.split_first_chunk::<COOKED_LEN>().ok_or(PcapError::CookedShort(bytes.len()))?;
        let [t0, t1, h0, h1, .., p0, p1] = *cooked;
        match u16::from_be_bytes([h0, h1]) {
            ARPHRD_NETLINK => Ok(Record {
                time: self.time,
                original_len: self.original_len.saturating_sub(COOKED),
                packet_type: u16::from_be_bytes([t0, t1]),
                protocol: u16::from_be_bytes([p0, p1]),
                payload,
            }),
            other => Err(PcapError::HardwareType(other)),
        }
    }
}

/// One captured datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Time of the capture since 1970-01-01 UTC.
    pub time: Duration,
    /// Bytes of the datagram as it was on the host; more than `payload` has where the capture cut
    /// it.
    pub original_len: u32,
    /// Direction, [`HOST`] or [`OUTGOING`]; the format calls it unused, so it is no more than a
    /// hint.
    pub packet_type: u16,
    /// Netlink protocol (`NETLINK_ROUTE` 0, `NETLINK_NETFILTER` 12, ...; `linux/netlink.h`).
    pub protocol: u16,
    /// The netlink messages, in the byte order of the host that captured them.
    pub payload: &'a [u8],
}

impl Record<'_> {
    /// Whether the capture kept less than the whole datagram.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        u32::try_from(self.payload.len()).is_ok_and(|len| len < self.original_len)
    }
}

/// Walks the records of a capture in memory.
///
/// At the first damage it gives one error and then nothing more.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    header: Header,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the header of the file.
    ///
    /// # Errors
    ///
    /// [`PcapError::HeaderShort`], or one of [`Header::parse`].
    pub fn new(file: &'a [u8]) -> Result<Self, PcapError> {
        // A magic says more than a length where both are wrong.
        let magic = file.first_chunk().copied().unwrap_or_default();
        let (header, rest) = match file.split_first_chunk() {
            Some((header, rest)) => (Header::parse(header)?, rest),
            None if magic == PCAPNG => return Err(PcapError::Pcapng),
            None => return Err(PcapError::HeaderShort(file.len())),
        };
        Ok(Self { header, rest })
    }

    /// The header of the file.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    fn record(&mut self) -> Result<Record<'a>, PcapError> {
        let (header, rest) =
            self.rest.split_first_chunk().ok_or(PcapError::RecordHeaderShort(self.rest.len()))?;
        let header = self.header.parse_record(header);
        let (bytes, rest) = usize::try_from(header.captured_len)
            .ok()
            .and_then(|len| rest.split_at_checked(len))
            .ok_or(PcapError::RecordShort { expected: header.captured_len, left: rest.len() })?;
        self.rest = rest;
        header.record(bytes)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Record<'a>, PcapError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = &[];
        }
        Some(record)
    }
}

impl FusedIterator for Reader<'_> {}

/// Writes a capture into memory.
#[derive(Debug)]
pub struct Writer<'a> {
    header: Header,
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Appends the header of a file. Netlink messages of this host belong into a file of
    /// [`ByteOrder::NATIVE`].
    pub fn new(out: &'a mut Vec<u8>, precision: Precision, byte_order: ByteOrder) -> Self {
        let header = Header { byte_order, precision };
        out.extend(header.encode());
        Self { header, out }
    }

    /// Appends a datagram: the time since 1970-01-01 UTC, [`HOST`] or [`OUTGOING`], the netlink
    /// protocol, the messages. For the limits see [`Header::append_record`].
    pub fn record(&mut self, time: Duration, packet_type: u16, protocol: u16, payload: &[u8]) {
        let original_len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let record = Record { time, original_len, packet_type, protocol, payload };
        self.header.append_record(self.out, &record);
    }
}
