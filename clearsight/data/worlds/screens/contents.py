"""What is on screens: names of settings, tabs, buttons, messages; and a Screen, which learns of each element drawn.

Every element has a kind, a label and a box, and what kinds have in common: whether it is on (switched on, ticked,
active, selected, the main button), whether it can be used, and a value or number beside it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clearsight.data.worlds.drawing.page import (
    Align,
    Box,
    Face,
    Page,
    Theme,
    Type,
    Writing,
    any_theme,
    any_type,
    blank,
)
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.names import divided
from clearsight.data.worlds.scene import Scene, Split

Kind = Literal[
    "switch", "check", "button", "tab", "item", "setting", "slider", "message", "progress", "product"
]
Words = dict[Split, tuple[str, ...]]

SWITCHES = divided(
    """Airplane mode, Auto-lock, Auto-rotate, Auto-update, Autoplay, Backup, Battery saver, Beta features, Bluetooth,
    Bold text, Captions, Clipboard log, Cookies, Crash reports, Dark mode, Data saver, Do not disturb, Email digest,
    Face unlock, Find my phone, Fingerprint, Focus time, Game mode, Gestures, Guest mode, Haptics, High contrast,
    Hotspot, Key sounds, Large text, Live captions, Location, Magnifier, Mirroring, Mono audio, Night light,
    Notifications, Parental filter, Pop-ups, Power nap, Private mode, Raise to wake, Read receipts, Reminders, Roaming,
    Screen saver, Share usage, Smart replies, Speech to text, Spell check, Step counter, Subtitles, Sync, Tap to pay,
    Touch tones, Vibration, Voice match, VPN, Wi-Fi, Widgets""",
    every=3,
)
SETTINGS: dict[Split, dict[str, tuple[str, ...]]] = {
    "train": {
        "Language": ("Dutch", "French", "German", "Polish", "Turkish"),
        "Ringtone": ("Marimba", "Breeze", "Cascade", "Pulse", "Ripple"),
        "Region": ("Norway", "Kenya", "Chile", "Japan", "Canada"),
        "Wallpaper": ("Dunes", "Forest", "Galaxy", "Waves"),
        "Sleep after": ("2 min", "5 min", "10 min", "30 min"),
        "Text size": ("Small", "Medium", "Large"),
        "Storage": ("12 GB", "27 GB", "48 GB", "93 GB"),
        "Version": ("4.1", "7.3", "9.2", "11.6"),
    },
    "eval": {
        "Tongue": ("Danish", "Greek", "Korean", "Malay"),
        "Alarm sound": ("Harp", "Rooster", "Drums", "Chimes"),
        "Country": ("Peru", "Iceland", "Ghana", "Nepal"),
        "Skin": ("Lagoon", "Meadow", "Graphite", "Coral"),
        "Dim after": ("3 min", "8 min", "20 min"),
        "Build": ("5.8", "12.4", "20.1"),
    },
}
SLIDERS: Words = {
    "train": ("Brightness", "Volume", "Contrast", "Zoom"),
    "eval": ("Backlight", "Loudness", "Warmth"),
}
TABS = divided(
    """Activity, Albums, Alerts, Archive, Artists, Bookings, Calendar, Calls, Camera, Cart, Charts, Chats, Contacts,
    Downloads, Drafts, Explore, Favourites, Feed, Files, Friends, Groups, Help, History, Home, Inbox, Labels, Latest,
    Library, Lists, Maps, Media, Members, Music, News, Nearby, Notes, Offers, Orders, Overview, Photos, Plans, Podcasts,
    Profile, Projects, Recent, Reports, Reviews, Saved, Search, Shared, Shop, Stats, Tasks, Teams, Timer, Tools, Travel,
    Trends, Updates, Videos, Wallet, Weather"""
)
BUTTONS = divided(
    """Accept, Add, Apply, Back, Browse, Call, Cancel, Clear, Close, Connect, Continue, Copy, Create, Decline, Delete,
    Details, Discard, Done, Download, Edit, Export, Finish, Follow, Import, Insert, Install, Invite, Join, Later, Leave,
    Log out, Merge, Move, New, Next, Open, Paste, Pause, Play, Preview, Print, Publish, Record, Refresh, Reject, Remove,
    Rename, Repair, Reply, Reset, Restore, Retry, Save, Scan, Share, Skip, Start, Stop, Submit, Undo, Unlock, Update,
    Upload, Verify, View"""
)
MENUS: Words = {
    "train": ("File", "Edit", "View", "Insert", "Format", "Tools", "Window", "Help"),
    "eval": ("Document", "Change", "Layout", "Extras", "Pages", "Support"),
}
APPS = divided(
    """Birdsong, Blockwise, Bookmarkly, Budgetier, Cameo, Chatter, Cloudbox, Courier, Daybook, Deskpad, Ferryman,
    Fitpath, Gardenia, Habitual, Inkwell, Jotter, Kitchenly, Ledgerly, Lookout, Mapwise, Mealtime, Minutes, Moodring,
    Notebook, Orbit, Outliner, Paperboy, Parcelly, Petpal, Pinboard, Planter, Playhouse, Pocketbook, Quickmail, Radiola,
    Recipes, Roadster, Scanner, Sketchbook, Skywatch, Soundbox, Stargazer, Stopwatch, Sunrise, Taskmill, Ticketer,
    Trailhead, Tunebook, Voicebox, Wayfinder, Weekly, Wordsmith"""
)
TITLES: Words = {
    "train": ("Settings", "Display", "Privacy", "Sound", "General", "Network", "Account"),
    "eval": ("Preferences", "Quick panel", "Control room", "Options"),
}
MESSAGES: Words = {
    "train": (
        "See you at the station", "The parcel has arrived", "Can we meet at noon", "Thanks for the photos",
        "Your order is on its way", "Dinner is at eight", "I found your keys", "The meeting is moved",
        "Please send the report", "Happy birthday to you", "Running ten minutes late", "The bill is paid",
        "Shall we go by bike", "Call me when you can", "It was great last night", "New photos of the cat",
    ),
    "eval": (
        "Bring an umbrella today", "Our flight was delayed", "The soup needs more salt", "Who took the ladder",
        "Rehearsal begins at six", "I left the window open", "Grandma says hello", "The tyre is flat again",
        "Tickets are sold out", "We won the match",
    ),
}  # fmt: skip
DIALOGS: dict[Split, tuple[tuple[str, str], ...]] = {
    "train": (
        ("Save changes?", "The document has been changed since it was last saved."),
        ("Delete this file?", "A file that is deleted can't be brought back later."),
        ("Update ready", "A new version has been loaded. Restart now to install it."),
        ("Low storage", "Less than one gigabyte is free. Remove files to go on."),
        ("Allow access?", "This app would like to use the camera and the microphone."),
        ("Connection lost", "The server did not answer. Check the cable and try again."),
    ),
    "eval": (
        ("Leave the page?", "What you typed so far will be thrown away."),
        ("Printer jammed", "Open the lid, pull out the sheet, then shut the lid."),
        ("Sign in again", "Your session ended after an hour without any action."),
        ("Empty the bin?", "Forty files are going to be erased for good."),
    ),
}
REMEMBER: Words = {
    "train": ("Do not ask again", "Apply to all", "Remember my choice"),
    "eval": ("Skip this in future", "Use for every file"),
}


@dataclass
class Element:
    """Something on a screen. `legible` is of its value; `places` are its label's and value's in `scene.placed`."""

    kind: Kind
    label: str
    box: Box
    on: bool = False
    enabled: bool = True
    value: str = ""
    number: float | None = None
    legible: bool = True
    places: tuple[int, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "label": self.label,
            "box": [round(side) for side in self.box],
            "on": self.on,
            "enabled": self.enabled,
            "number": self.number,
            "value": self.value,
            "legible": self.legible,
        }


class Screen:
    """A screen under way. `elements` are in the order in which they are read."""

    def __init__(self, rng: random.Random, seed: int, split: Split, size: tuple[int, int]):
        self.rng, self.split = rng, split
        self.theme: Theme = any_theme(rng, split, dark=rng.random() < 0.45)
        self.type: Type = any_type(rng, split, rng.choice((7.5, 7.5, 8.0, 8.5)), "%-:.,?$")
        self.page = Page(Scene("screens", seed, split, blank(rng, size, self.theme.ground)), rng)
        self.width, self.height = size
        self.size = self.type.text.size
        self.elements: list[Element] = []
        self.texts: list[str] = []  # everything written, legible or not
        self.title = ""
        self.body: tuple[str, bool] | None = None  # a dialog's running text, and whether it is legible
        self.clock = ""
        self.battery: int | None = None
        self.battery_in_digits = False
        self.hide_one = rng.random() < 0.55  # one value is to be illegible

    def write(
        self,
        x: float,
        y: float,
        text: str,
        face: Face | None = None,
        ink: RGB | None = None,
        align: Align = "left",
        legible: bool = True,
    ) -> Writing:
        self.texts.append(text.rstrip(":"))
        return self.page.write(
            x, y, text, face or self.type.text, ink or self.theme.ink, align=align, legible=legible
        )

    def add(self, kind: Kind, label: str, box: Box, **rest: Any) -> Element:
        """Note an element, which is (or is about to be) drawn into the box."""
        element = Element(kind, label, box, **rest)
        self.elements.append(element)
        self.page.place(kind, box)
        return element

    def hides(self, *, chance: float = 0.4) -> bool:
        """Whether the value drawn next is to be illegible: of one element at most."""
        if self.hide_one and self.rng.random() < chance:
            self.hide_one = False
            return True
        return False

    def unused(self, words: Sequence[str]) -> list[str]:
        """Those of the words that are not on the screen yet: no two things on it are called the same."""
        return [word for word in words if word not in self.texts]

    def of(self, *kinds: str) -> list[Element]:
        return [element for element in self.elements if element.kind in kinds]
