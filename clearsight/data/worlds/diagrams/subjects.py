"""What diagrams are about: procedures, parts of machines and names of nodes, split between training and evaluation."""

from clearsight.data.worlds.scene import Split

PARTS: dict[Split, tuple[str, ...]] = {
    "train": (
        "Pump",
        "Filter",
        "Tank",
        "Boiler",
        "Valve",
        "Sensor",
        "Motor",
        "Mixer",
        "Fan",
        "Cooler",
        "Heater",
    ),
    "eval": ("Lens", "Laser", "Prism", "Shutter", "Grating", "Camera", "Beam", "Splitter", "Diode", "Fibre"),
}

# Title; steps in their order; decisions; detours.
PROCESSES: dict[Split, tuple[tuple[str, str, str, str], ...]] = {
    "train": (
        (
            "Online order",
            "Take order, Print slip, Pick goods, Pack box, Weigh box, Send parcel",
            "In stock?, Paid?, Gift?",
            "Buy more, Send bill, Wrap goods, Tell buyer, Cancel order",
        ),
        (
            "Baking bread",
            "Mix dough, Knead dough, Let rise, Shape loaf, Heat oven, Bake loaf, Cool loaf",
            "Too sticky?, Risen?, Brown?",
            "Add flour, Wait longer, Add water, Turn heat up",
        ),
        (
            "Repair desk",
            "Open case, Note fault, Find part, Swap part, Test unit, Close case",
            "Warranty?, Part here?, Works?",
            "Quote price, Order part, Ask expert, Return unit",
        ),
        (
            "New member",
            "Read form, Check age, Take photo, Print card, Hand out card",
            "Form full?, Fee paid?, Adult?",
            "Call back, Ask parents, Send bill, Refuse",
        ),
        (
            "Garden care",
            "Walk round, Pull weeds, Feed soil, Cut hedge, Sweep path",
            "Soil dry?, Frost?, Pests?",
            "Water beds, Cover plants, Spray soap, Stay inside",
        ),
        (
            "Software release",
            "Write code, Build, Run tests, Review, Tag version, Publish",
            "Tests pass?, Approved?, Urgent?",
            "Fix bug, Rework, Roll back, Log issue",
        ),
        (
            "Patient visit",
            "Sign in, Wait, See nurse, See doctor, Get note, Leave",
            "Insured?, Fever?, Urgent?",
            "Pay desk, Isolate, Go first, Lab test",
        ),
        (
            "Train journey",
            "Plan trip, Buy ticket, Find track, Board train, Find seat, Get off",
            "On time?, Seat free?, Change?",
            "Take bus, Stand, Call home, Next train",
        ),
    ),
    "eval": (
        (
            "Library loan",
            "Scan badge, Fetch book, Stamp date, Note loan, Give receipt",
            "Book in?, Overdue?, Reserved?",
            "Charge fine, Join queue, Search stacks, Deny loan",
        ),
        (
            "Brewing day",
            "Grind malt, Steep grain, Boil wort, Add hops, Chill batch, Fill keg",
            "Clear?, Sweet?, Foaming?",
            "Skim, Stir again, Strain, Dump batch",
        ),
        (
            "Lost luggage",
            "Greet owner, Note label, Trace bag, Load van, Deliver bag",
            "Bag found?, Damaged?, Abroad?",
            "Pay claim, Widen search, Inform customs, File report",
        ),
    ),
}
