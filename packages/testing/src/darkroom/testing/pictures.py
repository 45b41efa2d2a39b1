"""Generated pictures: sizes, modes, orientations, and hostile ones named for their trick."""
