"""Who is seen in stored clips."""
