//! The options of each kind as tc(8) prints them.

use nl_wire::text::Text;

use super::units::{General, Microseconds, Nanoseconds, Rate, Size};
use super::{Context, Out};
use crate::traffic::options::{
    CbsParameters, ClassOptions, Codel, EtfParameters, Ets, Fq, FqCodel, FqPie, Mqprio, Pie, Prio,
    QdiscOptions, Red, Sfq,
};

/// How the value of a field is written.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// A number.
    Number,
    /// A number of packets.
    Packets,
    /// A number of bytes.
    Size,
    /// Bytes a second.
    Rate,
    /// Microseconds.
    Time,
    /// Nanoseconds.
    Fine,
    /// Its name, if it is not 0.
    IfSet,
}

/// Fields that print as their key and their value, those that are there.
pub(super) fn fields(out: &mut Out<'_, '_>, rows: &[(&str, Option<u32>, How)]) {
    for (key, value, how) in rows {
        let Some(value) = *value else { continue };
        match how {
            How::IfSet if value == 0 => {}
            How::IfSet => out.either(key, true, key, ""),
            _ => out.text(format_args!("{key} ")),
        }
        match how {
            How::IfSet if value == 0 => continue,
            How::IfSet => {}
            How::Number => out.text(value),
            How::Packets => out.text(format_args!("{value}p")),
            How::Size => out.text(Size(value.into())),
            How::Rate => out.text(Rate(value.into())),
            How::Time => out.text(Microseconds(value)),
            How::Fine => out.text(Nanoseconds(value.into())),
        }
        if !matches!(how, How::IfSet) {
            out.json(|json| json.field(key, value));
        }
        out.text(" ");
    }
}

/// A rate: in text behind `label` and with a blank after it.
pub(super) fn rate(out: &mut Out<'_, '_>, key: &str, label: &str, rate: u64) {
    out.text(format_args!("{label}{} ", Rate(rate)));
    out.json(|json| json.field(key, rate));
}

/// Bytes, likewise.
pub(super) fn size(out: &mut Out<'_, '_>, key: &str, label: &str, size: u32) {
    out.text(format_args!("{label}{} ", Size(size.into())));
    out.json(|json| json.field(key, size));
}

/// Prints the options of a discipline.
pub(super) fn qdisc(
    out: &mut Out<'_, '_>,
    kind: &Text,
    options: &QdiscOptions,
    context: &Context<'_>,
) {
    match options {
        QdiscOptions::Fifo(fifo) if kind == "bfifo" => {
            out.text(format_args!("limit {}", Size(fifo.limit.into())));
            out.json(|json| json.field("limit", fifo.limit));
        }
        QdiscOptions::Fifo(fifo) => out.number_with("limit", "limit ", fifo.limit, "p"),
        QdiscOptions::Prio(options) => prio(out, options),
        QdiscOptions::Tbf(options) => super::shape::tbf(out, options, context),
        QdiscOptions::Htb(options) => super::shape::htb(out, options, context),
        QdiscOptions::FqCodel(options) => fq_codel(out, options),
        QdiscOptions::Codel(options) => codel(out, options),
        QdiscOptions::Fq(options) => fq(out, options),
        QdiscOptions::Sfq(options) => sfq(out, options, context),
        QdiscOptions::Red(options) => red(out, options, context),
        QdiscOptions::Netem(options) => super::netem::netem(out, options),
        QdiscOptions::Mqprio(options) => mqprio(out, options, context),
        QdiscOptions::Cake(options) => super::cake::options(out, options),
        QdiscOptions::Hfsc(options) if options.defcls == 0 => {}
        QdiscOptions::Hfsc(options) => {
            out.string("default", "default ", format_args!("{:x}", options.defcls));
        }
        QdiscOptions::Ets(options) => ets(out, options),
        QdiscOptions::Pie(options) => pie(out, options),
        QdiscOptions::FqPie(options) => fq_pie(out, options),
        QdiscOptions::Cbs(options) => {
            if let Some(parameters) = &options.parameters {
                cbs(out, parameters);
            }
        }
        QdiscOptions::Taprio(options) => super::taprio::taprio(out, options, context),
        QdiscOptions::Etf(options) => {
            if let Some(parameters) = &options.parameters {
                etf(out, parameters);
            }
        }
    }
}

/// Prints the options of a class.
pub(super) fn class(out: &mut Out<'_, '_>, options: &ClassOptions, context: &Context<'_>) {
    match options {
        ClassOptions::Htb(options) => super::shape::htb(out, options, context),
        ClassOptions::Hfsc(options) => super::shape::hfsc(out, options),
        ClassOptions::Drr(options) => fields(out, &[("quantum", options.quantum, How::Size)]),
        ClassOptions::Ets(options) => fields(out, &[("quantum", options.quantum, How::Number)]),
    }
}

fn prio(out: &mut Out<'_, '_>, options: &Prio) {
    out.number("bands", "bands ", options.bands);
    numbers(out, "priomap", "priomap", &options.priomap);
    // Of older kernels, which had it.
    out.json(|json| json.field("multiqueue", false));
}

/// A list of numbers, each behind a blank.
pub(super) fn numbers<T: Copy + core::fmt::Display>(
    out: &mut Out<'_, '_>,
    key: &str,
    label: &str,
    numbers: &[T],
) {
    out.begin_array(key);
    out.text(label);
    for number in numbers {
        out.text(format_args!(" {number}"));
        out.json(|json| json.number(number));
    }
    out.end_array();
}

/// A number with `0x` unless it is 0.
pub(super) struct Alternate(pub(super) u32);

impl core::fmt::Display for Alternate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.0 == 0 { f.write_str("0") } else { write!(f, "{:#x}", self.0) }
    }
}

fn fq_codel(out: &mut Out<'_, '_>, options: &FqCodel) {
    use How::{IfSet, Number, Packets, Size, Time};
    fields(
        out,
        &[
            ("limit", options.limit, Packets),
            ("flows", options.flows, Number),
            ("quantum", options.quantum, Number),
            ("target", options.target, Time),
            ("ce_threshold", options.ce_threshold, Time),
        ],
    );
    let [selector, mask] = [options.ce_threshold_selector, options.ce_threshold_mask]
        .map(|byte| u32::from(byte.unwrap_or_default()));
    if selector != 0 || mask != 0 {
        let words = (Alternate(selector), Alternate(mask));
        out.text(format_args!("ce_threshold_selector {}/{} ", words.0, words.1));
        out.json(|json| {
            json.field("ce_threshold_selector", selector);
            json.field("ce_threshold_mask", mask);
        });
    }
    fields(
        out,
        &[
            ("interval", options.interval, Time),
            ("memory_limit", options.memory_limit, Size),
            ("ecn", options.ecn, IfSet),
            ("drop_batch", options.drop_batch.filter(|batch| *batch != 0), Number),
        ],
    );
}

fn codel(out: &mut Out<'_, '_>, options: &Codel) {
    use How::{IfSet, Packets, Time};
    fields(
        out,
        &[
            ("limit", options.limit, Packets),
            ("target", options.target, Time),
            ("ce_threshold", options.ce_threshold, Time),
            ("interval", options.interval, Time),
            ("ecn", options.ecn, IfSet),
        ],
    );
}

fn pie(out: &mut Out<'_, '_>, options: &Pie) {
    use How::{IfSet, Number, Packets, Time};
    fields(
        out,
        &[
            ("limit", options.limit, Packets),
            ("target", options.target, Time),
            ("tupdate", options.update, Time),
            ("alpha", options.alpha, Number),
            ("beta", options.beta, Number),
            ("ecn", options.ecn, IfSet),
            ("bytemode", options.bytemode, IfSet),
            ("dq_rate_estimator", options.dq_rate_estimator, IfSet),
        ],
    );
}

fn fq_pie(out: &mut Out<'_, '_>, options: &FqPie) {
    use How::{IfSet, Number, Packets, Size, Time};
    fields(
        out,
        &[
            ("limit", options.limit, Packets),
            ("flows", options.flows, Number),
            ("target", options.target, Time),
            ("tupdate", options.update, Time),
            ("alpha", options.alpha, Number),
            ("beta", options.beta, Number),
            ("quantum", options.quantum, Size),
            ("memory_limit", options.memory_limit, Size),
            ("ecn_prob", options.ecn_probability, Number),
            ("ecn", options.ecn, IfSet),
            ("bytemode", options.bytemode, IfSet),
            ("dq_rate_estimator", options.dq_rate_estimator, IfSet),
        ],
    );
}

fn fq(out: &mut Out<'_, '_>, options: &Fq) {
    use How::{Fine, Number, Packets, Rate, Size, Time};
    fields(
        out,
        &[
            ("limit", options.limit, Packets),
            ("flow_limit", options.flow_limit, Packets),
            ("buckets", options.buckets_log.map(|log| 1_u32.wrapping_shl(log)), Number),
            ("orphan_mask", options.orphan_mask, Number),
        ],
    );
    if options.pacing == Some(0) {
        out.either("pacing", false, "", "nopacing ");
    }
    fields(
        out,
        &[
            ("quantum", options.quantum, Size),
            ("initial_quantum", options.initial_quantum, Size),
            ("maxrate", options.max_rate.filter(|rate| *rate != u32::MAX), Rate),
            ("defrate", options.default_rate.filter(|rate| *rate != 0), Rate),
            ("low_rate_threshold", options.low_rate_threshold.filter(|rate| *rate != 0), Rate),
            ("refill_delay", options.refill_delay, Time),
            ("ce_threshold", options.ce_threshold.filter(|time| *time != u32::MAX), Time),
            ("timer_slack", options.timer_slack, Fine),
            ("horizon", options.horizon, Time),
        ],
    );
    match options.horizon_drop {
        Some(0) => out.null("horizon_cap", "horizon_cap "),
        Some(_) => out.null("horizon_drop", "horizon_drop "),
        None => {}
    }
}

/// The flags of early detection, behind blanks in text.
fn red_flags(out: &mut Out<'_, '_>, flags: u32) {
    let words = ["ecn", "harddrop", "adaptive", "nodrop"];
    for (bit, word) in words.into_iter().enumerate() {
        let on = flags >> bit & 1 != 0;
        out.json(|json| json.field(word, on));
        if on {
            out.text(format_args!("{word} "));
        }
    }
}

fn probability(out: &mut Out<'_, '_>, parts: u32) {
    let probability = f64::from(parts) / 4_294_967_296.0;
    out.number("probability", "probability ", General(probability, 6));
}

fn sfq(out: &mut Out<'_, '_>, options: &Sfq, context: &Context<'_>) {
    use How::{Number, Packets, Size};
    let v0 = &options.v0;
    fields(
        out,
        &[
            ("limit", Some(v0.limit), Packets),
            ("quantum", Some(v0.quantum), Size),
            ("depth", Some(options.depth).filter(|depth| *depth != 0), Number),
            ("headdrop", Some(options.headdrop), How::IfSet),
        ],
    );
    if context.details {
        out.number("flows", "flows ", v0.flows);
    }
    fields(out, &[("divisor", Some(v0.divisor), Number)]);
    if v0.perturb_period != 0 {
        out.number_with("perturb", "perturb ", v0.perturb_period, "sec ");
    }
    if options.qth_min == 0 {
        return;
    }
    fields(
        out,
        &[
            ("ewma", Some(options.Wlog.into()), Number),
            ("min", Some(options.qth_min), Size),
            ("max", Some(options.qth_max), Size),
        ],
    );
    probability(out, options.max_P);
    red_flags(out, options.flags.into());
    if context.statistics == 0 {
        return;
    }
    let stats = &options.stats;
    for [(first, one), (second, two), (third, three)] in [
        [
            ("prob_mark", stats.prob_mark),
            ("prob_mark_head", stats.prob_mark_head),
            ("prob_drop", stats.prob_drop),
        ],
        [
            ("forced_mark", stats.forced_mark),
            ("forced_mark_head", stats.forced_mark_head),
            ("forced_drop", stats.forced_drop),
        ],
    ] {
        out.line(context);
        out.text(" ");
        for (key, value) in [(first, one), (second, two), (third, three)] {
            out.text(format_args!(" {key} {value}"));
            out.json(|json| json.field(key, value));
        }
    }
}

fn red(out: &mut Out<'_, '_>, options: &Red, context: &Context<'_>) {
    use How::Size;
    let Some(parameters) = &options.parameters else { return };
    fields(
        out,
        &[
            ("limit", Some(parameters.limit), Size),
            ("min", Some(parameters.qth_min), Size),
            ("max", Some(parameters.qth_max), Size),
        ],
    );
    red_flags(out, options.flags.map_or(parameters.flags.into(), |[flags, _]| flags));
    if context.details {
        out.number("ewma", "ewma ", parameters.Wlog);
        match options.max_probability {
            None | Some(0) => out.number("Plog", "Plog ", parameters.Plog),
            Some(parts) => probability(out, parts),
        }
        out.number_with("Scell_log", "Scell_log ", parameters.Scell_log, "");
    }
    let events = [("early_drop", options.early_drop_block), ("mark", options.mark_block)];
    let events = events.into_iter().filter_map(|(kind, block)| Some((kind, block?)));
    // 0 is no block; tc tells of none then.
    if events.clone().next().is_none() || events.clone().any(|(_, block)| block == 0) {
        return;
    }
    out.begin_array("qevents");
    for (kind, block) in events {
        out.begin_entry();
        out.string("kind", "qevent ", kind);
        out.number("block", "block ", block);
        out.end_object();
    }
    out.end_array();
}

fn mqprio(out: &mut Out<'_, '_>, options: &Mqprio, context: &Context<'_>) {
    const INDENT: &str = "             ";
    let queues = &options.parameters;
    let classes = usize::from(queues.num_tc);
    out.number("tc", "tc ", queues.num_tc);
    out.text("map ");
    out.begin_array("map");
    for class in queues.prio_tc_map {
        out.text(format_args!("{class} "));
        out.json(|json| json.value(class));
    }
    out.end_array();
    out.line(context);
    out.text(format_args!("{INDENT}queues:"));
    out.begin_array("queues");
    for (first, count) in queues.offset.into_iter().zip(queues.count).take(classes) {
        let last = (u32::from(first) + u32::from(count)).wrapping_sub(1);
        out.text(format_args!("({first}:{last}) "));
        out.json(|json| {
            json.begin_array();
            json.value(first);
            json.value(last);
            json.end_array();
        });
    }
    out.end_array();
    // tc tells of modes where there is any attribute.
    let Mqprio { mode, shaper, min_rates, max_rates, unknown, .. } = options;
    let bare = mode.is_none() && shaper.is_none() && min_rates.is_none() && max_rates.is_none();
    if bare && unknown.is_empty() {
        return;
    }
    for (key, value, channel) in [("mode", mode, "channel"), ("shaper", shaper, "bw_rlimit")] {
        let word = match value {
            None => "dcb",
            Some(1) => channel,
            Some(_) => continue,
        };
        out.line(context);
        out.value(key, &alloc::format!("{INDENT}{key}:"), word);
    }
    for (key, rates) in [("min_rate", min_rates), ("max_rate", max_rates)] {
        let Some(rates) = rates else { continue };
        out.text(format_args!("\t{key}:"));
        out.begin_array(key);
        let all = rates.iter().copied().chain(core::iter::repeat(0));
        for rate in all.take(classes) {
            out.text(format_args!("{} ", Rate(rate)));
            out.json(|json| json.value(rate));
        }
        out.end_array();
    }
}

fn ets(out: &mut Out<'_, '_>, options: &Ets) {
    let (Some(bands), Some(priomap)) = (options.bands, &options.priomap) else { return };
    out.number("bands", "bands ", bands);
    if let Some(strict) = options.strict {
        out.number("strict", "strict ", strict);
    }
    if let Some(quanta) = &options.quanta {
        numbers(out, "quanta", "quanta", quanta);
        out.text(" ");
    }
    numbers(out, "priomap", "priomap", priomap);
    out.text(" ");
}

fn cbs(out: &mut Out<'_, '_>, parameters: &CbsParameters) {
    for (key, label, value) in [
        ("hicredit", "hicredit ", parameters.hicredit),
        ("locredit", "locredit ", parameters.locredit),
        ("sendslope", "sendslope ", parameters.sendslope),
        ("idleslope", "idleslope ", parameters.idleslope),
        ("offload", "offload ", parameters.offload.into()),
    ] {
        out.number(key, label, value);
    }
}

/// A clock by its number.
pub(super) fn clock(id: i32) -> &'static str {
    match id {
        0 => "REALTIME",
        1 => "MONOTONIC",
        7 => "BOOTTIME",
        11 => "TAI",
        _ => "invalid",
    }
}

fn etf(out: &mut Out<'_, '_>, parameters: &EtfParameters) {
    out.string("clockid", "clockid ", clock(parameters.clockid));
    out.number("delta", "delta ", parameters.delta);
    let on = |bit: u32| if parameters.flags & bit == 0 { "off" } else { "on" };
    out.string("offload", "offload ", on(2));
    out.string("deadline_mode", "deadline_mode ", on(1));
    out.value("skip_sock_check", "skip_sock_check ", on(4));
}
