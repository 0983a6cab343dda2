//! Something on the way between a program and an exchange: it passes datagrams on, reads along and may change them.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

/// A datagram may be this long.
const LONGEST: usize = 65_536;

/// Between which ports of the loopback interface a datagram travels.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The program's.
    pub program: u16,
    /// The relay's own towards the exchange.
    pub outside: u16,
}

/// A running relay for one program. It lasts as long as the test.
#[derive(Debug)]
pub struct Relay {
    /// Where the program sends to.
    pub port: u16,
}

impl Relay {
    /// Stands before an exchange. `pass` makes of each datagram that the program sends what the exchange gets; what
    /// comes back is passed as it is.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(
        exchange: SocketAddr,
        mut pass: impl FnMut(&[u8], Ends) -> Vec<u8> + Send + 'static,
    ) -> Result<Self> {
        let near = UdpSocket::bind("127.0.0.1:0")?;
        let far = UdpSocket::bind("127.0.0.1:0")?;
        far.connect(exchange)?;
        let port = near.local_addr()?.port();
        let outside = far.local_addr()?.port();
        let program = Arc::new(Mutex::new(None));
        let (back, forth, from) = (near.try_clone()?, far.try_clone()?, Arc::clone(&program));
        std::thread::spawn(move || {
            let mut buffer = vec![0; LONGEST];
            while let Ok((length, source)) = near.recv_from(&mut buffer) {
                *from.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
                let ends = Ends { program: source.port(), outside };
                let passed = pass(buffer.get(..length).unwrap_or_default(), ends);
                // A datagram may be lost; it is sent again.
                let _ = forth.send(&passed);
            }
        });
        std::thread::spawn(move || {
            let mut buffer = vec![0; LONGEST];
            while let Ok(length) = far.recv(&mut buffer) {
                let to = *program.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(to) = to {
                    let _ = back.send_to(buffer.get(..length).unwrap_or_default(), to);
                }
            }
        });
        Ok(Self { port })
    }
}
