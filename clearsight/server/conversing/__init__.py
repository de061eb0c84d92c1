"""Conversations that the server keeps, and answers that outlive a lost connection."""
