"""The AG-UI gateway: durable, resumable streams of any runner."""
