"""Organisation ids: every register, its form and its check digit."""

import pytest

from pooling.errors import BadInput
from pooling.reference.organisations import REGISTERS, organisation_id

GOOD = {
    "0192": ["0192:923609016", "0192:971035854"],
    "0007": ["0007:2021005448", "0007:5560125790", "0007:2321000255"],
    "0184": ["0184:29190623", "0184:24256790"],
    "0037": ["0037:01120389", "0037:15675350"],
    "0216": ["0216:003701120389", "0216:00370112038912AB"],
    "0196": ["0196:5003002130"],
    "0088": ["0088:4006381333931", "0088:7300010000001"],
}


def test_every_register_is_tried() -> None:
    assert set(GOOD) == set(REGISTERS)


@pytest.mark.parametrize("text", [text for texts in GOOD.values() for text in texts])
def test_real_numbers_are_kept_as_they_are(text: str) -> None:
    assert organisation_id(text) == text


@pytest.mark.parametrize("text", [text for icd, texts in GOOD.items() if icd != "0196" for text in texts])
def test_every_mistyped_digit_is_found(text: str) -> None:
    icd, _, number = text.partition(":")
    checked = range(4, 12) if icd == "0216" else range(len(number))
    for place in checked:
        for digit in "0123456789":
            if digit != number[place]:
                wrong = number[:place] + digit + number[place + 1 :]
                with pytest.raises(BadInput, match="check digit"):
                    organisation_id(f"{icd}:{wrong}")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" 0192:923 609 016 ", "0192:923609016"),
        ("0007:202100-5448", "0007:2021005448"),
        ("0037:0112038-9", "0037:01120389"),
        ("0184:DK29190623", "0184:29190623"),
        ("0196:500300-2130", "0196:5003002130"),
    ],
)
def test_blanks_and_hyphens_are_left_out(text: str, stored: str) -> None:
    assert organisation_id(text) == stored


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("923609016", "write REGISTER:NUMBER with one of 0192"),
        ("9999:923609016", "write REGISTER:NUMBER"),
        ("0192", "write REGISTER:NUMBER"),
        ("0192:", "is 9 digits"),
        ("0192:92360901", "is 9 digits"),
        ("0192:92360901٦", "is 9 digits"),
        ("0007:20210054480", "is 10 digits"),
        ("0088:400638133393X", "is 13 digits"),
        ("0216:123401120389", "0037, the y-tunnus"),
    ],
)
def test_other_forms_are_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        organisation_id(text)
