//! Real connections between the demo's two namespaces.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nl_socket::Netns;

use super::nft::{DESTINATION_PORT, SOURCE_PORT};

/// How many connections are made.
pub(super) const CONNECTIONS: usize = 1000;

/// Where the servers listen.
pub(super) const PORT: u16 = 8000;

/// How long anything may take before the demo gives up on it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A pause between two connections: slow enough to be followed by eye.
const PACE: Duration = Duration::from_micros(700);

/// Echo servers for TCP and UDP in `netns`, each a thread that lives as long as the program.
pub(super) fn serve(netns: &Netns) -> io::Result<()> {
    for port in [PORT, SOURCE_PORT] {
        // Both families: IPv4 comes in as mapped addresses.
        let any: SocketAddr = (IpAddr::from([0_u16; 8]), port).into();
        let listener = netns.run(|| TcpListener::bind(any))??;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = echo(stream);
            }
        });
        let socket = netns.run(|| UdpSocket::bind(any))??;
        std::thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut bytes) {
                let _ = socket.send_to(bytes.get(..length).unwrap_or_default(), from);
            }
        });
    }
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = [0; 64];
    loop {
        let length = stream.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(bytes.get(..length).unwrap_or_default())?;
    }
}

/// The kinds of connections, and how many of ten are of each.
#[derive(Clone, Copy)]
struct Kind {
    share: usize,
    tcp: bool,
    to: SocketAddr,
}

/// Makes [`CONNECTIONS`] connections one after another, counting them in `made`.
pub(super) fn connect(
    v4: IpAddr,
    v6: IpAddr,
    elsewhere: IpAddr,
    made: &AtomicUsize,
) -> io::Result<()> {
    let kind = |share, tcp, address, port| Kind { share, tcp, to: (address, port).into() };
    let kinds = [
        kind(3, true, v4, PORT),
        kind(1, true, v6, PORT),
        kind(1, true, v4, SOURCE_PORT),
        kind(1, true, elsewhere, DESTINATION_PORT),
        kind(2, false, v4, PORT),
        kind(1, false, v6, PORT),
        kind(1, false, elsewhere, DESTINATION_PORT),
    ];
    let mut order = kinds.iter().flat_map(|kind| std::iter::repeat_n(kind, kind.share)).cycle();
    for _ in 0..CONNECTIONS {
        let Some(kind) = order.next() else { break };
        if kind.tcp {
            tcp(kind.to)?;
        } else {
            udp(kind.to)?;
        }
        made.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(PACE);
    }
    Ok(())
}

fn tcp(to: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"hello")?;
    stream.read_exact(&mut [0; 5])
}

fn udp(to: SocketAddr) -> io::Result<()> {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(b"hello", to)?;
    // Two answers make the kernel call it an assured stream.
    socket.recv_from(&mut [0; 16]).map(drop)
}
