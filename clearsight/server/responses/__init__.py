"""The Responses API: the answers of chat completions as items and events, kept so that one can go on from them."""
