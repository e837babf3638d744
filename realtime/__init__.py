"""The socket: consumer, protocol, frame router, hub. Knows user ids and streams, no domain model."""
