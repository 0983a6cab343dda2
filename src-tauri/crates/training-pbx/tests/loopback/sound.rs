//! G.711 A-law over RTP by hand, and how alike two pieces of sound are.

use std::net::SocketAddr;

use media::codec::{Decoder, Encoder};
use rtp::{RtpHeader, RtpPacket};
use sdp::CodecKind;
use tokio::net::UdpSocket;

use crate::phone::PATIENCE;

/// An offer (or answer) of A-law.
pub(crate) fn offer(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )
}

/// Where the other side wants its RTP.
pub(crate) fn address(description: &[u8]) -> SocketAddr {
    let text = String::from_utf8_lossy(description);
    let line = text.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let port: u16 = line.split(' ').next().unwrap().parse().unwrap();
    ([127, 0, 0, 1], port).into()
}

/// The stored test speech at 8 kHz.
pub(crate) fn test_speech() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/speech/test-speech.wav");
    let mut file = hound::WavReader::open(path).unwrap();
    let samples: Vec<f32> =
        file.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
    // Halving the rate: the mean of two neighbours is filter enough for speech.
    samples.chunks(2).map(|pair| pair.iter().sum::<f32>() / 2.0).collect()
}

/// Sockets for RTP and RTCP on neighbouring ports.
pub(crate) async fn pair() -> (UdpSocket, UdpSocket) {
    loop {
        let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = rtp.local_addr().unwrap().port();
        if let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", port.wrapping_add(1))).await {
            return (rtp, rtcp);
        }
    }
}

/// Listens for that many packets.
pub(crate) async fn record(rtp: &UdpSocket, packets: usize) -> Vec<f32> {
    let mut decoder = Decoder::new(CodecKind::Pcma).unwrap();
    let mut heard = Vec::new();
    for _ in 0..packets {
        listen(rtp, &mut decoder, &mut heard).await;
    }
    every_sixth(&heard)
}

/// Says something, one packet for each that is heard.
pub(crate) async fn converse(
    rtp: &UdpSocket,
    far: SocketAddr,
    said: &[f32],
    packets: usize,
) -> Vec<f32> {
    let mut encoder = Encoder::new(CodecKind::Pcma).unwrap();
    let mut decoder = Decoder::new(CodecKind::Pcma).unwrap();
    let mut heard = Vec::new();
    let frames = said.chunks_exact(160).take(packets);
    for ((frame, sequence), timestamp) in frames.zip(0_u16..).zip((0_u32..).step_by(160)) {
        let sound: Vec<f32> = frame.iter().flat_map(|&sample| [sample; 6]).collect();
        let mut payload = Vec::new();
        encoder.encode(&sound, &mut payload).unwrap();
        let header =
            RtpHeader { marker: sequence == 0, payload_type: 8, sequence, timestamp, ssrc: 77 };
        let mut packet = Vec::new();
        RtpPacket { header, payload: &payload }.write(&mut packet);
        rtp.send_to(&packet, far).await.unwrap();
        listen(rtp, &mut decoder, &mut heard).await;
    }
    every_sixth(&heard)
}

async fn listen(rtp: &UdpSocket, decoder: &mut Decoder, heard: &mut Vec<f32>) {
    let mut datagram = [0; 2_048];
    let received = tokio::time::timeout(PATIENCE, rtp.recv_from(&mut datagram));
    let (length, _) = received.await.expect("no sound").unwrap();
    let packet = RtpPacket::parse(&datagram[..length]).unwrap();
    decoder.decode_48k(packet.payload, heard).unwrap();
}

fn every_sixth(sound: &[f32]) -> Vec<f32> {
    sound.iter().step_by(6).copied().collect()
}

/// The best normalised correlation of `pattern` with any place in `sound`: 1.0 is the same.
pub(crate) fn likeness(pattern: &[f32], sound: &[f32]) -> f32 {
    let energy = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>();
    let own = energy(pattern);
    sound
        .windows(pattern.len())
        .map(|part| {
            let both: f32 = part.iter().zip(pattern).map(|(a, b)| a * b).sum();
            both / (own * energy(part)).sqrt().max(1e-9)
        })
        .fold(0.0, f32::max)
}
