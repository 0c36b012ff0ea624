"""Transport: topic catalogue, envelope, keys and encryption, workers, dead letters. Knows neither master nor IAM."""
