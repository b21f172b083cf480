"""What does Likeness do over HTTP that Rekognition does not? Review, watches, receipts."""
