"""Networks that find faces and make templates, and the engines that run them."""
