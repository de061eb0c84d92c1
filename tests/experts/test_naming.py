"""What is said of a picture is what is likely, in usual words; what is unlikely is left unsaid."""

import pytest
import torch
from PIL import Image as PILImage

from clearsight.evals.suites.real.provenance import PICTURES
from clearsight.experts import naming


def of(**probabilities: float) -> torch.Tensor:
    """Probabilities of classes by their exact names with _ for a space; the rest is spread evenly."""
    names = [exact for _, exact in naming.classes()]
    found = torch.full((len(names),), (1 - sum(probabilities.values())) / len(names))
    for name, value in probabilities.items():
        found[names.index(name.replace("_", " "))] = value
    return found


def test_there_is_a_name_for_each_of_the_thousand_classes():
    assert len(naming.classes()) == 1000
    assert all(kind and exact and kind == kind.strip() for kind, exact in naming.classes())
    assert naming.classes()[96] == ("toucan", "toucan")
    assert naming.classes()[207] == ("dog", "golden retriever")


def test_a_likely_class_is_said_with_its_usual_word_in_front():
    assert naming.phrase(of(golden_retriever=0.9)) == "dog (golden retriever)"
    assert naming.phrase(of(toucan=0.8)) == "toucan"


def test_classes_that_are_unlikely_alone_are_likely_together():
    cats = of(tabby_cat=0.11, tiger_cat=0.11, Egyptian_cat=0.1)
    assert naming.phrase(cats) == "cat"


def test_the_likeliest_comes_first_and_no_more_than_three_are_said():
    many = of(banana=0.2, lemon=0.25, fig=0.13, orange=0.15)
    assert naming.phrase(many) == "lemon, banana, orange"


def test_of_what_could_be_anything_nothing_is_said():
    assert naming.phrase(torch.full((1000,), 0.001)) == ""


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000)])
def test_pictures_of_any_shape_are_looked_at(size):
    probabilities = naming.probabilities(PILImage.new("RGB", size, (90, 90, 90)))
    assert probabilities.shape == (1000,) and float(probabilities.sum()) == pytest.approx(1, abs=1e-4)


def test_photographs_are_named():
    named = {
        name: naming.shown(PILImage.open(PICTURES / f"{name}.webp"))
        for name in ("gorilla", "meerkats", "toucan", "red-panda", "farm-chicken")
    }
    wanted = {
        "gorilla": "ape (gorilla)",
        "meerkats": "meerkat",
        "toucan": "toucan",
        "red-panda": "red panda",
        "farm-chicken": "chicken (hen)",
    }
    assert {name: wanted[name] in said for name, said in named.items()} == dict.fromkeys(wanted, True), named
