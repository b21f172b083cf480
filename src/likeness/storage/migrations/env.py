"""What Alembic runs for every migration: on the connection, and in the transaction, it is given."""

from alembic import context

from likeness.storage.metadata import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
