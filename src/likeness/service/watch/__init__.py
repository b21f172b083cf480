"""Standing searches: acts that tell when somebody is enrolled later."""
