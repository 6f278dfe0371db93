//! Laws of the translation table of nl-watch.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use nl_conntrack::{Event, EventKind, Flow, IpProtocol, L4, Tuple};
use nl_watch::nat::{Listing, NatOptions, Tracker};

use crate::Script;

/// No grace, no orphans: what is there can be told from the script alone. Room for all that a script
/// can make.
const PLAIN: NatOptions =
    NatOptions { bytes: 1 << 17, grace: Duration::ZERO, orphan_lifetime: None };

/// A direction of a flow in a namespace and a zone.
type Key = (u64, u16, Tuple);

/// What a table without limits is: a map from each direction to the other one.
#[derive(Default)]
struct Model {
    map: BTreeMap<Key, Entry>,
    step: usize,
    listing: bool,
    /// The step in which the last list began.
    begun: usize,
    /// What ended during the list, and is not in the map because others took its place.
    ended: BTreeSet<[Key; 2]>,
}

#[derive(Clone, Copy)]
struct Entry {
    other: Tuple,
    /// Whether it is the original direction.
    original: bool,
    /// The step in which it was told last.
    told: usize,
    /// It was announced, not only listed.
    announced: bool,
    /// It ended; but a list is under way, which may still have it.
    leaving: bool,
}

impl Model {
    fn forget(&mut self, key: &Key) -> bool {
        let Some(entry) = self.map.remove(key) else { return false };
        self.map.remove(&(key.0, key.1, entry.other));
        true
    }

    /// As [`Model::forget`], because another one has this direction.
    fn displace(&mut self, key: &Key) {
        if let Some(entry) = self.map.get(key).filter(|entry| entry.leaving) {
            let other = (key.0, key.1, entry.other);
            self.ended.insert(if entry.original { [*key, other] } else { [other, *key] });
        }
        self.forget(key);
    }

    /// Enters a flow, of the list that began in step `begun` if it is of one.
    fn put(&mut self, namespace: u64, flow: &Flow, begun: Option<usize>) {
        let keys = keys(namespace, flow);
        if flow.original == flow.reply {
            return; // is its own answer: can't be
        }
        let there = self.map.get(&keys[0]).filter(|_| self.has(namespace, flow));
        let leaving = begun.is_some() && there.is_some_and(|there| there.leaving);
        let announced = begun.is_none() || there.is_some_and(|there| there.announced);
        if begun.is_some_and(|begun| self.is_outdated(namespace, flow, begun)) {
            return;
        }
        // A list may have what ended still: that it has it does not make it begin anew.
        if begun.is_none() {
            self.ended.remove(&keys);
        }
        if there.is_some() {
            self.forget(&keys[0]);
        }
        for key in &keys {
            self.displace(key);
        }
        if flow.is_nat() {
            self.enter(&keys, announced, leaving);
        }
    }

    fn enter(&mut self, [original, reply]: &[Key; 2], announced: bool, leaving: bool) {
        let told = self.step;
        let entry = |other, original| Entry { other, original, told, announced, leaving };
        self.map.insert(*original, entry(reply.2, true));
        self.map.insert(*reply, entry(original.2, false));
    }

    fn has(&self, namespace: u64, flow: &Flow) -> bool {
        let found = self.map.get(&keys(namespace, flow)[0]);
        // The other way round it is another flow.
        found.is_some_and(|entry| entry.original && entry.other == flow.reply)
    }

    /// Whether a flow of the list that began in step `begun` meets others that were announced since:
    /// the list may be older.
    fn is_outdated(&self, namespace: u64, flow: &Flow, begun: usize) -> bool {
        let newer = |key| {
            let entry: Option<&Entry> = self.map.get(key);
            entry.is_some_and(|entry| entry.announced && entry.told >= begun)
        };
        let same = flow.is_nat() && self.has(namespace, flow);
        !same && keys(namespace, flow).iter().any(newer)
    }

    fn end(&mut self, namespace: u64, flow: &Flow) {
        let keys = keys(namespace, flow);
        if flow.original == flow.reply {
            return;
        }
        let known = self.has(namespace, flow);
        if self.listing && known {
            for key in &keys {
                self.map.entry(*key).and_modify(|entry| entry.leaving = true);
            }
            return;
        }
        self.displace(&keys[0]);
        if self.listing && flow.is_nat() {
            // Another one has its answers: a newer one, or its end was lost.
            if self.map.get(&keys[1]).is_some_and(|entry| entry.told >= self.begun) {
                self.ended.insert(keys);
                return;
            }
            self.displace(&keys[1]);
            self.enter(&keys, true, true);
        }
    }

    /// No list is under way any more.
    fn end_list(&mut self) {
        self.listing = false;
        self.ended.clear();
        self.map.retain(|_, entry| !entry.leaving);
    }
}

fn keys(namespace: u64, flow: &Flow) -> [Key; 2] {
    let zone = flow.zone.unwrap_or_default();
    [(namespace, zone, flow.original), (namespace, zone, flow.reply)]
}

/// The table under any script of events, lists and removals is a map from each direction of a
/// translated flow to the other. Within a small budget it stays in its bytes, and whatever it still
/// finds is right.
pub fn nat(bytes: &[u8]) {
    let mut script = Script(bytes);
    let plain = script.flip();
    // Room for 32 flows of IPv4, or a few thousand.
    let options = if plain { PLAIN } else { NatOptions { bytes: 4096, ..PLAIN } };
    let mut tracker = Tracker::new(options);
    let (mut model, now) = (Model::default(), Instant::now());
    let mut listing: Option<(Listing, usize)> = None;
    let mut flows = Vec::new();
    while let Some(operation) = script.byte() {
        if flows.len() >= 500 {
            break;
        }
        model.step += 1;
        let namespace = u64::from(operation >> 7);
        match operation % 16 {
            0..=6 => {
                let flow = flow(&mut script);
                let kind = if script.flip() { EventKind::New } else { EventKind::Update };
                tracker.event(namespace, &event(kind, &flow), now);
                model.put(namespace, &flow, None);
                flows.push((namespace, flow));
            }
            7..=9 => {
                let Some((namespace, flow)) = known(&mut script, &flows) else { continue };
                let answers = model.map.get(&keys(namespace, &flow)[1]);
                let taken = answers.is_some_and(|entry| entry.other != flow.original);
                if taken && !plain {
                    continue; // the table may not know any more
                }
                tracker.event(namespace, &event(EventKind::Destroy, &flow), now);
                model.end(namespace, &flow);
                if listing.is_none() {
                    tracker.expire(now);
                }
            }
            10 => {
                let Some((namespace, flow)) = known(&mut script, &flows) else { continue };
                let tuple = if script.flip() { flow.reply } else { flow.original };
                let zone = flow.zone.unwrap_or_default();
                let removed = tracker.table_mut().remove(namespace, zone, &tuple);
                let known = model.forget(&(namespace, zone, tuple));
                assert!(removed == known || !plain && !removed);
            }
            11 => {
                tracker.table_mut().remove_namespace(namespace);
                model.map.retain(|key, _| key.0 != namespace);
            }
            12 if listing.is_none() => {
                listing = Some((tracker.begin_list(0), model.step));
                (model.listing, model.begun) = (true, model.step);
            }
            13 => {
                let Some((listing, begun)) = &listing else { continue };
                let flow = flow(&mut script);
                let keys = keys(0, &flow);
                let leaving = model.map.get(&keys[0]).is_some_and(|entry| entry.leaving);
                let ended = leaving || model.ended.contains(&keys);
                if (ended || model.is_outdated(0, &flow, *begun)) && !plain {
                    continue; // the table may not know any more
                }
                tracker.listed(listing, &flow, now);
                // Of several that ended each may have been forgotten for the others.
                let found = tracker.table_mut().lookup(0, keys[0].1, &flow.original);
                let forgotten = model.ended.len() > 1 && found == Some(flow.reply);
                if !model.ended.contains(&keys) || forgotten {
                    model.put(0, &flow, Some(*begun));
                }
                flows.push((0, flow));
            }
            14 => {
                let Some((listing, begun)) = listing.take() else { continue };
                let complete = script.flip();
                tracker.end_list(listing, complete);
                tracker.expire(now);
                if complete {
                    let kept = |entry: &Entry| entry.told >= begun || entry.leaving;
                    model.map.retain(|key, entry| key.0 != 0 || kept(entry));
                }
                model.end_list();
            }
            _ => _ = tracker.expire(now),
        }
        if plain {
            assert_eq!(tracker.table().len() * 2, model.map.len());
        }
        assert!(tracker.table().bytes() <= options.bytes + 4096);
    }
    let mut found = 0;
    for (namespace, flow) in &flows {
        for (key, other) in keys(*namespace, flow).iter().zip([flow.reply, flow.original]) {
            let answer = tracker.table_mut().lookup(key.0, key.1, &key.2);
            let expected = model.map.get(key).map(|entry| entry.other);
            assert!(answer == expected || !plain && answer.is_none(), "{answer:?}, {expected:?}");
            found += usize::from(answer == Some(other));
        }
    }
    assert_eq!(tracker.entries().len(), tracker.table().len());
    assert!(found >= tracker.table().len().min(flows.len()) || flows.is_empty());
}

fn event(kind: EventKind, flow: &Flow) -> Event {
    Event { kind, port: 0, flow: flow.clone() }
}

fn known(script: &mut Script<'_>, flows: &[(u64, Flow)]) -> Option<(u64, Flow)> {
    let index = script.below(256);
    Some(flows.get(index % flows.len().max(1))?.clone())
}

/// One of few flows of each protocol, so that they meet.
fn flow(script: &mut Script<'_>) -> Flow {
    const PROTOCOLS: [IpProtocol; 5] =
        [IpProtocol::TCP, IpProtocol::UDP, IpProtocol::GRE, IpProtocol::ICMP, IpProtocol::ESP];
    let [head, addresses, numbers] = script.array().unwrap_or_default();
    let (protocol, six) = (PROTOCOLS[usize::from(head % 5)], head & 0x10 != 0);
    let part = |byte: u8, index: u8| byte >> (2 * index) & 3;
    let tuple = |source, destination, number: u8| {
        let l4 = match protocol {
            IpProtocol::ICMP => L4::Icmp { id: number.into(), kind: 8, code: 0 },
            protocol if protocol.has_ports() => {
                L4::Ports { source: number.into(), destination: 80 }
            }
            _ => L4::None,
        };
        Tuple::new(protocol, address(six, source), address(six, destination), l4)
    };
    let original = tuple(part(addresses, 0), part(addresses, 1), part(numbers, 0));
    let answered = tuple(part(addresses, 2), part(addresses, 3), part(numbers, 1));
    let zone = Some(u16::from(part(numbers, 2) & 1));
    Flow { reply: answered.reversed(), zone, ..Flow::new(original) }
}

fn address(six: bool, number: u8) -> IpAddr {
    if six { [0xfd00, 0, 0, 0, 0, 0, 1, number.into()].into() } else { [10, 0, 1, number].into() }
}
