"""Numbers in many notations, and what they must be taken for: one line each, `text TAB key TAB dialled`.

The keys come from the PyPI package `phonenumbers`, which follows the numbering plans of all countries. The package
is shown plain numbers only; how they are written down is chosen here. Arguments: how many, and a seed.
"""

import random
import sys

import phonenumbers as pn

count, seed = int(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
TYPES = [pn.PhoneNumberType.FIXED_LINE, pn.PhoneNumberType.MOBILE, pn.PhoneNumberType.TOLL_FREE,
         pn.PhoneNumberType.PREMIUM_RATE, pn.PhoneNumberType.UAN, pn.PhoneNumberType.VOIP]
WITH_ZERO = {"NL", "BE", "DE", "GB", "FR", "CH", "AT", "SE", "TR", "MA"}
OTHERS = ["BE", "DE", "GB", "FR", "US", "IT", "ES", "PL", "TR", "MA", "SR", "CH", "AT", "SE", "DK", "CN", "IN", "AU"]
DUTCH = ["10", "13", "15", "20", "23", "24", "26", "30", "35", "38", "40", "50", "70", "341", "512", "117",
         "61", "62", "63", "64", "65", "68", "800", "900", "906", "909", "85", "88", "87", "84", "970"]


def digits(length):
    return "".join(chance.choice("0123456789") for _ in range(length))


def dutch():
    area = chance.choice(DUTCH)
    lengths = {"800": [4, 7], "900": [4, 7], "906": [4, 7], "909": [4, 7], "970": [8]}
    return "31" + area + digits(chance.choice(lengths.get(area, [9 - len(area)])))


def foreign():
    region = chance.choice(OTHERS)
    example = pn.example_number_for_type(region, chance.choice(TYPES))
    if example is None:
        return None
    text = pn.format_number(example, pn.PhoneNumberFormat.E164)[1:]
    return text[:-4] + digits(4)


def number():
    """A valid number."""
    while True:
        text = dutch() if chance.random() < 0.6 else foreign()
        if text is None:
            continue
        try:
            parsed = pn.parse("+" + text, None)
        except pn.NumberParseException:
            continue
        if pn.is_valid_number(parsed):
            return parsed


def kept(text):
    return "".join(c for c in text if c in "0123456789+")


def written(parsed):
    e164 = pn.format_number(parsed, pn.PhoneNumberFormat.E164)
    region = pn.region_code_for_number(parsed)
    international = pn.format_number(parsed, pn.PhoneNumberFormat.INTERNATIONAL)
    code = str(parsed.country_code)
    rest = e164[1 + len(code):]
    notations = [e164, international, "00" + e164[1:], "00" + code + " " + rest, international.replace(" ", "-"),
                 international.replace(" ", ".")]
    if region in WITH_ZERO:
        notations += ["+" + code + " (0)" + rest, "00" + code + " (0)" + rest]
    if region == "NL":
        national = pn.format_number(parsed, pn.PhoneNumberFormat.NATIONAL)
        notations += [national, national.replace(" ", ""), "0" + rest, "0" + rest[:2] + "/" + rest[2:],
                      "(0" + rest[:2] + ") " + rest[2:]] * 2
    base = chance.choice(notations)
    dialled = kept(base.replace("(0)", "")) if base.startswith(("+", "00")) else kept(base)
    form = chance.random()
    if form < 0.15:
        word = chance.choice([" tst. {}", " tst {}", " toestel {}", ";ext={}", " ext. {}", " doorkies {}", " x{}",
                              " intern {}"])
        return base + word.format(digits(chance.randint(1, 4))), e164, dialled
    if form < 0.22:
        return "sip:" + kept(base.replace("(0)", "")) + "@pbx.example;user=phone", e164, "-"
    if form < 0.30:
        return pn.format_number(parsed, pn.PhoneNumberFormat.RFC3966), e164, e164
    if form < 0.34 and region == "NL" and len(rest) == 9:
        return code + rest, e164, code + rest
    return base, e164, dialled


def short():
    """What must stay as it is typed."""
    text = chance.choice([
        lambda: chance.choice(["112", "113", "144", "116000", "116111", "116123"]),
        lambda: "18" + digits(2),
        lambda: "14" + chance.choice(["010", "020", "030", "070", "0341", "0512"]),
        lambda: str(chance.randint(10, 9999)),
        lambda: "*" + digits(2),
        lambda: "*21*0" + digits(9) + "#",
        lambda: "#31#0" + digits(9),
    ])()
    return text, text, text


def nonsense():
    """A full number that no country has: kept as it is, never another one."""
    while True:
        text = chance.choice("123456789") + digits(chance.randint(7, 12))
        if text.startswith("31"):
            continue
        try:
            if pn.is_valid_number(pn.parse("+" + text, None)):
                continue
        except pn.NumberParseException:
            pass
        return "+" + text, "+" + text, "+" + text


for _ in range(count):
    kind = chance.random()
    row = short() if kind < 0.1 else nonsense() if kind < 0.2 else written(number())
    print("\t".join(row))
