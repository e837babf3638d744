import django.db.models.deletion
import messaging.models.words
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

BATCH = 500


def write_words(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Of the messages that are there already."""
    messages = apps.get_model('messaging', 'Message').objects.using(schema_editor.connection.alias)
    last = None
    while True:
        rest = messages.filter(id__gt=last) if last else messages
        batch = list(rest.order_by('id').only('id', 'content')[:BATCH])
        if not batch:
            return
        for message in batch:
            message.words = messaging.models.words.words_of(message.content)
        messages.bulk_update(batch, ['words'])
        last = batch[-1].id


def add_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'mysql':
        schema_editor.execute('CREATE FULLTEXT INDEX message_words ON messaging_message (words)')


def remove_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'mysql':
        schema_editor.execute('DROP INDEX message_words ON messaging_message')
        # InnoDB's own column for the index would stay, and a new index would then find nothing.
        schema_editor.execute('ALTER TABLE messaging_message ENGINE=InnoDB')


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0003_files'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='forwarded_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='forwarded_sender',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='message',
            name='words',
            field=messaging.models.words.WordsField(default='', editable=False),
            preserve_default=False,
        ),
        migrations.RunPython(write_words, migrations.RunPython.noop),
        migrations.RunPython(add_index, remove_index, atomic=False),
    ]
