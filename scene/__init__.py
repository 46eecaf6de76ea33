"""What stands before the camera and how it looks from there: the words that every stage shares. Imports no stage."""
