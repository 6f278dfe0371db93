//! Runs every case once, warm; valgrind counts what [`measured`] executes. See
//! `benches/instructions`, which reads the names printed here in order.

use benches::cases;

fn main() {
    for mut case in cases::all() {
        case.run();
        println!("{} {}", case.name, case.messages);
        measured(&mut case);
    }
}

/// What is counted; the script knows it by name.
#[inline(never)]
fn measured(case: &mut cases::Case) {
    case.run();
}
