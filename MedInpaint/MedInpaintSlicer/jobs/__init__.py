"""Jobs: run the engine on nodes in its own process, and put the result into the scene; one file per kind of job."""
