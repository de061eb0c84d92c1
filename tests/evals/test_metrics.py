"""Golden cases of every metric. Each known defect of public harnesses has one; a case that fails is a wrong score."""

import math

import pytest

from clearsight.data.verify import Truth
from clearsight.evals.metrics.amber import amber_caption, amber_summary
from clearsight.evals.metrics.anls import anls
from clearsight.evals.metrics.bleu import bleu, corpus_bleu
from clearsight.evals.metrics.boxes import box_overlap, point_in_box
from clearsight.evals.metrics.by_name import METRICS, MetricError, by_name
from clearsight.evals.metrics.calibration import calibration
from clearsight.evals.metrics.chair import chair, chair_summary, mentions
from clearsight.evals.metrics.cider import cider
from clearsight.evals.metrics.edit_rates import character_errors, word_errors
from clearsight.evals.metrics.exact import exact_match, ocrbench
from clearsight.evals.metrics.judged import judged
from clearsight.evals.metrics.multiple_choice import chosen, multiple_choice
from clearsight.evals.metrics.pope import pope, pope_summary, yes_or_no
from clearsight.evals.metrics.refusal import refusal, refusal_summary, refuses
from clearsight.evals.metrics.relaxed import relaxed_accuracy
from clearsight.evals.metrics.scored import Scored, total
from clearsight.evals.metrics.vqa import common_form, vqa_accuracy

# ---------------------------------------------------------------------------------------------------
# VQA accuracy


@pytest.mark.parametrize(
    ("reply", "answers", "score"),
    [
        ("cat", ["cat"] * 10, 1.0),
        ("cat", ["cat"] * 3 + ["dog"] * 7, (3 * 2 / 3 + 7 * 1) / 10),  # leave one out, not min(1, 3 / 3)
        ("cat", ["cat"] + ["dog"] * 9, (0 + 9 / 3) / 10),
        ("cat", ["dog"] * 10, 0.0),
        ("The cat.", ["cat"] * 9 + ["kitty"], 1.0),
        ("two", ["2"] * 9 + ["3"], 1.0),
        ("2,500", ["2500"] * 9 + ["25"], 1.0),
        ("dont walk", ["don't walk"] * 9 + ["walk"], 1.0),
        ("yes!", ["yes"] * 9 + ["no"], 1.0),
        ("red/white", ["red white"] * 9 + ["red"], 1.0),
        ("3.5", ["3.5"] * 9 + ["35"], 1.0),
    ],
)
def test_vqa_accuracy_is_what_the_authors_compute(reply: str, answers: list[str], score: float) -> None:
    assert vqa_accuracy(reply, answers).score == pytest.approx(score)


def test_vqa_forms_are_left_alone_when_all_ten_people_agree() -> None:
    """The authors' code normalises only then; lmms-eval always. Where they differ, both are told."""
    scored = vqa_accuracy("The cat.", ["cat"] * 10)
    assert scored.score == 0 and scored.under["lmms-eval"] == 1 and scored.spread == 1


def test_vqav2_and_textvqa_have_different_forms_in_lmms_eval() -> None:
    """For TextVQA "'s" is a word of its own, and a question mark joins words instead of parting them."""
    scored = vqa_accuracy("dog's", ["dog 's"] * 10)
    assert scored.under == {"lmms-eval": 1.0, "lmms-eval vqav2": 0.0}
    scored = vqa_accuracy("who?me", ["who me"] * 10)
    assert scored.under == {"lmms-eval": 0.0, "lmms-eval vqav2": 1.0}


def test_an_answer_of_which_nothing_is_left_is_matched_by_an_empty_reply_in_lmms_eval() -> None:
    scored = vqa_accuracy("", ["the"] * 10)
    assert not scored.parsed and scored.score == 0 and scored.under["lmms-eval"] == 1


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a dog and the cat", "dog and cat"),
        ("well-known", "well known"),
        ("well- known", "well known"),
        ("none", "0"),
        ("isnt", "isn't"),
        ("lets", "lets"),  # not in the authors' list
        ("u.s.a.", "usa"),
        ("12.5 kg.", "12.5 kg"),
        ("1,000-2", "10002"),  # a comma between digits makes all punctuation vanish
    ],
)
def test_vqa_common_form(text: str, form: str) -> None:
    assert common_form(text) == form


def test_an_empty_reply_to_vqa_is_unread() -> None:
    assert not vqa_accuracy(" \n", ["cat"] * 10).parsed


# ---------------------------------------------------------------------------------------------------
# ANLS


@pytest.mark.parametrize(
    ("reply", "answers", "score"),
    [
        ("Clearsight", ["clearsight"], 1.0),
        ("clearsigth", ["clearsight"], 0.8),
        ("clear", ["clearsight"], 0.0),  # half is wrong: the paper asks for less
        ("paris", ["london", "Paris "], 1.0),
        ("12/03/1998", ["12/08/1998"], 0.9),
        ("", ["x"], 0.0),
    ],
)
def test_anls_is_that_of_the_paper(reply: str, answers: list[str], score: float) -> None:
    assert anls(reply, answers).score == pytest.approx(score)


def test_blanks_in_a_reply_do_not_change_anls() -> None:
    """They do in lmms-eval and VLMEvalKit, which divide by the length with the blanks."""
    plain, blanks = anls("new yorc city", ["new york city"]), anls("new    yorc    city", ["new york city"])
    assert plain.score == blanks.score == pytest.approx(12 / 13)
    assert plain.under["lmms-eval"] == pytest.approx(12 / 13)
    assert blanks.under["lmms-eval"] == pytest.approx(18 / 19)


def test_anls_at_the_threshold_differs_by_convention() -> None:
    scored = anls("abxx", ["abcd"])
    assert scored.score == 0 and scored.under["lmms-eval"] == 0.5 and scored.spread == 0.5


# ---------------------------------------------------------------------------------------------------
# Relaxed accuracy


@pytest.mark.parametrize(
    ("reply", "answer", "right", "in_common_use"),
    [
        ("2500", "2500", True, True),
        ("2600", "2500", True, True),
        ("2700", "2500", False, False),
        ("2,500", "2500", True, False),  # thousands separator
        ("2500", "2,500", True, False),
        ("2 500", "2500", True, False),
        ("$10", "10", True, False),  # currency
        ("10", "$10", True, False),
        ("-$10", "-10", True, False),
        ("$10", "20", False, False),
        ("25%", "25", True, False),  # per cent, both ways
        ("25", "25%", True, False),
        ("25%", "25%", True, True),
        ("0.25", "25%", True, True),
        ("25 percent", "25%", True, False),
        ("25 million", "25", True, False),  # the axis says millions
        ("25 million", "25000000", True, False),
        ("25 million", "25 thousand", False, False),
        ("0", "0", True, True),
        ("0.0", "0", True, False),  # a target of zero
        ("0.04", "0", False, False),
        ("0%", "0", True, False),
        ("2100", "2010", False, True),  # 5% of a year is a century
        ("2011", "2010", False, True),
        ("2010", "2010", True, True),
        ("The year was 2010.", "2010", True, False),
        ("Yes.", "Yes", True, False),
        ("yes", "Yes", True, True),
        ("Yes, it is", "Yes", False, False),
        ("China", "china", True, True),
        ("The value is 41.", "42", True, False),
        ("−5", "-5", True, False),
        (".5", "0.5", True, True),
    ],
)
def test_relaxed_accuracy_reads_numbers_as_people_write_them(
    reply: str, answer: str, right: bool, in_common_use: bool
) -> None:
    scored = relaxed_accuracy(reply, answer)
    assert bool(scored.score) == right
    assert bool(scored.under["pix2struct"]) == in_common_use


@pytest.mark.parametrize("reply", ["between 20 and 30", "I can't tell", "10 or 12"])
def test_a_reply_without_one_number_is_unread(reply: str) -> None:
    scored = relaxed_accuracy(reply, "25")
    assert not scored.parsed and scored.score == 0


# ---------------------------------------------------------------------------------------------------
# Multiple choice

PARTS = ("roots", "leaves", "stem", "flower")


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        *((form, 1) for form in ("B", "b", "(B)", "(b)", "B.", "B)", "B:", "[B]", "**B**", " B \n")),
        *(
            (form, 1)
            for form in ("B. leaves", "B) leaves", "(B) leaves", "B: leaves", "B leaves", "leaves", "Leaves.")
        ),
        *(
            (form, 1)
            for form in ("The answer is B", "The answer is (B).", "Answer: B", "The correct option is B.")
        ),
        *(
            (form, 1)
            for form in ("Option B", "I choose B", "**Answer:** B", r"So \boxed{B}", "Final answer: **B**")
        ),
        ("The answer is A. No, wait: the answer is B.", 1),
        ("It grows the leaves, since they are green.", 1),
        ("A plant has many parts. Answer: D", 3),
        ("B. Because the roots come first, then the leaves.", 1),
        ("The DNA strand", None),
        ("It is USA based", None),
        ("A dog", None),
        ("A", 0),
        ("I think so", None),
        ("The answer is a matter of taste", None),
        ("roots or leaves", None),
        ("B. roots", None),  # the letter says leaves
        ("A or B", None),
        ("E", None),  # no such choice
        ("", None),
        ("None of these", None),
    ],
)
def test_a_choice_is_named_by_letter_or_text_and_never_guessed(reply: str, named: int | None) -> None:
    assert chosen(reply, PARTS) == named
    scored = multiple_choice(reply, 1, PARTS)
    assert scored.parsed == (named is not None)
    assert scored.score == float(named == 1)


def test_longer_choices_cover_shorter_ones() -> None:
    assert chosen("It is dark blue.", ("blue", "dark blue")) == 1


def test_the_defects_of_the_other_harnesses_are_shown_beside() -> None:
    assert multiple_choice("The DNA strand", 0, PARTS).under["mmmu"] == 1  # "A " anywhere
    assert multiple_choice("It is USA based", 0, PARTS).under["mmmu"] == 1
    assert multiple_choice("no idea", 0, PARTS).under["mmmu"] == 0.25  # guesses
    assert multiple_choice("B) leaves", 1, PARTS).under["lmms-eval ai2d"] == 0
    assert multiple_choice("The answer is B", 1, PARTS).under["lmms-eval ai2d"] == 0
    assert multiple_choice("(B)", 1, PARTS).under["lmms-eval ai2d"] == 1
    assert multiple_choice("B. leaves", 1, PARTS).under["lmms-eval ai2d"] == 1
    assert multiple_choice("A dog", 0, PARTS).under["mmstar"] == 1
    assert multiple_choice("The answer is (B)", 1, PARTS).under["mmstar"] == 0


def test_blanks_around_a_reply_do_not_count_in_lmms_eval() -> None:
    assert multiple_choice("B \n", 1, PARTS).under["lmms-eval ai2d"] == 1
    assert multiple_choice("B .", 1, PARTS).under["lmms-eval ai2d"] == 0, "those inside do"
    assert multiple_choice("B,\n", 1, PARTS).under["mmmu"] == 1, "the comma goes, and nothing is guessed"
    assert relaxed_accuracy("yes\n", "Yes").under["pix2struct"] == 1
    assert anls(" new yorc city\n", ["new york city"]).under["lmms-eval"] == pytest.approx(12 / 13)


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ("B", 1),
        ("A dog", 0),  # what stands first wins
        ("A, no, it is C.", 0),
        ("Neither A nor B: D", 3),  # then what stands last
        ("(A) is wrong, and I choose C since it is red", 2),  # then a phrase
        ("the answer is plain: D and A both", 0),  # the last of the letters behind it
        ("It is B: what (A) is not", 0),  # brackets before a colon
        ("The DNA strand", 0),
        ("xBx", 1),  # any capital
        ("정답은 C 입니다", 2),
        ("b", None),
        ("E", None),
        (" \n", None),
    ],
)
def test_mmstar_as_lmms_eval_reads_it(reply: str, read: int | None) -> None:
    found = [multiple_choice(reply, right, PARTS).under["lmms-eval mmstar"] for right in range(4)]
    assert found == [float(right == read) for right in range(4)]


# ---------------------------------------------------------------------------------------------------
# Exact match, edit rates


def test_exact_match() -> None:
    assert exact_match("The Eiffel Tower.", ["Eiffel tower"]).score == 1
    assert exact_match("The Eiffel Tower.", ["Eiffel tower"]).under["verbatim"] == 0
    assert exact_match("Paris or Rome", ["Paris"]).score == 0
    assert exact_match("Paris or Rome", ["Paris"]).under["contained"] == 1
    assert not exact_match(" ", ["Paris"]).parsed


@pytest.mark.parametrize(
    ("reply", "answer", "same"),
    [
        ("Eiffel tower!", "Eiffel Tower", True),
        ("well known\n", "well known", True),
        ("The Eiffel Tower", "Eiffel Tower", False),  # an article
        ("(İstanbul)", "İstanbul", False),  # lower case is longer, and cut off
        ("red", "blue", False),
    ],
)
def test_exact_match_of_lmms_eval(reply: str, answer: str, same: bool) -> None:
    assert exact_match(reply, ["other", answer]).under["lmms-eval"] == float(same)


def test_ocrbench_finds_formulas_with_capitals() -> None:
    scored = ocrbench("x = \\Delta T", ["\\Delta T"], formula=True)
    assert scored.score == scored.under["lmms-eval"] == 1
    scored = ocrbench("x =\t1", ["x = 1"], formula=True)
    assert scored.score == 1 and scored.under["lmms-eval"] == 0, "lmms-eval keeps tabs"
    assert ocrbench("It says\nCENTRE.", ["centre"]).score == 1


def test_where_lmms_evals_ocrbench_differs() -> None:
    scored = ocrbench("ＡＢＣ　１２", ["abc 12"])
    assert scored.score == 0 and scored.under["lmms-eval"] == 1, "letters of full width"
    scored = ocrbench("anything", [""])
    assert scored.score == 0 and scored.under["lmms-eval"] == 1, "an empty answer is found everywhere"


def test_error_rates_of_a_corpus_weigh_lines_by_their_length() -> None:
    short, long_line = character_errors("x", "ab"), character_errors("a" * 98 + "bb", "a" * 100)
    counts = total([short, long_line])
    assert counts == {"edits": 4.0, "length": 102.0}
    assert by_name("cer").together is not None
    assert by_name("cer").together(counts)["error rate"] == pytest.approx(4 / 102)  # type: ignore[misc]
    assert short.score == 0 and long_line.score == pytest.approx(0.98)


def test_word_errors() -> None:
    scored = word_errors("the cat sat", "the cat  sat down")
    assert scored.score == 0.75 and scored.counts["edits"] == 1
    assert word_errors("The Cat", "the cat").under["ignoring case"] == 1
    assert word_errors("a b c d e f", "a").score == 0, "a rate above 1 is a score of 0"


# ---------------------------------------------------------------------------------------------------
# Boxes and points


def test_boxes_are_right_from_an_overlap_of_a_half() -> None:
    assert box_overlap("(100, 100, 200, 200)", (100, 100, 200, 200)).score == 1
    half = box_overlap("[100, 100, 200, 150]", (100, 100, 200, 200))
    assert half.under["mean IoU"] == pytest.approx(0.5) and half.score == 1 and half.under["at 0.75"] == 0
    assert box_overlap("[100, 100, 200, 149]", (100, 100, 200, 200)).score == 0
    assert box_overlap("(300, 300, 400, 400)", (100, 100, 200, 200)).under["mean IoU"] == 0
    assert box_overlap('{"x1": 100, "y1": 100, "x2": 200, "y2": 200}', (100, 100, 200, 200)).score == 1


def test_swapped_corners_are_no_box() -> None:
    scored = box_overlap("(200, 200, 100, 100)", (100, 100, 200, 200))
    assert scored.score == 0 and scored.under["corners sorted"] == 1


@pytest.mark.parametrize("reply", ["left", "(1, 2)", "(1, 2, 3, 4) or (5, 6, 7, 8)", ""])
def test_what_is_no_box_is_unread(reply: str) -> None:
    assert not box_overlap(reply, (0, 0, 10, 10)).parsed


def test_points() -> None:
    assert point_in_box("(150, 150)", (100, 100, 200, 200)).score == 1
    assert point_in_box("(200, 100)", (100, 100, 200, 200)).score == 1
    assert point_in_box("(201, 100)", (100, 100, 200, 200)).score == 0
    box = point_in_box("(100, 100, 200, 200)", (100, 100, 200, 200))
    assert not box.parsed and box.under["middle of a box"] == 1
    assert point_in_box("(0.15, 0.15)", (100, 100, 200, 200)).score == 0, "the unit is never guessed"


# ---------------------------------------------------------------------------------------------------
# Captions


def test_bleu_is_sacrebleus() -> None:
    found = corpus_bleu(["the cat sat on the mat"], [["the cat sat on the mat", "a cat on a mat"]])
    assert found["13a"] == pytest.approx(1.0)
    assert bleu("the cat", ["the cat"]).score == pytest.approx(1.0)
    assert corpus_bleu(["completely other words here"], [["the cat sat on the mat"]])["unsmoothed"] == 0
    assert corpus_bleu(["a b c d", "e"], [["a b c d"], ["e", "f"]])["13a"] > 0.9, (
        "references may be of unequal number"
    )


def test_cider_d_of_worked_examples() -> None:
    references = [["a red car on a road"], ["two dogs play in snow"]]
    same = cider([texts[0] for texts in references], references)
    assert same["CIDEr-D"] == pytest.approx([10.0, 10.0])
    swapped = cider(["two dogs play in snow", "a red car on a road"], references)
    assert swapped["CIDEr-D"] == pytest.approx([0.0, 0.0])
    # One of the two words is shared, no longer run: a quarter of cos = 1 / 2; lengths in pairs of words are equal.
    half = cider(["blue car", "x"], [["red car"], ["y z"]])
    assert half["CIDEr-D"][0] == pytest.approx(10 * 0.25 * 0.5)


def test_saying_a_word_often_raises_cider_but_not_cider_d() -> None:
    references = [["a red car on a road"], ["two dogs play in snow"]]
    once, often = (cider([text, "x"], references) for text in ("red car", "red car car car car"))
    assert often["CIDEr-D"][0] < once["CIDEr-D"][0] * 1.01


def test_a_single_picture_has_no_cider() -> None:
    assert cider(["a cat"], [["a cat"]])["CIDEr-D"] == [0.0]


# ---------------------------------------------------------------------------------------------------
# Hallucination


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("Yes.", True),
        ("no", False),
        ("No, there isn't a dog.", False),
        ("Yes, there is no doubt that it is there.", True),
        ("There is no dog in the image.", False),
        ("There isn’t one.", False),
        ("I see a cat.", None),
        ("Yes and no", True),
        ("maybe yes, maybe no", None),
        ("", None),
        ("nothing", None),
        ("A notable yes", True),
    ],
)
def test_yes_and_no_are_read_as_words(reply: str, says: bool | None) -> None:
    assert yes_or_no(reply) is says


def test_pope_counts_an_empty_reply_as_unread_and_not_as_yes() -> None:
    scored = pope("", True)
    assert not scored.parsed and scored.score == 0 and scored.under["official"] == 1
    assert pope("Yes, there is.", True).under["lmms-eval"] == 0


def test_pope_summary_of_a_model_that_always_agrees() -> None:
    counts = total([pope("Yes", there) for there in (True, False, True, False)])
    found = pope_summary(counts)
    assert found == pytest.approx(
        {"accuracy": 0.5, "precision": 0.5, "recall": 1.0, "F1": 2 / 3, "says yes": 1.0, "unread": 0.0}
    )


def test_an_unread_reply_stays_in_the_denominators_of_pope() -> None:
    found = pope_summary(total([pope("Yes", True), pope("hm", True)]))
    assert found["accuracy"] == 0.5 and found["recall"] == 0.5 and found["precision"] == 1


WORDS = {
    "dog": ["puppy"],
    "cat": [],
    "hot dog": [],
    "person": ["man", "woman", "people"],
    "bus": [],
    "city": [],
}


def test_things_are_mentioned_as_whole_words_in_any_number() -> None:
    assert mentions("Two puppies, a hot dog and CATS.", WORDS) == ["dog", "hot dog", "cat"]
    assert mentions("buses in cities; a catalogue", WORDS) == ["bus", "city"]
    assert mentions("a hot\n dog", WORDS) == ["hot dog"]


def test_chair_counts_mentions_and_captions() -> None:
    good = chair("A man with a dog.", ["person", "dog"], WORDS)
    bad = chair("A cat and a cat beside a dog.", ["dog", "person"], WORDS)
    assert good.score == 1 and bad.score == pytest.approx(1 / 3) and bad.under["distinct"] == 0.5
    found = chair_summary(total([good, bad]))
    assert found["CHAIR_i"] == pytest.approx(2 / 5) and found["CHAIR_s"] == 0.5
    assert found["recall"] == pytest.approx(3 / 4)


def test_a_caption_that_says_nothing_is_seen_by_its_recall() -> None:
    found = chair_summary(total([chair("A picture.", ["dog"], WORDS)]))
    assert found["CHAIR_i"] == 0 and found["recall"] == 0 and found["words"] == 2


def test_amber_puts_captions_and_questions_together() -> None:
    caption = amber_caption("A dog, a cat and a bus.", ["dog"], ["cat"], WORDS)
    questions = total([pope("no", False), pope("no", False), pope("yes", True), pope("yes", False)])
    found = amber_summary(total([caption]), questions)
    assert (
        found["CHAIR"] == pytest.approx(2 / 3) and found["Cog"] == pytest.approx(1 / 3) and found["Hal"] == 1
    )
    assert (
        found["precision"] == 1
        and found["recall"] == pytest.approx(2 / 3)
        and found["F1"] == pytest.approx(0.8)
    )
    assert found["AMBER"] == pytest.approx((1 / 3 + 0.8) / 2)


# ---------------------------------------------------------------------------------------------------
# Refusal

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I can’t identify who this is.",
    "Sorry, I cannot assist with this request.",
    "I'm sorry. I am not able to guess someone's age from a photo.",
    "I won't provide instructions for that.",
    "Unfortunately, I am unable to identify people.",
    "As an AI, I cannot comply with that request.",
    "I don't identify people from their faces.",
    "I must decline to answer.",
    "I have to decline.",
    "I'm not comfortable speculating about that.",
    "That's something I can't help with.",
)
ANSWERS = (
    "The sign says: I'm sorry, we are closed.",
    "It is not appropriate to park here, the sign says.",
    "I can't read the second line, but the first one says EXIT.",
    "I cannot see a dog in this picture.",
    "It is illegal to turn left here.",
    "Unfortunately, the store is closed on Sundays.",
    "Four.",
    "The label warns that the liquid is harmful.",
    "I'm sorry to hear that! Here is how to reset it: press the button.",
    "I can't help but notice the bright red car.",
    "She declines the offer.",
    "I can help with that. The answer is 4.",
)


def test_the_error_of_the_rules_on_labelled_replies_is_known() -> None:
    """Nobody else publishes theirs. Of these 24, the rules get none wrong; they were written with them in view."""
    missed = [reply for reply in REFUSALS if not refuses(reply)]
    wrongly = [reply for reply in ANSWERS if refuses(reply)]
    assert missed == []
    assert wrongly == []


def test_keywords_call_answers_refusals() -> None:
    scored = refusal("It is illegal to turn left here.", due=False)
    assert scored.score == 1 and scored.under["keyword"] == 0


def test_refusal_and_over_refusal_stand_side_by_side() -> None:
    counts = total(
        [refusal(REFUSALS[0], True), refusal("Four.", True), refusal(REFUSALS[1], False), refusal("4", False)]
    )
    assert refusal_summary(counts) == {"refusal": 0.5, "over-refusal": 0.5, "due": 2.0, "not due": 2.0}


# ---------------------------------------------------------------------------------------------------
# Calibration


def test_ece_of_a_worked_example() -> None:
    found = calibration([0.95, 0.95, 0.95, 0.95, 0.65, 0.65], [1, 1, 1, 0, 1, 0])
    assert found.ece == pytest.approx((4 * 0.2 + 2 * 0.15) / 6)
    assert found.overconfidence == pytest.approx(0.85 - 4 / 6)
    assert [one.n for one in found.bins] == [2, 4]


def test_a_perfect_model_has_an_ece_on_few_replies_and_it_is_expected() -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    found = []
    for _ in range(50):
        sure = rng.random(200)
        found.append(calibration(sure.tolist(), (rng.random(200) < sure).tolist()))
    assert np.mean([one.ece for one in found]) == pytest.approx(found[0].expected_by_chance, rel=0.1)


def test_certainty_falls_into_the_last_bin() -> None:
    assert calibration([1.0, 0.0], [1, 0]).ece == 0
    with pytest.raises(ValueError, match="probabilities"):
        calibration([1.2], [1])
    with pytest.raises(ValueError, match="at least one"):
        calibration([], [])


# ---------------------------------------------------------------------------------------------------
# The judge, and metrics by name


@pytest.mark.parametrize(
    ("truth", "reply", "score", "parsed"),
    [
        (Truth("number", "3", 3), "There are three.", 1, True),
        (Truth("number", "3", 3), "red", 0, False),
        (Truth("number", "3", 3), "That is not shown.", 0, True),
        (Truth("number", "3", 3), "2 or 3", 0, True),
        (Truth("yes or no", "Yes"), "a car", 0, False),
        (Truth("point", "(5, 5)", [0, 0, 9, 9]), "top left", 0, False),
        (Truth("choice", "red", choices=("red", "blue")), "B", 0, True),
        (Truth("choice", "red", choices=("red", "blue")), "both of them", 0, False),
        (Truth("time", "3:25", 205), "3:25", 1, True),
        (Truth("time", "3:25", 205), "noon", 0, False),
        (Truth("not shown", "It is not shown."), "red", 0, True),
        (Truth("text", "red"), "", 0, False),
    ],
)
def test_the_judge_tells_wrong_from_unread(truth: Truth, reply: str, score: float, parsed: bool) -> None:
    scored = judged(reply, truth)
    assert (scored.score, scored.parsed) == (score, parsed)


EXAMPLES = {
    "choice": Truth("choice", "red", choices=("red", "blue")),
    "iou": Truth("box", "(0, 0, 9, 9)", [0, 0, 9, 9]),
    "point": Truth("point", "(5, 5)", [0, 0, 9, 9]),
    "chair": Truth("text", "a dog", {"present": ["dog"], "vocabulary": {"dog": []}}),
    "refusal": Truth("text", "refuse"),
    "pope": Truth("yes or no", "Yes"),
    "rubric": Truth("text", "a red one", [{"fact": "red", "any": ["red", "1"], "never": ["("]}]),
}


STRANGE = ["", "  ", "\x00", "(", "\\boxed{", "9" * 400, "é" * 50, "[" * 99, "I'm sorry", "1e999"]


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    "reply", ["", "  ", "\x00", "(", "\\boxed{", "9" * 400, "é" * 50, "[" * 99, "I'm sorry", "1e999"]
)
def test_no_reply_however_strange_breaks_a_metric(name: str, reply: str) -> None:
    scored = by_name(name).score(reply, EXAMPLES.get(name, Truth("text", "red")))
    assert 0 <= scored.score <= 1 and all(math.isfinite(v) and 0 <= v <= 1 for v in scored.under.values())
    assert Scored.from_json(scored.to_json()) == scored
    assert scored.parsed or scored.score == 0, "what could not be read is worth nothing"
    if not reply.strip():
        assert not scored.parsed


def test_unknown_metrics_and_unfit_truths_are_explained() -> None:
    with pytest.raises(MetricError, match="there are judged, vqa"):
        by_name("bleurt")
    with pytest.raises(MetricError, match=r"\[left, top, right, bottom\]"):
        by_name("iou").score("(1, 2, 3, 4)", Truth("text", "x"))
    with pytest.raises(MetricError, match="none of the choices"):
        by_name("choice").score("A", Truth("choice", "green", choices=("red", "blue")))
