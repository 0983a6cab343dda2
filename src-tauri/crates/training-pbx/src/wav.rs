//! Reading the WAV forms that the speech is stored in: 16 bit linear and IMA ADPCM, mono.

/// Step sizes of IMA ADPCM.
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
    73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449,
    494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272,
    2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493,
    10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
/// How the step index moves with each code's magnitude.
const MOVES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

const LINEAR: u16 = 1;
const IMA_ADPCM: u16 = 0x11;

/// Why a WAV file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WavError {
    /// Not a RIFF file with a format and data.
    #[error("no WAV file")]
    Form,
    /// Stereo, another rate or another coding.
    #[error("not 16 kHz mono in a coding that is read here")]
    Coding,
}

/// Reads a 16 kHz mono file into samples of -1.0 to 1.0.
pub(crate) fn read(file: &[u8]) -> Result<Vec<f32>, WavError> {
    let format = chunk(file, b"fmt ").ok_or(WavError::Form)?;
    let data = chunk(file, b"data").ok_or(WavError::Form)?;
    let coding = short(format, 0).ok_or(WavError::Form)?;
    let channels = short(format, 2).ok_or(WavError::Form)?;
    let rate = format.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    let block = short(format, 12).ok_or(WavError::Form)?;
    if channels != 1 || rate != Some(16_000) {
        return Err(WavError::Coding);
    }
    match coding {
        LINEAR => Ok(linear(data)),
        IMA_ADPCM if block > 4 => {
            let mut samples = Vec::with_capacity(data.len() * 2);
            data.chunks(usize::from(block)).for_each(|block| ima_block(block, &mut samples));
            if let Some(length) = chunk(file, b"fact").and_then(|c| c.first_chunk::<4>()) {
                samples.truncate(u32::from_le_bytes(*length) as usize);
            }
            Ok(samples)
        }
        _ => Err(WavError::Coding),
    }
}

/// The body of the first chunk with this name.
fn chunk<'a>(file: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (head, body) = rest.split_first_chunk::<8>()?;
        let (id, length) = head.split_at(4);
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let body_end = length.min(body.len());
        if id == name {
            return body.get(..body_end);
        }
        rest = body.get(length + length % 2..)?;
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes)
}

fn linear(data: &[u8]) -> Vec<f32> {
    let (pairs, _) = data.as_chunks::<2>();
    pairs.iter().map(|&pair| f32::from(i16::from_le_bytes(pair)) / 32_768.0).collect()
}

/// One block: the first sample and the step index, then four bits per sample, low half first.
fn ima_block(block: &[u8], samples: &mut Vec<f32>) {
    let Some((&[low, high, index, _], codes)) = block.split_first_chunk::<4>() else { return };
    let mut value = i32::from(i16::from_le_bytes([low, high]));
    let mut index = usize::from(index).min(STEPS.len() - 1);
    samples.push(level(value));
    for code in codes.iter().flat_map(|&byte| [byte & 0x0f, byte >> 4]) {
        let step = STEPS.get(index).copied().unwrap_or(7);
        let mut change = step >> 3;
        for (bit, part) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            if code & bit != 0 {
                change += part;
            }
        }
        value += if code & 8 != 0 { -change } else { change };
        value = value.clamp(-32_768, 32_767);
        let by = MOVES.get(usize::from(code & 7)).copied().unwrap_or(0);
        index = index.saturating_add_signed(by as isize).min(STEPS.len() - 1);
        samples.push(level(value));
    }
}

#[expect(clippy::cast_precision_loss, reason = "16 bit fit in an f32")]
fn level(value: i32) -> f32 {
    value as f32 / 32_768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(coding: u16, block: u16, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        file.extend(coding.to_le_bytes());
        file.extend(1u16.to_le_bytes());
        file.extend(16_000u32.to_le_bytes());
        file.extend(0u32.to_le_bytes());
        file.extend(block.to_le_bytes());
        file.extend(16u16.to_le_bytes());
        file.extend(b"data");
        file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn linear_samples_are_read() {
        let read = read(&file(LINEAR, 2, &[0, 0, 0, 0x40, 0, 0x80])).unwrap();
        assert_eq!(read, [0.0, 0.5, -1.0]);
    }

    #[test]
    fn adpcm_rises_with_the_largest_code() {
        let read = read(&file(IMA_ADPCM, 6, &[0, 0, 0, 0, 0x77, 0x77])).unwrap();
        // 7 gives 7+3+1+0 = 11 at the first step, then the steps grow.
        assert_eq!(read.len(), 5);
        assert!(read.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(read[1], 11.0 / 32_768.0);
    }

    #[test]
    fn rubbish_is_refused() {
        assert_eq!(read(b""), Err(WavError::Form));
        assert_eq!(read(&file(7, 2, &[])), Err(WavError::Coding));
        let whole = file(IMA_ADPCM, 6, &[0, 0, 200, 0, 0x77, 0x77]);
        for length in 0..whole.len() {
            let _ = read(&whole[..length]);
        }
    }
}
