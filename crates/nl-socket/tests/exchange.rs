//! The engine, fed with every order of messages that a kernel or an impostor can think of.

mod exchange_common;

use nl_socket::Loss;
use nl_socket::exchange::{End, Exchange, Output};
use nl_testkit::every_truncation;
use nl_wire::Mode::{Change, Dump, Get};
use nl_wire::ack::NLMSGERR_ATTR_MSG;
use nl_wire::header::{NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN};
use nl_wire::{Errno, Flags, Mode, Writer};

use exchange_common::*;

/// An engine that expects these requests: sequence, mode, whether an ack was asked for.
fn expecting(requests: &[(u32, Mode, bool)]) -> Exchange {
    let mut exchange = Exchange::new(PORT);
    for &(sequence, mode, acked) in requests {
        exchange.expect(sequence, mode, acked);
    }
    exchange
}

/// Feeds whole datagrams one after another.
fn replay(exchange: &mut Exchange, datagrams: &[Vec<u8>]) -> Vec<Got> {
    datagrams.iter().flat_map(|bytes| feed(exchange, &whole(bytes), 2000)).collect()
}

#[test]
fn a_change_ends_with_its_ack() {
    let mut exchange = expecting(&[(1, Change, true)]);
    assert!(!exchange.is_idle());
    assert_eq!(replay(&mut exchange, &[ack(1)]), [Got::Acked(1)]);
    assert!(exchange.is_idle());
}

#[test]
fn a_refusal_is_told_with_all_that_the_kernel_says() {
    let mut exchange = expecting(&[(1, Change, true)]);
    let mut text = Vec::new();
    Writer::attributes(&mut text).text(NLMSGERR_ATTR_MSG, b"no such door").unwrap();
    let mut refusal = error(1, 2);
    refusal.extend(text);
    let length = u32::try_from(refusal.len()).unwrap();
    refusal[..4].copy_from_slice(&length.to_ne_bytes());
    refusal[6..8].copy_from_slice(&(Flags::CAPPED | Flags::ACK_TLVS).0.to_ne_bytes());
    let mut offset = 0;
    let output = exchange.next(&whole(&refusal), &mut offset);
    let Some(Output::End { sequence: 1, end: End::Ack { ack, interrupted: false }, .. }) = output
    else {
        panic!("{output:?}")
    };
    assert_eq!((ack.errno, ack.extended.message), (Errno::ENOENT, Some(&b"no such door"[..])));
}

#[test]
fn an_ack_comes_in_the_second_datagram() {
    let mut exchange = expecting(&[(1, Change, true)]);
    assert_eq!(replay(&mut exchange, &[entry(PLAIN, 1)]), [Got::Reply(1)]);
    assert!(!exchange.is_idle());
    assert_eq!(replay(&mut exchange, &[ack(1)]), [Got::Acked(1)]);
}

#[test]
fn a_get_reply_flagged_multi_has_no_done_behind() {
    let mut exchange = expecting(&[(1, Get, false)]);
    assert_eq!(replay(&mut exchange, &[entry(MULTI, 1)]), [Got::Reply(1), Got::Silent(1)]);
    assert!(exchange.is_idle());
}

#[test]
fn a_get_that_asked_for_an_ack_ends_with_it() {
    let mut exchange = expecting(&[(1, Get, true)]);
    assert_eq!(replay(&mut exchange, &[entry(PLAIN, 1)]), [Got::Reply(1)]);
    assert!(!exchange.is_idle());
    assert_eq!(replay(&mut exchange, &[ack(1)]), [Got::Acked(1)]);
}

#[test]
fn a_get_is_refused_or_acked_without_a_reply() {
    let mut exchange = expecting(&[(1, Get, false), (2, Get, false), (3, Get, true)]);
    assert_eq!(
        replay(&mut exchange, &[error(1, 19), ack(2), error(3, 1)]),
        [Got::Refused(1, Errno::ENODEV), Got::Acked(2), Got::Refused(3, Errno::EPERM)]
    );
}

#[test]
fn a_dump_ends_with_done_alone_or_behind_entries() {
    for datagrams in [
        vec![entry(MULTI, 1), entry(MULTI, 1), done(PLAIN, 1, 0)],
        vec![[entry(MULTI, 1), entry(MULTI, 1), done(PLAIN, 1, 0)].concat()],
    ] {
        let mut exchange = expecting(&[(1, Dump, false)]);
        assert_eq!(
            replay(&mut exchange, &datagrams),
            [Got::Reply(1), Got::Reply(1), Got::Acked(1)]
        );
    }
}

#[test]
fn done_carries_an_errno_and_a_text() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    let mut body = (-2_i32).to_ne_bytes().to_vec();
    let text = b"ipv4: FIB table does not exist";
    Writer::attributes(&mut body).text(NLMSGERR_ATTR_MSG, text).unwrap();
    let flags = MULTI | Flags::ACK_TLVS;
    let datagram = [entry(MULTI, 1), message(NLMSG_DONE, flags, 1, PORT, &body)].concat();
    let (datagram, mut offset) = (whole(&datagram), 0);
    assert!(matches!(exchange.next(&datagram, &mut offset), Some(Output::Reply { .. })));
    let output = exchange.next(&datagram, &mut offset);
    let Some(Output::End { end: End::Ack { ack, .. }, .. }) = output else { panic!("{output:?}") };
    assert_eq!((ack.errno, ack.extended.message), (Errno::ENOENT, Some(&text[..])));
    assert!(exchange.is_idle());
}

#[test]
fn an_empty_done_is_a_success() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    let done = message(NLMSG_DONE, MULTI, 1, PORT, &[]);
    assert_eq!(replay(&mut exchange, &[done]), [Got::Acked(1)]);
}

#[test]
fn a_dump_is_refused_by_an_error_message() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    assert_eq!(replay(&mut exchange, &[error(1, 34)]), [Got::Refused(1, Errno::ERANGE)]);
    assert!(exchange.is_idle());
}

#[test]
fn one_message_or_done_alone_tells_of_an_interruption() {
    let interrupted = Flags::DUMP_INTR;
    for datagrams in [
        [entry(MULTI | interrupted, 1), entry(MULTI, 1), done(PLAIN, 1, 0)],
        [entry(MULTI, 1), entry(MULTI | interrupted, 1), done(PLAIN, 1, 0)],
        [entry(MULTI, 1), entry(MULTI, 1), done(interrupted, 1, 0)],
    ] {
        let mut exchange = expecting(&[(1, Dump, false)]);
        assert_eq!(
            replay(&mut exchange, &datagrams),
            [Got::Reply(1), Got::Reply(1), Got::Interrupted(1)]
        );
        // The next dump begins anew.
        exchange.expect(2, Dump, false);
        assert_eq!(replay(&mut exchange, &[done(PLAIN, 2, 0)]), [Got::Acked(2)]);
    }
}

#[test]
fn a_refusal_outweighs_an_interruption() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    let datagrams = [entry(MULTI | Flags::DUMP_INTR, 1), done(PLAIN, 1, 19)];
    assert_eq!(replay(&mut exchange, &datagrams), [Got::Reply(1), Got::Refused(1, Errno::ENODEV)]);
}

#[test]
fn stale_sequence_numbers_end_nothing() {
    let mut exchange = expecting(&[(7, Change, true)]);
    let stale = |sequence| Got::Loss(Loss::Stale { sequence });
    let datagrams = [ack(6), entry(PLAIN, 6), done(PLAIN, 8, 0), ack(u32::MAX), ack(7), ack(7)];
    assert_eq!(
        replay(&mut exchange, &datagrams),
        [stale(6), stale(6), stale(8), stale(u32::MAX), Got::Acked(7), stale(7)]
    );
}

#[test]
fn a_stranger_is_refused_and_disturbs_nothing() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    assert_eq!(replay(&mut exchange, &[entry(MULTI, 1)]), [Got::Reply(1)]);
    let forged = [entry(MULTI, 1), ack(1), done(Flags::DUMP_INTR, 1, 0)].concat();
    for bytes in [&forged[..], &forged[..7], &[]] {
        let got = feed(&mut exchange, &foreign(bytes, 99), 1);
        assert_eq!(got, [Got::Loss(Loss::Foreign { port: 99 })], "one loss a datagram");
        let got = feed(&mut exchange, &foreign(bytes, PORT), 1);
        assert_eq!(got, [Got::Loss(Loss::Foreign { port: PORT })], "we ourselves are no kernel");
    }
    let datagrams = [entry(MULTI, 1), done(PLAIN, 1, 0)];
    assert_eq!(replay(&mut exchange, &datagrams), [Got::Reply(1), Got::Acked(1)]);
}

#[test]
fn another_process_s_event_may_carry_our_sequence_number() {
    let mut exchange = expecting(&[(1, Get, false)]);
    let theirs = message(ENTRY, PLAIN, 1, 99, b"their change");
    assert_eq!(replay(&mut exchange, &[theirs]), [Got::Event(99, 1)]);
    // Nobody sends such acks to us; they say nothing about our request.
    for kind in [NLMSG_ERROR, NLMSG_DONE] {
        assert_eq!(replay(&mut exchange, &[message(kind, PLAIN, 1, 99, &[0; 20])]), []);
    }
    assert_eq!(replay(&mut exchange, &[entry(PLAIN, 1)]), [Got::Reply(1), Got::Silent(1)]);
}

#[test]
fn events_may_be_mixed_into_a_dump() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    let event = |port| message(ENTRY, PLAIN, 0, port, b"event");
    let datagrams = [
        event(0),
        [entry(MULTI, 1), event(99), entry(MULTI, 1)].concat(),
        event(PORT),
        done(PLAIN, 1, 0),
        event(0),
    ];
    assert_eq!(
        replay(&mut exchange, &datagrams),
        [
            Got::Event(0, 0),
            Got::Reply(1),
            Got::Event(99, 0),
            Got::Reply(1),
            Got::Event(PORT, 0),
            Got::Acked(1),
            Got::Event(0, 0)
        ]
    );
}

#[test]
fn a_truncated_datagram_gives_its_whole_messages_first() {
    let bytes = [entry(MULTI, 1), entry(MULTI, 1), entry(MULTI, 1)].concat();
    let each = bytes.len() / 3;
    for kept in 0..bytes.len() {
        let mut exchange = expecting(&[(1, Dump, false)]);
        let mut got = feed(&mut exchange, &cut(&bytes, kept), 1);
        let loss = Loss::Truncated { length: bytes.len(), kept };
        assert_eq!(got.pop(), Some(Got::Loss(loss)), "{kept}");
        // The last three bytes of each are padding, which may be missing.
        assert_eq!(got, vec![Got::Reply(1); (kept + 3) / each], "{kept}");
        assert!(!exchange.is_idle());
    }
}

#[test]
fn an_ack_too_short_to_be_read_ends_its_request() {
    let damaged = message(NLMSG_ERROR, PLAIN, 1, PORT, &[0, 0, 0]);
    let headless = message(NLMSG_ERROR, PLAIN, 1, PORT, &[0; 12]);
    let done = message(NLMSG_DONE, MULTI, 1, PORT, &[0; 2]);
    for bytes in [damaged, headless, done] {
        let mut exchange = expecting(&[(1, Change, true)]);
        assert_eq!(replay(&mut exchange, &[bytes]), [Got::Damaged(1)]);
        assert!(exchange.is_idle());
    }
}

#[test]
fn an_ack_cut_off_by_truncation_is_a_loss() {
    every_truncation(&ack(1), |kept| {
        let mut exchange = expecting(&[(1, Change, true)]);
        let got = feed(&mut exchange, &cut(&ack(1), kept.len()), 1);
        let loss = Loss::Truncated { length: 36, kept: kept.len() };
        assert_eq!(got, [Got::Loss(loss)]);
        assert!(!exchange.is_idle());
    });
}

#[test]
fn a_second_dump_is_busy_amid_the_first() {
    let mut exchange = expecting(&[(1, Dump, false), (2, Dump, false)]);
    let datagrams = [entry(MULTI, 1), error(2, 16), entry(MULTI, 1), done(PLAIN, 1, 0)];
    assert_eq!(
        replay(&mut exchange, &datagrams),
        [Got::Reply(1), Got::Refused(2, Errno::EBUSY), Got::Reply(1), Got::Acked(1)]
    );
}

#[test]
fn a_get_is_answered_amid_a_dump() {
    let mut exchange = expecting(&[(1, Dump, false), (2, Get, false)]);
    let datagrams = [entry(MULTI, 1), entry(PLAIN, 2), entry(MULTI, 1), done(PLAIN, 1, 0)];
    assert_eq!(
        replay(&mut exchange, &datagrams),
        [Got::Reply(1), Got::Reply(2), Got::Silent(2), Got::Reply(1), Got::Acked(1)]
    );
}

#[test]
fn an_error_may_come_before_the_reply() {
    let mut exchange = expecting(&[(1, Get, false), (2, Dump, false)]);
    let stale = Got::Loss(Loss::Stale { sequence: 1 });
    assert_eq!(
        replay(&mut exchange, &[error(1, 5), entry(PLAIN, 1), entry(MULTI, 2), done(PLAIN, 2, 0)]),
        [Got::Refused(1, Errno::EIO), stale, Got::Reply(2), Got::Acked(2)]
    );
}

#[test]
fn the_last_ack_of_a_batch_speaks_for_those_before() {
    let batch = [(1, Change, false), (2, Change, false), (3, Change, false), (4, Change, true)];
    let mut exchange = expecting(&batch);
    assert_eq!(
        replay(&mut exchange, &[ack(4)]),
        [Got::Silent(1), Got::Silent(2), Got::Silent(3), Got::Acked(4)]
    );
    assert!(exchange.is_idle());
}

#[test]
fn changes_that_end_without_a_word_are_told_together() {
    let together = |output: Option<Output<'_>>| match output {
        Some(Output::End { first, sequence, .. }) => (first, sequence),
        other => panic!("{other:?}"),
    };
    // Number 5 was not sent: what is not numbered through is told apart.
    let requests = [1, 2, 3, 4, 6, 7, 8].map(|n| (n, Change, n == 8));
    let mut exchange = expecting(&requests);
    let bytes = [error(3, 17), ack(8)].concat();
    let (datagram, mut offset) = (whole(&bytes), 0);
    for expected in [(1, 2), (3, 3), (4, 4), (6, 7), (8, 8)] {
        assert_eq!(together(exchange.next(&datagram, &mut offset)), expected);
    }
    assert!(exchange.is_idle());

    let mut exchange = expecting(&requests);
    exchange.overrun();
    assert_eq!([1, 2, 3].map(|_| together(exchange.drained())), [(1, 4), (6, 7), (8, 8)]);
    assert!(exchange.is_idle());

    // What nobody wants to know any more is in the midst of others.
    for (nobody, left) in [(1, (2, 4)), (4, (1, 3))] {
        let mut exchange = expecting(&requests[..4]);
        exchange.abandon(nobody);
        exchange.overrun();
        assert_eq!(together(exchange.drained()), left);
    }
    let mut exchange = expecting(&requests);
    exchange.abandon(2);
    exchange.abandon(6);
    let stale = Got::Loss(Loss::Stale { sequence: 2 });
    assert_eq!(
        replay(&mut exchange, &[error(2, 17), ack(8)]),
        [vec![stale], [1, 3, 4, 7].map(Got::Silent).to_vec(), vec![Got::Acked(8)]].concat()
    );
}

#[test]
fn changes_numbered_to_the_end_of_numbers_are_told_apart() {
    let requests = [u32::MAX - 1, u32::MAX, 1, 2].map(|n| (n, Change, n == 2));
    assert_eq!(
        replay(&mut expecting(&requests), &[ack(2)]),
        [Got::Silent(u32::MAX - 1), Got::Silent(u32::MAX), Got::Silent(1), Got::Acked(2)]
    );
    let mut exchange = expecting(&requests);
    exchange.abandon(u32::MAX);
    assert_eq!(
        replay(&mut exchange, &[error(1, 17), error(2, 17)]),
        [Got::Silent(u32::MAX - 1), Got::Refused(1, Errno::EEXIST), Got::Refused(2, Errno::EEXIST)]
    );
}

#[test]
fn refusals_in_a_batch_speak_for_those_before_them() {
    let mut exchange = expecting(&(1..=8).map(|n| (n, Change, n == 8)).collect::<Vec<_>>());
    let exists = |sequence| Got::Refused(sequence, Errno::EEXIST);
    assert_eq!(
        replay(&mut exchange, &[error(1, 17), [error(4, 17), error(5, 17)].concat()]),
        [exists(1), Got::Silent(2), Got::Silent(3), exists(4), exists(5)]
    );
    assert_eq!(replay(&mut exchange, &[error(8, 17)]), [Got::Silent(6), Got::Silent(7), exists(8)]);
}

#[test]
fn an_echo_in_a_batch_is_a_reply_to_its_request() {
    let mut exchange = expecting(&[(1, Change, false), (2, Change, true)]);
    assert_eq!(
        replay(&mut exchange, &[entry(PLAIN, 1), entry(PLAIN, 2), ack(2)]),
        [Got::Reply(1), Got::Reply(2), Got::Silent(1), Got::Acked(2)]
    );
}

#[test]
fn after_an_overrun_what_is_queued_counts_and_the_rest_is_unknown() {
    let mut exchange = expecting(&(1..=6).map(|n| (n, Change, n == 6)).collect::<Vec<_>>());
    exchange.overrun();
    assert!(exchange.is_overrun());
    assert_eq!(
        replay(&mut exchange, &[error(1, 17), error(3, 2)]),
        [Got::Refused(1, Errno::EEXIST), Got::Silent(2), Got::Refused(3, Errno::ENOENT)]
    );
    assert_eq!(drain(&mut exchange), [4, 5, 6].map(Got::Unknown));
    assert!(exchange.is_idle());
}

#[test]
fn a_last_ack_behind_an_overrun_proves_no_silent_success() {
    let mut exchange = expecting(&(1..=4).map(|n| (n, Change, n == 4)).collect::<Vec<_>>());
    exchange.overrun();
    assert_eq!(
        replay(&mut exchange, &[error(1, 17), ack(4)]),
        [Got::Refused(1, Errno::EEXIST), Got::Unknown(2), Got::Unknown(3), Got::Acked(4)]
    );
}

#[test]
fn the_end_of_a_dump_behind_an_overrun_proves_no_silent_success() {
    let mut exchange = expecting(&[(1, Change, false), (2, Dump, false), (3, Change, true)]);
    exchange.overrun();
    assert_eq!(replay(&mut exchange, &[done(PLAIN, 2, 0)]), [Got::Acked(2)]);
    assert_eq!(drain(&mut exchange), [Got::Unknown(1), Got::Unknown(3)]);
}

#[test]
fn an_overrun_leaves_dumps_alone() {
    let mut exchange = expecting(&[(1, Dump, false), (2, Get, false), (3, Change, true)]);
    exchange.overrun();
    assert_eq!(replay(&mut exchange, &[entry(MULTI, 1)]), [Got::Reply(1)]);
    assert_eq!(drain(&mut exchange), [Got::Unknown(2), Got::Unknown(3)]);
    assert_eq!(
        replay(&mut exchange, &[entry(MULTI, 1), done(PLAIN, 1, 0)]),
        [Got::Reply(1), Got::Acked(1)]
    );
}

#[test]
fn an_overrun_is_over_with_the_last_request_that_it_hit() {
    let mut exchange = expecting(&[(1, Change, false), (2, Change, true), (3, Dump, false)]);
    exchange.overrun();
    assert_eq!(exchange.drained().map(Got::from), Some(Got::Unknown(1)));
    assert!(exchange.is_overrun());
    assert_eq!(exchange.drained().map(Got::from), Some(Got::Unknown(2)));
    exchange.expect(4, Change, true);
    assert_eq!(drain(&mut exchange), []);
    assert_eq!(replay(&mut exchange, &[ack(4)]), [Got::Acked(4)]);
}

#[test]
fn without_an_overrun_an_empty_queue_says_nothing() {
    let mut exchange = expecting(&[(1, Change, true)]);
    assert_eq!(drain(&mut exchange), []);
    assert_eq!(replay(&mut exchange, &[ack(1)]), [Got::Acked(1)]);
}

#[test]
fn control_messages_without_meaning_are_passed_over() {
    let mut exchange = expecting(&[(1, Dump, false)]);
    let control = |kind| message(kind, PLAIN, 1, PORT, &[0; 4]);
    let noise: Vec<u8> = [0, NLMSG_NOOP, 5, 9, 15].into_iter().flat_map(control).collect();
    let datagram = [&noise[..], &entry(MULTI, 1), &noise, &done(PLAIN, 1, 0), &noise].concat();
    assert_eq!(replay(&mut exchange, &[datagram]), [Got::Reply(1), Got::Acked(1)]);
    let overrun = Got::Loss(Loss::Overrun { dropped: 0 });
    assert_eq!(replay(&mut exchange, &[control(NLMSG_OVERRUN)]), [overrun]);
}

#[test]
fn an_abandoned_dump_is_swallowed_to_its_end() {
    let mut exchange = expecting(&[(1, Dump, false), (2, Get, false)]);
    assert_eq!(replay(&mut exchange, &[entry(MULTI, 1)]), [Got::Reply(1)]);
    exchange.abandon(1);
    let datagrams = [entry(MULTI, 1), [entry(MULTI, 1), entry(PLAIN, 2)].concat()];
    assert_eq!(replay(&mut exchange, &datagrams), [Got::Reply(2), Got::Silent(2)]);
    assert!(!exchange.is_idle(), "the kernel would refuse another dump");
    assert_eq!(replay(&mut exchange, &[done(PLAIN, 1, 2)]), []);
    assert!(exchange.is_idle());
}

#[test]
fn other_abandoned_requests_are_forgotten_at_once() {
    let mut exchange = expecting(&[(1, Change, true), (2, Get, false), (3, Get, true)]);
    for sequence in 1..=3 {
        exchange.abandon(sequence);
    }
    assert!(exchange.is_idle());
    let stale = |sequence| Got::Loss(Loss::Stale { sequence });
    assert_eq!(replay(&mut exchange, &[ack(1), entry(PLAIN, 2)]), [stale(1), stale(2)]);
}

#[test]
fn a_get_abandoned_at_its_reply_leaves_nothing_stale() {
    let mut exchange = expecting(&[(1, Get, false)]);
    let (bytes, mut offset) = ([entry(PLAIN, 1), entry(PLAIN, 2)].concat(), 0);
    let output = exchange.next(&whole(&bytes), &mut offset).map(Got::from);
    assert_eq!(output, Some(Got::Reply(1)));
    exchange.abandon(1);
    exchange.expect(2, Get, false);
    let output = exchange.next(&whole(&bytes), &mut offset).map(Got::from);
    assert_eq!(output, Some(Got::Reply(2)));
}

#[test]
fn everything_can_be_forgotten() {
    let mut exchange = expecting(&[(1, Change, true), (2, Dump, false)]);
    exchange.forget_all();
    assert!(exchange.is_idle());
    assert_eq!(replay(&mut exchange, &[ack(1)]), [Got::Loss(Loss::Stale { sequence: 1 })]);
}

#[test]
fn a_damaged_length_ends_the_datagram_and_nothing_else() {
    for length in [0_u32, 15, 1000, u32::MAX] {
        let mut exchange = expecting(&[(1, Dump, false)]);
        let mut damaged = entry(MULTI, 1);
        damaged[..4].copy_from_slice(&length.to_ne_bytes());
        let datagram = [entry(MULTI, 1), damaged, entry(MULTI, 1)].concat();
        let got = replay(&mut exchange, &[datagram]);
        assert_eq!(got[0], Got::Reply(1));
        assert!(matches!(got[1..], [Got::Loss(Loss::Damaged(_))]), "{got:?}");
        assert_eq!(replay(&mut exchange, &[done(PLAIN, 1, 0)]), [Got::Acked(1)]);
    }
}

#[test]
fn an_empty_datagram_says_nothing() {
    let mut exchange = expecting(&[(1, Change, true)]);
    assert_eq!(feed(&mut exchange, &whole(&[]), 1), []);
    let loss = Loss::Truncated { length: 36, kept: 0 };
    assert_eq!(feed(&mut exchange, &cut(&ack(1), 0), 1), [Got::Loss(loss)]);
    assert!(!exchange.is_idle());
}

#[test]
fn two_requests_of_one_sequence_number_end_one_by_one() {
    let mut exchange = expecting(&[(5, Get, true), (5, Get, false)]);
    let absent = Got::Refused(5, Errno::ENODEV);
    assert_eq!(replay(&mut exchange, &[error(5, 19), error(5, 19)]), [absent, absent]);
    assert!(exchange.is_idle());
}
