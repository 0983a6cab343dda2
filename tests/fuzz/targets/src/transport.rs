//! The target of keys and paths: whatever comes on a media port before and after an agreement.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media_transport::{
    Agreement, Carrier, Input, LocalCertificate, Output, Plan, RelayLogin, RelayServer, Transport,
};
use sdp::{
    Candidate, CandidateKind, DtlsParameters, DtlsRole, Fingerprint, HashFunction, IceCredentials,
    IceParameters, LocalIce,
};

/// Datagrams on a media port, each after two bytes of length, at an end that waits for a handshake, at one that begins
/// one, and at one that checks paths: no keys come of it, and what is sent stays in proportion.
///
/// # Panics
/// When a promise of `media-transport` is broken.
pub fn media_transport(data: &[u8]) {
    let Ok(certificate) = LocalCertificate::generate() else { return };
    let peer = SocketAddr::from(([192, 0, 2, 1], 5000));
    let named = Fingerprint::new(HashFunction::Sha256, vec![7; 32]);
    let dtls = |role| Some(DtlsParameters { role, fingerprints: named.iter().cloned().collect() });
    let local = |who| LocalIce {
        credentials: IceCredentials::from_random(&[who; 32]),
        candidates: vec![Candidate::new(CandidateKind::Host, peer, None)],
    };
    let ice = IceParameters {
        local: local(1),
        remote: local(2).credentials,
        candidates: local(2).candidates,
        controlling: true,
    };
    let agreements = [
        Agreement { remote: peer, dtls: dtls(DtlsRole::Server), ice: None },
        Agreement { remote: peer, dtls: dtls(DtlsRole::Client), ice: None },
        Agreement { remote: peer, dtls: dtls(DtlsRole::Client), ice: Some(ice) },
    ];
    for agreement in agreements {
        let mut now = base();
        let mut transport = Transport::new(certificate.clone());
        let (mut taken, mut sent) = (0_usize, 0_usize);
        for (n, datagram) in super::media::datagrams(data).enumerate() {
            if n == 2 {
                transport.handle_input(now, Input::Agree(agreement.clone()));
            }
            now += Duration::from_millis(20);
            taken += 1;
            transport.handle_input(now, Input::Datagram { link: None, from: peer, data: datagram });
            transport.handle_timeout(now);
            while let Some(output) = transport.poll_output() {
                match output {
                    Output::Send { data, .. } => sent += data.len(),
                    Output::Keys(_) => panic!("keys with a stranger"),
                    Output::Path { .. } => panic!("a path that nobody proved"),
                    Output::Sound { .. } => panic!("sound over a link that is not there"),
                    Output::Failed(_)
                    | Output::Gathered(_)
                    | Output::Open { .. }
                    | Output::Close(_) => {}
                }
            }
        }
        assert!(sent < 8_000 + taken * 2_400, "{sent} bytes for {taken} datagrams");
    }
    relayed(&certificate, peer, data);
}

/// The same as what a relay sends, over datagrams and over a stream.
fn relayed(certificate: &LocalCertificate, here: SocketAddr, data: &[u8]) {
    let address = SocketAddr::from(([192, 0, 2, 9], 3478));
    for carrier in [Carrier::Udp, Carrier::Tcp] {
        let (mut now, mut transport) = (base(), Transport::new(certificate.clone()));
        let login = RelayLogin::new("name".to_owned(), "password".into());
        let server = RelayServer { address, carrier, name: String::new(), login };
        let (others, stun) = (Vec::new(), Vec::new());
        transport
            .handle_input(now, Input::Gather(Plan { here, others, stun, relays: vec![server] }));
        transport.handle_input(now, Input::Opened { link: 0, own: here });
        let (mut taken, mut sent) = (0_usize, 0_usize);
        for datagram in super::media::datagrams(data) {
            now += Duration::from_millis(20);
            taken += datagram.len() + 20;
            let datagram = Input::Datagram { link: Some(0), from: address, data: datagram };
            transport.handle_input(now, datagram);
            transport.handle_timeout(now);
            while let Some(output) = transport.poll_output() {
                if let Output::Send { data, .. } = output {
                    sent += data.len();
                }
            }
        }
        assert!(sent < 8_000 + taken * 120, "{sent} bytes for {taken}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the cores want some instant to count from")]
fn base() -> Instant {
    Instant::now()
}
