//! How options are read from bytes and written: structures, and attributes of one value each.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::Writer;
use nl_wire::attr::Attr;
use nl_wire::error::{Error, Expected, Problem};

use crate::tables::record::Record;

/// What a payload holds that is no attribute.
pub(super) trait Body: Sized {
    fn decode(payload: &[u8]) -> Result<Self, Error>;
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error>;
}

impl<T: Body> Body for Box<T> {
    fn decode(payload: &[u8]) -> Result<Self, Error> {
        T::decode(payload).map(Self::new)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        T::encode(self, out)
    }
}

/// A structure of which kernels send at least `least` bytes.
pub(super) fn record<T: Record>(mut payload: &[u8], least: usize) -> Result<T, Error> {
    if payload.len() < least {
        let (expected, actual) = (Expected::AtLeast(least), payload.len());
        return Err(Problem::PayloadLength { expected, actual }.into());
    }
    Ok(T::take(&mut payload))
}

/// What an attribute holds.
pub(super) trait Value: Sized {
    fn read(attr: &Attr<'_>) -> Result<Self, Error>;

    /// Writes attribute `number`; `item` is the number of those inside a list.
    fn write(&self, writer: &mut Writer<'_>, number: u16, item: u16) -> Result<(), Error>;
}

impl<T: Record> Value for T {
    fn read(attr: &Attr<'_>) -> Result<Self, Error> {
        record(attr.payload, T::WIDTH).map_err(|_| attr.wrong_length(Expected::AtLeast(T::WIDTH)))
    }

    fn write(&self, writer: &mut Writer<'_>, number: u16, _: u16) -> Result<(), Error> {
        let mut bytes = Vec::new();
        self.put(&mut bytes);
        writer.bytes(number, &bytes)
    }
}

/// Presence says it all.
impl Value for () {
    fn read(_: &Attr<'_>) -> Result<Self, Error> {
        Ok(())
    }

    fn write(&self, writer: &mut Writer<'_>, number: u16, _: u16) -> Result<(), Error> {
        writer.flag(number);
        Ok(())
    }
}

/// A list of attributes of one number.
impl<T: Value> Value for Vec<T> {
    fn read(attr: &Attr<'_>) -> Result<Self, Error> {
        let items = attr.nested().map(|item| T::read(&item?)).collect::<Result<_, Error>>();
        items.map_err(|error| error.within(attr.number()))
    }

    fn write(&self, writer: &mut Writer<'_>, number: u16, item: u16) -> Result<(), Error> {
        writer.nest_unflagged(number, |writer| {
            self.iter().try_for_each(|value| value.write(writer, item, 0))
        })
    }
}

/// Declares structures of optional attributes, some behind a C structure: each field with the number
/// of its attribute, and with that of the attributes inside where it is a list.
macro_rules! options {
    ($(
        $(#[$doc:meta])* $name:ident $(behind $head:ident)? {
            $($(#[$field_doc:meta])*
            $field:ident: $type:ty = $number:ident $([$item:ident])?;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
        pub struct $name {
            $(
                /// What stands before the attributes
                pub parameters: $head,
            )?
            $(
                $(#[$field_doc])*
                #[doc = concat!("(`", stringify!($number), "`)")]
                pub $field: Option<$type>,
            )*
            /// Attributes that this crate does not read, in order.
            pub unknown: alloc::vec::Vec<nl_wire::RawAttr>,
        }

        impl $name {
            fn read_attr(&mut self, attr: &nl_wire::Attr<'_>) -> Result<(), nl_wire::Error> {
                match attr.number() {
                    $($number => self.$field = Some(Value::read(attr)?),)*
                    _ => self.unknown.push((*attr).into()),
                }
                Ok(())
            }

            fn write_all(&self, writer: &mut nl_wire::Writer<'_>) -> Result<(), nl_wire::Error> {
                $(
                    if let Some(value) = &self.$field {
                        value.write(writer, $number, 0 $(+ $item)?)?;
                    }
                )*
                self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
            }
        }

        impl Body for $name {
            fn decode(payload: &[u8]) -> Result<Self, nl_wire::Error> {
                let width = 0 $(+ <$head as crate::tables::record::Record>::WIDTH)?;
                let (_head, mut attrs) = nl_wire::Attrs::behind(payload, width)?;
                let mut options = Self {
                    $(parameters: crate::traffic::value::record::<$head>(_head, width)?,)?
                    ..Self::default()
                };
                while let Some(attr) = attrs.step() {
                    options.read_attr(&attr)?;
                }
                attrs.finish()?;
                Ok(options)
            }

            fn encode(&self, out: &mut alloc::vec::Vec<u8>) -> Result<(), nl_wire::Error> {
                $(
                    let mut head = alloc::vec::Vec::new();
                    <$head as crate::tables::record::Record>::put(&self.parameters, &mut head);
                    nl_wire::Writer::attributes(out).fixed(&head);
                )?
                self.write_all(&mut nl_wire::Writer::attributes(out))
            }
        }

        impl Value for $name {
            fn read(attr: &nl_wire::Attr<'_>) -> Result<Self, nl_wire::Error> {
                Body::decode(attr.payload).map_err(|error| error.within(attr.number()))
            }

            fn write(
                &self,
                writer: &mut nl_wire::Writer<'_>,
                number: u16,
                _: u16,
            ) -> Result<(), nl_wire::Error> {
                writer.nest_unflagged(number, |writer| self.write_all(writer))
            }
        }
    )*};
}

pub(super) use options;
