"""The platform: an API that the official client cannot tell apart, and all that stands around it."""
