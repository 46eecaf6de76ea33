"""The format of `pairs.h5`, which frames become pairs, how they are split, and what a file holds."""
