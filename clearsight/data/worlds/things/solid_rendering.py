"""A small ray caster: solids standing on a floor under one lamp, with shadows, gloss and perspective.

The world's x runs to the right, y away from the camera, z up; the floor is z = 0. Every solid is hit analytically (the
ring by sphere tracing), and only where its bounding box falls on the screen. What each pixel shows is kept, so that
the truth about what hides what comes from the picture itself. Left out: light that solids throw on each other,
refraction, and any shape that needs a mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PIL import Image

from clearsight.data.worlds.drawing.palette import RGB

NEAR = 1e-3
FAR = np.float32(1e6)
RING = 0.36  # the ring's thickness: radius of its tube as a share of its outer radius
TRACING_STEPS = 18

Vector = tuple[np.ndarray, np.ndarray, np.ndarray] | tuple[float, float, float]


@dataclass(frozen=True)
class Solid:
    """A solid of `reach` half its width, standing at (x, y), turned about the vertical by `turn` radians.

    `texture` (64 x 64 floats, 0 to 1) is how much of `ink` covers the face that a cube turns to the camera.
    """

    shape: str
    reach: float
    x: float
    y: float
    turn: float
    paint: RGB
    shiny: bool
    texture: np.ndarray | None = field(default=None, compare=False)
    ink: RGB = (20, 20, 20)

    @property
    def height(self) -> float:
        return 2 * self.reach * (RING if self.shape == "ring" else 1.0)

    def corners(self) -> np.ndarray:
        """The eight corners (8, 3) of a box around the solid."""
        across, deep = (
            np.array(signs, dtype=np.float32) * self.reach for signs in ([-1, -1, 1, 1], [-1, 1, -1, 1])
        )
        if self.shape in ("cube", "pyramid"):
            cos, sin = np.cos(self.turn), np.sin(self.turn)
            across, deep = cos * across - sin * deep, sin * across + cos * deep
        found = np.zeros((8, 3), dtype=np.float32)
        found[:, 0], found[:, 1] = np.tile(across + self.x, 2), np.tile(deep + self.y, 2)
        found[4:, 2] = self.height
        return found


@dataclass(frozen=True)
class View:
    """A pinhole camera `distance` in front of the middle of the floor and `height` above it, looking slightly down."""

    width: int
    height: int
    eye: tuple[float, float, float]
    aim: tuple[float, float, float]
    focal: float  # in widths of the picture

    @cached_property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit vectors to the right, up and forward."""
        forward = np.subtract(self.aim, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.array((forward[1], -forward[0], 0.0)) / np.hypot(forward[0], forward[1])
        up = (-right[1] * forward[2], right[0] * forward[2], right[1] * forward[0] - right[0] * forward[1])
        return right, -np.array(up), forward

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) where points (n, 3) of the world appear."""
        right, up, forward = self.axes
        seen = points - np.asarray(self.eye)
        depth = seen @ forward
        scale = self.focal * self.width / depth
        return np.stack([self.width / 2 + seen @ right * scale, self.height / 2 - seen @ up * scale], axis=1)

    @cached_property
    def rays(self) -> Vector:
        """Unit directions of the rays through all pixels, three arrays (height, width)."""
        right, up, forward = self.axes
        u = ((np.arange(self.width) + 0.5 - self.width / 2) / (self.focal * self.width)).astype(np.float32)
        v = ((self.height / 2 - np.arange(self.height) - 0.5) / (self.focal * self.width)).astype(np.float32)
        length = np.sqrt(1 + u[None, :] ** 2 + v[:, None] ** 2)
        return tuple(  # type: ignore[return-value]
            ((forward[k] + u[None, :] * right[k] + v[:, None] * up[k]) / length).astype(np.float32)
            for k in range(3)
        )


@dataclass
class Rendered:
    """`shown` is the solid under each pixel, -1 for none; `pixels` how many pixels each solid would cover alone.

    `hides[i][j]`: how many pixels of solid j are hidden by solid i.
    """

    picture: Image.Image
    shown: np.ndarray
    pixels: list[int]
    hides: list[list[int]]

    def visible(self, index: int) -> float:
        """The share of a solid's silhouette that can be seen."""
        return float((self.shown == index).sum() / max(1, self.pixels[index]))


Window = tuple[slice, slice]  # rows and columns of the screen


def render(
    view: View, floor: np.ndarray, solids: Sequence[Solid], lamp: tuple[float, float, float]
) -> Rendered:
    """Draw solids on a floor (height, width, 3: its light colours, 0 to 255) lit from the direction `lamp`."""
    rays = view.rays
    light = np.asarray(lamp, dtype=np.float32) / np.float32(np.linalg.norm(lamp))
    depth = np.where(rays[2] < -1e-4, -view.eye[2] / np.minimum(rays[2], -1e-4), FAR).astype(np.float32)
    shown = np.full(depth.shape, -1, dtype=np.int16)
    windows = [_window(view, solid.corners()) for solid in solids]
    nearest, normals = [], []
    for index, (solid, window) in enumerate(zip(solids, windows, strict=True)):
        toward = _turned(solid, tuple(ray[window] for ray in rays))
        t, normal = _hit(solid, _local(solid, view.eye), toward)
        nearest.append(t)
        normals.append(_turned_back(solid, normal))
        front = t < depth[window]
        depth[window][front] = t[front]
        shown[window][front] = index
    lit = _shadows(view, solids, rays, depth, shown, light)
    colours = floor * (0.52 + 0.48 * lit)[..., None]
    for index, (solid, window) in enumerate(zip(solids, windows, strict=True)):
        mine = shown[window] == index
        if mine.any():
            toward = tuple(ray[window][mine] for ray in rays)
            at = tuple(view.eye[k] + depth[window][mine] * toward[k] for k in range(3))
            normal = tuple(np.broadcast_to(axis, mine.shape)[mine] for axis in normals[index])
            colours[window][mine] = _shaded(solid, at, normal, toward, lit[window][mine], light)
    _smooth_edges(colours, shown)
    picture = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
    return Rendered(picture, shown, [int((t < FAR).sum()) for t in nearest], _hides(windows, nearest))


def _window(view: View, points: np.ndarray) -> Window:
    """The rows and columns of the screen that a hull of points can reach."""
    pixels = view.project(points)
    (left, top), (right, bottom) = np.floor(pixels.min(0)).astype(int), np.ceil(pixels.max(0)).astype(int) + 1
    rows = slice(min(max(0, top), view.height - 1), max(1, min(view.height, bottom)))
    return rows, slice(min(max(0, left), view.width - 1), max(1, min(view.width, right)))


def _hides(windows: list[Window], nearest: list[np.ndarray]) -> list[list[int]]:
    """How many pixels of each solid are hidden by each other one."""
    hides = [[0] * len(windows) for _ in windows]
    for i, a in enumerate(windows):
        for j, b in enumerate(windows):
            rows = slice(max(a[0].start, b[0].start), min(a[0].stop, b[0].stop))
            columns = slice(max(a[1].start, b[1].start), min(a[1].stop, b[1].stop))
            if i != j and rows.start < rows.stop and columns.start < columns.stop:
                first, second = (
                    nearest[k][
                        rows.start - w[0].start : rows.stop - w[0].start,
                        columns.start - w[1].start : columns.stop - w[1].start,
                    ]
                    for k, w in ((i, a), (j, b))
                )
                hides[i][j] = int(((first < second) & (second < FAR)).sum())
    return hides


def _smooth_edges(colours: np.ndarray, shown: np.ndarray) -> None:
    """Soften, in place, the steps between solids and between solids and floor: pixels become the mean of 3 x 3."""
    edge = np.zeros(shown.shape, dtype=bool)
    across, down = shown[1:-1, 1:] != shown[1:-1, :-1], shown[1:, 1:-1] != shown[:-1, 1:-1]
    inner = edge[1:-1, 1:-1]
    inner |= across[:, 1:] | across[:, :-1] | down[1:] | down[:-1]
    rows, columns = np.nonzero(edge)
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    colours[rows, columns] = sum(colours[rows + a, columns + b] for a, b in steps) / 9


# ---------------------------------------------------------------------------------------------------
# Frames of reference: a solid's own has its foot in the origin and is not turned


def _local(solid: Solid, point: Vector) -> Vector:
    return _turned(solid, (point[0] - solid.x, point[1] - solid.y, point[2]))


def _turned(solid: Solid, vector: Vector) -> Vector:
    cos, sin = np.float32(np.cos(solid.turn)), np.float32(np.sin(solid.turn))
    x, y, z = vector
    return cos * x + sin * y, cos * y - sin * x, z  # type: ignore[return-value]


def _turned_back(solid: Solid, vector: Vector) -> Vector:
    cos, sin = np.float32(np.cos(solid.turn)), np.float32(np.sin(solid.turn))
    x, y, z = vector
    return cos * x - sin * y, cos * y + sin * x, z  # type: ignore[return-value]


# ---------------------------------------------------------------------------------------------------
# Where rays o + t d meet a solid first, and the normal there. One of o and d is a single vector.


def _hit(solid: Solid, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    """The distance t along each ray, FAR where it misses, and the normal in the solid's own frame."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _HITS[solid.shape](solid.reach, o, d)


def _solve(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both roots of a t^2 + 2 b t + c, FAR and -FAR where there is none."""
    root = b * b - a * c
    none = root < 0
    root = np.sqrt(np.where(none, 0, root))
    first, last = (-b - root) / a, (-b + root) / a
    return np.where(none, FAR, np.minimum(first, last)), np.where(none, -FAR, np.maximum(first, last))


def _hit_sphere(reach: float, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    z = o[2] - reach
    b = o[0] * d[0] + o[1] * d[1] + z * d[2]
    c = o[0] * o[0] + o[1] * o[1] + z * z - reach * reach
    t, _ = _solve(np.float32(1), b, c)
    t = np.where(t > NEAR, t, FAR)
    return t, ((o[0] + t * d[0]) / reach, (o[1] + t * d[1]) / reach, (z + t * d[2]) / reach)


def _hit_planes(planes: np.ndarray, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    """A convex solid: all p with n . p <= h for each plane (n, h) of (count, 4)."""
    enter, leave = -FAR, FAR
    face = 0
    for number, (a, b, c, h) in enumerate(planes):
        along = a * d[0] + b * d[1] + c * d[2]
        t = (h - (a * o[0] + b * o[1] + c * o[2])) / along
        into = np.where(along < 0, t, -FAR)
        face = np.where(into > enter, number, face)
        enter = np.maximum(enter, into)
        leave = np.minimum(leave, np.where(along > 0, t, FAR))
    t = np.where((enter < leave) & (enter > NEAR), enter, FAR)
    return t.astype(np.float32), tuple(planes[:, k].astype(np.float32)[face] for k in range(3))  # type: ignore[return-value]


def _hit_cube(reach: float, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    planes = np.zeros((6, 4), dtype=np.float32)
    for axis in range(3):
        planes[2 * axis, axis], planes[2 * axis + 1, axis] = 1, -1
    planes[:, 3] = reach
    planes[4, 3], planes[5, 3] = 2 * reach, 0
    return _hit_planes(planes, o, d)


def _hit_pyramid(reach: float, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    slope = np.array([2, 1], dtype=np.float32) / np.sqrt(5)  # as high as wide
    planes = np.zeros((5, 4), dtype=np.float32)
    for number, (axis, sign) in enumerate(((0, 1), (0, -1), (1, 1), (1, -1))):
        planes[number, axis], planes[number, 2] = sign * slope[0], slope[1]
        planes[number, 3] = slope[0] * reach
    planes[4, 2] = -1
    return _hit_planes(planes, o, d)


def _hit_cylinder(reach: float, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    a = d[0] * d[0] + d[1] * d[1]
    enter, leave = _solve(a, o[0] * d[0] + o[1] * d[1], o[0] * o[0] + o[1] * o[1] - reach * reach)
    low, high = (0 - o[2]) / d[2], (2 * reach - o[2]) / d[2]
    cap = np.minimum(low, high)
    t = np.maximum(enter, cap)
    t = np.where((t < np.minimum(leave, np.maximum(low, high))) & (t > NEAR), t, FAR)
    flat = cap > enter
    x, y = (o[0] + t * d[0]) / reach, (o[1] + t * d[1]) / reach
    return t, (np.where(flat, 0, x), np.where(flat, 0, y), np.where(flat, -np.sign(d[2]), 0))


def _hit_cone(reach: float, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    high, k = 2 * reach, np.float32(0.25)  # as high as wide: the radius is half the distance from the tip
    z = high - o[2]
    a = d[0] * d[0] + d[1] * d[1] - k * d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + k * z * d[2]
    c = o[0] * o[0] + o[1] * o[1] - k * z * z
    t = FAR
    for root in _solve(a, b, c):
        at = o[2] + root * d[2]
        t = np.where((at >= 0) & (at <= high) & (root > NEAR) & (root < t), root, t)
    base = -o[2] / d[2]
    within = (o[0] + base * d[0]) ** 2 + (o[1] + base * d[1]) ** 2 <= reach * reach
    flat = within & (base > NEAR) & (base < t)
    t = np.where(flat, base, t)
    x, y = o[0] + t * d[0], o[1] + t * d[1]
    out = np.sqrt(x * x + y * y) * np.sqrt(np.float32(1.25)) + 1e-6
    up = np.float32(1 / np.sqrt(5))
    return t, (np.where(flat, 0, x / out), np.where(flat, 0, y / out), np.where(flat, -1, up))


def _hit_ring(reach: float, o: Vector, d: Vector) -> tuple[np.ndarray, Vector]:
    tube = reach * RING
    middle = reach - tube
    low, high = (0 - o[2]) / d[2], (2 * tube - o[2]) / d[2]
    start = np.maximum(np.minimum(low, high), NEAR * 20)
    t = start + np.zeros(np.broadcast(o[0], d[0]).shape, dtype=np.float32)
    for _ in range(TRACING_STEPS):
        x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2] - tube
        out = np.sqrt(x * x + y * y)
        gap = np.sqrt((out - middle) ** 2 + z * z) - tube
        t = t + gap
    hit = (gap < 0.02 * reach) & (t < np.maximum(low, high) + tube)
    t = np.where(hit, t, FAR).astype(np.float32)
    bend = (out - middle) / (out + 1e-6)
    length = np.sqrt((out - middle) ** 2 + z * z) + 1e-6
    return t, (x * bend / length, y * bend / length, z / length)


_HITS = {
    "sphere": _hit_sphere,
    "cube": _hit_cube,
    "pyramid": _hit_pyramid,
    "cylinder": _hit_cylinder,
    "cone": _hit_cone,
    "ring": _hit_ring,
}
SHAPES = tuple(_HITS)


# ---------------------------------------------------------------------------------------------------
# Light


def _shadows(
    view: View, solids: Sequence[Solid], rays: Vector, depth: np.ndarray, shown: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """How much of the lamp the place that each pixel shows can see, 0 to 1."""
    lit = np.ones(shown.shape, dtype=np.float32)
    for index, solid in enumerate(solids):
        corners = solid.corners()
        fallen = corners - corners[:, 2:] / light[2] * light
        window = _window(view, np.concatenate([corners, fallen]))
        asked = (shown[window] != index) & (depth[window] < FAR)
        far = depth[window][asked]
        at = tuple(view.eye[k] + far * rays[k][window][asked] for k in range(3))
        t, _ = _hit(solid, _local(solid, at), _turned(solid, tuple(light)))
        dark = np.zeros(asked.shape, dtype=bool)
        dark[asked] = t < FAR
        lit[window][dark] = 0
    lit[1:-1] = (lit[2:] + lit[1:-1] + lit[:-2]) / 3
    lit[:, 1:-1] = (lit[:, 2:] + lit[:, 1:-1] + lit[:, :-2]) / 3
    return lit


def _shaded(
    solid: Solid, at: Vector, normal: Vector, ray: Vector, lit: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """Colours (n, 3), 0 to 255, of points of a solid."""
    paint = np.broadcast_to(np.asarray(solid.paint, dtype=np.float32), (len(lit), 3))
    x, y, z = _local(solid, at)
    bare = np.float32(1)
    if solid.texture is not None:
        inked = _inked(solid, solid.texture, _turned(solid, normal), x, z)
        paint = paint + inked[:, None] * (np.asarray(solid.ink, dtype=np.float32) - paint)
        bare = (_turned(solid, normal)[1] > -0.9).astype(np.float32)  # no streaks across the letter
    facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
    bright = 0.66 + 0.1 * normal[2] + 0.4 * np.maximum(facing, 0) * lit
    colours = paint * bright[:, None]
    if not solid.shiny:
        return colours
    back = ray[0] * normal[0] + ray[1] * normal[1] + ray[2] * normal[2]
    mirrored = tuple(ray[k] - 2 * back * normal[k] for k in range(3))
    gleam = (
        np.maximum(mirrored[0] * light[0] + mirrored[1] * light[1] + mirrored[2] * light[2], 0) ** 40 * lit
    )
    sky = np.clip(mirrored[2] * 1.6 + 0.2, 0, 1)
    rim = 0.14 + 0.5 * (1 + np.minimum(back, 0)) ** 3
    if solid.shape in (
        "cube",
        "pyramid",
    ):  # a flat face mirrors one direction: streaks say that it is polished
        along = (x + 0.6 * y + 0.9 * z) / solid.reach
        gleam = gleam + 0.5 * (np.abs(along - 1.2) < 0.16) + 0.35 * (np.abs(along - 0.85) < 0.06)
        gleam = gleam * bare
    colours = colours * (1 - rim)[:, None] + (60 + 190 * sky * rim)[:, None] * rim[:, None]
    return colours + 235 * np.minimum(gleam, 1)[:, None]


def _inked(solid: Solid, texture: np.ndarray, normal: Vector, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How much of each point the texture's ink covers: it is on the face that looks along the solid's own -y."""
    side = texture.shape[0]
    column = np.clip(((x / solid.reach + 1) / 2 * side).astype(int), 0, side - 1)
    row = np.clip(((1 - z / (2 * solid.reach)) * side).astype(int), 0, side - 1)
    return texture[row, column] * (normal[1] < -0.9)
