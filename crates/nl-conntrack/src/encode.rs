//! Flows to bytes.

use alloc::vec::Vec;

use nl_wire::attr::Attrs;
use nl_wire::value::AddressFamily;
use nl_wire::{Attr, Error, RawAttr, Writer};

use crate::flow::Flow;
use crate::tables::{
    CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, CTA_ID, CTA_LABELS, CTA_MARK, CTA_SECCTX,
    CTA_SECCTX_NAME, CTA_SECMARK, CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY, CTA_STATUS, CTA_TIMEOUT,
    CTA_TIMESTAMP, CTA_TIMESTAMP_EVENT, CTA_TIMESTAMP_START, CTA_TIMESTAMP_STOP, CTA_TUPLE_MASTER,
    CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_USE, CTA_ZONE, FLOW,
};
use crate::unknown;

/// Writes a `struct nfgenmsg`.
#[inline]
pub(crate) fn nfgenmsg(writer: &mut Writer<'_>, family: AddressFamily, version: u8) {
    writer.fixed(&[family.0, version, 0, 0]);
}

impl Flow {
    /// Writes the body of a message that reports this flow: `struct nfgenmsg` and every attribute,
    /// in the kernel's order of a listing. Decoding it gives the same flow.
    ///
    /// Requests to the kernel are made by [`Change`](crate::Change), which writes what the kernel
    /// takes.
    ///
    /// # Errors
    /// If helper, labels or unknown attributes are too long, or a name contains a NUL.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, self.family, 0);
        self.write_attributes(writer).map_err(|error| error.in_table(&FLOW))
    }

    /// Writes every attribute, in the kernel's order of a listing.
    ///
    /// # Errors
    /// As [`Flow::write`].
    pub fn write_attributes(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if self.unknown.is_empty() {
            return self.write_known(writer);
        }
        let mut known = Vec::new();
        self.write_known(&mut Writer::attributes(&mut known))?;
        let unknown: Vec<Attr<'_>> = self.unknown.iter().map(RawAttr::as_attr).collect();
        unknown::merge(writer, &Attrs::new(&known), &unknown, &FLOW)
    }

    fn write_known(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        self.original.write(w, CTA_TUPLE_ORIG)?;
        self.reply.write(w, CTA_TUPLE_REPLY)?;
        if let Some(zone) = self.zone {
            w.u16_be(CTA_ZONE, zone);
        }
        if let Some(status) = self.status {
            w.u32_be(CTA_STATUS, status.0);
        }
        if let Some(mark) = self.mark {
            w.u32_be(CTA_MARK, mark);
        }
        if let Some(secmark) = self.secmark {
            w.u32_be(CTA_SECMARK, secmark);
        }
        if let Some(secctx) = &self.secctx {
            w.nest(CTA_SECCTX, |w| w.text(CTA_SECCTX_NAME, secctx.as_bytes()))?;
        }
        if let Some(id) = self.id {
            w.u32_be(CTA_ID, id);
        }
        if let Some(count) = self.use_count {
            w.u32_be(CTA_USE, count);
        }
        if let Some(master) = &self.master {
            master.write(w, CTA_TUPLE_MASTER)?;
        }
        if let Some(timeout) = self.timeout {
            w.u32_be(CTA_TIMEOUT, timeout);
        }
        if let Some(info) = &self.protocol_info {
            info.write(w)?;
        }
        if let Some(counters) = self.original_counters {
            counters.write(w, CTA_COUNTERS_ORIG)?;
        }
        if let Some(counters) = self.reply_counters {
            counters.write(w, CTA_COUNTERS_REPLY)?;
        }
        if self.start.is_some() || self.stop.is_some() {
            w.nest(CTA_TIMESTAMP, |w| {
                if let Some(start) = self.start {
                    w.u64_be(CTA_TIMESTAMP_START, start);
                }
                if let Some(stop) = self.stop {
                    w.u64_be(CTA_TIMESTAMP_STOP, stop);
                }
                Ok(())
            })?;
        }
        if let Some(helper) = &self.helper {
            helper.write(w)?;
        }
        if let Some(labels) = &self.labels {
            w.bytes(CTA_LABELS, labels.as_bytes())?;
        }
        if let Some(adj) = self.original_seq_adj {
            adj.write(w, CTA_SEQ_ADJ_ORIG)?;
        }
        if let Some(adj) = self.reply_seq_adj {
            adj.write(w, CTA_SEQ_ADJ_REPLY)?;
        }
        if let Some(synproxy) = self.synproxy {
            synproxy.write(w)?;
        }
        if let Some(time) = self.event_time {
            w.u64_be(CTA_TIMESTAMP_EVENT, time);
        }
        Ok(())
    }
}
