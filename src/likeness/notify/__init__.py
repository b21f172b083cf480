"""Who is told that something happened? Webhooks: from an outbox, signed, to addresses checked."""
