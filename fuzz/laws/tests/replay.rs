//! Every law over every seed, over its beginnings and over random changes of it: what the fuzzer
//! does for hours, for a moment and on the stable compiler.

use nl_laws::{TARGETS, seeds};
use nl_testkit::Rng;

/// How often each seed is changed.
const CHANGES: usize = 24;

#[test]
fn every_law_holds_over_every_seed() {
    for target in TARGETS {
        let seeds = seeds::of(target);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for (name, seed) in &seeds {
            println!("{} {name}", target.name); // shown if it fails
            (target.law)(seed);
        }
    }
}

#[test]
fn every_law_holds_over_every_beginning() {
    for target in TARGETS {
        for (name, seed) in &seeds::of(target) {
            // Messages of one kind differ in their attributes; those of few bytes are enough.
            if seed.len() <= 256 {
                for length in 0..seed.len() {
                    println!("{} {name} {length}", target.name);
                    (target.law)(&seed[..length]);
                }
            }
        }
    }
}

#[test]
fn every_law_holds_over_random_changes() {
    let mut rng = Rng::new(20);
    for target in TARGETS {
        let seeds: Vec<_> = seeds::of(target).into_values().collect();
        for seed in &seeds {
            for _ in 0..CHANGES {
                let changed = change(&mut rng, seed, &seeds);
                println!("{} {changed:02x?}", target.name);
                (target.law)(&changed);
            }
        }
    }
}

/// A seed with a few bytes changed, taken out, or put in from another one.
fn change(rng: &mut Rng, seed: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.bytes(1)[0]),
            2 => {
                let other = rng.pick(others);
                let from = rng.below(other.len() + 1);
                let until = from + rng.below(other.len() - from + 1);
                bytes.splice(at..at, other[from..until].iter().copied());
            }
            3 => {
                let until = at + rng.below((bytes.len() - at).min(8) + 1);
                bytes.drain(at..until);
            }
            // Small numbers are lengths and types.
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = if rng.one_in(2) { rng.bytes(1)[0] } else { rng.bytes(1)[0] % 32 };
                }
            }
        }
    }
    bytes
}

#[test]
fn every_target_has_its_binary() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz_targets");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of the binaries")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    files.sort();
    let mut names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
}

#[test]
fn the_dictionary_names_attributes() {
    let dictionary = seeds::dictionary();
    assert!(
        dictionary.contains("RTM_NEWROUTE=\"") && dictionary.contains("CTA_TIMESTAMP_EVENT=\"")
    );
}
