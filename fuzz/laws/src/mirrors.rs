//! Laws of the mirrors of the kernel's own tables.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use nl_route::{Address, Link, Neighbour, Nexthop, Object as RouteObject, Route, Rule};
use nl_socket::{Event, Loss};
use nl_watch::{
    Addresses, Budget, Change, Engine, Expectations, Flows, Forwarding, Item, Links, Neighbours,
    Nexthops, Object, Routes, Rules,
};
use nl_wire::Message;

use crate::messages;

/// Whatever messages come, as events or as entries of lists, with losses between: each change that
/// is told fits those told before, and who believes them has what the mirror has; its bytes are
/// those of its entries; with a budget it is kept.
///
/// The sequence number of a message says what it is, its port what happens before.
pub fn mirrors(bytes: &[u8]) {
    if messages(bytes).next().is_none() {
        return;
    }
    follow(bytes, Flows::default(), |message| nl_conntrack::Flow::decode(message).ok());
    follow(bytes, Expectations::default(), |message| {
        nl_conntrack::Expectation::decode(message).ok()
    });
    follow(bytes, Routes::default(), listed::<Route>);
    follow(bytes, Links, listed::<Link>);
    follow(bytes, Addresses, listed::<Address>);
    follow(bytes, Neighbours, listed::<Neighbour>);
    follow(bytes, Forwarding, listed::<Neighbour>);
    follow(bytes, Rules, listed::<Rule>);
    follow(bytes, Nexthops::default(), listed::<Nexthop>);
}

fn listed<T: RouteObject>(message: &Message<'_>) -> Option<T> {
    T::decode(message).ok()
}

fn follow<O>(bytes: &[u8], object: O, entry: impl Fn(&Message<'_>) -> Option<O::Item>)
where
    O: Object,
    O::Item: PartialEq,
{
    let mut engine = Engine::new(object);
    let mut now = Instant::now();
    let mut believed: Option<Vec<O::Item>> = None;
    let budget = bytes
        .get(8)
        .filter(|byte| **byte >= 0xf0)
        .map_or(usize::MAX, |byte| usize::from(byte % 4) + 1);
    engine.set_budget(Budget { entries: budget, ..Budget::default() });
    let mut listing = false;
    for message in messages(bytes) {
        now += Duration::from_secs(1);
        match message.header.port % 16 {
            1 if !listing => {
                listing = true;
                engine.begin(now);
            }
            2 => {
                listing = false;
                engine.end(now);
            }
            3 => {
                listing = false;
                engine.fail(now);
            }
            4 => engine.hear(&Event::Loss(Loss::Overrun { dropped: 3 }), now),
            5 => engine.list_lost(Loss::Interrupted),
            6 => engine.relist(),
            _ => {}
        }
        believe(&mut engine, &mut believed);
        match message.header.sequence % 4 {
            0 if listing => entry(&message).into_iter().for_each(|item| engine.listed(item)),
            _ => engine.hear(&Event::Message { message, nsid: None }, now),
        }
        believe(&mut engine, &mut believed);
    }
    // The kernel comes to rest: an empty list empties the mirror.
    engine.end(now);
    believe(&mut engine, &mut believed);
    now += Duration::from_secs(1000);
    engine.relist();
    engine.begin(now);
    engine.end(now);
    believe(&mut engine, &mut believed);
    assert!(engine.mirror().is_empty(), "{:?}", engine.mirror());
    assert_eq!(engine.mirror().bytes(), 0);
}

/// Believes what is told, and compares it with the mirror.
fn believe<O>(engine: &mut Engine<O>, believed: &mut Option<Vec<O::Item>>)
where
    O: Object,
    O::Item: PartialEq,
{
    while let Some(item) = engine.next() {
        let change = match item {
            Item::Listed { entries, .. } => {
                assert!(believed.is_none(), "told twice");
                assert_eq!(entries, engine.mirror().len());
                *believed = Some(engine.mirror().iter().cloned().collect());
                continue;
            }
            Item::Change(change) => change,
            _ => continue,
        };
        let believed = believed.as_mut().expect("changes follow the first list");
        match change {
            Change::Added(new) => believed.push(new),
            // The event of its end may say more than was known.
            Change::Removed(old) => _ = take::<O>(believed, &old, is_one::<O>),
            Change::Changed { old, new } => {
                take::<O>(believed, &old, is_told::<O>);
                believed.push(new);
            }
        }
    }
    assert!(engine.mirror().len() <= engine.mirror().budget().entries);
    let Some(believed) = believed else { return };
    let mut left: Vec<&O::Item> = believed.iter().collect();
    for entry in engine.mirror().iter() {
        let place = left.iter().position(|it| is_told::<O>(it, entry));
        left.swap_remove(place.unwrap_or_else(|| panic!("{entry:?} was not told of")));
    }
    assert!(left.is_empty(), "{left:?} is told of, but not there");
}

/// Whether two are one entry, in whatever states.
fn is_one<O: Object>(a: &O::Item, b: &O::Item) -> bool {
    O::key(a) == O::key(b) && O::is_same(a, b)
}

/// Whether one was told as the other: they differ in nothing that is announced.
fn is_told<O: Object>(a: &O::Item, b: &O::Item) -> bool {
    is_one::<O>(a, b) && O::is_equal(a, b)
}

fn take<O: Object>(
    believed: &mut Vec<O::Item>,
    old: &O::Item,
    is_it: fn(&O::Item, &O::Item) -> bool,
) -> O::Item
where
    O::Item: Debug,
{
    let place = believed.iter().position(|it| is_it(it, old));
    believed.swap_remove(place.unwrap_or_else(|| panic!("{old:?} was never told of")))
}
