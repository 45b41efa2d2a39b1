"""The front door: routes, credentials, passports, streaming proxy."""
