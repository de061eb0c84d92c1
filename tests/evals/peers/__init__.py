"""lmms-eval beside us: an environment of its own, a worker in it, and the replies both have to judge."""
