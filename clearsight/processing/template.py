"""A conversation to the ids a model was trained on, pictures expanded into their runs of image tokens.

Two chat formats, named after what they are:

`smolvlm`: the family's own, "<|im_start|>User: ...<end_of_utterance>\\nAssistant:", one start marker in all.
`chatml`: that of the SmolLM2 decoder, "<|im_start|>user\\n...<|im_end|>\\n" for every turn, without a system
prompt that nobody wrote.

A conversation becomes a list of pieces, plain text or special tokens. Adjacent text is joined before it is
encoded, because byte-pair merges reach across turns and into a picture's line breaks; only special tokens
separate. So ids equal the reference's for all text that does not spell out a special token, and such text
stays text here. Whether a marker is a token or plain text (row and column markers of the 2.2B checkpoint are
text) is for the tokenizer to say.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from clearsight.conversation import Conversation, Image, Message, Text
from clearsight.processing.tiles import TilePlan
from clearsight.processing.tokenizer import Tokenizer

IMAGE = "<image>"
AROUND_IMAGE = "<fake_token_around_image>"
GLOBAL_VIEW = "<global-img>"
START = "<|im_start|>"

SMOLVLM_JINJA = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""The template of SmolVLM and SmolVLM-256M/500M-Instruct, for export."""

_VIDEO_BRANCH = "{% elif line['type'] == 'video' %}{{ '<video>' }}"

CHATML_JINJA = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}{{ '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""SmolLM2's format with pictures and without its default system prompt, for export."""


class TemplateError(ValueError):
    """A chat template that is not known here, or one that the tokenizer can't express."""


@dataclass(frozen=True)
class TextPiece:
    """Plain text. `learned` marks what a model is trained to say."""

    text: str
    learned: bool = False


@dataclass(frozen=True)
class SpecialPiece:
    """A special token, `count` times over."""

    name: str
    count: int = 1
    learned: bool = False


Piece = TextPiece | SpecialPiece


@dataclass(frozen=True)
class Template:
    """One of the two chat formats."""

    style: Literal["smolvlm", "chatml"]

    @classmethod
    def from_jinja(cls, source: str) -> "Template":
        """Recognise a checkpoint's own template. Raises TemplateError for one that is not known."""
        source = source.strip()
        if source in _SMOLVLM_FORMS:
            return cls("smolvlm")
        if source == CHATML_JINJA.strip():
            return cls("chatml")
        raise TemplateError(
            "this checkpoint's chat template is neither SmolVLM's nor chatml, so its ids can't be made here; "
            "serve it through an upstream engine, or use a checkpoint of the SmolVLM family"
        )

    @property
    def jinja(self) -> str:
        """The template as Jinja source, as other programs read it."""
        return SMOLVLM_JINJA if self.style == "smolvlm" else CHATML_JINJA

    @property
    def end_of_turn(self) -> str:
        """The special token a model ends its reply with."""
        return "<end_of_utterance>" if self.style == "smolvlm" else "<|im_end|>"

    def check(self, tokenizer: Tokenizer) -> None:
        """Raises TemplateError naming the special tokens that this vocabulary lacks."""
        needed = (START, self.end_of_turn, IMAGE, AROUND_IMAGE)
        missing = [name for name in needed if not tokenizer.is_special(name)]
        if missing:
            raise TemplateError(
                f"the tokenizer lacks {', '.join(missing)}, which the {self.style} format needs; "
                "use the tokenizer that came with the checkpoint"
            )

    def encode(
        self,
        conversation: Conversation,
        plans: Sequence[TilePlan],
        tokenizer: Tokenizer,
        *,
        add_generation_prompt: bool,
    ) -> tuple[list[int], list[bool]]:
        """Ids of a conversation, and for each whether it belongs to what the assistant says.

        `plans` holds one plan for every picture, in reading order. What the assistant says is its reply and
        the end-of-turn token, without the words that introduce it; a token that straddles both is left out.
        """
        if len(plans) != len(conversation.images):
            raise ValueError(f"{len(conversation.images)} pictures need as many plans, not {len(plans)}")
        pieces = self._pieces(conversation, plans, add_generation_prompt)
        return encode_pieces(pieces, tokenizer)

    def picture_cost(self, plan: TilePlan, tokenizer: Tokenizer) -> int:
        """How many ids a picture takes in a prompt, markers and line breaks included."""
        return len(encode_pieces(picture_pieces(plan), tokenizer)[0])

    def _pieces(
        self, conversation: Conversation, plans: Sequence[TilePlan], add_generation_prompt: bool
    ) -> Iterator[Piece]:
        remaining = iter(plans)
        if self.style == "smolvlm":
            yield SpecialPiece(START)
        for message in conversation.messages:
            yield from self._message_pieces(message, remaining)
        if add_generation_prompt:
            if self.style == "smolvlm":
                yield TextPiece("Assistant:")
            else:
                yield SpecialPiece(START)
                yield TextPiece("assistant\n")

    def _message_pieces(self, message: Message, plans: Iterator[TilePlan]) -> Iterator[Piece]:
        learned = message.role == "assistant"
        if self.style == "smolvlm":
            yield TextPiece(f"{message.role.capitalize()}:")
            if isinstance(message.parts[0], Text):
                yield TextPiece(" ", learned)
        else:
            yield SpecialPiece(START)
            yield TextPiece(f"{message.role}\n")
        for part in message.parts:
            if isinstance(part, Image):
                yield from picture_pieces(next(plans))
            else:
                yield TextPiece(part.text, learned)
        yield SpecialPiece(self.end_of_turn, learned=learned)
        yield TextPiece("\n")


def picture_pieces(plan: TilePlan) -> Iterator[Piece]:
    """The pieces of one picture: its tiles row by row, each behind its marker, then the global view."""
    for row in range(1, plan.rows + 1):
        for col in range(1, plan.cols + 1):
            yield from _view_pieces(f"<row_{row}_col_{col}>", plan)
        yield TextPiece("\n")
    if plan.rows:
        yield TextPiece("\n")
    yield from _view_pieces(GLOBAL_VIEW, plan)
    yield SpecialPiece(AROUND_IMAGE)


def _view_pieces(marker: str, plan: TilePlan) -> Iterator[Piece]:
    yield SpecialPiece(AROUND_IMAGE)
    yield SpecialPiece(marker)
    yield SpecialPiece(IMAGE, plan.tokens_per_tile)


def encode_pieces(pieces: Iterable[Piece], tokenizer: Tokenizer) -> tuple[list[int], list[bool]]:
    """Ids and the learned mask of pieces; text between two special tokens is encoded as a whole.

    A marker that is no special token of this vocabulary is text, as it was when the checkpoint was trained.
    """
    ids: list[int] = []
    learned: list[bool] = []
    run: list[TextPiece] = []
    for piece in pieces:
        if isinstance(piece, SpecialPiece) and tokenizer.is_special(piece.name):
            _encode_run(run, tokenizer, ids, learned)
            run.clear()
            ids += [tokenizer.special(piece.name)] * piece.count
            learned += [piece.learned] * piece.count
        elif isinstance(piece, SpecialPiece):
            run.append(TextPiece(piece.name * piece.count, piece.learned))
        else:
            run.append(piece)
    _encode_run(run, tokenizer, ids, learned)
    return ids, learned


def _encode_run(run: Sequence[TextPiece], tokenizer: Tokenizer, ids: list[int], learned: list[bool]) -> None:
    """Encode joined text; a token is learned when the character it begins in is."""
    text = "".join(piece.text for piece in run)
    if not text:
        return
    if not any(piece.learned for piece in run):
        new_ids = tokenizer.encode_text(text)
        ids += new_ids
        learned += [False] * len(new_ids)
        return
    of_character = [piece.learned for piece in run for _ in piece.text]
    new_ids, starts = tokenizer.encode_with_starts(text)
    ids += new_ids
    learned += [of_character[start] for start in starts]


def _with_video(source: str) -> str:
    """SmolVLM2's form of the template, which also names videos."""
    image_branch = "{% elif line['type'] == 'image' %}{{ '<image>' }}"
    return source.replace(image_branch, image_branch + _VIDEO_BRANCH)


def _with_plain_text(source: str) -> str:
    """The form of transformers 5.24 and later, which also takes a message that is text alone."""
    first, last = "{% if message['content'][0]['type'] == 'image' %}", "{% endfor %}<end_of_utterance>"
    text_alone = "{% if message['content'] is string %}{{': ' + message['content']}}{% else %}"
    return source.replace(first, text_alone + first).replace(
        last, "{% endfor %}{% endif %}<end_of_utterance>"
    )


_SMOLVLM_FORMS = {
    form.strip()
    for source in (SMOLVLM_JINJA, _with_video(SMOLVLM_JINJA))
    for form in (source, _with_plain_text(source))
}
"""What checkpoints of the family carry; for messages that are lists of parts all of them say the same."""
