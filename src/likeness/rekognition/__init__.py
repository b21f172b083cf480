"""How is Amazon Rekognition's wire protocol spoken? The only place with AWS's words."""
