"""Latent search: the image of a generator that agrees with what is known of a damaged one."""
