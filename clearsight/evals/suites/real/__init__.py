"""Real: questions about pictures that nobody here drew: photographs, screens, charts, pages, maps and games.

pictures/           the pictures, scaled and compressed, from packages of Debian
pictures.jsonl      where each is from: package, version, path, licence, author, what was done to it, hash
licences/           the licences of the GNU project that some are under, whole, as these ask for
questions.jsonl     the questions with their truths, as clearsight.evals.suites.files reads them
checked.jsonl       what a second look at each picture, without the answers in view, gave for each question
provenance.py       reads the pictures and where they are from; as records, for what must keep them out of training
questions.py        the suite
rebuild.py          makes the pictures again from the packages
contamination.py    looks for the pictures in what training data is made of
"""
