//! `nlctl qdisc` and `nlctl class`: traffic control with the words of tc(8).

use nl_route::filter::LinkFilter;
use nl_route::parse::traffic as parse;
use nl_route::traffic::{Traffic, TrafficFilter};
use nl_route::{
    Action, Change, Class, GetClass, GetQdisc, Hidden, Link, List, Object, Qdisc, json, text,
};

use crate::args::{Command, Kind, Options, command};
use crate::error::Error;
use crate::names;
use crate::object::{Printer, Session};
use crate::out::Out;

/// Queueing disciplines.
pub(crate) const QDISCS: Command = Command {
    names: &["qdisc"],
    arguments: "COMMAND",
    about: "Queueing disciplines, with the words of tc qdisc.",
    text: "",
    flags: &[],
    kind: Kind::Group {
        commands: &[
            command(&["show", "list", "lst"], "List disciplines.", LIST_HELP, list_qdiscs),
            command(&["add"], "Add a discipline.", QDISC_HELP, add_qdisc),
            command(&["change"], "Change one that exists.", QDISC_HELP, change_qdisc),
            command(&["replace"], "Add one, or change it.", QDISC_HELP, replace_qdisc),
            command(&["delete"], "Delete one.", QDISC_HELP, delete_qdisc),
            command(
                &["get"],
                "Show one.",
                "WORDS are dev LINK root|parent ID|handle ID.",
                get_qdisc,
            ),
        ],
        default: true,
    },
};

/// Classes.
pub(crate) const CLASSES: Command = Command {
    names: &["class"],
    about: "Classes of queueing disciplines, with the words of tc class.",
    kind: Kind::Group {
        commands: &[
            command(&["show", "list", "lst"], "List classes.", CLASSES_HELP, list_classes),
            command(&["add"], "Add a class.", CLASS_HELP, add_class),
            command(&["change"], "Change one that exists.", CLASS_HELP, change_class),
            command(&["replace"], "Add one, or change it.", CLASS_HELP, replace_class),
            command(&["delete"], "Delete one.", CLASS_HELP, delete_class),
            command(&["get"], "Show one.", "WORDS are dev LINK classid ID.", get_class),
        ],
        default: true,
    },
    ..QDISCS
};

const LIST_HELP: &str = "\
WORDS are as of tc qdisc show: [dev LINK] [root|ingress|clsact|parent ID] [handle ID] [invisible].";

const CLASSES_HELP: &str = "\
WORDS are as of tc class show: [dev LINK] [qdisc ID] [root|parent ID]. Without a link those of all
links are listed.";

const QDISC_HELP: &str = "\
WORDS are as of tc qdisc add: dev LINK root|ingress|clsact|parent ID [handle ID] KIND. Behind KIND
may stand limit NUMBER, for pfifo and bfifo, or options DIGITS: all that the kind writes for
options, in hexadecimal digits.";

const CLASS_HELP: &str = "\
WORDS are as of tc class add: dev LINK parent ID [classid ID] KIND. Behind KIND may stand options
DIGITS: all that the kind writes for options, in hexadecimal digits.";

const QDISC: Printer<Qdisc> = Printer { json: json::qdisc, text: text::qdisc };
const CLASS: Printer<Class> = Printer { json: json::class, text: text::class };

fn list_qdiscs(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::selector(&session.words, &session.names)?;
    let hidden = hidden(&filter);
    session.list(out, &QDISC, List::<Qdisc> { filter }, hidden)
}

/// What is the same in each line is left out.
fn hidden(filter: &TrafficFilter) -> Hidden {
    if filter.index.is_some() { Hidden::OIF } else { Hidden(0) }
}

fn list_classes(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::selector(&session.words, &session.names)?;
    if filter.index.is_some() {
        let hidden = hidden(&filter);
        return session.list(out, &CLASS, List::<Class> { filter }, hidden);
    }
    let mut classes: Vec<Class> = Vec::new();
    for link in session.all::<Link>(LinkFilter::default())? {
        let filter = TrafficFilter { index: Some(link.index), ..filter.clone() };
        classes.append(&mut session.all(filter)?);
    }
    let context = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for class in &classes {
        rows.add(
            |json| (CLASS.json)(json, class, &context),
            |text| (CLASS.text)(text, class, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}

fn get_qdisc(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let Traffic { index, handle, parent, .. } = parse::change(&session.words, &session.names)?;
    session.get(out, &QDISC, GetQdisc { index, handle, parent })
}

fn get_class(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let Traffic { index, handle, parent, .. } = parse::change(&session.words, &session.names)?;
    session.get(out, &CLASS, GetClass { index, handle, parent })
}

fn change<T: Object>(
    make: fn(Traffic) -> T,
    action: Action,
    options: &Options,
) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = make(parse::change(&session.words, &session.names)?);
    session.change(&Change { action, object })
}

macro_rules! verbs {
    ($($name:ident = $make:ident, $action:ident;)*) => { $(
        fn $name(options: &Options, _: &mut Out) -> Result<u8, Error> {
            change($make, Action::$action, options)
        }
    )* };
}

verbs! {
    add_qdisc = Qdisc, Add;
    change_qdisc = Qdisc, Change;
    replace_qdisc = Qdisc, Replace;
    delete_qdisc = Qdisc, Delete;
    add_class = Class, Add;
    change_class = Class, Change;
    replace_class = Class, Replace;
    delete_class = Class, Delete;
}
