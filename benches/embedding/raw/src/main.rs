//! The same on system calls and nothing else: the least that a program of this kind takes. Checks no
//! more than it must.

use std::io::{Error, Result};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

fn check(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| Error::last_os_error())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

fn half(bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u16::from_ne_bytes(*bytes))
}

fn main() -> Result<()> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE) };
    let fd = i32::try_from(check(fd as isize)?).unwrap_or_default();
    // SAFETY: the descriptor is new.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut request = [0_u8; 28];
    request[..4].copy_from_slice(&28_u32.to_ne_bytes());
    request[4..6].copy_from_slice(&26_u16.to_ne_bytes()); // RTM_GETROUTE
    request[6..8].copy_from_slice(&0x301_u16.to_ne_bytes()); // REQUEST | DUMP
    // SAFETY: the buffer is as long as told, and only read.
    check(unsafe { libc::send(fd.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) })?;
    let mut buffer = vec![0_u8; 32 << 10];
    let mut count = 0;
    loop {
        let (start, length) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: the buffer is as long as told.
        let got = check(unsafe { libc::recv(fd.as_raw_fd(), start.cast(), length, 0) })?;
        let mut rest = &buffer[..got];
        while rest.len() >= 16 {
            let length = word(rest, 0) as usize;
            let Some(message) = rest.get(..length).filter(|_| length >= 16) else { break };
            match half(message, 4) {
                2 | 3 => {
                    let errno = word(message, 16).cast_signed();
                    println!("{count}");
                    return if errno < 0 { Err(Error::from_raw_os_error(-errno)) } else { Ok(()) };
                }
                24 => {
                    let (mut attributes, mut found) = (message.get(28..).unwrap_or_default(), 0);
                    while attributes.len() >= 4 {
                        let length = usize::from(half(attributes, 0));
                        match half(attributes, 2) {
                            1 => found |= 1, // RTA_DST
                            4 => found |= 2, // RTA_OIF
                            _ => {}
                        }
                        let step = length.max(4).next_multiple_of(4);
                        attributes = attributes.get(step..).unwrap_or_default();
                    }
                    count += u32::from(found == 3);
                }
                _ => {}
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}
