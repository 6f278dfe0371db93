//! What a list after a loss finds, as the translation table takes it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use nl_conntrack::{Flow, IpProtocol, Tuple};
use nl_socket::{Event, Loss};
use nl_watch::nat::{NatOptions, Tracker};
use nl_watch::{Engine, Flows, Item};

const NAMESPACE: u64 = 7;

/// A flow whose source is translated.
fn flow(port: u16) -> Flow {
    let end = |last| (IpAddr::from([10, 0, 0, last]), port);
    let reply = Tuple::with_ports(IpProtocol::UDP, end(9), end(2)).reversed();
    Flow { reply, ..Flow::new(Tuple::with_ports(IpProtocol::UDP, end(1), end(2))) }
}

struct Both {
    engine: Engine<Flows>,
    tracker: Tracker,
}

impl Both {
    fn list(&mut self, ports: &[u16], now: Instant) {
        assert_eq!(self.engine.until_list(now), Some(Duration::ZERO));
        self.engine.begin(now);
        for port in ports {
            self.engine.listed(flow(*port));
        }
        self.engine.end(now);
        while let Some(item) = self.engine.next() {
            assert!(!matches!(item, Item::Full { .. }));
            self.tracker.item(NAMESPACE, &item, self.engine.mirror(), now);
        }
    }

    /// Which of the flows 1 to 4 are found, by both directions.
    fn found(&mut self) -> Vec<u16> {
        let mut lookup = |tuple: &Tuple| self.tracker.table_mut().lookup(NAMESPACE, 0, tuple);
        let mut found = Vec::new();
        for port in 1..=4 {
            let Flow { original, reply, .. } = flow(port);
            let there = [lookup(&original), lookup(&reply)];
            assert_eq!(there[0].is_some(), there[1].is_some(), "{port}");
            found.extend(there[0].map(|_| port));
        }
        found
    }
}

/// One that vanished unnoticed ends then, with its time of grace, whether it was an orphan or not;
/// one that appeared unnoticed is an orphan until somebody asks for it.
#[test]
fn what_a_loss_hid_is_entered_and_removed() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    for asked in [false, true] {
        let mut both = Both {
            engine: Engine::new(Flows::default()),
            tracker: Tracker::new(NatOptions::default()),
        };
        both.list(&[1], at(0));
        both.engine.hear(&Event::Loss(Loss::Overrun { dropped: 2 }), at(1));
        // 1 has vanished; 2 and 3 are new.
        both.list(&[2, 3], at(1));
        assert_eq!((both.tracker.table().orphans(), both.tracker.table().leaving()), (2, 1));
        if asked {
            assert_eq!(both.found(), [1, 2, 3], "1 in its time of grace");
        }
        both.engine.hear(&Event::Loss(Loss::Overrun { dropped: 2 }), at(20));
        // 2 has vanished as an orphan, or as one that was asked for; 4 is new.
        both.list(&[3, 4], at(20));
        both.tracker.expire(at(20));
        assert_eq!(both.tracker.table().leaving(), 1);
        both.tracker.expire(at(31));
        assert_eq!((both.tracker.table().len(), both.tracker.table().leaving()), (2, 0));
        // Of what a list found the time is over, unless somebody asked.
        both.tracker.expire(at(145));
        let counters = both.tracker.table().counters();
        assert_eq!(counters.orphans_expired, if asked { 1 } else { 2 });
        assert_eq!((counters.unregistered, counters.swept, counters.replaced), (2, 0, 0));
        assert_eq!(both.tracker.table().orphans(), 0);
        assert_eq!(both.found(), if asked { vec![3] } else { vec![] });
    }
}
