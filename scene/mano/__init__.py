"""MANO, the hand model that a user may bring (Romero, Tzionas and Black, "Embodied Hands", SIGGRAPH Asia 2017)."""
