"""Likeness's own acts over HTTP, which Rekognition does not have: review, watches, receipts."""
