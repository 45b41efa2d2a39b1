"""Who calls: signed passports and sessions, their keys, API key format, and the route guards."""
