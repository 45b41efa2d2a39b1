"""Images, renditions, albums and delivery."""
