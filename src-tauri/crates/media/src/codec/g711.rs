//! G.711 encoding by the recommendation, sample by sample. (The `audio-codec` crate decodes it right, but
//! its A-law encoder takes small negative samples for positive ones and shifts the decision
//! values of all others.)

/// A-law (ITU-T G.711 table 1), from 16-bit linear sound; even bits inverted as transmitted.
pub(super) fn a_law(sample: i16) -> u8 {
    let negative = sample < 0;
    // One's complement magnitude in 12 bits.
    let magnitude =
        u16::from_ne_bytes((if negative { !sample } else { sample }).to_ne_bytes()) >> 4;
    let code = match magnitude.checked_ilog2() {
        None | Some(0..=3) => magnitude,
        Some(top) => {
            let segment = top - 3;
            u16::try_from(segment << 4).unwrap_or(0) | (magnitude >> (segment - 1)) & 0x0f
        }
    };
    let [_, code] = code.to_be_bytes();
    (code | if negative { 0 } else { 0x80 }) ^ 0x55
}

/// µ-law (ITU-T G.711 table 2), from 16-bit linear sound; all bits inverted as transmitted.
pub(super) fn mu_law(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude =
        u16::from_ne_bytes((if negative { !sample } else { sample }).to_ne_bytes()) >> 2;
    // 33 puts the first step of every segment on a power of two.
    let biased = (magnitude + 33).min(0x1fff);
    let segment = biased.ilog2().saturating_sub(5);
    let code = u16::try_from(segment << 4).unwrap_or(0) | (biased >> (segment + 1)) & 0x0f;
    let [_, code] = code.to_be_bytes();
    !(code | if negative { 0x80 } else { 0 })
}
