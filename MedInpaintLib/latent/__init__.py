"""Latent search: find the generated image that agrees with the known pixels of a damaged one."""
