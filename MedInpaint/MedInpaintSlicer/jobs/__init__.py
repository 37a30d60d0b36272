"""From nodes to the engine in a process of its own, and back to the scene; one kind of job a file."""
