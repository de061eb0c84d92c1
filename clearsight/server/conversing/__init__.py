"""Conversations that the server keeps: what clients send, how it becomes a prompt, answers that outlive a lost connection."""
