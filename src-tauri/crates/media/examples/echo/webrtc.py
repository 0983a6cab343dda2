"""What WebRTC's own audio processing makes of a microphone: MICROPHONE SPEAKER OUT, 16-bit mono at 48 kHz, what the devices
hold in milliseconds, and then any of the words echo, noise and gain."""
import sys
import wave

from livekit.rtc.apm import AudioProcessingModule
from livekit.rtc.audio_frame import AudioFrame

RATE, BLOCK = 48_000, 480


def blocks(path):
    with wave.open(path) as file:
        while len(block := file.readframes(BLOCK)) == 2 * BLOCK:
            yield AudioFrame(block, RATE, 1, BLOCK)


def main():
    microphone, speaker, out, delay, *wanted = sys.argv[1:]
    chain = AudioProcessingModule(
        echo_cancellation="echo" in wanted,
        noise_suppression="noise" in wanted,
        high_pass_filter=True,
        auto_gain_control="gain" in wanted,
    )
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for heard, played in zip(blocks(microphone), blocks(speaker)):
            chain.set_stream_delay_ms(int(delay))
            chain.process_stream(heard)
            file.writeframes(bytes(heard.data))
            chain.process_reverse_stream(played)


main()
