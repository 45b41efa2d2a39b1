"""Every way in for image bytes."""
