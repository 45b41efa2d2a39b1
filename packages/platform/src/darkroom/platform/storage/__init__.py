"""Objects: a port, an S3 implementation and one in memory."""
