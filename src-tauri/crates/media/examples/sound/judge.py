"""Judges sound files, one request a line: SAID HEARD LAG (samples at 16 kHz by which the second is later).

Answers with mean and least PESQ-WB and the mean PLCMOS of six pieces of 7.5 s, the same for every file: moved by a few
milliseconds, the same sound scores up to 0.3 otherwise.
"""
import sys
import wave

import numpy
import onnxruntime
import pesq
from speechmos import plcmos

RATE, PIECE, PIECES = 16_000, 7 * 16_000 + 8_000, 6
# What PESQ says of the worst sound there is.
LOWEST = 1.0


def read(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def pieces(sound):
    whole = [sound[i * PIECE : (i + 1) * PIECE] for i in range(PIECES)]
    return [piece for piece in whole if len(piece) == PIECE]


def loss_judge():
    judge = plcmos.PLCMOS()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    judge.session = onnxruntime.InferenceSession(judge.model_path, options)
    return judge


def judge_piece(before, after):
    try:
        return pesq.pesq(RATE, before, after, "wb")
    except (ValueError, pesq.PesqError) as error:
        # Nothing was heard in it.
        print(f"a piece that cannot be judged counts as {LOWEST}: {error}", file=sys.stderr)
        return LOWEST


def judge_file(judge, said, heard):
    pairs = list(zip(pieces(said), pieces(heard)))
    scores = [judge_piece(before, after) for before, after in pairs]
    # The judge asks raters that are drawn at random: the same ones for every file.
    numpy.random.seed(1)
    losses = [judge.get_mos(after / 32_768.0) for _, after in pairs]
    return sum(scores) / len(scores), min(scores), sum(losses) / len(losses)


def main():
    judge = loss_judge()
    for line in sys.stdin:
        said, heard, lag = line.rstrip("\n").split("\t")
        print(*judge_file(judge, read(said), read(heard)[int(lag) :]), flush=True)


main()
