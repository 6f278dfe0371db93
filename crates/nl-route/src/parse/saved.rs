//! Files as of `ip route save`, `ip rule save` and `ip address save`: a number that tells what they
//! hold, and a message an object.
//!
//! ```
//! use nl_route::parse::saved;
//! use nl_route::{AddressFamily, Route};
//!
//! let destination = "10.1.0.0/16".parse().ok();
//! let routes = [Route { family: AddressFamily::INET, destination, ..Route::default() }];
//! let file = saved::write(&routes)?;
//! let read: Vec<Route> = saved::read(&file).unwrap().collect::<Result<_, _>>()?;
//! assert_eq!(read, routes);
//! let error = saved::read::<nl_route::Rule>(&file).err().unwrap();
//! assert_eq!(error.to_string(), "Magic mismatch (1 elems, 45311224 magic)");
//! # Ok::<(), nl_wire::Error>(())
//! ```

use alloc::vec::Vec;
use core::fmt;

use nl_wire::datagram::Messages;
use nl_wire::{Error, Header, write};

use crate::address::Address;
use crate::object::Object;
use crate::route::Route;
use crate::rule::Rule;

/// An object that ip saves to files.
pub trait Saved: Object {
    /// What such a file begins with, in host byte order.
    const MAGIC: u32;
}

impl Saved for Route {
    const MAGIC: u32 = 0x4531_1224;
}

impl Saved for Rule {
    const MAGIC: u32 = 0x7170_6986;
}

impl Saved for Address {
    const MAGIC: u32 = 0x4736_1222;
}

/// A file that holds something else, in ip's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotSaved {
    /// What it begins with; `None` if it is too short to begin with anything.
    pub found: Option<u32>,
}

impl fmt::Display for NotSaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (elements, magic) = self.found.map_or((0, 0), |found| (1, found));
        write!(f, "Magic mismatch ({elements} elems, {magic:x} magic)")
    }
}

impl core::error::Error for NotSaved {}

/// Writes a file. Objects are written as the kernel reports them, so their family must be set.
///
/// # Errors
/// If a value can't be expressed on the wire.
pub fn write<'a, T: Saved + 'a>(
    objects: impl IntoIterator<Item = &'a T>,
) -> Result<Vec<u8>, Error> {
    let mut file = Vec::from(T::MAGIC.to_ne_bytes());
    for object in objects {
        let header = Header { message_type: T::NEW, ..Header::default() };
        write::message(&mut file, header, |writer| object.encode(writer))?;
    }
    Ok(file)
}

/// Reads a file; messages of other types are passed over.
///
/// Each item is an object, or an error: of a message that can't be read as one, or in the walk of
/// messages, which ends with it.
///
/// # Errors
/// If it does not hold such objects.
pub fn read<T: Saved>(
    file: &[u8],
) -> Result<impl Iterator<Item = Result<T, Error>> + use<'_, T>, NotSaved> {
    let (magic, messages) = file.split_first_chunk().ok_or(NotSaved { found: None })?;
    let found = u32::from_ne_bytes(*magic);
    if found != T::MAGIC {
        return Err(NotSaved { found: Some(found) });
    }
    Ok(Messages::new(messages).filter_map(|message| match message {
        Ok(message) => (message.header.message_type == T::NEW).then(|| T::decode(&message)),
        Err(error) => Some(Err(error)),
    }))
}
