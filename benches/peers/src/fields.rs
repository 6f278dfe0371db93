//! What every candidate reads of a message; the same values, or the comparison is void.

/// Of a flow over IPv4: addresses and ports are source and destination, original then reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FlowFields {
    pub addresses: [u32; 4],
    pub ports: [u16; 4],
    pub protocol: u8,
    pub tcp_state: u8,
    pub status: u32,
    pub timeout: u32,
    pub mark: u32,
}

/// Of a route over IPv4.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RouteFields {
    pub length: u8,
    pub destination: u32,
    pub gateway: u32,
    pub oif: u32,
    pub priority: u32,
    pub table: u32,
}

fn mix(sum: u64, value: impl Into<u64>) -> u64 {
    (sum.rotate_left(7) ^ value.into()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl FlowFields {
    pub fn sum(&self) -> u64 {
        let sum = self.addresses.into_iter().fold(0, mix);
        let sum = self.ports.into_iter().fold(sum, mix);
        let sum = [self.protocol, self.tcp_state].into_iter().fold(sum, mix);
        [self.status, self.timeout, self.mark].into_iter().fold(sum, mix)
    }
}

impl RouteFields {
    pub fn sum(&self) -> u64 {
        [self.destination, self.gateway, self.oif, self.priority, self.table]
            .into_iter()
            .fold(mix(0, self.length), mix)
    }
}
