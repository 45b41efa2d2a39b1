"""How Darkroom is tested: a pytest plugin, real servers, generated pictures."""
