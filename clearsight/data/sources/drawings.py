"""SVG drawings as pictures on white. resvg draws them: it runs no scripts and fetches nothing.

System fonts are left out, so that a drawing looks the same on every machine; text that is not outlines is missing.
"""

import io

from PIL import Image as PILImage

from clearsight.conversation import Image
from clearsight.data.sources.contract import Unusable, require

LARGEST_SVG = 1 << 20  # characters; beyond it drawing may take minutes


def drawn(svg: str, side: int) -> Image:
    """The drawing within `side` x `side` pixels, as PNG. Raises Unusable for one that is broken, huge or blank."""
    resvg = require("resvg_py", "resvg_py", "Drawing SVG")
    if len(svg) > LARGEST_SVG:
        raise Unusable("drawing too large", f"{len(svg):,} characters")
    try:
        data = bytes(
            resvg.svg_to_bytes(
                svg_string=svg,
                width=side,
                height=side,
                dpi=96,  # without it, sizes in points are none
                background="white",
                skip_system_fonts=True,
            )
        )
    except ValueError as error:
        raise Unusable("broken drawing", str(error)) from error
    picture = PILImage.open(io.BytesIO(data)).convert("RGB")
    if len(picture.getcolors(2) or "many") == 1:
        raise Unusable("blank drawing")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return Image(data=out.getvalue())
