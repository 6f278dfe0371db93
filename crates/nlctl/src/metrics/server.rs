//! As much of HTTP as a scraper needs, without a thread of its own.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nl_socket::host::{Interrupts, Woken};
use nl_socket::{Poller, Wait};
use nl_watch::metrics::Metrics;

/// Clients at a time; others wait to be accepted.
const CLIENTS_MAX: usize = 16;

/// Bytes of a request.
const REQUEST_MAX: usize = 4096;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often to try again to send to one that does not read fast enough.
const RETRY: Duration = Duration::from_millis(10);

/// Answers requests from within the loop of its owner.
pub(super) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    clients: Vec<Client>,
}

struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    /// What is left to be sent, once the request is there.
    answer: Option<Vec<u8>>,
    end: Instant,
}

impl Server {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, clients: Vec::new() })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes clients, reads requests, sends answers, all without waiting.
    pub(super) fn serve(&mut self, mut text: impl FnMut() -> String) -> io::Result<()> {
        let now = Instant::now();
        while self.clients.len() < CLIENTS_MAX {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    let end = now + PATIENCE;
                    self.clients.push(Client { stream, request: Vec::new(), answer: None, end });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Of the client, which is gone, not of ours.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.clients.retain_mut(|client| client.goes_on(&mut text) && client.end > now);
        Ok(())
    }

    /// When [`Server::serve`] has something to do though nothing is readable.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let soon = Instant::now() + RETRY;
        self.clients.iter().map(|c| if c.answer.is_some() { soon.min(c.end) } else { c.end }).min()
    }

    /// Waits for requests, for `other`, or for a signal.
    pub(super) fn wait(
        &self,
        interrupts: &Interrupts,
        other: impl AsFd,
        wait: Wait,
    ) -> io::Result<Woken> {
        let poller = Poller::new()?;
        poller.add(other, 0)?;
        if self.clients.len() < CLIENTS_MAX {
            poller.add(&self.listener, 0)?;
        }
        for client in self.clients.iter().filter(|client| client.answer.is_none()) {
            poller.add(&client.stream, 0)?;
        }
        interrupts.wait(&poller, wait)
    }
}

impl Client {
    /// Goes on as far as it can; whether something is left to do.
    fn goes_on(&mut self, text: &mut impl FnMut() -> String) -> bool {
        let mut bytes = [0; REQUEST_MAX];
        while self.answer.is_none() {
            match self.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(length) => self.request.extend_from_slice(bytes.get(..length).unwrap_or(&[])),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
            self.answer = answer(&self.request, text);
        }
        let Some(left) = &mut self.answer else { return true };
        while !left.is_empty() {
            match self.stream.write(left) {
                Ok(length) => drop(left.drain(..length.min(left.len()))),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
        // A client that is gone already has it, or does not want it.
        let _ = self.stream.shutdown(Shutdown::Write);
        false
    }
}

/// The answer to a request; `None` if it is not whole yet.
fn answer(request: &[u8], text: &mut impl FnMut() -> String) -> Option<Vec<u8>> {
    let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (status, more, body) = match end {
        None if request.len() < REQUEST_MAX => return None,
        Some(end) if end < REQUEST_MAX => {
            let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
            match *words {
                [method, target, version] if version.starts_with(b"HTTP/1.") => {
                    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
                    match (path, method) {
                        (b"/metrics", b"GET") => ("200 OK", "", text()),
                        (b"/metrics", _) => (
                            "405 Method Not Allowed",
                            "Allow: GET\r\n",
                            "GET is all there is\n".to_owned(),
                        ),
                        _ => ("404 Not Found", "", "see /metrics\n".to_owned()),
                    }
                }
                _ => ("400 Bad Request", "", "this is not HTTP/1\n".to_owned()),
            }
        }
        _ => ("431 Request Header Fields Too Large", "", "too long\n".to_owned()),
    };
    let kind =
        if status.starts_with("200") { Metrics::CONTENT_TYPE } else { "text/plain; charset=utf-8" };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\
         Connection: close\r\n\r\n{body}"
    );
    Some(answer.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &[u8]) -> Option<u16> {
        let answer = String::from_utf8(answer(request, &mut || "x 1\n".to_owned())?).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        head.split(' ').nth(1)?.parse().ok()
    }

    #[test]
    fn requests_are_told_apart() {
        for (request, expected) in [
            (&b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"[..], Some(200)),
            (b"GET /metrics?x=y HTTP/1.0\r\n\r\n", Some(200)),
            (b"POST /metrics HTTP/1.1\r\n\r\n", Some(405)),
            (b"GET / HTTP/1.1\r\n\r\n", Some(404)),
            (b"GET /metrics\r\n\r\n", Some(400)),
            (b"GET  /metrics HTTP/1.1\r\n\r\n", Some(400)),
            (b"\xff\0\r\n\r\n", Some(400)),
            (b"\r\n\r\n", Some(400)),
            (b"GET /metrics HTTP/1.1\r\nHost: a\r\n", None),
            (b"", None),
        ] {
            assert_eq!(status(request), expected, "{request:?}");
        }
        assert_eq!(status(&[b'a'; REQUEST_MAX]), Some(431));
        assert_eq!(status(&[&[b'a'; REQUEST_MAX][..], b"\r\n\r\n"].concat()), Some(431));
    }
}
