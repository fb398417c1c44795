import random

import pytest

from dropscribe.reading.crosscheck import Line, cross_check
from dropscribe.reading.numbers import unsupported_numbers
from dropscribe.reading.support import Letters, gaps, joined_words, surplus_repeats

PAGE = """The boiler of the house was mended on Monday, and the bill comes with this letter.
Please pay 184.50 within thirty days to the account below, and quote invoice 20931.
All rooms were heated again by the evening; two windows in the kitchen still have to be painted.
The painters will come on the 14th of March, weather permitting, and bring their own ladders.
Yours faithfully, Margaret Hollingworth"""
INVENTED = (
    "The shipment left the warehouse before noon although nobody had signed for any of the heavy boxes."
)


def read(text, sure=0.99):
    return [Line(line, sure) for line in text.split("\n")]


def check(text, lines=None):
    return cross_check(text, read(PAGE) if lines is None else lines)


def test_the_same_words_are_verified_whatever_their_order_markup_and_line_breaks():
    lines = PAGE.split("\n")
    for text in (
        PAGE,
        "\n\n".join(reversed(lines)),
        "# " + PAGE.replace("Monday", "**Monday**").replace("\n", "\n- "),
        PAGE.replace(" ", "\n"),
        PAGE.replace("kitchen", "kit-\nchen").upper(),
        "<table><tr><td>" + PAGE.replace("\n", "</td></tr><tr><td>") + "</td></tr></table>",
    ):
        found = check(text)
        assert found.name == "verified", text


def test_what_the_page_does_not_say_is_quoted():
    lines = PAGE.split("\n")
    found = check("\n".join([*lines[:2], INVENTED, *lines[2:]]))
    assert found.name == "check"
    assert found.unsupported == (INVENTED,)
    assert found.missing == ()


def test_what_the_text_leaves_out_is_quoted():
    lines = PAGE.split("\n")
    found = check("\n".join(lines[:2] + lines[3:]))
    assert found.name == "check"
    assert found.missing == (lines[2],)
    assert found.unsupported == ()


def test_a_passage_of_fewer_than_sixty_letters_is_no_finding():
    words = INVENTED[:60]
    assert check(f"{PAGE}\n{words}").unsupported == ()


def test_letters_that_the_second_engine_garbles_do_not_matter():
    chance = random.Random(3)
    garbled = "".join(
        chance.choice("aeinrst") if letter.isalpha() and chance.random() < 0.03 else letter for letter in PAGE
    )
    assert check(PAGE, read(garbled)).name == "verified"


def test_accents_and_ligatures_are_one_letter_to_both():
    assert check(PAGE, read(PAGE.replace("e", "é").replace("a", "ä"))).name == "verified"
    assert Letters.of("Œuvre ﬁn ſo").letters == "oeuvrefinso"


@pytest.mark.parametrize(("number", "wrong"), [("184.50", "184.60"), ("20931", "20981")])
def test_a_changed_digit_is_found_by_the_numbers_alone(number, wrong):
    found = check(PAGE.replace(number, wrong))
    assert (found.name, found.numbers) == ("check", (wrong,))
    assert (found.unsupported, found.missing, found.reason) == ((), (), "")


def test_numbers_are_compared_by_their_digits():
    page = ["Total 1.234,50 EUR", "Tel. 089 123 456", "12 345"]
    for text in (
        "1,234.50",
        "1234.50",
        "089/123456",
        "(089) 123-456",
        "12345",
        "4 items",
        "1. first\n2. second",
    ):
        assert unsupported_numbers(text, page) == (), text
    assert unsupported_numbers("1,234.51 and 1,234.51 and 77", page) == ("1,234.51", "77")
    assert unsupported_numbers("10. tenth\n99) last", ["nothing"]) == ()


def test_a_text_for_an_empty_page_is_suspect():
    for lines in ([], [Line("l.", 0.5)]):
        found = check(PAGE, lines)
        assert found.name == "check"
        assert "found no text" in found.reason
        assert found.unsupported == (" ".join(PAGE.split()),)
    assert check("", []).name == "verified"
    assert check("Page 3", []).name == "unverifiable"


def test_no_text_for_a_full_page_is_suspect():
    found = check("")
    assert found.name == "check"
    assert found.missing == (" ".join(PAGE.split()),)


def test_what_the_second_engine_cannot_read_it_does_not_vouch_for():
    assert "not sure enough" in check(PAGE, read(PAGE, 0.9)).reason
    assert check(PAGE, read(PAGE, 0.9)).name == "unverifiable"
    russian = "Счёт за ремонт котла приложен к этому письму, просим оплатить его в течение месяца."
    assert check(russian, read("CueT 3a peMOHT KoTna npunoxeH K 3ToMy nncbMy")).name == "unverifiable"
    assert check(russian, read("CueT 3a peMOHT", 0.4)).reason == "the second engine does not know this script"
    assert check(f"{PAGE}\nИтого", read(f"{PAGE}\nMToro")).name == "verified"
    japanese = "請求書の合計金額は以下のとおりです。お支払いは三十日以内にお願いいたします。" * 2
    assert check(japanese, read(japanese)).name == "verified"


def test_unsure_lines_are_not_missed():
    specks = [Line("zxqv wfkj pqrs tvwx yzab cdfg hjkl mnpq rstv wxyz bcdf ghjk lmnp qrst", 0.7)]
    assert check(PAGE, read(PAGE) + specks).missing == ()


def test_repeats_that_the_page_does_not_have_are_surplus():
    line = PAGE.split("\n")[2]
    found = check(PAGE + ("\n" + line) * 5)
    assert (found.name, found.unsupported, found.missing) == ("check", (), ())
    assert found.reason == "passages stand there more often than on the page"
    poem = PAGE + ("\n" + line) * 5
    assert check(poem, read(poem)).name == "verified"


def test_cells_that_stand_often_in_a_table_are_no_repeats():
    table = "\n".join(f"{row} Clearing cheque August {row * 7}.00" for row in range(20, 40))
    columns = "\n".join(f"{row}" for row in range(20, 40)) + "\n" + "Clearing cheque\nAugust\n" * 20
    assert surplus_repeats(Letters.of(table), Letters.of(columns)) == 0.0


@pytest.mark.parametrize("share", [0.85, 0.6])
def test_a_text_that_ends_early_is_told_by_its_length(share):
    found = check(PAGE[: round(share * len(PAGE))])
    assert found.name == "check"
    assert "letters, the page" in found.reason


def test_a_text_that_says_much_more_is_told_by_its_length():
    short = "\n".join(" ".join(INVENTED.split()[:4]) + f" {word}" for word in PAGE.split()[:3])
    found = check(f"{PAGE}\n{short}\nand more of that kind, in words, as ever", read(PAGE))
    assert "the page only" in found.reason


def test_formulas_and_prices_are_told_apart():
    formula = r"$\frac{a_{i}}{b} + \sum_{k} \operatorname{longname}(k) \cdot \mathbf{anotherlongname}$"
    assert check(f"{PAGE}\n{formula}").unsupported == ()
    priced = "It costs $12 for the boiler and all its parts and valves and pipes and taps, or $14 with paint."
    assert len(Letters.of(priced)) == sum(map(str.isalpha, priced))


def test_gaps_and_repeats_are_sound_on_any_text():
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(300):
        pieces = [
            "a",
            "ß",
            "ﬁ",
            "İ",
            "é",
            " ",
            "\n",
            "-\n",
            "$",
            "<b>",
            "1",
            "漢",
            "\u0301",
            "word",
            "\ud800",
            "\0",
        ]
        one, two = ("".join(chance.choices(pieces, k=chance.randrange(300))) for _ in range(2))
        text, other = Letters.of(joined_words(one)), Letters.of(joined_words(two))
        assert 0.0 <= surplus_repeats(text, other) <= 1.0
        assert list(gaps(text, text)) == []
        last = 0
        for start, end in gaps(text, other):
            assert last <= start < end <= len(text)
            assert end - start >= 60
            assert text.passage(start, end)
            last = end
        assert cross_check(one, read(two)).name in {"verified", "check", "unverifiable"}


def test_the_better_supported_of_two_answers_is_worth_more():
    lines = PAGE.split("\n")
    right, invented = check(PAGE), check(f"{PAGE}\n{INVENTED}")
    half, third = check("\n".join(lines[:3])), check("\n".join(lines[:2]))
    wrong_digit, wrong_digits = (
        check(PAGE.replace("31", "81")),
        check(PAGE.replace("31", "81").replace("184", "134")),
    )
    foreign = check("Быстрая коричневая лиса перепрыгивает через ленивую собаку")
    assert right.worth > wrong_digit.worth > wrong_digits.worth > invented.worth
    assert right.worth > half.worth > third.worth > foreign.worth
    assert check(PAGE).worth == right.worth


def test_shares_say_how_much_of_the_text_and_of_the_page_was_found():
    lines = PAGE.split("\n")
    assert (check(PAGE).supported, check(PAGE).covered) == (1.0, 1.0)
    dropped = check("\n".join(lines[:2]))
    assert dropped.supported == 1.0
    assert dropped.covered == pytest.approx(0.4, abs=0.1)
    added = check(f"{PAGE}\n{INVENTED}")
    assert added.supported == pytest.approx(0.8, abs=0.1)
    assert added.covered == 1.0
    assert (check("", []).supported, check(INVENTED, []).supported) == (1.0, 0.0)
