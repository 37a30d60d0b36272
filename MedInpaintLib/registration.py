"""Registration: where in another image, or in the mirrored one, the same anatomy lies."""
