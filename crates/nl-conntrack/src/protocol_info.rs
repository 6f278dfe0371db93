//! The state of a connection: `CTA_PROTOINFO`.

use nl_wire::attr::{Attr, NLA_F_NESTED};
use nl_wire::{Error, Writer, shape};

use crate::tables::{
    CTA_PROTOINFO, CTA_PROTOINFO_DCCP, CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, CTA_PROTOINFO_DCCP_PAD,
    CTA_PROTOINFO_DCCP_ROLE, CTA_PROTOINFO_DCCP_STATE, CTA_PROTOINFO_SCTP,
    CTA_PROTOINFO_SCTP_STATE, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, CTA_PROTOINFO_SCTP_VTAG_REPLY,
    CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, CTA_PROTOINFO_TCP_FLAGS_REPLY,
    CTA_PROTOINFO_TCP_STATE, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, CTA_PROTOINFO_TCP_WSCALE_REPLY,
};
use crate::value::{DccpRole, DccpState, SctpState, TcpFlags, TcpState};

/// What the tracker of a flow's protocol knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ProtocolInfo {
    /// `CTA_PROTOINFO_TCP`.
    Tcp(Tcp),
    /// `CTA_PROTOINFO_DCCP`.
    Dccp(Dccp),
    /// `CTA_PROTOINFO_SCTP`.
    Sctp(Sctp),
}

/// The state of a TCP connection. Reports of its end hold `state` alone; in requests each field
/// may be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Tcp {
    /// `CTA_PROTOINFO_TCP_STATE`.
    pub state: Option<TcpState>,
    /// `CTA_PROTOINFO_TCP_WSCALE_ORIGINAL`: by how many bits the original direction's sender
    /// shifts its window.
    pub window_scale_original: Option<u8>,
    /// `CTA_PROTOINFO_TCP_WSCALE_REPLY`.
    pub window_scale_reply: Option<u8>,
    /// `CTA_PROTOINFO_TCP_FLAGS_ORIGINAL`.
    pub flags_original: Option<TcpFlagChange>,
    /// `CTA_PROTOINFO_TCP_FLAGS_REPLY`.
    pub flags_reply: Option<TcpFlagChange>,
}

/// Flags, and in requests which of them to change (`struct nf_ct_tcp_flags`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct TcpFlagChange {
    /// The flags.
    pub flags: TcpFlags,
    /// In requests: the flags to be set to what `flags` says. The kernel reports 0.
    pub mask: TcpFlags,
}

/// The state of a DCCP connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Dccp {
    /// `CTA_PROTOINFO_DCCP_STATE`.
    pub state: Option<DccpState>,
    /// `CTA_PROTOINFO_DCCP_ROLE`.
    pub role: Option<DccpRole>,
    /// `CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ`.
    pub handshake_sequence: Option<u64>,
}

/// The state of an SCTP association.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Sctp {
    /// `CTA_PROTOINFO_SCTP_STATE`.
    pub state: Option<SctpState>,
    /// `CTA_PROTOINFO_SCTP_VTAG_ORIGINAL`: the verification tag of the original direction.
    pub tag_original: Option<u32>,
    /// `CTA_PROTOINFO_SCTP_VTAG_REPLY`.
    pub tag_reply: Option<u32>,
}

impl ProtocolInfo {
    /// TCP in this state, all else left out.
    pub const fn tcp(state: TcpState) -> Self {
        Self::Tcp(Tcp {
            state: Some(state),
            window_scale_original: None,
            window_scale_reply: None,
            flags_original: None,
            flags_reply: None,
        })
    }

    /// The state's name as conntrack(8) prints it; for numbers without a name it prints `NONE`.
    pub fn state_word(&self) -> Option<&'static str> {
        Some(
            match self {
                Self::Tcp(tcp) => tcp.state?.word(),
                Self::Dccp(dccp) => dccp.state?.word(),
                Self::Sctp(sctp) => sctp.state?.word(),
            }
            .unwrap_or("NONE"),
        )
    }

    /// Reads a `CTA_PROTOINFO`; `None` if it holds no protocol known here.
    pub(crate) fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Option<Self>, Error> {
        let mut info = None;
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            let number = attr.number();
            let read = match number {
                CTA_PROTOINFO_TCP => Tcp::read(&attr, strange).map(Self::Tcp),
                CTA_PROTOINFO_DCCP => Dccp::read(&attr, strange).map(Self::Dccp),
                CTA_PROTOINFO_SCTP => Sctp::read(&attr, strange).map(Self::Sctp),
                _ => {
                    *strange = true;
                    continue;
                }
            };
            info = Some(read.map_err(|error| error.within(number))?);
        }
        attrs.finish()?;
        Ok(info)
    }

    /// Writes a `CTA_PROTOINFO`.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.nest(CTA_PROTOINFO, |w| match self {
            Self::Tcp(tcp) => w.nest(CTA_PROTOINFO_TCP, |w| tcp.write(w)),
            Self::Dccp(dccp) => w.nest(CTA_PROTOINFO_DCCP, |w| {
                dccp.write(w);
                Ok(())
            }),
            Self::Sctp(sctp) => w.nest(CTA_PROTOINFO_SCTP, |w| {
                sctp.write(w);
                Ok(())
            }),
        })
    }
}

impl Tcp {
    /// The headers of a `CTA_PROTOINFO` of TCP with all fields, as the kernel writes it.
    pub(crate) const USUAL: [shape::Expected; 7] = [
        (0, 48, CTA_PROTOINFO | NLA_F_NESTED),
        (4, 44, CTA_PROTOINFO_TCP | NLA_F_NESTED),
        (8, 5, CTA_PROTOINFO_TCP_STATE),
        (16, 5, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL),
        (24, 5, CTA_PROTOINFO_TCP_WSCALE_REPLY),
        (32, 6, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL),
        (40, 6, CTA_PROTOINFO_TCP_FLAGS_REPLY),
    ];

    /// What stands behind these headers.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn usual(bytes: &[u8; 48]) -> Self {
        let flags =
            |at: usize| TcpFlagChange { flags: TcpFlags(bytes[at]), mask: TcpFlags(bytes[at + 1]) };
        Self {
            state: Some(TcpState(bytes[12])),
            window_scale_original: Some(bytes[20]),
            window_scale_reply: Some(bytes[28]),
            flags_original: Some(flags(36)),
            flags_reply: Some(flags(44)),
        }
    }

    fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut tcp = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_PROTOINFO_TCP_STATE => tcp.state = Some(TcpState(attr.u8()?)),
                CTA_PROTOINFO_TCP_WSCALE_ORIGINAL => tcp.window_scale_original = Some(attr.u8()?),
                CTA_PROTOINFO_TCP_WSCALE_REPLY => tcp.window_scale_reply = Some(attr.u8()?),
                CTA_PROTOINFO_TCP_FLAGS_ORIGINAL => {
                    tcp.flags_original = Some(TcpFlagChange::read(&attr)?);
                }
                CTA_PROTOINFO_TCP_FLAGS_REPLY => {
                    tcp.flags_reply = Some(TcpFlagChange::read(&attr)?);
                }
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(tcp)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(state) = self.state {
            w.u8(CTA_PROTOINFO_TCP_STATE, state.0);
        }
        if let Some(scale) = self.window_scale_original {
            w.u8(CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, scale);
        }
        if let Some(scale) = self.window_scale_reply {
            w.u8(CTA_PROTOINFO_TCP_WSCALE_REPLY, scale);
        }
        if let Some(flags) = self.flags_original {
            w.bytes(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, &flags.bytes())?;
        }
        if let Some(flags) = self.flags_reply {
            w.bytes(CTA_PROTOINFO_TCP_FLAGS_REPLY, &flags.bytes())?;
        }
        Ok(())
    }
}

impl TcpFlagChange {
    fn read(attr: &Attr<'_>) -> Result<Self, Error> {
        let [flags, mask] = attr.array()?;
        Ok(Self { flags: TcpFlags(flags), mask: TcpFlags(mask) })
    }

    const fn bytes(self) -> [u8; 2] {
        [self.flags.0, self.mask.0]
    }
}

impl Dccp {
    fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut dccp = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_PROTOINFO_DCCP_STATE => dccp.state = Some(DccpState(attr.u8()?)),
                CTA_PROTOINFO_DCCP_ROLE => dccp.role = Some(DccpRole(attr.u8()?)),
                CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ => {
                    dccp.handshake_sequence = Some(attr.u64_be()?);
                }
                CTA_PROTOINFO_DCCP_PAD => {}
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(dccp)
    }

    fn write(&self, w: &mut Writer<'_>) {
        if let Some(state) = self.state {
            w.u8(CTA_PROTOINFO_DCCP_STATE, state.0);
        }
        if let Some(role) = self.role {
            w.u8(CTA_PROTOINFO_DCCP_ROLE, role.0);
        }
        if let Some(sequence) = self.handshake_sequence {
            w.u64_be(CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, sequence);
        }
    }
}

impl Sctp {
    fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut sctp = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_PROTOINFO_SCTP_STATE => sctp.state = Some(SctpState(attr.u8()?)),
                CTA_PROTOINFO_SCTP_VTAG_ORIGINAL => sctp.tag_original = Some(attr.u32_be()?),
                CTA_PROTOINFO_SCTP_VTAG_REPLY => sctp.tag_reply = Some(attr.u32_be()?),
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(sctp)
    }

    fn write(&self, w: &mut Writer<'_>) {
        if let Some(state) = self.state {
            w.u8(CTA_PROTOINFO_SCTP_STATE, state.0);
        }
        if let Some(tag) = self.tag_original {
            w.u32_be(CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, tag);
        }
        if let Some(tag) = self.tag_reply {
            w.u32_be(CTA_PROTOINFO_SCTP_VTAG_REPLY, tag);
        }
    }
}
