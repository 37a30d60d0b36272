"""Jobs: what can be done, as JSON files; one kind a file. ``MedInpaintLib.job`` runs them."""
