"""Pairs in, pose regressor out: reads `pairs.h5`, writes a run folder. Siamese Regression Networks, 2016.

preprocessing   stored crops -> the network's four channels
network         the network of section 4
losses          equations 2, 3 and 5
batches         which images stand together in a batch (section 3.5)
fit             the loop
evaluate        errors in degrees, by visibility, by both read-outs
"""
