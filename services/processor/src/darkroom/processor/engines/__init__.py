"""What holds a decoder: killable children, their confinement, their scratch space."""
