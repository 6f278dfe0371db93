//! Helpers in user space (`linux/netfilter/nfnetlink_cthelper.h`).

use crate::value::IpProtocol;

nl_wire::attributes! {
    /// A helper in user space.
    pub static CTHELPER: "NFCTH" {
        NFCTH_NAME = 1: Text;
        NFCTH_TUPLE = 2: Nest(&CTHELPER_TUPLE);
        NFCTH_QUEUE_NUM = 3: U32Be;
        NFCTH_POLICY = 4: Nest(&CTHELPER_POLICY_SET);
        NFCTH_PRIV_DATA_LEN = 5: U32Be;
        /// 1 enabled, 0 disabled.
        NFCTH_STATUS = 6: U32Be;
    }

    /// What a helper is responsible for.
    pub static CTHELPER_TUPLE: "NFCTH_TUPLE" {
        NFCTH_TUPLE_L3PROTONUM = 1: U16Be;
        NFCTH_TUPLE_L4PROTONUM = 2: Named(&U8, IpProtocol::NAMES);
    }

    /// A helper's classes of expectations.
    pub static CTHELPER_POLICY_SET: "NFCTH_POLICY_SET" {
        NFCTH_POLICY_SET_NUM = 1: U32Be;
        NFCTH_POLICY_SET1 = 2: Nest(&CTHELPER_POLICY);
        NFCTH_POLICY_SET2 = 3: Nest(&CTHELPER_POLICY);
        NFCTH_POLICY_SET3 = 4: Nest(&CTHELPER_POLICY);
        NFCTH_POLICY_SET4 = 5: Nest(&CTHELPER_POLICY);
    }

    /// One class of expectations.
    pub static CTHELPER_POLICY: "NFCTH_POLICY" {
        NFCTH_POLICY_NAME = 1: Text;
        NFCTH_POLICY_EXPECT_MAX = 2: U32Be;
        /// In seconds.
        NFCTH_POLICY_EXPECT_TIMEOUT = 3: U32Be;
    }
}
