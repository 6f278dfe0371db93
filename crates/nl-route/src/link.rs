//! Links, the network interfaces: `struct ifinfomsg` and `IFLA_*` (linux/if_link.h).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::tables::kind::IFLA_VRF_TABLE;
use crate::tables::link::{
    AF_INET6, IFLA, IFLA_ADDRESS, IFLA_AF_SPEC, IFLA_ALLMULTI, IFLA_ALT_IFNAME, IFLA_BROADCAST,
    IFLA_CARRIER, IFLA_CARRIER_CHANGES, IFLA_CARRIER_DOWN_COUNT, IFLA_CARRIER_UP_COUNT, IFLA_EVENT,
    IFLA_GRO_IPV4_MAX_SIZE, IFLA_GRO_MAX_SIZE, IFLA_GROUP, IFLA_GSO_IPV4_MAX_SIZE,
    IFLA_GSO_MAX_SEGS, IFLA_GSO_MAX_SIZE, IFLA_IFALIAS, IFLA_IFNAME, IFLA_INET6_ADDR_GEN_MODE,
    IFLA_INET6_TOKEN, IFLA_LINK, IFLA_LINK_NETNSID, IFLA_LINKINFO, IFLA_LINKMODE, IFLA_MASTER,
    IFLA_MAX_MTU, IFLA_MIN_MTU, IFLA_MTU, IFLA_NET_NS_FD, IFLA_NET_NS_PID, IFLA_NETNS_IMMUTABLE,
    IFLA_NEW_IFINDEX, IFLA_NEW_NETNSID, IFLA_NUM_RX_QUEUES, IFLA_NUM_TX_QUEUES, IFLA_NUM_VF,
    IFLA_OPERSTATE, IFLA_PARENT_DEV_BUS_NAME, IFLA_PARENT_DEV_NAME, IFLA_PERM_ADDRESS,
    IFLA_PHYS_PORT_ID, IFLA_PHYS_PORT_NAME, IFLA_PHYS_SWITCH_ID, IFLA_PROMISCUITY, IFLA_PROP_LIST,
    IFLA_PROTO_DOWN, IFLA_QDISC, IFLA_STATS64, IFLA_TSO_MAX_SEGS, IFLA_TSO_MAX_SIZE, IFLA_TXQLEN,
};
use crate::tables::{
    RTM_DELLINK, RTM_DELLINKPROP, RTM_GETLINK, RTM_NEWLINK, RTM_NEWLINKPROP, RTM_SETLINK,
};
use crate::value::{AddrGenMode, LinkEvent, LinkFlags, LinkMode, LinkType, OperState};

pub(crate) mod filter;
mod info;
pub mod kind;
mod offload;
pub(crate) mod request;
mod stats;
#[cfg(feature = "text")]
pub(crate) mod words;

pub use info::LinkInfo;
pub use offload::{VirtualFunction, VirtualFunctionStats, Xdp};
pub use stats::Stats64;

/// Length of `struct ifinfomsg` in bytes.
pub(crate) const IFINFOMSG_LEN: usize = 16;

/// Declares the plain attributes once, for the structure, reading and writing; in the order in
/// which the kernel writes them.
macro_rules! link {
    (
        numbers { $($(#[$number_doc:meta])* $field:ident: $type:ty = $number:ident, $wire:ident;)* }
        texts { $($(#[$text_doc:meta])* $text:ident = $text_number:ident;)* }
        bytes { $($(#[$bytes_doc:meta])* $bytes:ident = $bytes_number:ident;)* }
    ) => {
        /// A network interface.
        ///
        /// A request finds the link by [`Link::index`] or, where that is 0, by [`Link::name`]; with
        /// both, a change renames it. Of the fields it writes those that configure: the flags, names,
        /// addresses, MTU, queues and their length, group, master, the link below, the namespace,
        /// [`Link::info`] and [`Link::altnames`], and all of [`Link::unknown`], where everything else
        /// can be set. So a link that was listed can be changed and sent back.
        ///
        /// ```
        /// use nl_route::{Change, Link};
        ///
        /// let bridge = Change::add(Link::of_kind("br0", "bridge").up());
        ///
        /// // A pair, one end of which is a port of link 7, the other in the namespace of process 4711.
        /// let inner = Link { netns_pid: Some(4711), ..Link::named("eth0") };
        /// let outer = Link { master: Some(7), mtu: Some(1400), ..Link::veth("veth0", inner)? };
        /// let pair = Change::add(outer.up());
        ///
        /// let rename = Change::change(Link { name: Some("lan".into()), ..Link::indexed(9) });
        /// let delete = Change::delete(Link::named("br0"));
        /// # Ok::<(), nl_wire::Error>(())
        /// ```
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
        pub struct Link {
            /// The family of the message: `UNSPEC`, but `BRIDGE` and `INET6` where these tell what
            /// they know of the link.
            pub family: AddressFamily,
            /// The hardware type.
            pub link_type: LinkType,
            /// The index: what routes and addresses call the link.
            pub index: u32,
            /// The flags.
            pub flags: LinkFlags,
            /// Which flags changed, or in a request shall change.
            pub change: LinkFlags,
            $(
                $(#[$text_doc])*
                #[doc = concat!("(`", stringify!($text_number), "`)")]
                pub $text: Option<Text>,
            )*
            $(
                $(#[$number_doc])*
                #[doc = concat!("(`", stringify!($number), "`)")]
                pub $field: Option<$type>,
            )*
            $(
                $(#[$bytes_doc])*
                #[doc = concat!("(`", stringify!($bytes_number), "`)")]
                pub $bytes: Option<Vec<u8>>,
            )*
            /// What kind of link it is, and of what kind its master is (`IFLA_LINKINFO`).
            pub info: Option<Box<LinkInfo>>,
            /// Counters (`IFLA_STATS64`).
            pub stats: Option<Box<Stats64>>,
            /// Further names (`IFLA_PROP_LIST`).
            pub altnames: Vec<Text>,
            /// Attributes that this crate does not read, in order.
            pub unknown: Vec<RawAttr>,
        }

        impl Link {
            fn read_plain(&mut self, attr: &Attr<'_>) -> Result<bool, Error> {
                match attr.number() {
                    $($text_number => self.$text = Some(attr.text().into()),)*
                    $($number => self.$field = Some(<$type>::from(attr.$wire()?)),)*
                    $($bytes_number => self.$bytes = Some(attr.payload.to_vec()),)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            fn write_plain(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
                $(
                    if let Some(text) = &self.$text {
                        writer.text($text_number, text.as_bytes())?;
                    }
                )*
                $(
                    if let Some(value) = self.$field {
                        writer.$wire($number, value.into());
                    }
                )*
                $(
                    if let Some(bytes) = &self.$bytes {
                        writer.bytes($bytes_number, bytes)?;
                    }
                )*
                Ok(())
            }
        }
    };
}

link! {
    numbers {
        /// The length of the transmit queue in packets
        txqlen: u32 = IFLA_TXQLEN, u32;
        /// The operational state
        operstate: OperState = IFLA_OPERSTATE, u8;
        /// How it comes up
        link_mode: LinkMode = IFLA_LINKMODE, u8;
        /// Whether it may not leave its namespace
        netns_immutable: u8 = IFLA_NETNS_IMMUTABLE, u8;
        /// The largest packet in bytes
        mtu: u32 = IFLA_MTU, u32;
        /// The least MTU that it takes, in bytes
        min_mtu: u32 = IFLA_MIN_MTU, u32;
        /// The greatest MTU that it takes, in bytes; 0 is unlimited
        max_mtu: u32 = IFLA_MAX_MTU, u32;
        /// The group, a number to select links by
        group: u32 = IFLA_GROUP, u32;
        /// How many want to see all packets
        promiscuity: u32 = IFLA_PROMISCUITY, u32;
        /// How many want to see all multicast packets
        allmulti: u32 = IFLA_ALLMULTI, u32;
        /// Queues to transmit
        num_tx_queues: u32 = IFLA_NUM_TX_QUEUES, u32;
        /// Most segments that the hardware cuts a packet into
        gso_max_segs: u32 = IFLA_GSO_MAX_SEGS, u32;
        /// Largest packet that the hardware cuts, in bytes
        gso_max_size: u32 = IFLA_GSO_MAX_SIZE, u32;
        /// Largest packet to put together on receive, in bytes
        gro_max_size: u32 = IFLA_GRO_MAX_SIZE, u32;
        /// The same for sending IPv4
        gso_ipv4_max_size: u32 = IFLA_GSO_IPV4_MAX_SIZE, u32;
        /// The same for receiving IPv4
        gro_ipv4_max_size: u32 = IFLA_GRO_IPV4_MAX_SIZE, u32;
        /// Largest packet that the device itself can cut, in bytes
        tso_max_size: u32 = IFLA_TSO_MAX_SIZE, u32;
        /// Most segments that the device itself can cut
        tso_max_segs: u32 = IFLA_TSO_MAX_SEGS, u32;
        /// Queues to receive
        num_rx_queues: u32 = IFLA_NUM_RX_QUEUES, u32;
        /// The index of the link below; 0 if that is not known here
        link: u32 = IFLA_LINK, u32;
        /// The index of the bridge, bond or VRF that it belongs to
        master: u32 = IFLA_MASTER, u32;
        /// Whether the carrier is there
        carrier: u8 = IFLA_CARRIER, u8;
        /// How often the carrier came and went
        carrier_changes: u32 = IFLA_CARRIER_CHANGES, u32;
        /// How often the carrier came
        carrier_up_count: u32 = IFLA_CARRIER_UP_COUNT, u32;
        /// How often the carrier went
        carrier_down_count: u32 = IFLA_CARRIER_DOWN_COUNT, u32;
        /// Whether a protocol holds it down
        proto_down: u8 = IFLA_PROTO_DOWN, u8;
        /// Why this message was sent
        event: LinkEvent = IFLA_EVENT, u32;
        /// How many virtual functions it has
        num_vf: u32 = IFLA_NUM_VF, u32;
        /// The id of the namespace that [`Link::link`] counts in
        link_netnsid: i32 = IFLA_LINK_NETNSID, i32;
        /// The id of the namespace that it moved to
        new_netnsid: i32 = IFLA_NEW_NETNSID, i32;
        /// The index that it has there
        new_index: i32 = IFLA_NEW_IFINDEX, i32;
        /// In a request: the namespace to make it in or to move it to, by a process in it
        netns_pid: u32 = IFLA_NET_NS_PID, u32;
        /// The same, by an open descriptor of the namespace in the process that sends
        netns_fd: i32 = IFLA_NET_NS_FD, i32;
    }
    texts {
        /// The name
        name = IFLA_IFNAME;
        /// The queueing discipline
        qdisc = IFLA_QDISC;
        /// A description that the administrator gave
        alias = IFLA_IFALIAS;
        /// The name of the port on the device
        phys_port_name = IFLA_PHYS_PORT_NAME;
        /// The name of the device behind it
        parent_name = IFLA_PARENT_DEV_NAME;
        /// The bus of the device behind it
        parent_bus = IFLA_PARENT_DEV_BUS_NAME;
    }
    bytes {
        /// The link-layer address
        address = IFLA_ADDRESS;
        /// The broadcast address; of a point-to-point link the peer's
        broadcast = IFLA_BROADCAST;
        /// The address that the device was made with
        permanent_address = IFLA_PERM_ADDRESS;
        /// The id of the port on the device
        phys_port_id = IFLA_PHYS_PORT_ID;
        /// The id of the switch that it is a port of
        phys_switch_id = IFLA_PHYS_SWITCH_ID;
        /// What each address family knows of it; attributes of `tables::link::IFLA_AF_SPEC_TABLE`
        af_spec = IFLA_AF_SPEC;
    }
}

impl Link {
    /// The link of this name: to be changed, deleted, or to be the other of a pair.
    pub fn named(name: impl Into<Text>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// The link of this index.
    pub fn indexed(index: u32) -> Self {
        Self { index, ..Self::default() }
    }

    /// A virtual link to be made, with the options that its kind has by itself; others are made by
    /// [`LinkInfo::of_kind`].
    pub fn of_kind(name: impl Into<Text>, kind: impl Into<Text>) -> Self {
        let info = LinkInfo { kind: Some(kind.into()), ..LinkInfo::default() };
        Self { info: Some(Box::new(info)), ..Self::named(name) }
    }

    /// A pair of links to be made, of which `peer` is the other: perhaps in another namespace
    /// ([`Link::netns_fd`]), with an MTU and a link-layer address of its own. It can't be switched on
    /// at once, as it is made before there is a link to be its peer: the kernel's `ENOTCONN`.
    ///
    /// # Errors
    /// If an attribute of `peer` is too long.
    pub fn veth(name: impl Into<Text>, peer: Self) -> Result<Self, Error> {
        let info = LinkInfo::of_kind("veth", &kind::KindData::Pair(Some(Box::new(peer))))?;
        Ok(Self { info: Some(Box::new(info)), ..Self::named(name) })
    }

    /// The same, to be switched on.
    #[must_use]
    pub fn up(self) -> Self {
        Self { flags: self.flags | LinkFlags::UP, change: self.change | LinkFlags::UP, ..self }
    }

    /// The same, to be switched off.
    #[must_use]
    pub fn down(self) -> Self {
        Self {
            flags: self.flags.without(LinkFlags::UP),
            change: self.change | LinkFlags::UP,
            ..self
        }
    }

    /// Reads an `RTM_NEWLINK`, `RTM_DELLINK`, `RTM_GETLINK`, `RTM_SETLINK` or one of those that
    /// change alternative names.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWLINK | RTM_DELLINK | RTM_GETLINK | RTM_SETLINK | RTM_NEWLINKPROP
            | RTM_DELLINKPROP => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&IFLA))
    }

    pub(crate) fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, IFINFOMSG_LEN)?;
        let Some(&[family, _, k0, k1, i0, i1, i2, i3, f0, f1, f2, f3, c0, c1, c2, c3]) =
            body.first_chunk::<IFINFOMSG_LEN>()
        else {
            let actual = body.len();
            return Err(Problem::FixedHeader { expected: IFINFOMSG_LEN, actual }.into());
        };
        let mut link = Self {
            family: AddressFamily(family),
            link_type: LinkType(u16::from_ne_bytes([k0, k1])),
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            flags: LinkFlags(u32::from_ne_bytes([f0, f1, f2, f3])),
            change: LinkFlags(u32::from_ne_bytes([c0, c1, c2, c3])),
            ..Self::default()
        };
        while let Some(attr) = attrs.step() {
            link.read(&attr)?;
        }
        attrs.finish()?;
        Ok(link)
    }

    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            IFLA_LINKINFO => {
                let info = LinkInfo::decode(attr.nested());
                self.info = Some(Box::new(info.map_err(|error| error.within(IFLA_LINKINFO))?));
            }
            IFLA_STATS64 => self.stats = Some(Box::new(Stats64::decode(attr.payload))),
            IFLA_PROP_LIST => {
                for property in attr.nested() {
                    let property = property.map_err(|error| error.within(IFLA_PROP_LIST))?;
                    if property.number() == IFLA_ALT_IFNAME {
                        self.altnames.push(property.text().into());
                    }
                }
            }
            _ => {
                if !self.read_plain(attr)? {
                    self.unknown.push((*attr).into());
                }
            }
        }
        Ok(())
    }

    /// Writes `struct ifinfomsg` and all attributes.
    ///
    /// # Errors
    /// If an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write_header(writer);
        self.write_plain(writer)?;
        if let Some(stats) = &self.stats {
            writer.bytes(IFLA_STATS64, &stats.encode())?;
        }
        self.write_shared(writer)
    }

    /// Writes the body of a request that makes, changes or deletes this link: what is
    /// configuration, and nothing that only the kernel can know.
    pub(crate) fn encode_change(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let asked = Self {
            family: self.family,
            link_type: self.link_type,
            index: self.index,
            flags: self.flags,
            change: self.change,
            name: self.name.clone(),
            alias: self.alias.clone(),
            txqlen: self.txqlen,
            mtu: self.mtu,
            group: self.group,
            num_tx_queues: self.num_tx_queues,
            num_rx_queues: self.num_rx_queues,
            link: self.link,
            link_netnsid: self.link_netnsid,
            netns_pid: self.netns_pid,
            netns_fd: self.netns_fd,
            master: self.master,
            address: self.address.clone(),
            broadcast: self.broadcast.clone(),
            ..Self::default()
        };
        asked.write_header(writer);
        asked.write_plain(writer)?;
        self.write_shared(writer)
    }

    fn write_header(&self, writer: &mut Writer<'_>) {
        let mut header = [0; IFINFOMSG_LEN];
        header[0] = self.family.0;
        header[2..4].copy_from_slice(&self.link_type.0.to_ne_bytes());
        header[4..8].copy_from_slice(&self.index.to_ne_bytes());
        header[8..12].copy_from_slice(&self.flags.0.to_ne_bytes());
        header[12..16].copy_from_slice(&self.change.0.to_ne_bytes());
        writer.fixed(&header);
    }

    fn write_shared(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(info) = &self.info {
            info.encode(writer)?;
        }
        if !self.altnames.is_empty() {
            writer.nest(IFLA_PROP_LIST, |writer| {
                self.altnames
                    .iter()
                    .try_for_each(|name| writer.text(IFLA_ALT_IFNAME, name.as_bytes()))
            })?;
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    /// The kind of a virtual link: `veth`, `bridge`, …; `None` for a physical one.
    pub fn info_kind(&self) -> Option<&Text> {
        self.info.as_ref()?.kind.as_ref()
    }

    /// The routing table of a VRF.
    pub fn vrf_table(&self) -> Option<u32> {
        let info = self.info.as_ref()?;
        info.kind.as_ref().filter(|kind| **kind == "vrf")?;
        info.data().flatten().find(|attr| attr.number() == IFLA_VRF_TABLE)?.u32().ok()
    }

    /// How IPv6 makes the link-local address (`IFLA_INET6_ADDR_GEN_MODE` in `IFLA_AF_SPEC`).
    pub fn addr_gen_mode(&self) -> Option<AddrGenMode> {
        self.inet6(IFLA_INET6_ADDR_GEN_MODE)?.u8().ok().map(AddrGenMode)
    }

    /// The host's part of addresses that IPv6 makes of routers' prefixes (`IFLA_INET6_TOKEN` in
    /// `IFLA_AF_SPEC`); `::` if none is set. See ip-token(8).
    pub fn token(&self) -> Option<Ipv6Addr> {
        self.inet6(IFLA_INET6_TOKEN)?.ipv6().ok()
    }

    /// An attribute of what IPv6 knows of the link.
    fn inet6(&self, number: u16) -> Option<Attr<'_>> {
        let families = Attrs::new(self.af_spec.as_deref()?);
        let inet6 = families.flatten().find(|attr| attr.number() == AF_INET6)?;
        inet6.nested().flatten().find(|attr| attr.number() == number)
    }
}
