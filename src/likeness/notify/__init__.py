"""Who is told that something happened? Webhooks: signed, and to addresses that were checked."""
