"""What is cut, said and taken for a voice by the page: the JavaScript of it, run in the browser it is for."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page

from clearsight.speech import Speaking
from clearsight.speech.sentences import split_sentences, take_sentences
from tests.speech.test_sentences import test_a_pause_is_made_only_where_a_sentence_ends as python_cases

pytestmark = pytest.mark.slow
CASES = [case[0] for case in python_cases.pytestmark[0].args[1]]  # type: ignore[attr-defined]
RATE = 16_000

MARKDOWN = """# The *sign*

It says **stop. Wait** here, at `gate 3`. See [the map. Really](https://www.example.org/a_b?c=1) or https://example.org/x.

| Day | Opens |
|:--|--:|
| Monday | 08:30 |
| Friday | closed |

```python
print("x")
print("y")
```

1. Take the left door.
2. Mind the step

- [x] read
- [ ] done

> Cut off here

So $x^2 + \\frac{a}{b} \\leq 3$ holds. 2 < 3 and a | b. The *end"""


@pytest.fixture(scope="module")
def page(served, browser, signed_in) -> Iterator[Page]:
    context = browser.new_context(storage_state=signed_in, service_workers="block")
    page = context.new_page()
    page.goto(f"{served.url}/#/")
    page.get_by_role("textbox", name="Message").wait_for()
    page.evaluate("""() => {
        const main = document.querySelector('script[type=module]').src;
        window.voice = (name) => import(new URL(`voice/${name}.js`, main));
    }""")
    yield page
    context.close()


def test_page_and_server_make_the_same_pauses(page: Page) -> None:
    draw = random.Random(0)
    made = [
        "".join(draw.choice('aB1.!?…。 \n-"),;Dr') for _ in range(draw.randint(0, 80))) for _ in range(500)
    ]
    texts = [*CASES, *made, "red and blue, " * 100, "x" * 1000]
    found = page.evaluate(
        """async (texts) => {
            const {splitSentences, takeSentences} = await voice('sentences');
            return texts.map((text) => [splitSentences(text), takeSentences(text)]);
        }""",
        texts,
    )
    for text, (whole, growing) in zip(texts, found, strict=True):
        assert whole == split_sentences(text), text
        assert tuple(growing) == take_sentences(text), text


def test_markdown_is_said_in_words_and_not_in_signs(page: Page) -> None:
    said = page.evaluate("async (text) => (await voice('speakable')).sentencesOf(text)", MARKDOWN)
    assert said == [
        "The sign.",
        "It says stop.",
        "Wait here, at gate 3.",
        "See the map.",
        "Really or link to example.org.",
        "Table with 2 rows: Day, Opens.",
        "Day: Monday, Opens: 08:30.",
        "Day: Friday, Opens: closed.",
        "Code in python, 2 lines.",
        "1. Take the left door.",
        "2. Mind the step.",
        "Done: read.",
        "Not done: done.",
        "Quote: Cut off here.",
        "So x squared plus a over b is at most 3 holds.",
        "2 < 3 and a | b.",
        "The *end.",
    ]


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        (r"\sqrt{2} \times \pi", "the square root of 2 times pi"),
        (r"x_1^{10}", "x sub 1 to the power 10"),
        (r"90^\circ", "90 degrees"),
        (r"\left(\frac{1}{2}\right)", "1 over 2"),
        ("{" * 60, ""),
    ],
)
def test_formula_is_said_in_words(page: Page, tex: str, words: str) -> None:
    assert page.evaluate("async (tex) => (await voice('formula_words')).formulaWords(tex)", tex) == words


def test_an_answer_that_streams_is_said_as_the_whole_is(page: Page) -> None:
    """However far it has come, what was said stays the beginning of what will be said."""
    wrong = page.evaluate(
        """async (text) => {
            const {sentencesOf, settledSentences} = await voice('speakable');
            const whole = sentencesOf(text);
            const wrong = [];
            let most = 0;
            for (let length = 1; length <= text.length; length += 1) {
                const said = settledSentences(text.slice(0, length));
                most = Math.max(most, said.length);
                const other = said.some((sentence, at) => sentence !== whole[at]);
                if (other) wrong.push([text.slice(0, length).slice(-40), said.at(-1)]);
            }
            return {wrong: wrong.slice(0, 5), most, whole: whole.length};
        }""",
        MARKDOWN,
    )
    assert wrong["wrong"] == []
    assert wrong["most"] >= wrong["whole"] - 2, "nearly all of it is said before the end"


def test_doubtful_words_are_said_to_be_unsure(page: Page) -> None:
    said = page.evaluate("""async () => {
        const drawn = document.createElement('div');
        drawn.innerHTML = '<p>It is <span class="doubtful">aspirin</span>, 500 mg</p>' +
            '<ul><li>red</li><li>white</li></ul><button>Copy</button>';
        return (await voice('speakable')).speakableElement(drawn);
    }""")
    assert said == "It is unsure: aspirin, 500 mg.\n\nred.\n\nwhite."


DETECT = """async ([samples, rate]) => {
    const {VoiceDetector} = await voice('vad');
    const detector = new VoiceDetector(rate);
    const times = [];
    let before = false;
    for (let at = 0; at + detector.size <= samples.length; at += detector.size) {
        const {speaking} = detector.push(Float32Array.from(samples.slice(at, at + detector.size)));
        if (speaking !== before) times.push((at + detector.size) / rate);
        before = speaking;
    }
    return times;
}"""


def detected(page: Page, samples: np.ndarray) -> list[float]:
    return page.evaluate(DETECT, [[round(float(one), 5) for one in samples], RATE])


def noise(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10 ** (level / 20), int(seconds * RATE))


@pytest.mark.parametrize("level", [-70, -50, -35, -25])
def test_steady_noise_is_not_taken_for_a_voice(page: Page, level: float) -> None:
    assert detected(page, noise(4, level)) == []


def test_a_voice_is_noticed_within_a_fifth_of_a_second_and_its_end_after_the_pause(page: Page) -> None:
    speaking = Speaking()
    if not speaking.voices():
        pytest.skip("no voice is installed to speak with")
    try:
        spoken = speaking.synthesise("What shape is this?")
        heard = np.frombuffer(b"".join(spoken.chunks), np.int16) / 32768
    finally:
        speaking.close()
    resampled = np.interp(np.arange(0, len(heard), spoken.sample_rate / RATE), np.arange(len(heard)), heard)
    loud = np.flatnonzero(np.abs(resampled) > 0.02) / RATE
    for floor in (-70, -45):
        samples = noise(len(resampled) / RATE + 4, floor)
        start = 2 * RATE
        samples[start : start + len(resampled)] += resampled
        begins, ends = detected(page, samples)
        assert 0 <= begins - (2 + loud[0]) < 0.2
        assert 0.6 < ends - (2 + loud[-1]) < 1.1
