"""Where records come from that nobody here drew. A source has `records(...)`, by the rules of contract.py.

    contract.py        what all sources share: position, what was left out and why, which pictures are accepted
    named.py           the right source for what a person names on a command line
    rows.py            the shapes in which others publish conversations, and how each becomes a record
    questions.py       what is asked when a source knows only the answer
    image_folder.py    finds the pictures a data file names, in one folder and nowhere else
    drawings.py        SVG to pixels
    debian.py          where packages lie, their versions and licences

    folders, jsonl, parquet, webdataset, hub          the user's own data, and other people's data sets
    icon_sets, flags, clip_art, stamps, manuals       pictures that come in packages
    wordnet, encyclopedia, base_replies               text alone

Libraries that only one source needs are imported inside it, and their absence is a sentence with what to install.
"""
