"""From a request to an answer: what may be asked, how it becomes a conversation, and how the answer is told."""
