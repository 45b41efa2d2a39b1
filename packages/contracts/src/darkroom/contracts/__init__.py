"""What Darkroom's services say to each other: events, claims, ids, recipes, problems."""
