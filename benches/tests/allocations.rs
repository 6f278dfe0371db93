//! Decoding and encoding of what is ordinary allocates nothing, whatever the number of messages.

use allocation_counter::measure;
use benches::cases;

/// What allocates, because what it reads or writes is kept in boxes or lists.
const ALLOCATE: [&str; 6] = [
    "decode/route_v4_metrics", // a box of metrics
    "decode/route_multipath",  // the list of hops
    "decode/routes_mixed",
    "decode/link", // names, addresses, statistics
    "listing/",
    "/floor",
];

#[test]
fn no_message_costs_an_allocation() {
    let (mut free, mut costly) = (0, 0);
    for mut case in cases::all() {
        case.run(); // buffers grow once
        let allocations = measure(|| case.run()).count_total;
        if ALLOCATE
            .iter()
            .any(|part| case.name.contains(part) && !case.name.ends_with("/destination"))
        {
            costly += u32::from(allocations > 0);
        } else {
            assert_eq!(allocations, 0, "{}", case.name);
            free += 1;
        }
    }
    // The counter counts, and something was looked at.
    assert!(free > 20 && costly > 4, "{free} {costly}");
}
