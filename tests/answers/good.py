"""Good answers: the true texts of real scans, honest pages by hand, and pages made by a seed, of every kind."""

import random

from tests.reading.pages import CORPUS, HONEST

LANGUAGES = {
    "English": "The meeting begins at nine o'clock in the small hall; please bring your own cup and the signed form",
    "German": "Die Sitzung beginnt um neun Uhr im kleinen Saal, bitte bringen Sie Ihr unterschriebenes Formular mit",
    "French": "La réunion commence à neuf heures dans la petite salle, merci d'apporter le formulaire signé",
    "Spanish": "La reunión empieza a las nueve en la sala pequeña; traiga, por favor, el formulario firmado",
    "Italian": "La riunione inizia alle nove nella sala piccola, si prega di portare il modulo firmato",
    "Dutch": "De vergadering begint om negen uur in de kleine zaal, neem het getekende formulier mee",
    "Polish": "Zebranie zaczyna się o dziewiątej w małej sali, proszę przynieść podpisany formularz",
    "Turkish": "Toplantı saat dokuzda küçük salonda başlıyor, lütfen imzalı formu yanınızda getirin",
    "Russian": "Собрание начинается в девять часов в малом зале, принесите подписанный бланк",
    "Greek": "Η συνάντηση αρχίζει στις εννέα στη μικρή αίθουσα, φέρτε το υπογεγραμμένο έντυπο",
    "Arabic": "يبدأ الاجتماع في الساعة التاسعة في القاعة الصغيرة يرجى إحضار النموذج الموقع",
    "Hebrew": "הפגישה מתחילה בתשע באולם הקטן נא להביא את הטופס החתום",
    "Hindi": "बैठक नौ बजे छोटे हॉल में शुरू होगी कृपया हस्ताक्षरित फ़ॉर्म साथ लाएँ",
    "Japanese": "会議は九時に小ホールで始まります。署名した用紙をお持ちください",
    "Chinese": "会议九点在小厅开始请携带签好的表格和杯子",
    "Korean": "회의는 아홉 시에 작은 홀에서 시작합니다 서명한 양식을 가져오세요",
    "Thai": "การประชุมเริ่มเวลาเก้าโมงที่ห้องเล็ก กรุณานำแบบฟอร์มที่ลงนามแล้วมาด้วย",
    "Latin": "Concilium hora nona in aula minore incipit; formulam subscriptam afferte",
}
GOODS = (
    "Tea",
    "Bread",
    "Milk",
    "Nails 4 x 40",
    "Rope",
    "Paint, white",
    "Screws",
    "Soap",
    "Candles",
    "Coffee",
)
SHORT = (
    "6", "A", "OK", "?", "12", "No.", "Yes", "Exit", "PAID", "Anna", "€ 5", "3/4", "§ 12", "—", "42 %", "No entry",
    "Hello!", "Page 3", "i", "Q.E.D.", "1,5 l", "WC", "Nein", "Oui", "停", "東京", "ok ok", "+49 30 1234", "x",
    "No smoking", "Sold out", "Ω", "H2O", "a@b.example", "Draft", "- 2 -",
    "Table 4", "Copy", "THE END", "Sorry!", "[illegible] Street",
    "0", "I", "No",
)  # fmt: skip
TRICKY = (
    "I'm sorry, I can't make it on Friday. Could we meet on Monday instead? Yours, Tom",
    "The picture shows Anna and her dog.\n\n1. What is the dog called?\n2. Where do they walk?",
    "This page is intentionally left blank.",
    "Here is the list:\n- tea\n- bread",
    "Please let me know if you have any questions.\nKind regards\nH. Pym",
    "As an AI company, we look for people.\nApply until 3 May.",
    "Transcribe the following sentences into your exercise book.\n1. The cat sat on the mat.\n2. It was late.",
    "No text may be copied without permission.",
    "Describe the picture in your own words.\n_____________\n_____________",
    "Figure 2: The image shows the pump from the left.",
    "Reading test\nRead all words aloud, then turn the page.",
    "ERROR: unable to open image file scan.png\nexit status 1",
    "Do not translate, correct or explain. (Rules of the dictation, 1911)",
    "The document is a copy.\nThe original lies in the safe.",
    "Think! <think twice> and sign here.",
    "```\nls -l\n```\nshows the files.",
    "Sure, we can!\nCampaign song, verse 1",
    "Empty.\n\nThe box was empty.",
    "[x] yes\n[ ] no\n[ ] I cannot say",
    "This is a photo of my mother, taken in 1962.\nKeep it well!\nLove, Opa",
)


def good_answers(seed=1, wanted=500):
    """At least so many texts by a name each; the same for the same seed."""
    real = {path.name: path.read_text("utf-8") for path in sorted(CORPUS.glob("*.gt.txt"))}
    texts = {f"real: {name}": text for name, text in real.items() if text.strip()}
    texts |= {f"by hand: {name}": text for name, text in HONEST.items()}
    texts |= {f"short: {text}": text for text in SHORT}
    texts |= {f"tricky: {text[:40]}": text for text in TRICKY}
    draw = random.Random(seed)
    for number in range(max(0, -(-(wanted - len(texts)) // len(MAKERS)))):
        texts |= {f"{make.__name__} {number} of seed {seed}": make(draw) for make in MAKERS}
    return texts


def a_markdown_table(draw):
    rows = [[draw.choice(GOODS), str(draw.randint(1, 9)), _amount(draw)] for _ in range(draw.randint(2, 40))]
    return "\n".join(
        ["| Item | Pieces | Amount |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    )


def a_table_of_zeros(draw):
    width = draw.randint(2, 8)
    cell = draw.choice(("0", "0.00", "-", "", "0,00 €", "n/a"))
    return "\n".join(
        f"| {number:02} | {' | '.join([cell] * width)} |" for number in range(draw.randint(5, 50))
    )


def a_table_in_html(draw):
    rows = "".join(
        f"<tr><td>{draw.choice(GOODS)}</td><td>{_amount(draw)}</td></tr>" for _ in range(draw.randint(2, 40))
    )
    return f"<table><tr><th>Item</th><th>Amount</th></tr>{rows}</table>"


def a_statement(draw):
    return "\n".join(
        f"{draw.randint(1, 28):02} Aug  {draw.choice(('Transfer', 'Card', 'Cash', 'Cheque'))}  {_amount(draw)}  EUR"
        for _ in range(draw.randint(5, 60))
    )


def equal_lines(draw):
    line = draw.choice(
        (
            "Dr. A. Weber, dentist",
            "Ticket 4.50 EUR",
            "Date: ______ Name: ______",
            "yes  no",
            "ditto",
            "□",
            "x x x",
        )
    )
    return "\n".join([line] * draw.randint(3, 12))


def a_receipt(draw):
    lines = [f"{draw.choice(GOODS):<20}{_amount(draw):>8}" for _ in range(draw.randint(1, 30))]
    return "\n".join(
        ["CORNER SHOP", "3 Mill Lane", "", *lines, "-" * 28, f"TOTAL {_amount(draw)}", "THANK YOU"]
    )


def a_poem(draw):
    refrain = f"{_sentence(draw, 'English')},\nso sing we all and say no more\n"
    return "\n".join(f"{_sentence(draw)}\n{_sentence(draw)}\n{refrain}" for _ in range(draw.randint(2, 4)))


def code(draw):
    names = [f"{draw.choice('abcdef')}{draw.randint(0, 99)}" for _ in range(draw.randint(3, 30))]
    body = "\n".join(
        f"    if {name} > {draw.randint(0, 9)}:\n        return {name} + total" for name in names
    )
    return f"def add({', '.join(dict.fromkeys(names))}):\n    total = 0\n{body}\n    return total"


def a_log(draw):
    return "\n".join(
        f"2026-03-{draw.randint(1, 28):02} 10:{draw.randint(0, 59):02} {draw.choice(('INFO', 'WARN', 'ERROR'))} "
        f"request {draw.randint(1000, 9999)} took {draw.randint(1, 900)} ms"
        for _ in range(draw.randint(3, 60))
    )


def json_text(draw):
    return (
        "{\n"
        + ",\n".join(
            f'  "item{n}": {{"amount": "{_amount(draw)}", "tax": null}}' for n in range(draw.randint(1, 30))
        )
        + "\n}"
    )


def contents(draw):
    return "\n".join(
        f"{number}. {_sentence(draw, 'English')[: draw.randint(10, 60)]} {'.' * draw.randint(5, 90)} {number * 7}"
        for number in range(1, draw.randint(4, 30))
    )


def a_form(draw):
    asked = [f"{n}. {_sentence(draw, 'English')[:50]}? □ yes □ no" for n in range(1, draw.randint(4, 30))]
    return "\n".join([*asked, "Date: ____________  Signature: ____________"])


def numbered_equal_lines(draw):
    return "\n".join(f"{number}. ____________________" for number in range(1, draw.randint(5, 40)))


def a_letter(draw):
    language = draw.choice(list(LANGUAGES))
    body = ". ".join(_sentence(draw, language) for _ in range(draw.randint(1, 12)))
    return f"{draw.randint(1, 28)}. 5. 2024\n\n{body}.\n\n{draw.choice(('Anna', 'H. Pym', 'Марина', '李明', 'محمد'))}"


def many_languages(draw):
    return "\n\n".join(_sentence(draw, language) for language in draw.sample(list(LANGUAGES), 5))


def two_columns(draw):
    left, right = (a_receipt(draw).split("\n"), a_statement(draw).split("\n"))
    return "\n".join(f"{one:<40}{other}" for one, other in zip(left, right, strict=False))


def digits(draw):
    return "\n".join(
        " ".join(str(draw.randint(0, 99999)) for _ in range(6)) for _ in range(draw.randint(2, 40))
    )


MAKERS = (
    a_markdown_table, a_table_of_zeros, a_table_in_html, a_statement, equal_lines, a_receipt, a_poem, code, a_log,
    json_text, contents, a_form, numbered_equal_lines, a_letter, many_languages, two_columns, digits,
)  # fmt: skip


def _amount(draw):
    return f"{draw.randint(0, 2000)}.{draw.choice(('00', '50', '99', '05'))}"


def _sentence(draw, language=None):
    """The words of a language, or its signs where it has no spaces, in another order each time."""
    text = LANGUAGES[language or draw.choice(list(LANGUAGES))]
    between = " " if text.count(" ") > 2 else ""
    words = text.split() if between else list(text)
    draw.shuffle(words)
    return between.join(words[: draw.randint(3, len(words))])
