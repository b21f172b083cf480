"""Standing searches: acts that tell when somebody is enrolled, or seen in a clip."""
