"""Random work of all roles through the workflow over HTTP, and what must hold whatever they do."""
