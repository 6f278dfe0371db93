//! What conntrack(8) does and ends: list, get, create, update, delete, flush, count, statistics.

use std::collections::{BTreeMap, VecDeque};

use nl_conntrack::parse::{Command, Line, Table};
use nl_conntrack::stats::{GetGlobalStats, ListCpuStats, ListExpectStats};
use nl_conntrack::text::{self, SaveCommand, XML_HEAD, XML_TAIL};
use nl_conntrack::{
    Change, Expectation, ExpectationChange, ExpectationKey, Flow, Flush, Get, GetExpectation, List,
    ListDying, ListExpectations, ListUnconfirmed, Lookup,
};
use nl_socket::Connection;
use nl_wire::json::Json;
use nl_wire::value::Family;
use nl_wire::{Errno, Request};

use super::progress::Progress;
use super::{Context, Format, refused};
use crate::error::{CONNTRACK, Error, FAILED, say, say_loss};
use crate::kernel;
use crate::out::{Out, Rows};

/// So many flows are listed before the first of them is deleted.
const BATCH: usize = 1024;

/// Runs a command that ends by itself.
pub(super) fn run(context: &Context, line: &Line, out: &mut Out) -> Result<u8, Error> {
    Run { context, line, format: context.format(line), of_file: false }.run(out)
}

/// Runs a command of a file: how many it changed is not told, and none is no failure.
pub(super) fn run_of_file(context: &Context, line: &Line, out: &mut Out) -> Result<u8, Error> {
    Run { context, line, format: context.format(line), of_file: true }.run(out)
}

struct Run<'a> {
    context: &'a Context,
    line: &'a Line,
    format: Format,
    of_file: bool,
}

impl Run<'_> {
    fn run(&self, out: &mut Out) -> Result<u8, Error> {
        match (self.line.command, self.line.table) {
            (Command::List, Table::Expect) => self.list_expectations(out),
            (Command::List, _) => self.list(out),
            (Command::Get, Table::Expect) => self.get_expectation(out),
            (Command::Get, _) => self.get(out),
            (Command::Create, Table::Expect) => self.create_expectation(),
            (Command::Create | Command::Add, _) => self.create(),
            (Command::Update, _) => self.update(out),
            (Command::Delete, Table::Expect) => self.delete_expectation(),
            (Command::Delete, _) => self.delete(out),
            (Command::Flush, _) => self.flush(),
            (Command::Count, _) => self.count(out),
            (Command::Stats, _) => self.stats(out),
            (Command::Event | Command::Version | Command::Help, _) => Ok(0),
        }
    }

    fn connect(&self) -> Result<Connection, Error> {
        kernel::connect(Family::NETFILTER, &self.context.options)
    }

    fn refused(&self, error: &nl_socket::Error) -> Error {
        refused(self.line, error)
    }

    /// Says how many there were.
    fn sum(&self, count: u64, what: &str) {
        if !self.of_file {
            say(format_args!("{CONNTRACK}{count} {what}."));
        }
    }

    /// The exit code of a change of several flows, of which so many were changed.
    fn changed(&self, count: u64, failed: bool) -> u8 {
        if failed || count == 0 && !self.of_file { FAILED } else { 0 }
    }

    /// Where flows and expectations go to.
    fn rows<'o>(&self, out: &'o mut Out) -> Rows<'o> {
        let options = &self.context.options;
        out.rows(options.has("json"), options.has("pretty"))
    }

    fn show(&self, rows: &mut Rows<'_>, flow: &Flow, command: SaveCommand) -> Result<(), Error> {
        rows.add(
            |json| json.value(flow),
            |line| {
                self.format.flow(line, flow, command);
                line.push('\n');
            },
        )
    }

    fn show_expectation(&self, rows: &mut Rows<'_>, found: &Expectation) -> Result<(), Error> {
        rows.add(
            |json| json.value(found),
            |line| {
                if let Some(time) = self.format.received(super::now()) {
                    text::expectation_time(line, time);
                }
                text::expectation(line, found);
                line.push('\n');
            },
        )
    }

    /// Adds what stands before the first flow of XML, or behind the last.
    fn frame(&self, rows: &mut Rows<'_>, frame: &str) {
        match rows {
            Rows::Lines(out) if self.format.output.xml => out.text().push_str(frame),
            _ => {}
        }
    }

    /// Hands every item of a list to `each`; false if some were lost.
    fn each<R: Request>(
        &self,
        connection: &mut Connection,
        request: R,
        mut each: impl FnMut(R::Item) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let items = connection.start(request).map_err(|error| self.refused(&error))?;
        let mut whole = true;
        for item in items {
            match item {
                Ok(item) => each(item)?,
                Err(nl_socket::Error::Lost(loss)) => {
                    say_loss(loss);
                    whole = false;
                }
                Err(error) => return Err(self.refused(&error)),
            }
        }
        Ok(whole)
    }

    /// The lists that together hold all flows that are meant, each once.
    ///
    /// For JSON, and where counters are set to zero, the kernel picks the translated flows in two
    /// lists. Else one list is picked from here, for lines come in its order, as those of
    /// conntrack(8).
    fn lists(&self) -> Vec<List> {
        let options = &self.line.options;
        let list = options.list(self.line.command);
        let picks = self.context.options.has("json") || list.zero_counters;
        if options.any_nat.is_none() || !picks || list.filter.status.is_some() {
            return vec![list];
        }
        let translated = List::translated(list.family);
        translated
            .into_iter()
            .map(|one| {
                let filter = nl_conntrack::Filter { status: one.filter.status, ..list.filter };
                List { filter, ..list }
            })
            .collect()
    }

    /// Hands every flow that is meant to `each`; false if some were lost.
    fn each_flow(
        &self,
        connection: &mut Connection,
        mut each: impl FnMut(Flow) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let (options, command) = (&self.line.options, self.line.command);
        let family = options.family;
        let mut wanted =
            |flow: Flow| if options.matches(&flow, command) { each(flow) } else { Ok(()) };
        match self.line.table {
            Table::Dying => self.each(connection, ListDying { family }, wanted),
            Table::Unconfirmed => self.each(connection, ListUnconfirmed { family }, wanted),
            _ => {
                let mut lists = self.lists();
                if lists.len() > 1 && options.zero {
                    return self.each_zeroed(connection, lists, wanted);
                }
                lists.drain(..).try_fold(true, |whole, list| {
                    Ok(self.each(connection, list, &mut wanted)? && whole)
                })
            }
        }
    }

    /// Sets the counters of the flows of some lists to zero, and hands what was counted to `each` in
    /// the order of one list of all flows, as conntrack(8) has it.
    fn each_zeroed(
        &self,
        connection: &mut Connection,
        lists: Vec<List>,
        mut each: impl FnMut(Flow) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let key = |flow: &Flow| (flow.zone, flow.original);
        let mut counted = BTreeMap::new();
        let mut whole = true;
        for list in lists {
            whole &= self.each(connection, list, |flow| {
                counted.insert(key(&flow), flow);
                Ok(())
            })?;
        }
        let order = List { zero_counters: false, ..self.line.options.list(self.line.command) };
        whole &= self.each(connection, order, |flow| {
            counted.remove(&key(&flow)).map_or(Ok(()), &mut each)
        })?;
        // Those that ended meanwhile.
        counted.into_values().try_for_each(each)?;
        Ok(whole)
    }

    fn list(&self, out: &mut Out) -> Result<u8, Error> {
        let mut connection = self.connect()?;
        kernel::read_ahead(&mut connection);
        let mut rows = self.rows(out);
        let mut progress = Progress::new("listed");
        let whole = self.each_flow(&mut connection, |flow| {
            if progress.count() == 0 {
                self.frame(&mut rows, XML_HEAD);
            }
            progress.step();
            self.show(&mut rows, &flow, SaveCommand::Add)
        })?;
        let shown = progress.end();
        if shown > 0 {
            self.frame(&mut rows, XML_TAIL);
        }
        rows.end()?;
        self.sum(shown, "flow entries have been shown");
        whole_or(whole)
    }

    fn list_expectations(&self, out: &mut Out) -> Result<u8, Error> {
        let mut connection = self.connect()?;
        let mut rows = self.rows(out);
        let mut progress = Progress::new("listed");
        let family = self.line.options.family;
        let request = ListExpectations { family, master: None };
        let whole = self.each(&mut connection, request, |expectation| {
            progress.step();
            self.show_expectation(&mut rows, &expectation)
        })?;
        let shown = progress.end();
        rows.end()?;
        self.sum(shown, "expectations have been shown");
        whole_or(whole)
    }

    fn get(&self, out: &mut Out) -> Result<u8, Error> {
        let options = &self.line.options;
        let request = options.get().map_err(|error| super::bad_line(&error))?;
        let mut connection = self.connect()?;
        let flow = connection.get(request).map_err(|error| self.refused(&error))?;
        let mut rows = self.rows(out);
        let is_meant = options.matches(&flow, Command::Get);
        if is_meant {
            self.frame(&mut rows, XML_HEAD);
            self.show(&mut rows, &flow, SaveCommand::Add)?;
        }
        rows.end()?;
        self.sum(is_meant.into(), "flow entries have been shown");
        Ok(if is_meant { 0 } else { FAILED })
    }

    fn key(&self) -> Result<ExpectationKey, Error> {
        let tuple = self.line.options.expected_tuple();
        tuple.map(ExpectationKey::from).map_err(|error| super::bad_line(&error))
    }

    fn get_expectation(&self, out: &mut Out) -> Result<u8, Error> {
        let key = self.key()?;
        let mut connection = self.connect()?;
        let found = connection.get(GetExpectation(key)).map_err(|error| self.refused(&error))?;
        let mut rows = self.rows(out);
        self.show_expectation(&mut rows, &found)?;
        rows.end()?;
        self.sum(1, "expectations have been shown");
        Ok(0)
    }

    /// Makes a flow, or with `-A` updates it if it is there.
    fn create(&self) -> Result<u8, Error> {
        let Line { command, ref options, .. } = *self.line;
        let change = options.create(command).map_err(|error| super::bad_line(&error))?;
        let mut connection = self.connect()?;
        add(&mut connection, change, command).map_err(|error| self.refused(&error))?;
        let what = if command == Command::Add { "added" } else { "created" };
        self.sum(1, &format!("flow entries have been {what}"));
        Ok(0)
    }

    fn create_expectation(&self) -> Result<u8, Error> {
        let expectation = self.line.options.expectation();
        let expectation = expectation.map_err(|error| super::bad_line(&error))?;
        let mut connection = self.connect()?;
        let create = ExpectationChange::Create(expectation);
        connection.run(create).map_err(|error| self.refused(&error))?;
        self.sum(1, "expectations have been created");
        Ok(0)
    }

    fn delete_expectation(&self) -> Result<u8, Error> {
        let delete = ExpectationChange::Delete(self.key()?);
        let mut connection = self.connect()?;
        connection.run(delete).map_err(|error| self.refused(&error))?;
        self.sum(1, "expectations have been deleted");
        Ok(0)
    }

    /// Changes each flow that is meant, and shows it as it is then.
    fn update(&self, out: &mut Out) -> Result<u8, Error> {
        let mut connection = self.connect()?;
        let mut found = Vec::new();
        let whole = self.each_flow(&mut connection, |flow| {
            // As with conntrack(8), what is so already is not updated.
            if self.line.options.changes(&flow) {
                found.push(flow);
            }
            Ok(())
        })?;
        let mut rows = self.rows(out);
        let (mut updated, mut failed) = (0, false);
        for flow in &found {
            match connection.run(self.line.options.update(flow)) {
                Ok(()) => updated += 1,
                // It ended by itself.
                Err(error) if error.errno() == Some(Errno::ENOENT) => continue,
                Err(error) => {
                    failed = true;
                    say(self.refused(&error));
                    continue;
                }
            }
            let get = Get { lookup: Lookup::Original(flow.original), zone: flow.zone };
            if let Ok(flow) = connection.get(get) {
                self.show(&mut rows, &flow, SaveCommand::Add)?;
            }
        }
        rows.end()?;
        self.sum(updated, "flow entries have been updated");
        Ok(self.changed(updated, failed || !whole))
    }

    /// Deletes each flow that is meant, under its id, and shows it.
    ///
    /// While one connection lists, another deletes what was listed.
    fn delete(&self, out: &mut Out) -> Result<u8, Error> {
        let (mut lister, mut deleter) = (self.connect()?, self.connect()?);
        let mut rows = self.rows(out);
        let mut progress = Progress::new("deleted");
        let (mut waiting, mut failed) = (VecDeque::with_capacity(BATCH), false);
        let mut delete = |waiting: &mut VecDeque<Flow>, rows: &mut Rows<'_>| {
            for result in deleter.batch(waiting.clone().into_iter().map(Change::delete)) {
                let Some(flow) = waiting.pop_front() else { break };
                match result {
                    Ok(()) => {
                        progress.step();
                        self.show(rows, &flow, SaveCommand::Delete)?;
                    }
                    // It ended by itself.
                    Err(error) if error.errno() == Some(Errno::ENOENT) => {}
                    Err(error) => {
                        failed = true;
                        say(self.refused(&error));
                    }
                }
            }
            Ok::<_, Error>(())
        };
        let whole = self.each_flow(&mut lister, |flow| {
            waiting.push_back(flow);
            if waiting.len() < BATCH { Ok(()) } else { delete(&mut waiting, &mut rows) }
        })?;
        delete(&mut waiting, &mut rows)?;
        let deleted = progress.end();
        rows.end()?;
        self.sum(deleted, "flow entries have been deleted");
        Ok(self.changed(deleted, failed || !whole))
    }

    fn flush(&self) -> Result<u8, Error> {
        let mut connection = self.connect()?;
        let (result, what) = if self.line.table == Table::Expect {
            (connection.run(ExpectationChange::Flush), "expectation")
        } else {
            let family = self.line.options.family;
            (connection.run(Flush { family, ..Flush::default() }), "connection tracking")
        };
        result.map_err(|error| self.refused(&error))?;
        say(format_args!("{CONNTRACK}{what} table has been emptied."));
        Ok(0)
    }

    fn count(&self, out: &mut Out) -> Result<u8, Error> {
        let mut connection = self.connect()?;
        let mut count = 0;
        if self.line.table == Table::Expect {
            self.each(&mut connection, ListExpectations::default(), |_| {
                count += 1;
                Ok(())
            })?;
        } else {
            let stats = connection.get(GetGlobalStats).map_err(|error| self.refused(&error))?;
            count = stats.entries.unwrap_or_default();
        }
        out.append(format_args!("{count}\n"));
        Ok(0)
    }

    fn stats(&self, out: &mut Out) -> Result<u8, Error> {
        let mut connection = self.connect()?;
        let mut rows = self.rows(out);
        if self.line.table == Table::Expect {
            self.each(&mut connection, ListExpectStats, |stats| {
                rows.add(
                    |json| object(json, stats.cpu, stats.iter()),
                    |line| {
                        text::expect_stats(line, &stats);
                        line.push('\n');
                    },
                )
            })?;
        } else {
            self.each(&mut connection, ListCpuStats, |stats| {
                rows.add(
                    |json| object(json, stats.cpu, stats.iter()),
                    |line| {
                        text::cpu_stats(line, &stats);
                        line.push('\n');
                    },
                )
            })?;
        }
        rows.end()?;
        Ok(0)
    }
}

/// The statistics of a CPU as JSON: `{"cpu": 0, "found": 1, …}`.
fn object(json: &mut Json<'_>, cpu: u16, stats: impl Iterator<Item = (&'static str, u32)>) {
    json.begin_object();
    json.field("cpu", cpu);
    stats.for_each(|(name, value)| json.field(name, value));
    json.end_object();
}

/// Makes a flow; `-A` updates one that is there, which can't be given addresses anew.
pub(super) fn add(
    connection: &mut Connection,
    change: Change,
    command: Command,
) -> Result<(), nl_socket::Error> {
    if command != Command::Add {
        return connection.run(change);
    }
    match connection.run(Change { action: nl_conntrack::Action::Create, ..change.clone() }) {
        Err(error) if error.errno() == Some(Errno::EEXIST) => {}
        result => return result,
    }
    let key = Get { lookup: Lookup::Original(change.flow.original), zone: change.flow.zone };
    let old = connection.get(key)?.status.unwrap_or_default();
    let mut update = Change { mark_mask: change.mark_mask, ..Change::update(change.flow) };
    update.flow.status = update.flow.status.map(|status| status | old);
    connection.run(update)
}

/// The exit code of a list.
fn whole_or(whole: bool) -> Result<u8, Error> {
    if whole {
        return Ok(0);
    }
    Err(Error::new(FAILED, format_args!("{CONNTRACK}others were lost.")))
}
