"""What ours is measured against. Each is a server process of its own."""
