"""Entry point of Alembic: runs the steps on the connection, and in the transaction, that `migrate` opened."""

from alembic import context

from facegate.serving.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
context.run_migrations()
