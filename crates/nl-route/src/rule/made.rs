//! What the kernel made of a rule.

use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::{Error, Flags, Message, Writer};

use super::Rule;
use crate::object::{Action, Object};
use crate::tables::other::{
    FRA_DPORT_MASK, FRA_DPORT_RANGE, FRA_DSCP, FRA_DSCP_MASK, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK,
    FRA_IP_PROTO, FRA_L3MDEV, FRA_SPORT_MASK, FRA_SPORT_RANGE, FRA_TUN_ID, FRA_UID_RANGE,
};
use crate::tables::{RTM_NEWRULE, RULES};

/// Makes a rule, unless it exists, and gives it as the kernel made it.
///
/// What the kernel does not know of the request is not there: see [`Rule::missing_in`]. To be run by
/// `Connection::get` of nl-socket.
///
/// ```
/// # use nl_route::{Rule, rule::MakeRule};
/// let rule = Rule { dscp: Some(46), ..Rule::default() };
/// let request = MakeRule(&rule);
/// // What comes back from a kernel that does not know of code points:
/// let made = Rule::default();
/// assert!(rule.missing_in(&made).eq([nl_route::tables::other::FRA_DSCP]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MakeRule<'r>(pub &'r Rule);

impl Request for MakeRule<'_> {
    type Item = Rule;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &RULES
    }

    fn message_type(&self) -> u16 {
        RTM_NEWRULE
    }

    // The rule comes first, then the ack: a success without the rule has an end, too.
    fn flags(&self) -> Flags {
        Action::Add.flags() | Flags::ECHO | Flags::ACK
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.0.encode_change(Action::Add, writer)
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Rule>, Error> {
        Rule::decode(message).map(Some)
    }
}

impl Rule {
    /// The numbers (`FRA_*`) of what this rule asks for and `made`, which the kernel made of it, has
    /// not, in the order of the attributes: without these it is for more packets than were meant.
    ///
    /// Linux before 6.12 passes over attributes that it does not know. Those that Linux 4.2 knows are
    /// not looked at, nor are values.
    pub fn missing_in(&self, made: &Self) -> impl Iterator<Item = u16> {
        let ports =
            [self, made].map(|it| [it.source_ports.is_some(), it.destination_ports.is_some()]);
        let masks = [self, made]
            .map(|it| [it.source_port_mask.is_some(), it.destination_port_mask.is_some()]);
        [
            // Of these the kernel does not tell a zero, which is any.
            (FRA_TUN_ID, self.tun_id.is_some_and(|id| id != 0), made.tun_id.is_some()),
            (FRA_L3MDEV, self.l3mdev, made.l3mdev),
            (FRA_UID_RANGE, self.uid_range.is_some(), made.uid_range.is_some()),
            (FRA_IP_PROTO, self.ip_proto.is_some_and(|it| it != 0), made.ip_proto.is_some()),
            (FRA_SPORT_RANGE, ports[0][0], ports[1][0]),
            (FRA_DPORT_RANGE, ports[0][1], ports[1][1]),
            (FRA_DSCP, self.dscp.is_some(), made.dscp.is_some()),
            (FRA_FLOWLABEL, self.flow_label.is_some(), made.flow_label.is_some()),
            (FRA_FLOWLABEL_MASK, self.flow_label_mask.is_some(), made.flow_label_mask.is_some()),
            (FRA_SPORT_MASK, masks[0][0], masks[1][0]),
            (FRA_DPORT_MASK, masks[0][1], masks[1][1]),
            (FRA_DSCP_MASK, self.dscp_mask.is_some(), made.dscp_mask.is_some()),
        ]
        .into_iter()
        .filter(|(_, asked, found)| *asked && !found)
        .map(|(number, ..)| number)
    }
}
