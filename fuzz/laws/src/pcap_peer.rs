//! Captures, as another reader and writer of them has them.

use std::time::Duration;

use nl_wire::pcap::{self, ByteOrder, COOKED_LEN, Precision, Reader, Record, SNAPSHOT_LEN};
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapParser, PcapWriter};
use pcap_file::{DataLink, Endianness, TsResolution};

const BYTE_ORDERS: [(ByteOrder, Endianness); 2] =
    [(ByteOrder::Little, Endianness::Little), (ByteOrder::Big, Endianness::Big)];
const PRECISIONS: [(Precision, TsResolution); 2] = [
    (Precision::Microseconds, TsResolution::MicroSecond),
    (Precision::Nanoseconds, TsResolution::NanoSecond),
];
/// `ARPHRD_NETLINK`, big-endian.
const NETLINK: [u8; 2] = [3, 56];

/// pcap-file reads the same records from a capture; what is written here in any of the four forms it
/// reads alike, and what it writes is read alike here.
pub fn pcap_peer(bytes: &[u8]) {
    let Ok(reader) = Reader::new(bytes) else { return };
    let ours: Vec<Record<'_>> = reader.map_while(Result::ok).collect();
    if ours.is_empty() {
        return;
    }
    // It refuses some records that can be read here: longer than the file's limit or than they were,
    // more than a second in the fractions.
    let theirs = peer_reads(bytes);
    assert!(theirs.len() <= ours.len(), "{theirs:?}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        theirs.agrees(ours);
    }
    for (byte_order, endianness) in BYTE_ORDERS {
        for (precision, ts_resolution) in PRECISIONS {
            let header = pcap::Header { byte_order, precision };
            let records: Vec<_> = ours.iter().filter_map(|it| as_both(it, precision)).collect();
            let mut file = header.encode().to_vec();
            for record in &records {
                header.append_record(&mut file, record);
            }
            let theirs = peer_reads(&file);
            assert_eq!(theirs.len(), records.len(), "{header:?}");
            for (record, theirs) in records.iter().zip(&theirs) {
                theirs.agrees(record);
            }

            let file = peer_writes(&records, endianness, ts_resolution);
            let again = Reader::new(&file).expect("a header");
            assert_eq!(again.header(), header);
            let again: Vec<_> = again.map(|record| record.expect("a record")).collect();
            assert_eq!(again, records, "{header:?}");
        }
    }
}

/// A record as both keep it, if they do: the other one also limits the length that it had.
fn as_both<'a>(record: &Record<'a>, precision: Precision) -> Option<Record<'a>> {
    let seconds = u32::try_from(record.time.as_secs()).ok()?;
    let fraction = match precision {
        Precision::Microseconds => record.time.subsec_micros() * 1000,
        Precision::Nanoseconds => record.time.subsec_nanos(),
    };
    let length = u32::try_from(record.payload.len() + COOKED_LEN).ok()?;
    let whole = record.original_len.checked_add(16)?;
    let time = Duration::new(seconds.into(), fraction);
    (length <= whole && whole <= SNAPSHOT_LEN).then_some(Record { time, ..*record })
}

/// A record as pcap-file has it.
#[derive(Debug)]
struct Theirs {
    time: Duration,
    original_len: u32,
    bytes: Vec<u8>,
}

impl Theirs {
    fn agrees(&self, ours: &Record<'_>) {
        let (cooked, payload) = self.bytes.split_first_chunk::<COOKED_LEN>().expect("checked");
        assert_eq!(self.time, ours.time);
        assert_eq!(self.original_len.saturating_sub(16), ours.original_len);
        assert_eq!(cooked[..2], ours.packet_type.to_be_bytes());
        assert_eq!(cooked[14..], ours.protocol.to_be_bytes());
        assert_eq!(payload, ours.payload);
    }
}

/// The records that pcap-file reads, up to the first that it refuses or that is no netlink.
fn peer_reads(file: &[u8]) -> Vec<Theirs> {
    let mut records = Vec::new();
    let Ok((mut rest, parser)) = PcapParser::new(file) else { return records };
    while let Ok((behind, packet)) = parser.next_packet(rest) {
        rest = behind;
        let PcapPacket { timestamp: time, orig_len: original_len, data } = packet;
        if data.len() < COOKED_LEN || data[2..4] != NETLINK {
            break;
        }
        records.push(Theirs { time, original_len, bytes: data.into_owned() });
    }
    records
}

fn peer_writes(
    records: &[Record<'_>],
    endianness: Endianness,
    ts_resolution: TsResolution,
) -> Vec<u8> {
    let datalink = DataLink::from(pcap::LINK_TYPE);
    let snaplen = SNAPSHOT_LEN;
    let header = PcapHeader { snaplen, datalink, ts_resolution, endianness, ..Default::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).expect("memory takes it");
    for record in records {
        let mut bytes = record.packet_type.to_be_bytes().to_vec();
        bytes.extend(NETLINK);
        bytes.extend([0; 10]);
        bytes.extend(record.protocol.to_be_bytes());
        bytes.extend(record.payload);
        let packet = PcapPacket::new_owned(record.time, record.original_len + 16, bytes);
        writer.write_packet(&packet).expect("memory takes it");
    }
    writer.into_writer()
}
