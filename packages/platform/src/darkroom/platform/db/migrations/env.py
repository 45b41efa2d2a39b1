# Alembic runs this file; the connection comes from darkroom.platform.db.migrate.
from alembic import context

context.configure(
    connection=context.config.attributes["connection"], transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
