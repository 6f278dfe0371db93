//! Statistics: of each CPU, of a network namespace, of expectations.

use nl_wire::Writer;
use nl_wire::attr::Attrs;
use nl_wire::datagram::Message;
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;

use crate::encode::nfgenmsg;
use crate::tables::{
    self, IPCTNL_MSG_CT_GET_CTRZERO, IPCTNL_MSG_CT_GET_STATS, IPCTNL_MSG_CT_GET_STATS_CPU,
    IPCTNL_MSG_EXP_GET_STATS_CPU, NFGENMSG_LEN, STATISTICS,
};

macro_rules! stats {
    ($($(#[$meta:meta])* $name:ident, $table:ident, $($message:ident)|+ {
        $($(#[$row:meta])* $field:ident = $number:ident,)*
    })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
            pub struct $name {
                /// `res_id`: the number of the CPU, where there is one of each.
                pub cpu: u16,
                $(
                    #[doc = concat!("`", stringify!($number), "`.")]
                    ///
                    $(#[$row])*
                    pub $field: Option<u32>,
                )*
            }

            impl $name {
                /// Reads the kernel's answer.
                ///
                /// # Errors
                /// [`Problem::MessageType`] for other messages, and whatever is wrong with an
                /// attribute, its path named.
                pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
                    let found = message.header.message_type;
                    if !matches!(found, $($message)|+) {
                        return Err(Problem::MessageType { found }.into());
                    }
                    let (fixed, attrs) = Attrs::behind(message.body(), NFGENMSG_LEN)?;
                    let cpu = fixed.last_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
                    let mut stats = Self { cpu, ..Self::default() };
                    let named = |error: Error| error.in_table(&tables::$table);
                    for attr in attrs {
                        let attr = attr.map_err(named)?;
                        match attr.number() {
                            // Those no longer in use may be there, and empty.
                            _ if attr.payload.is_empty() => {}
                            $(tables::$number => {
                                stats.$field = Some(attr.u32_be().map_err(named)?);
                            })*
                            _ => {}
                        }
                    }
                    Ok(stats)
                }

                /// The numbers that are there, by their names here, in the kernel's order.
                pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
                    let all = [$((stringify!($field), self.$field)),*];
                    all.into_iter().filter_map(|(name, value)| Some((name, value?)))
                }
            }
        )*
    };
}

stats! {
    /// What conntrack did on one CPU (`CTA_STATS_*`).
    CpuStats, STATS, IPCTNL_MSG_CT_GET_STATS_CPU {
        /// No longer in use.
        searched = CTA_STATS_SEARCHED,
        /// Lookups that found a flow.
        found = CTA_STATS_FOUND,
        /// No longer in use.
        new = CTA_STATS_NEW,
        /// Packets that belong to no flow and can't begin one.
        invalid = CTA_STATS_INVALID,
        /// No longer in use.
        ignore = CTA_STATS_IGNORE,
        /// No longer in use.
        delete = CTA_STATS_DELETE,
        /// No longer in use.
        delete_list = CTA_STATS_DELETE_LIST,
        /// Flows inserted by requests.
        insert = CTA_STATS_INSERT,
        /// Flows that could not be inserted.
        insert_failed = CTA_STATS_INSERT_FAILED,
        /// Packets dropped because conntrack failed.
        drop = CTA_STATS_DROP,
        /// Flows dropped to make room.
        early_drop = CTA_STATS_EARLY_DROP,
        /// Packets that conntrack refused.
        error = CTA_STATS_ERROR,
        /// Lookups begun again because the table was resized.
        search_restart = CTA_STATS_SEARCH_RESTART,
        /// Insertions that clashed with another one and were resolved.
        clash_resolve = CTA_STATS_CLASH_RESOLVE,
        /// Insertions given up because a hash chain was too long.
        chain_toolong = CTA_STATS_CHAIN_TOOLONG,
    }
    /// How full the table is (`CTA_STATS_GLOBAL_*`).
    GlobalStats, STATS_GLOBAL, IPCTNL_MSG_CT_GET_STATS {
        /// Flows in the table, those that ran out and are not removed yet among them.
        entries = CTA_STATS_GLOBAL_ENTRIES,
        /// How many it may hold.
        max_entries = CTA_STATS_GLOBAL_MAX_ENTRIES,
    }
    /// What happened to expectations on one CPU (`CTA_STATS_EXP_*`).
    ///
    /// The kernel answers under the number of the same message of flows, 0x103.
    ExpectStats, STATS_EXP, IPCTNL_MSG_EXP_GET_STATS_CPU | IPCTNL_MSG_CT_GET_CTRZERO {
        /// Expectations that came true.
        new = CTA_STATS_EXP_NEW,
        /// Expectations made.
        create = CTA_STATS_EXP_CREATE,
        /// Expectations deleted.
        delete = CTA_STATS_EXP_DELETE,
    }
}

macro_rules! requests {
    ($($(#[$meta:meta])* $name:ident: $item:ident, $mode:ident, $message:ident;)*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
            pub struct $name;

            impl Request for $name {
                type Item = $item;
                const MODE: Mode = Mode::$mode;

                fn protocol(&self) -> &'static Protocol {
                    &STATISTICS
                }

                fn message_type(&self) -> u16 {
                    $message
                }

                fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
                    nfgenmsg(writer, AddressFamily::UNSPEC, 0);
                    Ok(())
                }

                fn read(&self, message: &Message<'_>) -> Result<Option<$item>, Error> {
                    $item::decode(message).map(Some)
                }
            }
        )*
    };
}

requests! {
    /// Asks for the statistics of each CPU.
    ListCpuStats: CpuStats, Dump, IPCTNL_MSG_CT_GET_STATS_CPU;
    /// Asks how full the table is.
    GetGlobalStats: GlobalStats, Get, IPCTNL_MSG_CT_GET_STATS;
    /// Asks for the statistics of expectations of each CPU.
    ListExpectStats: ExpectStats, Dump, IPCTNL_MSG_EXP_GET_STATS_CPU;
}
