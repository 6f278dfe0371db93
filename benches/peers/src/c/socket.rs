//! A listing through the socket of libmnl.

use std::ffi::{c_int, c_uint, c_void};
use std::{io, slice};

use crate::live::list::Seen;

#[repr(C)]
struct Socket([u8; 0]);
type Callback = extern "C" fn(*const u8, *mut c_void) -> c_int;

#[link(name = "mnl")]
unsafe extern "C" {
    fn mnl_socket_open(protocol: c_int) -> *mut Socket;
    fn mnl_socket_bind(socket: *mut Socket, groups: c_uint, port: c_int) -> c_int;
    fn mnl_socket_get_portid(socket: *const Socket) -> c_uint;
    fn mnl_socket_sendto(socket: *const Socket, bytes: *const u8, length: usize) -> isize;
    fn mnl_socket_recvfrom(socket: *const Socket, bytes: *mut u8, length: usize) -> isize;
    fn mnl_socket_close(socket: *mut Socket) -> c_int;
    fn mnl_cb_run(
        bytes: *const u8,
        length: usize,
        sequence: c_uint,
        port: c_uint,
        see: Callback,
        data: *mut c_void,
    ) -> c_int;
}

extern "C" fn see(message: *const u8, data: *mut c_void) -> c_int {
    // SAFETY: libmnl calls this with a whole message, whose length stands first, and with what was
    // passed to it.
    unsafe {
        let length = message.cast::<u32>().read_unaligned() as usize;
        let seen = &mut *data.cast::<Seen>();
        seen.see(super::libmnl_route(slice::from_raw_parts(message, length)));
    }
    1 // MNL_CB_OK
}

fn check(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Lists routes with a buffer of `MNL_SOCKET_DUMP_SIZE`.
pub fn list(seen: &mut Seen) -> Result<(), Box<dyn std::error::Error>> {
    let mut buffer: super::Buffer = [0; 512];
    super::header(&mut buffer, 26, 0x301, 1, &[0; 12]); // RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP
    let mut bytes = vec![0_u8; 32768];
    // SAFETY: the socket is used until it is closed; the buffers are as long as is said.
    unsafe {
        let socket = mnl_socket_open(0);
        if socket.is_null() {
            return Err(io::Error::last_os_error().into());
        }
        let result = (|| {
            check(mnl_socket_bind(socket, 0, 0) as isize)?;
            check(mnl_socket_sendto(socket, buffer.as_ptr(), super::length(&buffer)))?;
            loop {
                let length = check(mnl_socket_recvfrom(socket, bytes.as_mut_ptr(), bytes.len()))?;
                let (port, data) = (mnl_socket_get_portid(socket), (&raw mut *seen).cast());
                let run = mnl_cb_run(bytes.as_ptr(), length, 1, port, see, data);
                if check(run as isize)? == 0 {
                    return Ok(());
                }
            }
        })();
        mnl_socket_close(socket);
        result
    }
}
