"""The reference runner: any AG-UI server is a runner, this one needs nothing but a workspace."""
