//! libmnl and libnetfilter_conntrack, as their headers declare them.
//!
//! The only unsafe code beside that of nl-socket: measuring C needs calling it. Everything here
//! expects whole messages of the streams that this program makes itself.

pub mod socket;

use std::ffi::{c_int, c_uint, c_void};

use crate::fields::{FlowFields, RouteFields};

#[repr(C)]
struct Attr([u8; 0]);
#[repr(C)]
struct Conntrack([u8; 0]);
type Callback = extern "C" fn(*const Attr, *mut c_void) -> c_int;

#[link(name = "mnl")]
unsafe extern "C" {
    fn mnl_attr_parse(
        message: *const u8,
        offset: c_uint,
        see: Callback,
        data: *mut c_void,
    ) -> c_int;
    fn mnl_attr_parse_nested(attr: *const Attr, see: Callback, data: *mut c_void) -> c_int;
    fn mnl_attr_get_type(attr: *const Attr) -> u16;
    fn mnl_attr_type_valid(attr: *const Attr, max: u16) -> c_int;
    fn mnl_attr_get_u8(attr: *const Attr) -> u8;
    fn mnl_attr_get_u16(attr: *const Attr) -> u16;
    fn mnl_attr_get_u32(attr: *const Attr) -> u32;
    fn mnl_nlmsg_put_header(buffer: *mut u8) -> *mut u8;
    fn mnl_nlmsg_put_extra_header(message: *mut u8, size: usize) -> *mut u8;
    fn mnl_attr_put_u8(message: *mut u8, number: u16, value: u8);
    fn mnl_attr_put_u16(message: *mut u8, number: u16, value: u16);
    fn mnl_attr_put_u32(message: *mut u8, number: u16, value: u32);
    fn mnl_attr_put(message: *mut u8, number: u16, length: usize, value: *const u8);
    fn mnl_attr_nest_start(message: *mut u8, number: u16) -> *mut Attr;
    fn mnl_attr_nest_end(message: *mut u8, nest: *mut Attr);
}

#[link(name = "netfilter_conntrack")]
unsafe extern "C" {
    fn nfct_new() -> *mut Conntrack;
    fn nfct_destroy(flow: *mut Conntrack);
    fn nfct_nlmsg_parse(message: *const u8, flow: *mut Conntrack) -> c_int;
    fn nfct_get_attr_u8(flow: *const Conntrack, attr: c_int) -> u8;
    fn nfct_get_attr_u16(flow: *const Conntrack, attr: c_int) -> u16;
    fn nfct_get_attr_u32(flow: *const Conntrack, attr: c_int) -> u32;
}

/// A flow of libnetfilter_conntrack, to be filled again and again.
pub struct Reused(*mut Conntrack);

impl Reused {
    pub fn new() -> Self {
        // SAFETY: allocates; has no precondition.
        Self(unsafe { nfct_new() })
    }

    pub fn read(&self, message: &[u8]) -> FlowFields {
        // SAFETY: a whole message, and a flow that lives until it is dropped.
        unsafe { parse(message, self.0) }
    }
}

impl Drop for Reused {
    fn drop(&mut self) {
        // SAFETY: made by `nfct_new`, and freed once.
        unsafe { nfct_destroy(self.0) }
    }
}

/// With an object for each message.
pub fn libnetfilter_conntrack(message: &[u8]) -> FlowFields {
    Reused::new().read(message)
}

unsafe fn parse(message: &[u8], flow: *mut Conntrack) -> FlowFields {
    // SAFETY: as the caller says; the numbers are those of `enum nf_conntrack_attr`, each read with
    // the width that the header gives it.
    unsafe {
        assert_eq!(nfct_nlmsg_parse(message.as_ptr(), flow), 0);
        let address = |attr| u32::from_be(nfct_get_attr_u32(flow, attr));
        let port = |attr| u16::from_be(nfct_get_attr_u16(flow, attr));
        FlowFields {
            addresses: [address(0), address(1), address(2), address(3)],
            ports: [port(8), port(9), port(10), port(11)],
            protocol: nfct_get_attr_u8(flow, 17),
            tcp_state: nfct_get_attr_u8(flow, 19),
            timeout: nfct_get_attr_u32(flow, 24),
            mark: nfct_get_attr_u32(flow, 25),
            status: nfct_get_attr_u32(flow, 32),
        }
    }
}

/// Attributes of one level by number, as programs with libmnl keep them.
struct Table<const N: usize>([*const Attr; N]);

extern "C" fn keep<const N: usize>(attr: *const Attr, data: *mut c_void) -> c_int {
    // SAFETY: libmnl calls this with an attribute within bounds and the table that was passed.
    unsafe {
        let table = &mut *data.cast::<Table<N>>();
        if mnl_attr_type_valid(attr, N as u16 - 1) > 0 {
            table.0[usize::from(mnl_attr_get_type(attr))] = attr;
        }
    }
    1 // MNL_CB_OK
}

unsafe fn level<const N: usize>(message: &[u8], offset: c_uint) -> Table<N> {
    let mut table = Table([std::ptr::null(); N]);
    // SAFETY: a whole message; `keep` is made for this table.
    unsafe { mnl_attr_parse(message.as_ptr(), offset, keep::<N>, (&raw mut table).cast()) };
    table
}

unsafe fn nested<const N: usize>(attr: *const Attr) -> Table<N> {
    let mut table = Table([std::ptr::null(); N]);
    if !attr.is_null() {
        // SAFETY: an attribute that libmnl found; `keep` is made for this table.
        unsafe { mnl_attr_parse_nested(attr, keep::<N>, (&raw mut table).cast()) };
    }
    table
}

unsafe fn u32_of(attr: *const Attr) -> u32 {
    // SAFETY: an attribute that libmnl found, which holds four bytes.
    if attr.is_null() { 0 } else { unsafe { mnl_attr_get_u32(attr) } }
}

pub fn libmnl_flow(message: &[u8]) -> FlowFields {
    // SAFETY: a whole message; attributes hold what the kernel's tables say, as the streams are
    // made by our own encoder.
    unsafe {
        let top: Table<27> = level(message, 4);
        let mut fields = FlowFields {
            status: u32::from_be(u32_of(top.0[3])),
            timeout: u32::from_be(u32_of(top.0[7])),
            mark: u32::from_be(u32_of(top.0[8])),
            ..FlowFields::default()
        };
        for direction in 0..2 {
            let tuple: Table<4> = nested(top.0[direction + 1]);
            let ip: Table<5> = nested(tuple.0[1]);
            let proto: Table<10> = nested(tuple.0[2]);
            for end in 0..2 {
                let index = direction * 2 + end;
                fields.addresses[index] = u32::from_be(u32_of(ip.0[end + 1]));
                let port = proto.0[end + 2];
                fields.ports[index] =
                    if port.is_null() { 0 } else { u16::from_be(mnl_attr_get_u16(port)) };
            }
            fields.protocol = mnl_attr_get_u8(proto.0[1]);
        }
        let info: Table<4> = nested(top.0[4]);
        let tcp: Table<6> = nested(info.0[1]);
        if !tcp.0[1].is_null() {
            fields.tcp_state = mnl_attr_get_u8(tcp.0[1]);
        }
        fields
    }
}

pub fn libmnl_route(message: &[u8]) -> RouteFields {
    // SAFETY: as above.
    unsafe {
        let top: Table<31> = level(message, 12);
        RouteFields {
            length: message[17],
            destination: u32::from_be(u32_of(top.0[1])),
            gateway: u32::from_be(u32_of(top.0[5])),
            oif: u32_of(top.0[4]),
            priority: u32_of(top.0[6]),
            table: u32_of(top.0[15]),
        }
    }
}

/// Room for one request.
pub type Buffer = [u8; 512];

fn header(buffer: &mut Buffer, message_type: u16, flags: u16, sequence: u32, extra: &[u8]) {
    // SAFETY: the buffer is larger than all that is written here.
    unsafe {
        mnl_nlmsg_put_header(buffer.as_mut_ptr());
        buffer[4..6].copy_from_slice(&message_type.to_ne_bytes());
        buffer[6..8].copy_from_slice(&flags.to_ne_bytes());
        buffer[8..12].copy_from_slice(&sequence.to_ne_bytes());
        let place = mnl_nlmsg_put_extra_header(buffer.as_mut_ptr(), extra.len());
        place.copy_from_nonoverlapping(extra.as_ptr(), extra.len());
    }
}

fn length(buffer: &Buffer) -> usize {
    u32::from_ne_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]) as usize
}

/// The request that makes a TCP flow.
pub fn encode_flow(buffer: &mut Buffer, sequence: u32, fields: &FlowFields) -> usize {
    header(buffer, 0x100, 0x601, sequence, &[2, 0, 0, 0]);
    let message = buffer.as_mut_ptr();
    let nest = |number| {
        // SAFETY: within the buffer, as above.
        unsafe { mnl_attr_nest_start(message, number) }
    };
    let end = |nest: *mut Attr| {
        if !nest.is_null() {
            // SAFETY: begun by `nest`.
            unsafe { mnl_attr_nest_end(message, nest) }
        }
    };
    for direction in 0..2_u16 {
        let at = usize::from(direction) * 2;
        let tuple = nest(direction + 1);
        let ip = nest(1);
        // SAFETY: within the buffer, as above.
        unsafe {
            mnl_attr_put_u32(message, 1, fields.addresses[at].to_be());
            mnl_attr_put_u32(message, 2, fields.addresses[at + 1].to_be());
        }
        end(ip);
        let proto = nest(2);
        // SAFETY: within the buffer, as above.
        unsafe {
            mnl_attr_put_u8(message, 1, fields.protocol);
            mnl_attr_put_u16(message, 2, fields.ports[at].to_be());
            mnl_attr_put_u16(message, 3, fields.ports[at + 1].to_be());
        }
        end(proto);
        end(tuple);
    }
    // SAFETY: within the buffer, as above.
    unsafe {
        mnl_attr_put_u32(message, 3, fields.status.to_be());
        mnl_attr_put_u32(message, 7, fields.timeout.to_be());
        mnl_attr_put_u32(message, 8, fields.mark.to_be());
    }
    let info = nest(4);
    let tcp = nest(1);
    // SAFETY: within the buffer, as above.
    unsafe {
        mnl_attr_put_u8(message, 1, fields.tcp_state);
        mnl_attr_put_u8(message, 2, 0);
        mnl_attr_put_u8(message, 3, 0);
        mnl_attr_put(message, 4, 2, [0_u8; 2].as_ptr());
        mnl_attr_put(message, 5, 2, [0_u8; 2].as_ptr());
    }
    end(tcp);
    end(info);
    length(buffer)
}

/// The request that adds a route.
pub fn encode_route(buffer: &mut Buffer, sequence: u32, fields: &RouteFields) -> usize {
    let head = [2, fields.length, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
    header(buffer, 24, 0x605, sequence, &head);
    let message = buffer.as_mut_ptr();
    // SAFETY: within the buffer, as above.
    unsafe {
        mnl_attr_put_u32(message, 15, fields.table);
        mnl_attr_put_u32(message, 1, fields.destination.to_be());
        mnl_attr_put_u32(message, 6, fields.priority);
        mnl_attr_put_u32(message, 5, fields.gateway.to_be());
        mnl_attr_put_u32(message, 4, fields.oif);
    }
    length(buffer)
}
