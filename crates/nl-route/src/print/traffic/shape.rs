//! The options of `tbf`, `htb` and `hfsc` as tc(8) prints them: rates, and bursts at them.

use super::options::{Alternate, How, fields, rate, size};
use super::units::{Size, microseconds, signed};
use super::{Context, Out};
use crate::traffic::options::{
    HfscClass, Htb, HtbParameters, RateSpec, ServiceCurve, SizeTable, Tbf,
};

/// What is sent in so many ticks at a rate, in bytes; as tc computes it.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn sent(rate: u64, ticks: u32) -> u32 {
    (rate as f64 * f64::from(microseconds(ticks)) / 1_000_000.0) as u64 as u32
}

fn linklayer(out: &mut Out<'_, '_>, rate: &RateSpec, context: &Context<'_>) {
    let number = rate.linklayer & 0xf;
    if number > 1 || context.details {
        framing(out, number.into());
    }
}

fn framing(out: &mut Out<'_, '_>, number: u32) {
    let word = match number {
        0 => "unspec",
        1 => "ethernet",
        2 => "atm",
        _ => "unknown",
    };
    out.string("linklayer", "linklayer ", word);
}

/// Appends what packets count as, in a line of its own.
pub(super) fn size_table(out: &mut Out<'_, '_>, table: &SizeTable, context: &Context<'_>) {
    out.begin_object("stab");
    out.text(" ");
    if table.linklayer != 0 {
        framing(out, table.linklayer);
    }
    if table.overhead != 0 {
        out.number("overhead", "overhead ", table.overhead);
    }
    for (key, label, number) in
        [("mpu", "mpu ", table.mpu), ("mtu", "mtu ", table.mtu), ("tsize", "tsize ", table.tsize)]
    {
        if number != 0 {
            out.number(key, label, number);
        }
    }
    out.end_object();
    out.line(context);
}

/// A burst with its granularity and the least size that packets count as, if there are details.
fn burst(
    out: &mut Out<'_, '_>,
    (key, label, short, mpu): (&str, &str, &str, &str),
    (bytes, spec): (u32, &RateSpec),
    context: &Context<'_>,
) {
    if context.details {
        let cell = 1_u32.wrapping_shl(spec.cell_log.into());
        out.string(key, label, format_args!("{}/{cell}", Size(bytes.into())));
        size(out, mpu, "mpu ", spec.mpu.into());
    } else {
        size(out, short, &alloc::format!("{short} "), bytes);
    }
}

#[allow(clippy::cast_precision_loss)] // as tc computes
pub(super) fn tbf(out: &mut Out<'_, '_>, options: &Tbf, context: &Context<'_>) {
    let Some(parameters) = &options.parameters else { return };
    let (spec, peak) = (&parameters.rate, &parameters.peakrate);
    let rate64 = options.rate64.unwrap_or(spec.rate.into());
    let peak64 = options.peakrate64.unwrap_or(peak.rate.into());
    rate(out, "rate", "rate ", rate64);
    burst(
        out,
        ("burst", "burst ", "burst", "mpu"),
        (sent(rate64, parameters.buffer), spec),
        context,
    );
    if peak64 != 0 {
        rate(out, "peakrate", "peakrate ", peak64);
        if parameters.mtu != 0 || peak.mpu != 0 {
            let bytes = sent(peak64, parameters.mtu);
            burst(out, ("mtu", "mtu ", "minburst", "peakrate_mpu"), (bytes, peak), context);
        }
    }
    let latency = |rate: u64, spent: u32| {
        1_000_000.0 * (f64::from(parameters.limit) / rate as f64) - f64::from(microseconds(spent))
    };
    let mut latest = latency(rate64, parameters.buffer);
    if peak64 != 0 {
        latest = latest.max(latency(peak64, parameters.mtu));
    }
    if latest >= 0.0 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = latest as u64 as u32;
        fields(out, &[("lat", Some(whole), How::Time)]);
    } else {
        size(out, "limit", "limit ", parameters.limit);
    }
    if spec.overhead != 0 {
        out.number("overhead", "overhead ", spec.overhead);
    }
    linklayer(out, spec, context);
}

pub(super) fn htb(out: &mut Out<'_, '_>, options: &Htb, context: &Context<'_>) {
    if let Some(parameters) = &options.parameters {
        htb_class(out, options, parameters, context);
    }
    if let Some(defaults) = &options.defaults {
        out.number_with("r2q", "r2q ", signed(defaults.rate2quantum), "");
        out.value("default", " default ", format_args!("{}", Alternate(defaults.defcls)));
        out.number_with("direct_packets_stat", " direct_packets_stat ", defaults.direct_pkts, "");
        if context.details {
            let (major, minor) = (defaults.version >> 16, defaults.version & 0xffff);
            out.value("ver", " ver ", format_args!("{major}.{minor}"));
        }
    }
    if let Some(length) = options.direct_queue {
        out.number_with("direct_qlen", " direct_qlen ", length, "");
    }
    if options.offload.is_some() {
        out.null("offload", " offload");
    }
}

fn htb_class(
    out: &mut Out<'_, '_>,
    options: &Htb,
    parameters: &HtbParameters,
    context: &Context<'_>,
) {
    let HtbParameters { rate: spec, ceil, .. } = parameters;
    if parameters.level == 0 {
        out.number("prio", "prio ", signed(parameters.prio));
        if context.details {
            out.number("quantum", "quantum ", signed(parameters.quantum));
        }
    }
    let rate64 = options.rate64.unwrap_or(spec.rate.into());
    let ceil64 = options.ceil64.unwrap_or(ceil.rate.into());
    rate(out, "rate", "rate ", rate64);
    if spec.overhead != 0 {
        out.number("overhead", "overhead ", spec.overhead);
    }
    rate(out, "ceil", "ceil ", ceil64);
    linklayer(out, spec, context);
    for (key, label, cell_key, mpu_key, bytes, spec) in [
        ("burst", "burst ", "burst_cell", "mpu_rate", sent(rate64, parameters.buffer), spec),
        ("cburst", "cburst ", "cburst_cell", "mpu_ceil", sent(ceil64, parameters.cbuffer), ceil),
    ] {
        if context.details {
            out.text(format_args!("{label}{}/", Size(bytes.into())));
            out.json(|json| json.field(key, bytes));
            out.number(cell_key, "", 1_u32.wrapping_shl(spec.cell_log.into()));
            size(out, mpu_key, "mpu ", spec.mpu.into());
        } else {
            size(out, key, label, bytes);
        }
    }
    if context.details {
        out.number("level", "level ", signed(parameters.level));
    }
}

pub(super) fn hfsc(out: &mut Out<'_, '_>, options: &HfscClass) {
    let HfscClass { real_time, link_share, upper_limit, .. } = *options;
    let both = real_time.filter(|_| real_time == link_share);
    let (real, share) = if both.is_some() { (None, None) } else { (real_time, link_share) };
    for (key, curve) in [("sc", both), ("rt", real), ("ls", share), ("ul", upper_limit)] {
        let Some(ServiceCurve { m1, d, m2 }) = curve else { continue };
        out.begin_object(key);
        out.text(format_args!("{key} "));
        fields(
            out,
            &[("m1", Some(m1), How::Rate), ("d", Some(d), How::Time), ("m2", Some(m2), How::Rate)],
        );
        out.end_object();
    }
}
