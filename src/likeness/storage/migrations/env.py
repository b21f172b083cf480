"""What Alembic runs for every migration, on a connection and in its transaction."""

from alembic import context

from likeness.storage.metadata import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
