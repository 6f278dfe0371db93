//! Every number that has the kernel's name, against the C headers of the host that builds and the
//! types of the kernel that runs.
//!
//! Headers come with a C compiler, which Rust needs to link; so they are there. A kernel may be built
//! without a description of its types. Neither knows all names, each being of some version: names
//! that both lack are listed.

#[path = "constants/btf.rs"]
mod btf;
#[path = "constants/headers.rs"]
mod headers;

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use nl_conntrack::value as ct;
use nl_route::encap::{Flavours, Seg6Action, Seg6Mode, TunnelFlags};
use nl_route::value as rt;
use nl_testkit::skip;
use nl_wire::header::Flags;
use nl_wire::policy::{POLICY, PolicyType};
use nl_wire::table::{Layout, Payload, Protocol, Table};
use nl_wire::value::{AddressFamily, Family, Names};

use headers::Numbers;

/// Where Linux's own headers are; the C library has the families of addresses elsewhere.
const HEADERS: [&str; 2] = ["/usr/include/linux", "/usr/include/linux/netfilter"];
const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// Enumerations that no table leads to.
const OTHERS: [&Names; 18] = [
    Flags::NAMES,
    PolicyType::NAMES,
    Family::NAMES,
    AddressFamily::NAMES,
    ct::FilterFlags::NAMES,
    rt::Preference::NAMES,
    rt::EncapType::NAMES,
    rt::CacheFlags::NAMES,
    rt::PathFeatures::NAMES,
    rt::LinkEvent::NAMES,
    rt::ExtMask::NAMES,
    rt::AddressProtocol::NAMES,
    rt::NeighbourExtFlags::NAMES,
    rt::GroupType::NAMES,
    rt::Group::NAMES,
    TunnelFlags::NAMES,
    Seg6Mode::NAMES,
    Seg6Action::NAMES,
];

/// Everything that the crates call by the kernel's name.
#[derive(Default)]
struct Named {
    numbers: BTreeMap<&'static str, i64>,
    layouts: Vec<&'static Layout>,
    seen: Vec<*const Table>,
}

impl Named {
    fn all() -> Self {
        let mut named = Self::default();
        for protocol in [&nl_route::tables::PROTOCOL, &nl_conntrack::tables::PROTOCOL] {
            named.protocol(protocol);
        }
        named.table(&POLICY);
        named.table(&nl_wire::ack::EXTENDED_ACK);
        for names in OTHERS {
            named.names(names);
        }
        // Of these the kernel numbers the bits.
        for (number, name) in Flavours::NAMES.rows() {
            named.number(name, number.trailing_zeros().into());
        }
        named
    }

    fn number(&mut self, name: &'static str, number: u64) {
        let number = i64::try_from(number).expect("no number is so large");
        let before = self.numbers.insert(name, number);
        assert!(before.is_none_or(|before| before == number), "{name} is {before:?} and {number}");
    }

    fn names(&mut self, names: &'static Names) {
        for (number, name) in names.rows() {
            self.number(name, number);
        }
    }

    fn protocol(&mut self, protocol: &'static Protocol) {
        for kind in protocol.messages {
            // nfnetlink's types are a number behind that of the subsystem.
            let number = if protocol.family == Family::NETFILTER && kind.number >= 0x100 {
                kind.number & 0xff
            } else {
                kind.number
            };
            self.number(kind.name, number.into());
            self.layout(kind.header);
            self.table(kind.attributes);
        }
    }

    fn table(&mut self, table: &'static Table) {
        if self.seen.contains(&std::ptr::from_ref(table)) {
            return;
        }
        self.seen.push(table);
        for row in table.rows() {
            self.number(row.name, row.number.into());
            self.payload(row.payload);
        }
    }

    fn layout(&mut self, layout: &'static Layout) {
        self.layouts.push(layout);
        for field in layout.fields {
            self.payload(field.payload);
        }
    }

    fn payload(&mut self, payload: Payload) {
        match payload {
            Payload::Named(_, names) => self.names(names),
            Payload::Struct(layout) => self.layout(layout),
            Payload::Array(each) | Payload::List(each) => self.payload(*each),
            Payload::Nest(table) => self.table(table),
            Payload::Headed(layout, table) | Payload::Records(layout, table) => {
                self.layout(layout);
                self.table(table);
            }
            Payload::Choice { cases, .. } => {
                for (_, case) in cases {
                    self.payload(*case);
                }
            }
            _ => {}
        }
    }
}

/// The headers' numbers; `None` where there are none.
fn header_numbers() -> Option<Numbers> {
    let bits = [format!("/usr/include/{ARCH}-linux-gnu/bits"), "/usr/include/bits".to_owned()];
    let folders = HEADERS.iter().map(Path::new).chain(bits.iter().map(Path::new));
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    if !folders.contains(&Path::new(HEADERS[1])) {
        skip("the kernel's headers for user space are not installed");
        return None;
    }
    Some(headers::read(&folders).expect("headers can be read"))
}

/// The kernel's types; `None` where it does not tell them, as far as can be seen here.
fn kernel_types() -> Option<&'static btf::Btf> {
    static READ: OnceLock<Option<btf::Btf>> = OnceLock::new();
    let read = READ.get_or_init(|| {
        let file = fs::read(TYPES).ok()?;
        Some(btf::read(&file).expect("the kernel's types can be read"))
    });
    if read.is_none() {
        // Not every kernel has them, so this may be skipped even where all must run.
        println!("the kernel does not tell its types: {TYPES} is not there");
    }
    read.as_ref()
}

#[test]
fn numbers_are_those_of_the_headers() {
    let Some(headers) = header_numbers() else { return };
    let named = Named::all();
    let (mut right, mut wrong, mut newer) = (0, Vec::new(), Vec::new());
    for (name, number) in &named.numbers {
        match headers.get(*name) {
            Some(found) if found == number => right += 1,
            Some(found) => wrong.push(format!("{name}: {number}, in the headers {found}")),
            None => newer.push(*name),
        }
    }
    println!("{right} of {} are in the headers; not there: {newer:?}", named.numbers.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(right > 800, "the headers have {right} of {} names only", named.numbers.len());
}

#[test]
fn numbers_are_those_of_the_running_kernel() {
    let Some(kernel) = kernel_types() else { return };
    let named = Named::all();
    let (mut right, mut wrong, mut unknown) = (0, Vec::new(), Vec::new());
    for (name, number) in &named.numbers {
        match kernel.numbers.get(*name) {
            Some(found) if found.contains(number) => right += 1,
            Some(found) => wrong.push(format!("{name}: {number}, in the kernel {found:?}")),
            None => unknown.push(*name),
        }
    }
    println!("{right} of {} are in the kernel's types; not: {unknown:?}", named.numbers.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn fields_are_where_the_running_kernel_has_them() {
    let Some(kernel) = kernel_types() else { return };
    let named = Named::all();
    let mut checked = 0;
    for layout in &named.layouts {
        let Some(found) = kernel.structs.get(layout.name) else { continue };
        let mut at = 0;
        for field in layout.fields {
            let width = u32::try_from(field.payload.width().unwrap_or_default());
            let here: Vec<_> = found.iter().filter_map(|it| it.get(field.name)).collect();
            assert!(
                here.is_empty() || here.contains(&&at),
                "{}.{}: {at}, in the kernel {here:?}",
                layout.name,
                field.name
            );
            checked += u32::from(!here.is_empty());
            at += width.expect("a small structure");
        }
    }
    println!("{checked} fields are where the kernel has them");
}

/// Names that neither the headers nor the kernel know would be misspelled, if both are not older
/// than the name.
#[test]
fn names_that_nobody_knows() {
    let (Some(headers), Some(kernel)) = (header_numbers(), kernel_types()) else { return };
    let named = Named::all();
    let known = |name: &&str| headers.contains_key(*name) || kernel.numbers.contains_key(*name);
    let unknown: Vec<_> = named.numbers.keys().filter(|name| !known(name)).collect();
    println!("in neither: {unknown:?}");
    let most = named.numbers.len() / 10;
    assert!(unknown.len() < most, "{} of {} names", unknown.len(), named.numbers.len());
}
