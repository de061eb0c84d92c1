"""What curation is asked to do. Every threshold that decides stands here, with what it means."""

from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Literal

from clearsight.processing.images import MAX_PIXELS


class CurationError(ValueError):
    """A curation that can't be run; the message says why and what to do."""


@dataclass(frozen=True)
class Options:
    """Checked on construction. Raises CurationError for a value that makes no sense."""

    licences: Literal["permissive", "any"] = "permissive"
    max_pixels: int = MAX_PIXELS  # of one picture, width times height
    least_side: int = 32  # pixels of the shorter side
    most_aspect: float = 10.0  # longer side over shorter
    farthest_copy: int = (
        18  # bits of 128 by which a candidate's fingerprint may differ; pixels decide afterwards
    )
    similar_text: float = 0.6  # share of shingles in common from which texts count as the same
    similar_text_with_pictures: bool = (
        False  # also where pictures differ: questions from one template are no copies
    )
    languages: tuple[str, ...] = ()  # ISO 639-1 codes that are kept; empty: all
    language_certainty: float = 0.8  # probability from which another language counts
    ocr_share: float = 0.0  # of the transcription records that are read again
    least_ocr_agreement: float = 0.6  # share of the answer's letters and digits that are read, in order
    relevance_share: float = 0.0  # of the records with pictures that are scored
    least_relevance: float = 0.0  # score below which text and picture do not belong together
    personal_data: Literal["drop", "mask", "keep"] = "drop"
    personal_data_in_generated: bool = False  # also in what a generator wrote: its people are invented
    phone_regions: tuple[str, ...] = ("US", "GB")  # ISO 3166; numbers in national form that are known as such
    nsfw: bool = False
    most_nsfw: float = 0.8
    most_repetition: float = 0.5
    most_symbols: float = 0.7
    least_sharpness: float = 0.0
    common_phrase: int = 10  # records that share a run with an evaluation from which it is a common phrase
    mixing: dict[str, float] = field(default_factory=dict)  # source to its wished share; empty: as it comes
    most_repeats: float = 4.0  # of a source, however small it is
    examples: int = 6  # shown of each step
    seed: int = 0  # of the samples above

    def __post_init__(self) -> None:
        for name in (
            "similar_text",
            "language_certainty",
            "ocr_share",
            "least_ocr_agreement",
            "relevance_share",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise CurationError(f"{name} is a share between 0 and 1, not {getattr(self, name)}")
        if self.personal_data not in ("drop", "mask", "keep"):
            raise CurationError(f"personal_data is drop, mask or keep, not {self.personal_data!r}")
        if self.licences not in ("permissive", "any"):
            raise CurationError(f"licences is permissive or any, not {self.licences!r}")
        if any(share < 0 for share in self.mixing.values()) or (
            self.mixing and not sum(self.mixing.values())
        ):
            raise CurationError("mixing holds shares that are not negative and not all zero")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Options":
        """Raises CurationError for an unknown name, with the nearest that is known."""
        known = [one.name for one in fields(cls)]
        for name in value:
            if name not in known:
                near = get_close_matches(name, known, 1)
                raise CurationError(f"there is no option {name!r}" + (f"; {near[0]}?" if near else ""))
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        return cls(**given)
