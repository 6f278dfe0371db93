//! Captures: what is written reads back in every form of file, and no bytes do harm.

use core::time::Duration;
use nl_wire::pcap::{
    ByteOrder, HOST, Header, OUTGOING, PcapError, Precision, Reader, Record, SNAPSHOT_LEN, Writer,
};
use proptest::prelude::*;

const FORMS: [Header; 4] = [
    Header { byte_order: ByteOrder::Little, precision: Precision::Microseconds },
    Header { byte_order: ByteOrder::Little, precision: Precision::Nanoseconds },
    Header { byte_order: ByteOrder::Big, precision: Precision::Microseconds },
    Header { byte_order: ByteOrder::Big, precision: Precision::Nanoseconds },
];

/// A file of one record, number by number as the format has them.
#[rustfmt::skip]
const BIG_NANOSECONDS: [u8; 60] = [
    0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4,                 // magic, version 2.4
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 253,   // zone, accuracy, snapshot length, link
    0x65, 0x53, 0xf1, 0, 0, 0, 0, 7,                    // 1700000000 s, 7 ns
    0, 0, 0, 20, 0, 0, 0, 36,                           // 20 bytes kept of 36
    0, 4, 0x03, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     // sent, ARPHRD_NETLINK, unused
    0, 12,                                              // NETLINK_NETFILTER
    1, 2, 3, 4,
];

fn record(payload: &[u8]) -> Record<'_> {
    let time = Duration::new(1_700_000_000, 7);
    Record { time, original_len: 20, packet_type: OUTGOING, protocol: 12, payload }
}

fn write(header: Header, records: &[Record<'_>]) -> Vec<u8> {
    let mut file = header.encode().to_vec();
    for record in records {
        header.append_record(&mut file, record);
    }
    file
}

/// The records of a file and what it ends with.
fn read(file: &[u8]) -> (Vec<Record<'_>>, Option<PcapError>) {
    let mut reader = match Reader::new(file) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut records = Vec::new();
    let error = loop {
        match reader.next() {
            Some(Ok(record)) => records.push(record),
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    assert!(reader.next().is_none(), "silence after the end");
    (records, error)
}

/// A file of one record, spoilt at one place.
fn spoilt(at: usize, bytes: &[u8]) -> Option<PcapError> {
    let mut file = BIG_NANOSECONDS;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    read(&file).1
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let header = FORMS[3];
    assert_eq!(write(header, &[record(&[1, 2, 3, 4])]), BIG_NANOSECONDS);
    assert_eq!(read(&BIG_NANOSECONDS), (vec![record(&[1, 2, 3, 4])], None));
    assert_eq!(Reader::new(&BIG_NANOSECONDS).unwrap().header(), header);
    assert_eq!(header.is_native(), cfg!(target_endian = "big"));
}

#[test]
fn the_writer_writes_whole_datagrams() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, Precision::Microseconds, ByteOrder::NATIVE);
    writer.record(Duration::new(1, 999_999_999), HOST, 0, b"one");
    writer.record(Duration::from_secs(u64::MAX), OUTGOING, 16, b"");
    let (records, error) = read(&file);
    assert_eq!(error, None);
    let one = Record {
        time: Duration::new(1, 999_999_000),
        original_len: 3,
        packet_type: HOST,
        protocol: 0,
        payload: b"one",
    };
    let two = Record {
        time: Duration::from_secs(u32::MAX.into()),
        original_len: 0,
        packet_type: OUTGOING,
        protocol: 16,
        payload: b"",
    };
    assert_eq!(records, [one, two]);
    assert!(!one.is_truncated());
}

#[test]
fn a_datagram_beyond_the_snapshot_length_is_cut_and_says_so() {
    let long = vec![7; SNAPSHOT_LEN as usize];
    let mut file = Vec::new();
    Writer::new(&mut file, Precision::Microseconds, ByteOrder::NATIVE).record(
        Duration::ZERO,
        HOST,
        12,
        &long,
    );
    let (records, error) = read(&file);
    assert_eq!((error, records.len()), (None, 1));
    assert_eq!(records[0].original_len, SNAPSHOT_LEN);
    assert_eq!(records[0].payload.len(), SNAPSHOT_LEN as usize - 16);
    assert!(records[0].is_truncated());
}

#[test]
fn damage_is_named() {
    use PcapError::*;
    assert_eq!(read(&[]).1, Some(HeaderShort(0)));
    assert_eq!(read(&BIG_NANOSECONDS[..23]).1, Some(HeaderShort(23)));
    assert_eq!(read(&[0x0a, 0x0d, 0x0d, 0x0a]).1, Some(Pcapng));
    assert_eq!(spoilt(0, &[0x0a, 0x0d, 0x0d, 0x0a]), Some(Pcapng));
    assert_eq!(spoilt(0, b"GET "), Some(NotPcap(*b"GET ")));
    assert_eq!(spoilt(6, &[0, 3]), Some(Version(2, 3)));
    assert_eq!(spoilt(23, &[1]), Some(LinkType(1)));
    assert_eq!(spoilt(20, &[0x14, 0]), None, "a length of frame check sequences is no link type");
    assert_eq!(spoilt(32, &[0xff; 4]), Some(RecordShort { expected: u32::MAX, left: 20 }));
    assert_eq!(spoilt(35, &[19]), Some(RecordHeaderShort(1)));
    assert_eq!(spoilt(35, &[15]), Some(CookedShort(15)));
    assert_eq!(spoilt(42, &[0, 1]), Some(HardwareType(1)));
    // Fractions beyond a second, and lengths that contradict each other, are no damage.
    assert_eq!(spoilt(28, &[0xff; 4]), None);
    assert_eq!(spoilt(36, &[0; 4]), None);
}

#[test]
fn errors_are_one_line() {
    use PcapError::*;
    for (error, line) in [
        (HeaderShort(3), "not a pcap file: 3 bytes, and the header alone has 24"),
        (Pcapng, "a pcapng file; convert it to pcap first (editcap -F pcap)"),
        (NotPcap([1, 2, 3, 4]), "not a pcap file: it begins with 01 02 03 04"),
        (Version(2, 3), "pcap version 2.3; only 2.4 is known"),
        (LinkType(1), "a capture of link type 1; netlink is 253"),
        (RecordHeaderShort(5), "record header cut short: 5 bytes of 16 are left"),
        (RecordShort { expected: 90, left: 7 }, "record cut short: of 90 bytes only 7 are left"),
        (CookedShort(2), "record of 2 bytes, too short for its link header of 16"),
        (HardwareType(1), "record of hardware type 1; netlink is 824"),
    ] {
        assert_eq!(error.to_string(), line);
    }
}

prop_compose! {
    /// A record that fits a file of microseconds: its data, then its payload.
    fn any_record()(
        seconds: u32, micros in 0..1_000_000u32, cut: u16, packet_type: u16, protocol: u16,
        payload in proptest::collection::vec(any::<u8>(), 0..80),
    ) -> (Duration, u32, u16, u16, Vec<u8>) {
        let time = Duration::new(seconds.into(), micros * 1000);
        let original_len = u32::try_from(payload.len()).unwrap() + u32::from(cut);
        (time, original_len, packet_type, protocol, payload)
    }
}

proptest! {
    // Miri is some hundred times slower.
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 256 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_written_reads_back(records in proptest::collection::vec(any_record(), 0..5)) {
        let records: Vec<Record<'_>> = records
            .iter()
            .map(|&(time, original_len, packet_type, protocol, ref payload)| {
                Record { time, original_len, packet_type, protocol, payload }
            })
            .collect();
        for header in FORMS {
            let file = write(header, &records);
            prop_assert_eq!(Reader::new(&file).unwrap().header(), header);
            prop_assert_eq!(read(&file), (records.clone(), None));

            // Cut anywhere, it gives its whole records and then one error, or the end between two
            // records.
            let end = |count| write(header, &records[..count]).len();
            let ends: Vec<usize> = (0..=records.len()).map(end).collect();
            for len in (0..file.len()).step_by(if cfg!(miri) { 37 } else { 1 }) {
                let whole = ends.iter().filter(|&&end| end <= len).count();
                let (got, error) = read(&file[..len]);
                prop_assert_eq!(&got[..], &records[..whole.saturating_sub(1)]);
                prop_assert_eq!(error.is_none(), ends.contains(&len));
            }
        }
    }

    #[test]
    fn no_bytes_panic(form in 0..5usize, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut file = FORMS.get(form).map_or_else(Vec::new, |header| header.encode().to_vec());
        file.extend(bytes);
        let (records, _) = read(&file);
        prop_assert!(records.iter().all(|record| record.payload.len() < file.len()));
    }
}
