"""The simulated sensor's world: what stands before it, how the hand grasps the object, and how both move."""
