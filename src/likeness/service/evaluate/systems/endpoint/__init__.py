"""What it takes to ask a Rekognition endpoint: a client, a journal, pictures to send, prices."""
