//! The words of `ip link set LINK vf NUMBER`.

use alloc::vec::Vec;

use nl_wire::Writer;

use super::{WordError, Words, wrong};
use crate::tables::link::{
    IFLA_VF_INFO, IFLA_VF_LINK_STATE, IFLA_VF_MAC, IFLA_VF_RATE, IFLA_VF_RSS_QUERY_EN,
    IFLA_VF_SPOOFCHK, IFLA_VF_TRUST, IFLA_VF_TX_RATE, IFLA_VF_VLAN,
};

/// Words that are on or off.
const SWITCHES: [(&str, u16); 3] =
    [("spoofchk", IFLA_VF_SPOOFCHK), ("query_rss", IFLA_VF_RSS_QUERY_EN), ("trust", IFLA_VF_TRUST)];

/// Reads what shall be of a virtual function: the payload of `IFLA_VFINFO_LIST`. Ends before the
/// first word that is not about it.
pub(super) fn function<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Vec<u8>, WordError> {
    let number = words.number(i32::MAX.unsigned_abs(), "Invalid \"vf\" value")?;
    let mut options = Vec::new();
    let mut put = |attribute: u16, numbers: &[u32]| {
        let bytes: Vec<u8> =
            core::iter::once(&number).chain(numbers).copied().flat_map(u32::to_ne_bytes).collect();
        let written = Writer::attributes(&mut options).bytes(attribute, &bytes);
        written.map_err(|_| wrong("vf", "options are too long"))
    };
    let mut rate = [None, None];
    while let Some(word) = words.peek() {
        let known =
            matches!(word, "mac" | "vlan" | "rate" | "max_tx_rate" | "min_tx_rate" | "state");
        if !known && !SWITCHES.iter().any(|row| row.0 == word) {
            break;
        }
        words.next();
        match word {
            "mac" => {
                let mut address = super::neighbour::link_address(words.value()?)?;
                address.resize(32, 0);
                let numbers: Vec<u32> = address
                    .chunks_exact(4)
                    .filter_map(|bytes| bytes.first_chunk().copied().map(u32::from_ne_bytes))
                    .collect();
                put(IFLA_VF_MAC, &numbers)?;
            }
            "vlan" => {
                let vlan = words.number(u32::MAX, "Invalid \"vlan\" value")?;
                let mut qos = 0;
                if words.peek() == Some("qos") {
                    words.next();
                    qos = words.number(u32::MAX, "Invalid \"qos\" value")?;
                }
                put(IFLA_VF_VLAN, &[vlan, qos])?;
            }
            "rate" => put(IFLA_VF_TX_RATE, &[words.number(u32::MAX, "Invalid \"rate\" value")?])?,
            "max_tx_rate" => {
                rate[1] = Some(words.number(u32::MAX, "Invalid \"max tx rate\" value")?);
            }
            "min_tx_rate" => {
                rate[0] = Some(words.number(u32::MAX, "Invalid \"min tx rate\" value")?);
            }
            "state" => {
                let word = words.value()?;
                let state = ["auto", "enable", "disable"].iter().position(|known| *known == word);
                let state = state.and_then(|state| u32::try_from(state).ok());
                put(
                    IFLA_VF_LINK_STATE,
                    &[state.ok_or_else(|| wrong(word, "Invalid \"state\" value"))?],
                )?;
            }
            _ => {
                let on = super::link::on_off(words, word)?;
                let attribute = SWITCHES.iter().find(|row| row.0 == word).map_or(0, |row| row.1);
                put(attribute, &[u32::from(on)])?;
            }
        }
    }
    if rate != [None, None] {
        put(IFLA_VF_RATE, &rate.map(Option::unwrap_or_default))?;
    }
    let mut list = Vec::new();
    let written =
        Writer::attributes(&mut list).bytes(IFLA_VF_INFO | nl_wire::attr::NLA_F_NESTED, &options);
    written.map_err(|_| wrong("vf", "options are too long"))?;
    Ok(list)
}
