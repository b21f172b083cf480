"""Amazon Rekognition's wire protocol: the only place with AWS's words."""
