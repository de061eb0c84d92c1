"""Forms, on paper and on screens: what was entered, ticked and chosen, what is missing, and whether it is signed.

What they ask is in `form_contents`, how they look in `form_drawing`. An entry that was left out is "not shown". Left
out: cursive handwriting, and forms of several pages.
"""

from typing import Any

from clearsight.data.worlds import asking
from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.documents.form_contents import Form, any_form
from clearsight.data.worlds.documents.form_drawing import ON_SCREEN, TEMPLATES, draw_form
from clearsight.data.worlds.scene import Scene, Split, rng_for, wording

ENTRY = (
    "What was entered for {label}?",
    "What does the field {label} say?",
    "What is filled in under {label}?",
    "Which entry has been made in the blank named {label}?",
)
FIELD_OF = (
    "Which field contains {entry}?",
    "In which field was {entry} entered?",
    "By which label does the entry {entry} stand?",
)
EMPTY = (
    "Which field was left empty?",
    "Which field has no entry?",
    "Name the one blank that nobody filled.",
)
ALL_EMPTY = (
    "Which fields were left empty?",
    "List all fields without an entry.",
    "Name each blank that nobody filled.",
)
REQUIRED = (
    "Which field marked with a star is still empty?",
    "Which required field has no entry?",
    "Name the starred blank that is yet to be filled.",
)
FILLED = (
    "How many fields have an entry?",
    "Count the fields that were filled in.",
    "In how many of the blanks has something been written?",
)
HAS_ENTRY = (
    "Is there an entry for {label}?",
    "Was {label} filled in?",
    "Has anybody put something into the blank named {label}?",
)
STARRED = (
    "Is {label} marked as required?",
    "Does {label} have a star?",
    "Must the blank named {label} be filled, going by its star?",
)
TICKED = (
    "Which boxes are ticked under {label}?",
    "List everything that is ticked for {label}.",
    "Name all options with a mark beside them at {label}.",
)
COUNT_TICKED = (
    "How many boxes are ticked under {label}?",
    "Count the ticked boxes for {label}.",
    "What number of options at {label} bear a mark?",
)
UNTICKED = (
    "Which box is not ticked under {label}?",
    "Which of the options for {label} was not ticked?",
    "Name the only option at {label} that bears no mark.",
)
IS_TICKED = (
    "Is {option} ticked?",
    "Has the box for {option} been ticked?",
    "Does the option {option} bear a mark?",
)
CHOSEN = (
    "Which option is selected for {label}?",
    "What was chosen as {label}?",
    "At {label}, beside which option is the round button full?",
)
SIGNED = (
    "Is the form signed?",
    "Has anybody signed the form?",
    "Does a signature stand on its line?",
)
PRESSABLE = (
    "Can the button {button} be pressed?",
    "Is the button {button} active rather than greyed out?",
    "Would a tap on {button} do anything, going by its colour?",
)
BUTTON = (
    "What does the button at the bottom say?",
    "What is written on the form's button?",
    "Which caption does the form's push button have?",
)
DAYS = (
    "How many days lie between {a} and {b}?",
    "How many days is it from {a} to {b}?",
    "By how many days does {b} come later than {a}?",
)
YEAR = (
    "Which year is given for {label}?",
    "In which year is the {label}?",
    "Name just the year out of the entry at {label}.",
)
NEXT = (
    "Which field comes right after {label}?",
    "Which field follows {label}?",
    "What is the label of the blank that comes next after {label}?",
)
TITLE = ("What is the title of the form?", "What is this form called?", "Which title heads the form?")
POINT_FIELD = (
    "Where is the entry for {label} to be written?",
    "Point to the field {label}.",
    "Show the place meant for filling in {label}.",
)
POINT_OPTION = (
    "Where must one tick to choose {option}?",
    "Point to the box of the option {option}.",
    "Show the spot to mark for {option}.",
)
BOX_SIGNATURE = (
    "Frame the signature.",
    "Where is the signature?",
    "Put a box round what was signed.",
)
BOX_BUTTON = (
    "Frame the button {button}.",
    "Where is the button {button}?",
    "Put a box round the push button {button}.",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("forms", seed, split)
    template = rng.choice(TEMPLATES[split])
    form = any_form(rng, split, on_screen=template in ON_SCREEN)
    scene = draw_form(rng, seed, split, template, form)
    scene.facts = _facts(form, template)
    ask = Asker(scene, rng)
    _ask_fields(ask, form)
    _ask_options(ask, form)
    _ask_rest(ask, form)
    _describe(scene, form)
    return scene


def _facts(form: Form, template: str) -> dict[str, Any]:
    return {
        "template": template,
        "title": form.title,
        "fields": [
            {
                "label": field.label,
                "required": field.required,
                "box": list(field.box),
                "legible": field.legible,
                "filled": bool(field.entry),
            }
            for field in form.fields
        ],
        "ticks": {"label": form.ticks_label, "options": {o.name: list(o.box) for o in form.ticks}},
        "choice": {"label": form.choice_label, "options": {o.name: list(o.box) for o in form.choice}},
        "signature": None if form.signed is None else list(form.signature_box),
        "button": {"text": form.button, "box": list(form.button_box)} if form.button else None,
    }


def _ask_fields(ask: Asker, form: Form) -> None:
    rng, fields = ask.rng, form.fields
    clear = [f for f in fields if f.entry and f.legible]
    for field in rng.sample(clear, min(2, len(clear))):
        kind = ask.verbatim if field.exact else ask.text
        kind("entry", ENTRY, field.entry, label=field.label, needs=field.places)
    field = rng.choice(clear)
    if [f.entry for f in clear].count(field.entry) == 1:
        ask.text("field of an entry", FIELD_OF, field.label, entry=field.entry, needs=field.places)
    for field in fields:
        if field.entry and not field.legible:
            ask.cant_be_read("entry that can't be read", ENTRY, label=field.label)
    empty = [f for f in fields if not f.entry]
    if empty:
        ask.not_shown("empty entry", ENTRY, label=rng.choice(empty).label)
    if form.absent:
        ask.not_shown("entry of an absent field", ENTRY, label=rng.choice(form.absent))
    if len(empty) == 1:
        ask.text("empty field", EMPTY, empty[0].label)
    elif empty:
        ask.items("empty fields", ALL_EMPTY, [f.label for f in empty], ordered=False)
    missing = [f for f in empty if f.required]
    if len(missing) == 1:
        ask.text("missing field", REQUIRED, missing[0].label)
    ask.count("filled", FILLED, len(fields) - len(empty))
    field = rng.choice(empty if empty and rng.random() < 0.45 else fields)
    ask.yes_no("has entry", HAS_ENTRY, bool(field.entry), label=field.label)
    field = rng.choice(fields)
    ask.yes_no("required", STARRED, field.required, label=field.label)
    i = rng.randrange(len(fields) - 1)
    ask.text("next field", NEXT, fields[i + 1].label, label=fields[i].label)
    field = rng.choice(fields)
    ask.point("point to a field", POINT_FIELD, field.box, label=field.label)
    dated = [f for f in clear if f.date]
    if len(dated) == 2:
        first, second = dated
        assert first.date and second.date
        long = (second.date - first.date).days
        needs = (*first.places, *second.places)
        ask.number(
            "days between", DAYS, long, answer=f"{long} days", a=first.label, b=second.label, needs=needs
        )
    elif dated:
        assert dated[0].date
        ask.number("year", YEAR, dated[0].date.year, label=dated[0].label, needs=dated[0].places)


def _ask_options(ask: Asker, form: Form) -> None:
    rng, label = ask.rng, form.ticks_label
    ticked = [o.name for o in form.ticks if o.marked]
    unticked = [o.name for o in form.ticks if not o.marked]
    if ticked:
        ask.items("ticked", TICKED, ticked, ordered=False, label=label)
    ask.count("count ticked", COUNT_TICKED, len(ticked), label=label)
    if len(unticked) == 1:
        ask.text("unticked", UNTICKED, unticked[0], label=label)
    pool = ticked if ticked and (rng.random() < 0.5 or not unticked) else unticked
    option = rng.choice(pool)
    ask.yes_no("is ticked", IS_TICKED, option in ticked, option=option)
    chosen = [o.name for o in form.choice if o.marked]
    if not chosen:
        ask.not_shown("nothing chosen", CHOSEN, label=form.choice_label)
    elif rng.random() < 0.5:
        ask.text("chosen", CHOSEN, chosen[0], label=form.choice_label)
    else:
        options = [o.name for o in form.choice]
        ask.choice("chosen of three", CHOSEN, chosen[0], options, len(options), label=form.choice_label)
    option = rng.choice(form.ticks)
    ask.point("point to an option", POINT_OPTION, option.box, option=option.name)


def _ask_rest(ask: Asker, form: Form) -> None:
    """Title, signature, button."""
    ask.text("title", TITLE, form.title)
    if form.signed is not None:
        ask.yes_no("signed", SIGNED, form.signed)
        if form.signed:
            (written,) = [p for p in ask.scene.placed if p.label == "signature"]
            ask.box("box of the signature", BOX_SIGNATURE, written.box)
        else:
            where = " " + wording(ask.rng, ask.split, asking.BOX)  # as if there were one
            ask.not_shown("absent signature", BOX_SIGNATURE, after=where)
    if form.button:
        ask.yes_no("pressable", PRESSABLE, form.complete, button=form.button)
        ask.text("button", BUTTON, form.button)
        ask.box("box of the button", BOX_BUTTON, form.button_box, button=form.button)


def _describe(scene: Scene, form: Form) -> None:
    ticked = [o.name for o in form.ticks if o.marked]
    filled = sum(bool(f.entry) for f in form.fields)
    scene.short_caption = f'A form titled "{form.title}".'
    signed = "" if form.signed is None else ", signed" if form.signed else ", not signed"
    scene.caption = (
        f'A form titled "{form.title}" with {filled} of {len(form.fields)} fields filled in{signed}.'
    )
    parts = [
        f"{f.label} is " + ("left empty" if not f.entry else f.entry if f.legible else "illegible")
        for f in form.fields
    ]
    chosen = [o.name for o in form.choice if o.marked]
    named = (
        ticked[0]
        if len(ticked) == 1
        else f"{', '.join(ticked[:-1])} and {ticked[-1]}"
        if ticked
        else "nothing"
    )
    marks = f"Under {form.ticks_label}, {named} "
    marks += ("are" if len(ticked) > 1 else "is") + f" ticked; {form.choice_label} is "
    marks += f"{chosen[0] if chosen else 'not chosen'}."
    ending = ""
    if form.button:
        ending = f' The button "{form.button}" ' + ("can be pressed." if form.complete else "is greyed out.")
    scene.long_caption = f"{scene.caption} {'; '.join(parts)}. {marks}{ending}"
