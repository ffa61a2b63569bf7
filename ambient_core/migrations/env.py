"""Alembic's entry point; everything it needs is handed over in the configuration's attributes by `ambient_core.migrate`."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    include_object=attributes.get("include_object"),
    compare_type=True,
    compare_server_default=False,
    transaction_per_migration=False,
    render_item=attributes.get("render_item"),
)

# A plugin that is gone, or does not import, has left its head behind. Alembic knows nothing of it, and need not.
running = context.get_context()
read_heads = running.get_current_heads
running.get_current_heads = lambda: tuple(head for head in read_heads() if head in attributes["known"])  # type: ignore[method-assign]

with context.begin_transaction():
    context.run_migrations()
