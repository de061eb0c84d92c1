"""The way from a conversation to a model's input: tiles and ids, and what they cost before any work is done.

Serving, training and evaluation all come through here; there is no second way. A processor is read from and
written to the files that transformers uses, so that checkpoints travel both ways.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clearsight.conversation import Conversation, Detail
from clearsight.processing.images import (
    MAX_PIXELS,
    conversation_image_size,
    from_conversation_image,
)
from clearsight.processing.template import IMAGE, Template, TemplateError
from clearsight.processing.tiles import TilePlan, TileSettings, cut, plan
from clearsight.processing.tokenizer import Tokenizer


class ProcessorError(ValueError):
    """A checkpoint whose preprocessing can't be followed; the message says which setting and what to do."""


@dataclass(frozen=True)
class ModelInput:
    """What a model needs to see a conversation. Shape suffixes: T ids, N tiles, C channels, S tile side."""

    input_ids_T: torch.Tensor  # int64
    assistant_mask_T: torch.Tensor  # bool; True on replies and their end-of-turn token
    tiles_NCSS: torch.Tensor  # uint8, all pictures in reading order; N is 0 without pictures
    image_token_counts: tuple[int, ...]  # per picture, how many ids are replaced by features
    plans: tuple[TilePlan, ...]  # per picture

    @property
    def num_tokens(self) -> int:
        return self.input_ids_T.numel()


@dataclass(frozen=True)
class Processor:
    """Tile settings, tokenizer and template of one checkpoint, checked to belong together."""

    tile_settings: TileSettings
    tokenizer: Tokenizer
    template: Template
    max_pixels: int = MAX_PIXELS  # of one picture, width times height

    def __post_init__(self) -> None:
        self.template.check(self.tokenizer)

    @property
    def image_token_id(self) -> int:
        return self.tokenizer.special(IMAGE)

    @property
    def end_of_turn_id(self) -> int:
        """The id that ends a reply: 49279 for SmolVLM 256M and 500M, 2 for chatml on SmolLM2."""
        return self.tokenizer.special(self.template.end_of_turn)

    def plan_images(
        self, conversation: Conversation, *, detail: Detail | None = None
    ) -> tuple[TilePlan, ...]:
        """A plan for every picture, from headers alone. `detail` overrides the pictures' own wishes.

        Raises ImageError for a picture whose header can't be read or promises too many pixels.
        """
        return tuple(
            plan(
                *conversation_image_size(image, max_pixels=self.max_pixels),
                self.tile_settings,
                detail or image.detail,
            )
            for image in conversation.images
        )

    def token_cost(
        self, conversation: Conversation, *, add_generation_prompt: bool = True, detail: Detail | None = None
    ) -> int:
        """How many ids `prepare` will make, no picture decoded. Raises ImageError as `plan_images` does."""
        plans = self.plan_images(conversation, detail=detail)
        ids, _ = self.template.encode(
            conversation, plans, self.tokenizer, add_generation_prompt=add_generation_prompt
        )
        return len(ids)

    def picture_cost(self, plan: TilePlan) -> int:
        """How many ids one picture takes, markers and line breaks included."""
        return self.template.picture_cost(plan, self.tokenizer)

    def prepare(
        self, conversation: Conversation, *, add_generation_prompt: bool = True, detail: Detail | None = None
    ) -> ModelInput:
        """Decode, cut and encode. `detail` overrides the pictures' own wishes.

        Training passes `add_generation_prompt=False` and learns where `assistant_mask_T` is True.
        Raises ImageError for a picture that can't be used.
        """
        plans: list[TilePlan] = []
        tiles: list[torch.Tensor] = []
        for image in conversation.images:
            picture = from_conversation_image(image, max_pixels=self.max_pixels)
            plans.append(plan(*picture.size, self.tile_settings, detail or image.detail))
            tiles.append(cut(picture, plans[-1]))
        ids, learned = self.template.encode(
            conversation, plans, self.tokenizer, add_generation_prompt=add_generation_prompt
        )
        size = self.tile_settings.tile_size
        return ModelInput(
            input_ids_T=torch.tensor(ids, dtype=torch.int64),
            assistant_mask_T=torch.tensor(learned, dtype=torch.bool),
            tiles_NCSS=torch.cat(tiles) if tiles else torch.empty(0, 3, size, size, dtype=torch.uint8),
            image_token_counts=tuple(one.num_image_tokens for one in plans),
            plans=tuple(plans),
        )

    @classmethod
    def from_folder(cls, path: str | Path) -> "Processor":
        """Read a checkpoint's folder: tokenizer, chat template and preprocessing, of transformers 4 or 5.

        Raises ProcessorError, TokenizerError or TemplateError when a file is missing or asks for something
        that is not done here. Nothing is assumed in silence: a wrong splitting policy is invisible until
        answers are bad.
        """
        folder = Path(path)
        processor_config = _read_json(folder / "processor_config.json")
        if processor_config is None:
            raise ProcessorError(f"{folder} has no processor_config.json; fetch the whole checkpoint")
        # transformers 5 nests the image settings; before, they have a file of their own. The splitting policy
        # counts only where the image settings are, never at the top of processor_config.json.
        image_config = processor_config.get("image_processor")
        if not isinstance(image_config, dict):
            image_config = _read_json(folder / "preprocessor_config.json")
        if image_config is None:
            raise ProcessorError(
                f"{folder} has no preprocessor_config.json and no image_processor in processor_config.json; "
                "fetch the whole checkpoint"
            )
        return cls(
            tile_settings=_tile_settings(image_config, processor_config),
            tokenizer=Tokenizer.from_file(folder / "tokenizer.json"),
            template=Template.from_jinja(_template_source(folder, processor_config)),
        )

    def save(self, path: str | Path) -> None:
        """Write what `from_folder` and transformers' AutoProcessor read. The folder is made if missing."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        settings = self.tile_settings
        self.tokenizer.save(folder / "tokenizer.json")
        (folder / "chat_template.jinja").write_text(self.template.jinja, encoding="utf-8")
        tokenizer_config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "processor_class": "Idefics3Processor",
            "clean_up_tokenization_spaces": False,
            "eos_token": self.template.end_of_turn,
        }
        roles = {"bos_token": "<|im_start|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>"}
        tokenizer_config |= {role: name for role, name in roles.items() if self.tokenizer.is_special(name)}
        _write_json(folder / "tokenizer_config.json", tokenizer_config)
        _write_json(
            folder / "processor_config.json",
            {"processor_class": "Idefics3Processor", "image_seq_len": settings.tokens_per_tile},
        )
        _write_json(
            folder / "preprocessor_config.json",
            {
                "image_processor_type": "Idefics3ImageProcessor",
                "processor_class": "Idefics3Processor",
                "do_convert_rgb": True,
                "do_resize": True,
                "size": {"longest_edge": settings.longest_edge},
                "resample": settings.resample,
                "do_image_splitting": settings.do_image_splitting,
                "max_image_size": {"longest_edge": settings.tile_size},
                "do_rescale": True,
                "rescale_factor": 1 / 255,
                "do_normalize": True,
                "image_mean": list(settings.image_mean),
                "image_std": list(settings.image_std),
                "do_pad": True,
            },
        )


def _tile_settings(image_config: Mapping[str, Any], processor_config: Mapping[str, Any]) -> TileSettings:
    for name in ("do_convert_rgb", "do_resize", "do_rescale", "do_normalize"):
        if image_config.get(name, True) is not True:
            raise ProcessorError(f"this checkpoint turns {name} off, which is not supported; use another one")
    if abs(image_config.get("rescale_factor", 1 / 255) - 1 / 255) > 1e-9:
        raise ProcessorError("this checkpoint rescales pixels by something else than 1/255; use another one")
    try:
        return TileSettings(
            tile_size=image_config["max_image_size"]["longest_edge"],
            longest_edge=image_config["size"]["longest_edge"],
            tokens_per_tile=processor_config["image_seq_len"],
            do_image_splitting=image_config["do_image_splitting"],
            image_mean=tuple(image_config["image_mean"]),
            image_std=tuple(image_config["image_std"]),
            resample=image_config["resample"],
        )
    except (KeyError, TypeError) as error:
        raise ProcessorError(
            f"the checkpoint's preprocessing lacks {error}; fetch preprocessor_config.json and "
            "processor_config.json again"
        ) from error
    except ValueError as error:
        raise ProcessorError(
            f"the checkpoint's preprocessing makes no sense: {error}; fetch it again"
        ) from error


def _template_source(folder: Path, processor_config: Mapping[str, Any]) -> str:
    """The chat template from wherever this version of transformers wrote it."""
    if (folder / "chat_template.jinja").is_file():
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    places = (
        _read_json(folder / "chat_template.json"),
        processor_config,
        _read_json(folder / "tokenizer_config.json"),
    )
    for place in places:
        if place is not None and isinstance(place.get("chat_template"), str):
            return place["chat_template"]
    raise TemplateError(f"{folder} has no chat template; fetch the whole checkpoint")


def _read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None when there is no such file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ProcessorError(f"{path} can't be read: {error}; fetch the checkpoint again") from error
    if not isinstance(value, dict):
        raise ProcessorError(f"{path} holds no settings; fetch the checkpoint again")
    return value


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
