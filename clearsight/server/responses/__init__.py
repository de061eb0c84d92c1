"""The Responses API: the same answers as chat completions, in items and events, kept so that one can go on from them."""
